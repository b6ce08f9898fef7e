//! Who may do what (spec 70-semantics sections 11 and 12).

use moorage_model::{AclRule, Attr, ErrorKind, Flags, Ino, Result};

use crate::{Context, Meta, Read};

/// Permission to read.
pub const MAY_READ: u8 = 4;
/// Permission to write.
pub const MAY_WRITE: u8 = 2;
/// Permission to execute a file or to pass through a directory.
pub const MAY_EXECUTE: u8 = 1;

/// Whether the mode bits grant all bits of `mask` to the caller.
fn mode_grants(context: &Context, attr: &Attr, mask: u16) -> bool {
    let class = if context.uid == attr.uid {
        attr.mode >> 6
    } else if context.in_group(attr.gid) {
        attr.mode >> 3
    } else {
        attr.mode
    };
    class & mask == mask
}

/// Whether an access ACL grants all bits of `mask` to the caller.
fn acl_grants(context: &Context, attr: &Attr, rule: &AclRule, mask: u16) -> bool {
    if context.uid == attr.uid {
        return rule.owner & mask == mask;
    }
    // An unset mask has all bits and so masks nothing.
    if let Some(user) = rule.users.iter().find(|user| user.id == context.uid.0) {
        return user.permissions & rule.mask & mask == mask;
    }
    let named = rule
        .groups
        .iter()
        .map(|group| (moorage_model::Gid(group.id), group.permissions));
    let mut matched = false;
    for (group, permissions) in std::iter::once((attr.gid, rule.group)).chain(named) {
        if context.in_group(group) {
            if permissions & rule.mask & mask == mask {
                return true;
            }
            matched = true;
        }
    }
    !matched && rule.other & mask == mask
}

impl Meta {
    /// Whether the caller may use the node as `mask` says ([`MAY_READ`], [`MAY_WRITE`], [`MAY_EXECUTE`]).
    /// Always granted to callers that the kernel has checked ([`Context::check_permission`]).
    ///
    /// # Errors
    /// `AccessDenied`; `Corrupt` when the ACL rule of the node is missing.
    pub async fn check_access(&self, context: &Context, attr: &Attr, mask: u8) -> Result<()> {
        self.check_access_in(self.engine.as_ref(), context, attr, mask)
            .await
    }

    /// As [`Meta::check_access`], reading an unknown ACL rule through the verb's transaction.
    pub(crate) async fn check_access_in(
        &self,
        reader: &(impl Read + ?Sized),
        context: &Context,
        attr: &Attr,
        mask: u8,
    ) -> Result<()> {
        if context.check_permission {
            self.judge_access(reader, context, attr, mask).await
        } else {
            Ok(())
        }
    }

    /// Judges also callers that the kernel has checked.
    pub(crate) async fn judge_access(
        &self,
        reader: &(impl Read + ?Sized),
        context: &Context,
        attr: &Attr,
        mask: u8,
    ) -> Result<()> {
        if context.uid.0 == 0 {
            return Ok(());
        }
        let mask = u16::from(mask & 7);
        // An ACL whose mask is empty shows as no group bits; then the mode decides alone.
        let granted = if attr.access_acl.0 != 0 && attr.mode & 0o070 != 0 {
            let rule = self.acl_rule(reader, attr.access_acl).await?;
            acl_grants(context, attr, &rule, mask)
        } else {
            mode_grants(context, attr, mask)
        };
        if granted {
            Ok(())
        } else {
            Err(ErrorKind::AccessDenied.into())
        }
    }

    /// Whether entries of the directory may be made or removed, as far as its permission bits say.
    pub(crate) async fn check_directory_change(
        &self,
        reader: &(impl Read + ?Sized),
        context: &Context,
        directory: &Attr,
    ) -> Result<()> {
        self.check_access_in(reader, context, directory, MAY_WRITE | MAY_EXECUTE)
            .await
    }
}

/// The sticky bit: an entry of such a directory may be removed or renamed by root, by the owner of the directory
/// and by the owner of the node only. Holds also for callers that the kernel has checked.
///
/// # Errors
/// `AccessDenied`.
pub(crate) fn check_sticky(context: &Context, directory: &Attr, node: &Attr) -> Result<()> {
    let owns = context.uid.0 == 0 || context.uid == directory.uid || context.uid == node.uid;
    if directory.mode & 0o1000 == 0 || owns {
        Ok(())
    } else {
        Err(ErrorKind::AccessDenied.into())
    }
}

/// Refuses nodes with any of these flags.
///
/// # Errors
/// `NotPermitted`.
pub(crate) fn refuse_flags(attr: &Attr, flags: Flags) -> Result<()> {
    if attr.flags.intersects(flags) {
        Err(ErrorKind::NotPermitted.into())
    } else {
        Ok(())
    }
}

/// Whether immutable and append-only nodes are spared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlagRule {
    /// As everywhere: they refuse their removal.
    Respect,
    /// They go too: what is removed was never seen, or is over its time in the trash.
    Ignore,
}

impl FlagRule {
    /// Refuses nodes with any of these flags, if they are respected.
    pub(crate) fn check(self, attr: &Attr, flags: Flags) -> Result<()> {
        match self {
            FlagRule::Respect => refuse_flags(attr, flags),
            FlagRule::Ignore => Ok(()),
        }
    }
}

/// A parent that entries may be taken from.
///
/// # Errors
/// `NotFound` when it is gone, `NotDirectory`.
pub(crate) fn directory(attr: Option<Attr>) -> Result<Attr> {
    let attr = attr.ok_or(ErrorKind::NotFound)?;
    if attr.is_directory() {
        Ok(attr)
    } else {
        Err(ErrorKind::NotDirectory.into())
    }
}

/// A parent that entries may be added to: it exists, is a directory and does not lie in the trash.
///
/// # Errors
/// `NotFound` when it is gone or trashed, `NotDirectory`.
pub(crate) fn living_directory(attr: Option<Attr>) -> Result<Attr> {
    let attr = directory(attr)?;
    if attr.in_trash() {
        Err(ErrorKind::NotFound.into())
    } else {
        Ok(attr)
    }
}

/// Entries are taken out of trash directories by root only.
///
/// # Errors
/// `NotPermitted`.
pub(crate) fn check_out_of_trash(context: &Context, directory: Ino) -> Result<()> {
    if directory.is_trash() && context.uid.0 != 0 {
        Err(ErrorKind::NotPermitted.into())
    } else {
        Ok(())
    }
}
