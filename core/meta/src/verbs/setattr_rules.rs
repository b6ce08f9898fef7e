//! Who may change which attribute, and what a change does to the set-id bits (spec 70-semantics section 11). Pure
//! functions.

use moorage_model::{Attr, ErrorKind, Result, Timestamp, Uid};

use super::setattr::{SetAttr, SetTime};
use crate::Context;

/// Set-user-id bit of a mode.
const SETUID: u16 = 0o4000;
/// Set-group-id bit of a mode.
const SETGID: u16 = 0o2000;
/// Execute bit of the group.
const GROUP_EXECUTE: u16 = 0o010;

/// Whether the caller may change mode, owner and explicit times of the node. Setting times to now also asks for less:
/// see [`may_touch`].
///
/// # Errors
/// `NotPermitted`.
pub(super) fn check_owner_rules(context: &Context, attr: &Attr, change: &SetAttr) -> Result<()> {
    if !context.check_permission || context.uid == Uid::ROOT {
        return Ok(());
    }
    let owns = context.uid == attr.uid;
    let uid_allowed = change.uid.is_none_or(|uid| owns && uid == attr.uid);
    let gid_allowed = change
        .gid
        .is_none_or(|gid| owns && (gid == attr.gid || context.in_group(gid)));
    let mode_allowed = change.mode.is_none() || owns;
    let explicit = |time: Option<SetTime>| matches!(time, Some(SetTime::At(_)));
    let times_allowed = owns || !(explicit(change.atime) || explicit(change.mtime));
    if uid_allowed && gid_allowed && mode_allowed && times_allowed {
        Ok(())
    } else {
        Err(ErrorKind::NotPermitted.into())
    }
}

/// Whether the caller sets times to now without owning the node, for which write access is enough.
pub(super) fn needs_write_access(context: &Context, attr: &Attr, change: &SetAttr) -> bool {
    let sets_times = change.atime.is_some() || change.mtime.is_some();
    sets_times && context.uid != Uid::ROOT && context.uid != attr.uid
}

/// The mode after a change of owner or group: set-id bits of everything but directories go. The set-group-id bit
/// of a file that its group can not execute marks mandatory locking and stays when root changes the owner.
pub(super) fn mode_after_chown(context: &Context, attr: &Attr) -> u16 {
    if attr.is_directory() {
        return attr.mode;
    }
    let mut mode = attr.mode & !SETUID;
    if context.uid != Uid::ROOT || mode & GROUP_EXECUTE != 0 {
        mode &= !SETGID;
    }
    mode
}

/// The mode after the content was changed by this caller: what anybody may write runs for nobody else.
pub(crate) fn mode_after_write(context: &Context, attr: &Attr) -> u16 {
    if context.uid == Uid::ROOT {
        attr.mode
    } else {
        without_set_id(attr.mode)
    }
}

/// A mode of a file without the bits that a write by anybody but root takes away. The set-group-id bit of a file that
/// its group can not execute marks mandatory locking and stays.
pub fn without_set_id(mode: u16) -> u16 {
    let mode = mode & !SETUID;
    if mode & GROUP_EXECUTE != 0 {
        mode & !SETGID
    } else {
        mode
    }
}

/// The mode that a chmod stores: callers outside the node's group lose the set-group-id bit.
pub(super) fn mode_after_chmod(context: &Context, attr: &Attr, mode: u16) -> u16 {
    let mode = mode & 0o7777;
    if context.uid != Uid::ROOT && !context.in_group(attr.gid) {
        mode & !SETGID
    } else {
        mode
    }
}

/// The instant to store: times before 1970 can not be stored and mean now (spec 70-semantics section 5).
pub(super) fn stored_time(time: SetTime, now: Timestamp) -> Timestamp {
    match time {
        SetTime::At(at) if at.seconds >= 0 => at,
        SetTime::At(_) | SetTime::Now => now,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use moorage_model::{Gid, Ino, NodeType};

    use super::*;

    fn caller(uid: u32, gid: u32) -> Context {
        Context {
            uid: Uid(uid),
            gid: Gid(gid),
            groups: Arc::from([]),
            pid: 1,
            check_permission: true,
        }
    }

    fn node(kind: NodeType, mode: u16) -> Attr {
        Attr::new(kind, mode, Uid(10), Gid(20), Timestamp::new(1, 0), Ino::ROOT)
    }

    #[test]
    fn chown_takes_set_id_bits_from_files_but_not_from_directories() {
        let (root, user) = (Context::root(), caller(10, 20));
        let file = |mode| node(NodeType::File, mode);
        assert_eq!(mode_after_chown(&user, &file(0o6755)), 0o755);
        assert_eq!(mode_after_chown(&root, &file(0o6755)), 0o755);
        assert_eq!(mode_after_chown(&root, &file(0o6744)), 0o2744);
        assert_eq!(mode_after_chown(&user, &file(0o6744)), 0o744);
        assert_eq!(
            mode_after_chown(&user, &node(NodeType::Directory, 0o6755)),
            0o6755
        );
    }

    #[test]
    fn a_write_takes_set_id_bits_away_unless_root_writes() {
        let file = |mode| node(NodeType::File, mode);
        assert_eq!(mode_after_write(&caller(10, 20), &file(0o6755)), 0o755);
        assert_eq!(mode_after_write(&caller(10, 20), &file(0o6744)), 0o2744);
        assert_eq!(mode_after_write(&Context::root(), &file(0o6755)), 0o6755);
    }

    #[test]
    fn chmod_by_a_stranger_to_the_group_loses_setgid() {
        let attr = node(NodeType::File, 0o644);
        assert_eq!(mode_after_chmod(&caller(10, 99), &attr, 0o2755), 0o755);
        assert_eq!(mode_after_chmod(&caller(10, 20), &attr, 0o2755), 0o2755);
        assert_eq!(mode_after_chmod(&Context::root(), &attr, 0o2755), 0o2755);
    }

    #[test]
    fn times_before_1970_mean_now() {
        let now = Timestamp::new(100, 5);
        assert_eq!(stored_time(SetTime::At(Timestamp::new(-1, 0)), now), now);
        assert_eq!(
            stored_time(SetTime::At(Timestamp::new(0, 7)), now),
            Timestamp::new(0, 7)
        );
        assert_eq!(stored_time(SetTime::Now, now), now);
    }

    #[test]
    fn only_root_gives_files_away_and_owners_change_to_their_groups_only() {
        let attr = node(NodeType::File, 0o644);
        let chown = |uid, gid| SetAttr {
            uid,
            gid,
            ..SetAttr::default()
        };
        let kind = |context: &Context, change: &SetAttr| {
            check_owner_rules(context, &attr, change).map_err(|error| error.kind())
        };
        let owner = caller(10, 20);
        assert_eq!(
            kind(&owner, &chown(Some(Uid(11)), None)),
            Err(ErrorKind::NotPermitted)
        );
        assert_eq!(
            kind(&owner, &chown(None, Some(Gid(21)))),
            Err(ErrorKind::NotPermitted)
        );
        assert_eq!(kind(&owner, &chown(Some(Uid(10)), Some(Gid(20)))), Ok(()));
        assert_eq!(
            kind(&caller(11, 20), &chown(None, Some(Gid(20)))),
            Err(ErrorKind::NotPermitted)
        );
        assert_eq!(
            kind(&Context::root(), &chown(Some(Uid(11)), Some(Gid(21)))),
            Ok(())
        );
    }
}
