//! Reserving, zeroing and punching ranges of a file.

use moorage_model::{Attr, ErrorKind, Flags, Ino, Result};

use super::change::{append_holes, lock_file, put_content_change, range_end, touch_content};
use crate::verbs::mode_after_write;
use crate::{Context, Meta};

/// What fallocate does with its range; no member set means "make the file at least this long".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FallocateMode {
    /// The length stays even when the range ends behind it.
    pub keep_size: bool,
    /// The range reads as zeros afterwards; needs `keep_size`.
    pub punch_hole: bool,
    /// The range reads as zeros afterwards.
    pub zero_range: bool,
}

impl FallocateMode {
    const KEEP_SIZE: u32 = 1;
    const PUNCH_HOLE: u32 = 2;
    const COLLAPSE: u32 = 8;
    const ZERO_RANGE: u32 = 16;
    const INSERT: u32 = 32;

    /// From the mode bits of Linux (spec 70-semantics section 7).
    ///
    /// # Errors
    /// `NotSupported` for collapse and insert alone and for unknown bits, `InvalidArgument` for combinations that
    /// make no sense.
    pub fn from_bits(bits: u32) -> Result<FallocateMode> {
        let known = Self::KEEP_SIZE | Self::PUNCH_HOLE | Self::ZERO_RANGE;
        match bits {
            Self::COLLAPSE | Self::INSERT => Err(ErrorKind::NotSupported.into()),
            _ if bits & (Self::COLLAPSE | Self::INSERT) != 0 => Err(ErrorKind::InvalidArgument.into()),
            _ if bits & !known != 0 => Err(ErrorKind::NotSupported.into()),
            _ => {
                let mode = FallocateMode {
                    keep_size: bits & Self::KEEP_SIZE != 0,
                    punch_hole: bits & Self::PUNCH_HOLE != 0,
                    zero_range: bits & Self::ZERO_RANGE != 0,
                };
                mode.check()?;
                Ok(mode)
            }
        }
    }

    fn check(self) -> Result<()> {
        if self.punch_hole && (!self.keep_size || self.zero_range) {
            return Err(ErrorKind::InvalidArgument.into());
        }
        Ok(())
    }

    fn zeroes(self) -> bool {
        self.punch_hole || self.zero_range
    }

    fn bits(self) -> u32 {
        u32::from(self.keep_size) * Self::KEEP_SIZE
            + u32::from(self.punch_hole) * Self::PUNCH_HOLE
            + u32::from(self.zero_range) * Self::ZERO_RANGE
    }
}

impl Meta {
    /// Makes room for, zeroes or punches `size` bytes from `offset` through a handle that is open for writing.
    /// Extending writes no records; zeroing affects the part below the old length (spec 70-semantics section 7).
    /// Modification and change time become now, and the set-id bits go unless root asks.
    ///
    /// # Errors
    /// `InvalidArgument` for size 0 or a mode that makes no sense, `BrokenPipe` for a FIFO, `NotPermitted` for other
    /// nodes that are no files and by the immutable and append-only flags, `FileTooLarge`, `NoSpace`,
    /// `QuotaExceeded`, `NotFound`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the range changed or not.
    pub async fn fallocate(
        &self,
        ctx: &Context,
        ino: Ino,
        mode: FallocateMode,
        offset: u64,
        size: u64,
    ) -> Result<Attr> {
        mode.check()?;
        if size == 0 {
            return Err(ErrorKind::InvalidArgument.into());
        }
        let end = range_end(offset, size)?;
        let ctx = ctx.clone();
        self.transact("fallocate", move |meta, txn| {
            let ctx = ctx.clone();
            Box::pin(async move {
                let before = lock_file(txn, ino).await?;
                let append_only = before.flags.contains(Flags::APPEND) && mode.zeroes();
                if append_only || before.flags.contains(Flags::IMMUTABLE) {
                    return Err(ErrorKind::NotPermitted.into());
                }
                let now = meta.now();
                let mut after = before.clone();
                if !mode.keep_size {
                    after.length = before.length.max(end);
                }
                after.mode = mode_after_write(&ctx, &before);
                touch_content(&mut after, now, now);
                put_content_change(meta, txn, ino, &before, &after).await?;
                if mode.zeroes() {
                    append_holes(txn, ino, offset, end.min(before.length)).await?;
                }
                meta.log(txn, || {
                    format!("FALLOCATE({ino},{offset},{size},{})", mode.bits())
                });
                Ok(after)
            })
        })
        .await
    }
}
