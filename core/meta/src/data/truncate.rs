//! Setting the length of a file.

use moorage_model::{Attr, ErrorKind, Ino, MAX_FILE_LENGTH, Result};

use super::change::{append_holes, check_overwritable, lock_file, put_content_change, touch_content};
use crate::{Context, Meta};

/// Bit of [`Meta::check_access`] for writing.
const WRITE: u8 = 2;

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
    pub async fn truncate(&self, ctx: &Context, ino: Ino, length: u64) -> Result<Attr> {
        let ctx = ctx.clone();
        self.set_length(ino, length, Some(ctx)).await
    }

    /// Sets the length of a file through a handle that is open for writing: no permission is asked, and a file in
    /// the trash may change. Otherwise as [`Meta::truncate`].
    ///
    /// # Errors
    /// See [`Meta::truncate`].
    pub async fn truncate_open(&self, ino: Ino, length: u64) -> Result<Attr> {
        self.set_length(ino, length, None).await
    }

    async fn set_length(&self, ino: Ino, length: u64, by_path: Option<Context>) -> Result<Attr> {
        if length >= MAX_FILE_LENGTH {
            return Err(ErrorKind::FileTooLarge.into());
        }
        self.transact("truncate", move |meta, txn| {
            let by_path = by_path.clone();
            Box::pin(async move {
                let before = lock_file(txn, ino).await?;
                check_overwritable(&before)?;
                if let Some(ctx) = by_path {
                    if before.in_trash() {
                        return Err(ErrorKind::NotPermitted.into());
                    }
                    meta.check_access(&ctx, &before, WRITE).await?;
                }
                if before.length == length {
                    return Ok(before);
                }
                let now = meta.now();
                let mut after = before.clone();
                after.length = length;
                touch_content(&mut after, now, now);
                put_content_change(meta, txn, ino, &before, &after).await?;
                append_holes(txn, ino, length.min(before.length), length.max(before.length)).await?;
                meta.log(txn, || format!("TRUNCATE({ino},{},{length},0)", before.length));
                Ok(after)
            })
        })
        .await
    }
}
