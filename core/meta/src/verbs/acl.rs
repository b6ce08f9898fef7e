//! POSIX ACLs of a node (spec 70-semantics section 12).

use std::sync::Arc;

use moorage_model::{AclId, AclKind, AclRule, Attr, Error, ErrorKind, Flags, Ino, NodeType, Result};

use super::xattr_rules::check_node;
use crate::acl_rules::{after_chmod, filled_from, mode_of};
use crate::changelog::escape;
use crate::permission::refuse_flags;
use crate::{Context, Key, Meta, Record, Txn};

/// Set-group-id bit of a mode.
const SETGID: u16 = 0o2000;

#[derive(Debug)]
struct SetAcl {
    context: Context,
    ino: Ino,
    kind: AclKind,
    rule: AclRule,
}

impl Meta {
    /// The ACL of a node; `None` when it has none.
    ///
    /// One engine read, one more for a rule that is not known yet.
    ///
    /// # Errors
    /// `NotFound`; `NotSupported` when the volume has no ACLs; `Corrupt` when the rule is missing.
    pub async fn get_acl(&self, ino: Ino, kind: AclKind) -> Result<Option<AclRule>> {
        self.check_acl_enabled()?;
        let attr = self.getattr(ino).await?;
        let id = acl_id_of(&attr, kind);
        if id == AclId(0) {
            return Ok(None);
        }
        let rule = self.acl_rule(self.engine.as_ref(), id).await?;
        Ok(Some(AclRule::clone(&rule)))
    }

    /// Sets an ACL of a node, or removes it (`None`, or a rule without any field). The access ACL also sets the
    /// permission bits; one without named entries and mask is no more than these.
    ///
    /// Read set: node. Write set: node, and a rule that no other node has yet. Round trips: one read, one commit; one
    /// more read for a new rule.
    ///
    /// # Errors
    /// `NotFound`; `NotSupported` when the volume has no ACLs, and for symlinks; `NotPermitted` for others than the
    /// owner and root, on immutable nodes, on internal nodes and in the trash; `AccessDenied` for a default ACL on
    /// anything but a directory; `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the ACL set or not, never half.
    pub async fn set_acl(
        &self,
        context: &Context,
        ino: Ino,
        kind: AclKind,
        rule: Option<AclRule>,
    ) -> Result<()> {
        self.check_writable()?;
        self.check_acl_enabled()?;
        check_node(ino)?;
        let change = Arc::new(SetAcl {
            context: context.clone(),
            ino,
            kind,
            rule: rule.unwrap_or_default(),
        });
        self.transact("set ACL", move |meta, txn| {
            let change = Arc::clone(&change);
            Box::pin(async move { change.run(meta, txn).await })
        })
        .await
    }

    /// The access ACL of a node whose mode becomes `mode`: owner, other and the mask (the group without one) follow
    /// it. [`AclId`] 0 when it has none.
    ///
    /// # Errors
    /// `Corrupt` when the rule is missing; what storing a new rule answers.
    pub(crate) async fn acl_after_chmod(&self, txn: &mut dyn Txn, attr: &Attr, mode: u16) -> Result<AclId> {
        if attr.access_acl == AclId(0) {
            return Ok(AclId(0));
        }
        let rule = self.acl_rule(&*txn, attr.access_acl).await?;
        let changed = after_chmod(&rule, mode);
        if changed == *rule {
            return Ok(attr.access_acl);
        }
        self.acl_id(txn, &changed).await
    }

    fn check_acl_enabled(&self) -> Result<()> {
        let setting = self.setting.read();
        if setting.enable_acl {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::NotSupported,
            format!("volume {} has no ACLs", setting.name),
        )
        .with_advice("Switch them on with `moorage config --enable-acl`."))
    }
}

fn acl_id_of(attr: &Attr, kind: AclKind) -> AclId {
    match kind {
        AclKind::Access => attr.access_acl,
        AclKind::Default => attr.default_acl,
    }
}

impl SetAcl {
    async fn run(&self, meta: &Meta, txn: &mut dyn Txn) -> Result<()> {
        let old = txn.lock_node(self.ino).await?.ok_or(ErrorKind::NotFound)?;
        if old.kind == NodeType::Symlink {
            return Err(ErrorKind::NotSupported.into());
        }
        if self.kind == AclKind::Default && !old.is_directory() {
            return if self.rule.is_empty() {
                Ok(())
            } else {
                Err(ErrorKind::AccessDenied.into())
            };
        }
        let foreign = self.context.uid.0 != 0 && self.context.uid != old.uid;
        if foreign || old.in_trash() {
            return Err(ErrorKind::NotPermitted.into());
        }
        refuse_flags(&old, Flags::IMMUTABLE)?;
        let mut attr = old.clone();
        match self.kind {
            AclKind::Access => self.set_access(meta, txn, &mut attr).await?,
            AclKind::Default => attr.default_acl = self.stored(meta, txn, &old).await?,
        }
        if attr == old {
            return Ok(());
        }
        attr.ctime = meta.now();
        txn.put(Key::Node(self.ino), Record::Node(attr));
        meta.log(txn, || {
            let rule = escape(&self.rule.encode());
            format!("SETFACL({},{},{rule})", self.ino, self.kind.code())
        });
        Ok(())
    }

    async fn set_access(&self, meta: &Meta, txn: &mut dyn Txn, attr: &mut Attr) -> Result<()> {
        // As a chmod: the bit must not be given to a group that its owner does not belong to.
        let member = self.context.uid.0 == 0 || self.context.in_group(attr.gid);
        if !member && !self.rule.is_empty() {
            attr.mode &= !SETGID;
        }
        attr.access_acl = if self.rule.is_minimal() {
            AclId(0)
        } else {
            self.stored(meta, txn, attr).await?
        };
        attr.mode = mode_of(&self.rule, attr.mode);
        Ok(())
    }

    /// The id under which the rule is stored, with the fields that were not given taken from the mode.
    async fn stored(&self, meta: &Meta, txn: &mut dyn Txn, attr: &Attr) -> Result<AclId> {
        if self.rule.is_empty() {
            return Ok(AclId(0));
        }
        let rule = filled_from(self.rule.clone(), attr.mode);
        meta.acl_id(txn, &rule).await
    }
}
