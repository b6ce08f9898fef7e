//! Who may do what: mode bits, ACLs, sticky directories (spec 70-semantics sections 11 and 12).

use std::collections::HashMap;
use std::sync::Arc;

use moorage_model::{ACL_UNSET, AclId, AclRule, Attr, Error, ErrorKind, Result, Uid};
use parking_lot::RwLock;

use crate::{Context, Key, Meta, TxnExt as _};

/// Wish to read, in the bits of a mode.
pub const MAY_READ: u8 = 4;
/// Wish to write.
pub const MAY_WRITE: u8 = 2;
/// Wish to execute or search.
pub const MAY_EXECUTE: u8 = 1;

/// ACL rules by id: rules never change and are never deleted.
#[derive(Debug, Default)]
pub(crate) struct AclCache(RwLock<HashMap<AclId, Arc<AclRule>>>);

impl AclCache {
    pub(crate) fn insert(&self, id: AclId, rule: AclRule) {
        self.0.write().insert(id, Arc::new(rule));
    }

    /// The id of an equal rule, if one is known.
    pub(crate) fn find(&self, rule: &AclRule) -> Option<AclId> {
        self.0.read().iter().find(|(_, known)| known.as_ref() == rule).map(|(id, _)| *id)
    }
}

impl Meta {
    /// The rule of an id.
    ///
    /// # Errors
    /// `Corrupt` when an attribute names a rule that does not exist.
    pub(crate) async fn acl_rule(&self, id: AclId) -> Result<Arc<AclRule>> {
        if let Some(rule) = self.acls.0.read().get(&id) {
            return Ok(Arc::clone(rule));
        }
        let rule = self.engine.get(&[Key::Acl(id)]).await?.acl()?.ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, format!("ACL rule {id} is missing")).with_advice("Run `moorage fsck`.")
        })?;
        let rule = Arc::new(rule);
        self.acls.0.write().insert(id, Arc::clone(&rule));
        Ok(rule)
    }

    /// Checks the wish (bits of [`MAY_READ`], [`MAY_WRITE`], [`MAY_EXECUTE`]) when this layer is the one that checks.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub async fn check_access(&self, ctx: &Context, attr: &Attr, wish: u8) -> Result<()> {
        if !ctx.check_permission {
            return Ok(());
        }
        self.check_access_always(ctx, attr, wish).await
    }

    pub(crate) async fn check_access_always(&self, ctx: &Context, attr: &Attr, wish: u8) -> Result<()> {
        if ctx.uid == Uid::ROOT {
            return Ok(());
        }
        let granted = if attr.access_acl.0 != 0 && attr.mode & 0o070 != 0 {
            acl_grants(&*self.acl_rule(attr.access_acl).await?, ctx, attr, wish)
        } else {
            mode_grants(ctx, attr, wish)
        };
        if granted { Ok(()) } else { Err(ErrorKind::AccessDenied.into()) }
    }
}

fn covers(permissions: u16, wish: u8) -> bool {
    permissions & u16::from(wish) == u16::from(wish)
}

fn mode_grants(ctx: &Context, attr: &Attr, wish: u8) -> bool {
    let class = if ctx.uid == attr.uid {
        attr.mode >> 6
    } else if ctx.in_group(attr.gid) {
        attr.mode >> 3
    } else {
        attr.mode
    };
    covers(class & 7, wish)
}

/// The first matching class decides; among groups, one that grants everything is enough.
fn acl_grants(rule: &AclRule, ctx: &Context, attr: &Attr, wish: u8) -> bool {
    let mask = if rule.mask == ACL_UNSET { 7 } else { rule.mask };
    if ctx.uid == attr.uid {
        return covers(rule.owner, wish);
    }
    if let Some(user) = rule.users.iter().find(|user| user.id == ctx.uid.0) {
        return covers(user.permissions & mask, wish);
    }
    let owning = ctx.in_group(attr.gid).then_some(rule.group);
    let named = rule.groups.iter().filter(|group| ctx.in_group(moorage_model::Gid(group.id))).map(|g| g.permissions);
    let mut matched = false;
    for permissions in owning.into_iter().chain(named) {
        matched = true;
        if covers(permissions & mask, wish) {
            return true;
        }
    }
    !matched && covers(rule.other, wish)
}

/// The sticky bit: only root, the owner of the directory or the owner of the node may remove or rename.
///
/// # Errors
/// `AccessDenied`.
pub(crate) fn check_sticky(ctx: &Context, directory: &Attr, node: &Attr) -> Result<()> {
    let free = directory.mode & 0o1000 == 0 || ctx.uid == Uid::ROOT || ctx.uid == directory.uid || ctx.uid == node.uid;
    if free { Ok(()) } else { Err(ErrorKind::AccessDenied.into()) }
}
