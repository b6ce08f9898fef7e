//! Extended attributes.

use std::sync::Arc;

use moorage_model::{AclId, AclKind, AclRule, Attr, ErrorKind, Ino, Result};

use super::xattr_rules::{check_name, check_node, check_value, may_read, may_write};
use crate::changelog::escape;
use crate::{Context, Key, Meta, Record, Scan, Txn, TxnExt as _};

/// Names read per page of a listing.
const XATTR_PAGE: usize = 256;

/// Whether setting an attribute may create or replace it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum XattrMode {
    /// Either.
    #[default]
    Any,
    /// It must not exist.
    Create,
    /// It must exist.
    Replace,
}

impl XattrMode {
    /// The number in a changelog line: that of setxattr.
    fn bits(self) -> u8 {
        match self {
            XattrMode::Any => 0,
            XattrMode::Create => 1,
            XattrMode::Replace => 2,
        }
    }
}

impl Meta {
    /// The value of an extended attribute. The `system.posix_acl_*` names show the ACLs of the node in the form of
    /// Linux.
    ///
    /// One engine read, one more for an unknown ACL rule. `security.*` names are served like any other: whether they
    /// are is an option of the door.
    ///
    /// # Errors
    /// `NoAttribute`; `NotFound` for a missing node when permissions are checked or an ACL is asked for;
    /// `InvalidArgument` or `OutOfRange` for a bad name; `AccessDenied`; `NotSupported` for an ACL on a volume
    /// without them.
    pub async fn get_xattr(&self, context: &Context, ino: Ino, name: &[u8]) -> Result<Vec<u8>> {
        check_name(name)?;
        if ino.is_internal() || ino.is_trash() {
            return Err(ErrorKind::NoAttribute.into());
        }
        if let Some(kind) = AclKind::from_xattr_name(name) {
            let rule = self.get_acl(ino, kind).await?;
            return rule
                .map(|rule| rule.encode_xattr())
                .ok_or_else(|| ErrorKind::NoAttribute.into());
        }
        let key = Key::Xattr(ino, name.to_vec());
        if !context.check_permission {
            let value = self.engine.get(&[key]).await?.xattr()?;
            return value.ok_or_else(|| ErrorKind::NoAttribute.into());
        }
        let mut found = self.engine.get(&[Key::Node(ino), key]).await?;
        let attr = found.node()?.ok_or(ErrorKind::NotFound)?;
        may_read(self, context, &attr, name).await?;
        found.xattr()?.ok_or_else(|| ErrorKind::NoAttribute.into())
    }

    /// Sets an extended attribute; times of the node stay. The `system.posix_acl_*` names set its ACLs
    /// ([`Meta::set_acl`]), whatever `mode` says.
    ///
    /// Read set: node, attribute. Write set: the attribute. Round trips: one read, one commit.
    ///
    /// # Errors
    /// `Exists` or `NoAttribute` by `mode`; `NotFound`; `InvalidArgument` or `OutOfRange` for a bad name or too long
    /// a value; `NotPermitted` on internal and trash directories, on trashed nodes for others than root, and for
    /// `user.` on anything but files and directories; `AccessDenied`; `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the attribute set or not.
    pub async fn set_xattr(
        &self,
        context: &Context,
        ino: Ino,
        name: &[u8],
        value: &[u8],
        mode: XattrMode,
    ) -> Result<()> {
        self.check_writable()?;
        check_name(name)?;
        check_value(value)?;
        check_node(ino)?;
        if let Some(kind) = AclKind::from_xattr_name(name) {
            let rule = AclRule::decode_xattr(value)?;
            return self.set_acl(context, ino, kind, Some(rule)).await;
        }
        let change = Arc::new(Change {
            context: context.clone(),
            ino,
            name: name.to_vec(),
        });
        let value = value.to_vec();
        self.transact("set xattr", move |meta, txn| {
            let (change, value) = (Arc::clone(&change), value.clone());
            Box::pin(async move { change.set(meta, txn, value, mode).await })
        })
        .await
    }

    /// Removes an extended attribute; times of the node stay. The `system.posix_acl_*` names remove its ACLs.
    ///
    /// Read set: node, attribute. Write set: the attribute. Round trips: one read, one commit.
    ///
    /// # Errors
    /// `NoAttribute` when there is none; else as [`Meta::set_xattr`].
    ///
    /// # Cancel safety
    /// Dropping the future may leave the attribute removed or not.
    pub async fn remove_xattr(&self, context: &Context, ino: Ino, name: &[u8]) -> Result<()> {
        self.check_writable()?;
        check_name(name)?;
        check_node(ino)?;
        if let Some(kind) = AclKind::from_xattr_name(name) {
            return self.set_acl(context, ino, kind, None).await;
        }
        let change = Arc::new(Change {
            context: context.clone(),
            ino,
            name: name.to_vec(),
        });
        self.transact("remove xattr", move |meta, txn| {
            let change = Arc::clone(&change);
            Box::pin(async move { change.remove(meta, txn).await })
        })
        .await
    }

    /// Names of all extended attributes of a node, with those of its ACLs last.
    ///
    /// Two engine reads, one more per 256 names.
    ///
    /// # Errors
    /// `NotFound`; `NoAttribute` on internal and trash directories, which have none.
    pub async fn list_xattrs(&self, ino: Ino) -> Result<Vec<Vec<u8>>> {
        if ino.is_internal() || ino.is_trash() {
            return Err(ErrorKind::NoAttribute.into());
        }
        let attr = self.getattr(ino).await?;
        let mut names = Vec::new();
        let mut after: Option<Key> = None;
        loop {
            let page = self
                .engine
                .scan(&Scan::Xattrs(ino), after.as_ref(), XATTR_PAGE)
                .await?;
            after = page.items.last().map(|(key, _)| key.clone());
            names.extend(page.items.into_iter().filter_map(|(key, _)| match key {
                Key::Xattr(_, name) => Some(name),
                _ => None,
            }));
            if !page.more || after.is_none() {
                break;
            }
        }
        if self.setting.read().enable_acl {
            names.extend(acl_names(&attr).map(<[u8]>::to_vec));
        }
        Ok(names)
    }
}

/// Names of the ACLs that a node has.
fn acl_names(attr: &Attr) -> impl Iterator<Item = &'static [u8]> {
    let ids = [
        (AclKind::Access, attr.access_acl),
        (AclKind::Default, attr.default_acl),
    ];
    ids.into_iter()
        .filter(|(_, id)| *id != AclId(0))
        .map(|(kind, _)| kind.xattr_name())
}

/// Arguments of a transaction on one attribute.
#[derive(Debug)]
struct Change {
    context: Context,
    ino: Ino,
    name: Vec<u8>,
}

impl Change {
    /// Locks node and attribute, checks permission, and says whether the attribute exists.
    async fn exists(&self, meta: &Meta, txn: &mut dyn Txn) -> Result<bool> {
        let mut found = txn.get_locked(&[Key::Node(self.ino), self.key()]).await?;
        let attr = found.node()?.ok_or(ErrorKind::NotFound)?;
        let exists = found.xattr()?.is_some();
        may_write(meta, &*txn, &self.context, &attr, &self.name).await?;
        Ok(exists)
    }

    fn key(&self) -> Key {
        Key::Xattr(self.ino, self.name.clone())
    }

    async fn set(&self, meta: &Meta, txn: &mut dyn Txn, value: Vec<u8>, mode: XattrMode) -> Result<()> {
        match (mode, self.exists(meta, txn).await?) {
            (XattrMode::Create, true) => return Err(ErrorKind::Exists.into()),
            (XattrMode::Replace, false) => return Err(ErrorKind::NoAttribute.into()),
            _ => {}
        }
        meta.log(txn, || {
            let (name, value) = (escape(&self.name), escape(&value));
            format!("SETXATTR({},{name},{value},{})", self.ino, mode.bits())
        });
        txn.put(self.key(), Record::Xattr(value));
        Ok(())
    }

    async fn remove(&self, meta: &Meta, txn: &mut dyn Txn) -> Result<()> {
        if !self.exists(meta, txn).await? {
            return Err(ErrorKind::NoAttribute.into());
        }
        txn.delete(self.key());
        meta.log(txn, || {
            format!("REMOVEXATTR({},{})", self.ino, escape(&self.name))
        });
        Ok(())
    }
}
