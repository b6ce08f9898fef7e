//! Setting the length of a file.

use moorage_model::{Attr, ErrorKind, Ino, MAX_FILE_LENGTH, Result};

use super::change::{append_holes, check_overwritable, check_regular, put_content_change, touch_content};
use crate::{Context, Meta, SetAttr, Txn};

impl Meta {
    /// Sets the length of a file by its path: the caller needs write permission, files in the trash refuse
    /// (spec 70-semantics sections 3 and 7). Bytes beyond either length read as zeros afterwards; an equal length
    /// changes nothing, not even times.
    ///
    /// Read set: the node. Write set: node, chunks of both ends, existing chunks between them, usage.
    ///
    /// # Errors
    /// `NotFound`; `IsDirectory` and `NotPermitted` for what is no file, is immutable or append-only, or lies in the
    /// trash; `AccessDenied`; `FileTooLarge` from 2^57 on; `NoSpace`, `QuotaExceeded`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the file truncated or not.
    pub async fn truncate(&self, context: &Context, ino: Ino, length: u64) -> Result<Attr> {
        let change = SetAttr {
            size: Some(length),
            ..SetAttr::default()
        };
        self.setattr(context, ino, change).await
    }

    /// Sets the length of a file through a handle that is open for writing: no permission is asked, and a file in
    /// the trash may change. Otherwise as [`Meta::truncate`].
    ///
    /// # Errors
    /// See [`Meta::truncate`].
    pub async fn truncate_open(&self, ino: Ino, length: u64) -> Result<Attr> {
        let change = SetAttr {
            size: Some(length),
            size_by_handle: true,
            ..SetAttr::default()
        };
        self.setattr(&Context::root(), ino, change).await
    }
}

/// Whether a file can be so long.
///
/// # Errors
/// `FileTooLarge`.
pub(crate) fn check_new_length(length: u64) -> Result<()> {
    if length >= MAX_FILE_LENGTH {
        Err(ErrorKind::FileTooLarge.into())
    } else {
        Ok(())
    }
}

/// Writes the new length of a node whose record is locked, with holes over what is cut off or added.
///
/// # Errors
/// `IsDirectory`, `NotPermitted`, `NoSpace`, `QuotaExceeded`.
pub(crate) async fn change_length(
    meta: &Meta,
    txn: &mut dyn Txn,
    ino: Ino,
    before: &Attr,
    length: u64,
) -> Result<Attr> {
    check_regular(before)?;
    check_overwritable(before)?;
    let mut after = before.clone();
    if before.length == length {
        return Ok(after);
    }
    let now = meta.now();
    after.length = length;
    touch_content(&mut after, now, now);
    put_content_change(meta, txn, ino, before, &after).await?;
    append_holes(txn, ino, length.min(before.length), length.max(before.length)).await?;
    meta.log(txn, || format!("TRUNCATE({ino},{},{length},0)", before.length));
    Ok(after)
}
