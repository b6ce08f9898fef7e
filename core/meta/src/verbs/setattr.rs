//! setattr: chmod, chown, utimes and truncate in one.

use std::sync::Arc;

use moorage_model::{Attr, ErrorKind, Gid, Ino, Result, TierId, Timestamp, Uid};

use super::setattr_rules::{
    check_owner_rules, mode_after_chmod, mode_after_chown, mode_after_write, needs_write_access, stored_time,
};
use crate::data::{change_length, check_new_length, touch_content};
use crate::{Context, Key, MAY_WRITE, Meta, Record, Txn};

/// A time to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTime {
    /// The instant of the change.
    Now,
    /// This instant; one before 1970 means now.
    At(Timestamp),
}

/// Attributes to change; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetAttr {
    /// The 12 permission bits.
    pub mode: Option<u16>,
    /// Owner.
    pub uid: Option<Uid>,
    /// Group.
    pub gid: Option<Gid>,
    /// Length of a regular file, bytes.
    pub size: Option<u64>,
    /// The size comes through a handle that is open for writing: no permission is asked for it.
    pub size_by_handle: bool,
    /// Last access.
    pub atime: Option<SetTime>,
    /// Last change of content.
    pub mtime: Option<SetTime>,
    /// Storage tier of data written from now on.
    pub tier: Option<TierId>,
}

impl SetAttr {
    /// The bits of a changelog line (spec 70-semantics section 14).
    fn mask(&self) -> u32 {
        let time = |time: Option<SetTime>, at: u32, now: u32| match time {
            None => 0,
            Some(SetTime::At(_)) => at,
            Some(SetTime::Now) => at | now,
        };
        u32::from(self.mode.is_some())
            | u32::from(self.uid.is_some()) << 1
            | u32::from(self.gid.is_some()) << 2
            | time(self.atime, 16, 128)
            | time(self.mtime, 32, 256)
            | u32::from(self.tier.is_some()) << 10
    }
}

impl Meta {
    /// Changes attributes of a node and returns them all. A change that changes nothing writes nothing. The change
    /// time becomes now; set-id bits follow the rules of Linux; the access ACL follows the mode.
    ///
    /// On the trash root it succeeds without effect (spec 70-semantics section 13).
    ///
    /// Read set: the node; the ACL rule when it is not known. Write set: node, ACL rule, usage of both owners, with a
    /// size also what [`Meta::truncate`] writes. Round trips: one read, one commit.
    ///
    /// # Errors
    /// `NotFound`; `NotPermitted` for callers that do not own the node, for nodes in the trash and for hourly trash
    /// directories; `AccessDenied` when neither owner nor writer sets times to now; `ReadOnly`; with a size the errors
    /// of [`Meta::truncate`].
    ///
    /// # Cancel safety
    /// Dropping the future may leave everything changed or nothing.
    pub async fn setattr(&self, context: &Context, ino: Ino, change: SetAttr) -> Result<Attr> {
        self.check_writable()?;
        if ino == Ino::TRASH {
            return self.getattr(ino).await;
        }
        if ino.is_trash() {
            return Err(ErrorKind::NotPermitted.into());
        }
        check_new_length(change.size.unwrap_or(0))?;
        let context = Arc::new(context.clone());
        self.transact("setattr", move |meta, txn| {
            let context = Arc::clone(&context);
            Box::pin(async move { run(meta, txn, &context, ino, change).await })
        })
        .await
    }
}

async fn run(meta: &Meta, txn: &mut dyn Txn, context: &Context, ino: Ino, change: SetAttr) -> Result<Attr> {
    let before = txn.lock_node(ino).await?.ok_or(ErrorKind::NotFound)?;
    change_node(meta, txn, context, ino, before, change).await
}

/// Changes a node whose attributes the transaction holds.
pub(crate) async fn change_node(
    meta: &Meta,
    txn: &mut dyn Txn,
    context: &Context,
    ino: Ino,
    before: Attr,
    change: SetAttr,
) -> Result<Attr> {
    let by_handle_only = change.size_by_handle
        && change
            == SetAttr {
                size: change.size,
                size_by_handle: true,
                ..SetAttr::default()
            };
    if before.in_trash() && !by_handle_only {
        return Err(ErrorKind::NotPermitted.into());
    }
    check_owner_rules(context, &before, &change)?;
    if needs_write_access(context, &before, &change) {
        meta.check_access_in(&*txn, context, &before, MAY_WRITE).await?;
    }
    let now = meta.now();
    let mut after = before.clone();
    if let Some(size) = change.size {
        if !change.size_by_handle {
            meta.check_access_in(&*txn, context, &before, MAY_WRITE).await?;
        }
        after = change_length(meta, txn, ino, &before, size).await?;
        after.mode = mode_after_write(context, &after);
    }
    apply_owner_and_mode(meta, txn, context, &mut after, &change).await?;
    if let Some(time) = change.atime {
        after.atime = stored_time(time, now);
    }
    if let Some(time) = change.mtime {
        after.mtime = stored_time(time, now);
    }
    if let Some(tier) = change.tier {
        after.tier = tier;
    }
    if after == before {
        return Ok(after);
    }
    if after.length != before.length && after.mtime == before.mtime {
        let mtime = after.mtime;
        touch_content(&mut after, mtime, now);
    }
    after.ctime = now;
    transfer_usage(meta, txn, &before, &after);
    txn.put(Key::Node(ino), Record::Node(after.clone()));
    log(meta, txn, ino, &change, &after);
    Ok(after)
}

async fn apply_owner_and_mode(
    meta: &Meta,
    txn: &mut dyn Txn,
    context: &Context,
    attr: &mut Attr,
    change: &SetAttr,
) -> Result<()> {
    if change.uid.is_some() || change.gid.is_some() {
        attr.mode = mode_after_chown(context, attr);
        attr.uid = change.uid.unwrap_or(attr.uid);
        attr.gid = change.gid.unwrap_or(attr.gid);
    }
    let Some(mode) = change.mode else { return Ok(()) };
    let mode = mode_after_chmod(context, attr, mode);
    attr.access_acl = meta.acl_after_chmod(txn, attr, mode).await?;
    attr.mode = mode;
    Ok(())
}

/// Usage follows the owner, without a check of limits (spec 70-semantics section 8). JuiceFS leaves the usage of
/// symlinks and special files with the old owner, but takes it from the new one when they are deleted.
fn transfer_usage(meta: &Meta, txn: &mut dyn Txn, before: &Attr, after: &Attr) {
    if (before.uid, before.gid) != (after.uid, after.gid) {
        // A change of length was counted for the old owner already.
        let space = after.used_space();
        meta.account_owner(txn, before.uid, before.gid, -space, -1);
        meta.account_owner(txn, after.uid, after.gid, space, 1);
    }
}

fn log(meta: &Meta, txn: &mut dyn Txn, ino: Ino, change: &SetAttr, after: &Attr) {
    // The line of the truncation stands for the size.
    if change.mask() == 0 {
        return;
    }
    meta.log(txn, || {
        format!(
            "SETATTR({ino},{},0,{},{},{},{},{},{},{},{},{},{},{})",
            change.mask(),
            after.uid,
            after.gid,
            after.mode,
            after.flags.0,
            after.atime.seconds,
            after.mtime.seconds,
            after.atime.nanoseconds,
            after.mtime.nanoseconds,
            after.ctime.seconds,
            after.ctime.nanoseconds,
            after.access_acl,
        )
    });
}
