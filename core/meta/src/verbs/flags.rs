//! Inode flags, as chattr and the attribute bits of Windows set them.

use std::sync::Arc;

use moorage_model::{Attr, ErrorKind, Flags, Ino, Result, Uid};

use crate::{Context, Key, Meta, Record};

/// Flags that take power from every later change and so are root's.
const ROOT_ONLY: Flags = Flags(Flags::IMMUTABLE.0 | Flags::APPEND.0);

impl Meta {
    /// Gives the flags in `mask` the values they have in `flags`; all others stay, also those that this release does
    /// not know. The change time becomes now when something changed (spec 70-semantics section 10).
    ///
    /// Read set and write set: the node.
    ///
    /// # Errors
    /// `NotPermitted` when others than root change immutable or append-only, when others than owner and root change
    /// anything, and on trash directories and internal nodes; `NotFound`; `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the flags changed or not.
    pub async fn set_flags(&self, context: &Context, ino: Ino, flags: Flags, mask: Flags) -> Result<Attr> {
        self.check_writable()?;
        if ino.is_trash() || ino.is_internal() {
            return Err(ErrorKind::NotPermitted.into());
        }
        let context = Arc::new(context.clone());
        self.transact("set flags", move |meta, txn| {
            let context = Arc::clone(&context);
            Box::pin(async move {
                let mut attr = txn.lock_node(ino).await?.ok_or(ErrorKind::NotFound)?;
                let wanted = Flags(attr.flags.0 & !mask.0 | flags.0 & mask.0);
                let changed = Flags(attr.flags.0 ^ wanted.0);
                check_flag_change(&context, &attr, changed)?;
                if changed == Flags::default() {
                    return Ok(attr);
                }
                attr.flags = wanted;
                attr.ctime = meta.now();
                txn.put(Key::Node(ino), Record::Node(attr.clone()));
                meta.log(txn, || {
                    // Bit 32768 says that the flags were set.
                    format!(
                        "SETATTR({ino},32768,0,{},{},{},{},{},{},{},{},{},{},{})",
                        attr.uid,
                        attr.gid,
                        attr.mode,
                        attr.flags.0,
                        attr.atime.seconds,
                        attr.mtime.seconds,
                        attr.atime.nanoseconds,
                        attr.mtime.nanoseconds,
                        attr.ctime.seconds,
                        attr.ctime.nanoseconds,
                        attr.access_acl,
                    )
                });
                Ok(attr)
            })
        })
        .await
    }
}

fn check_flag_change(context: &Context, attr: &Attr, changed: Flags) -> Result<()> {
    let allowed = context.uid == Uid::ROOT
        || (context.uid == attr.uid && !changed.intersects(ROOT_ONLY))
        || changed == Flags::default();
    if allowed {
        Ok(())
    } else {
        Err(ErrorKind::NotPermitted.into())
    }
}
