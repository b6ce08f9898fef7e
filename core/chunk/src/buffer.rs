//! The bounded pool that data being written lives in.
//!
//! Two sizes of buffer: small ones, enough for a small file, and whole blocks. Used buffers are kept for the next
//! writer, most recently used first, so that a stream of writes touches the same warm memory again instead of
//! asking the kernel for zeroed pages.

use std::sync::Arc;

use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a small buffer: one write of the kernel's usual size.
const SMALL_BYTES: usize = 128 << 10;
/// Whole blocks kept for reuse.
const SPARE_BLOCKS: usize = 8;
/// Small buffers kept for reuse.
const SPARE_SMALL: usize = 32;
/// The pool counts in this unit, because a semaphore's counter has 32 bits.
const UNIT: usize = 1 << 10;

/// A budget of bytes and the buffers that went back to it.
#[derive(Debug)]
pub(crate) struct BufferPool {
    budget: Arc<Semaphore>,
    units: usize,
    small: usize,
    block: usize,
    spare_small: Mutex<Vec<Vec<u8>>>,
    spare_blocks: Mutex<Vec<Vec<u8>>>,
}

/// The part of the budget that some data holds.
#[derive(Debug)]
pub(crate) struct Share(#[expect(dead_code, reason = "held for its Drop")] OwnedSemaphorePermit);

/// A buffer of the pool: fixed capacity, no reallocation, back to the pool when dropped.
#[derive(Debug)]
pub(crate) struct PoolBuffer {
    bytes: Vec<u8>,
    pool: Arc<BufferPool>,
}

impl BufferPool {
    /// A pool of `budget` bytes, at least two blocks so that one can fill while the other is uploaded.
    pub(crate) fn new(budget: u64, block_size: u32) -> Arc<BufferPool> {
        let block = block_size as usize;
        let budget = usize::try_from(budget).unwrap_or(usize::MAX).max(2 * block);
        let units = (budget / UNIT).min(u32::MAX as usize).min(Semaphore::MAX_PERMITS);
        Arc::new(BufferPool {
            budget: Arc::new(Semaphore::new(units)),
            units,
            small: SMALL_BYTES.min(block),
            block,
            spare_small: Mutex::default(),
            spare_blocks: Mutex::default(),
        })
    }

    /// A buffer for at least `bytes` bytes, and its share of the budget. Waits while the budget is spent.
    ///
    /// Ready on the first poll when it is not.
    ///
    /// # Errors
    /// `Io` only if the pool is gone, which it never is while a writer lives.
    pub(crate) async fn take(self: &Arc<Self>, bytes: usize) -> Result<(PoolBuffer, Share)> {
        let (capacity, spares) = if bytes <= self.small {
            (self.small, &self.spare_small)
        } else {
            (self.block, &self.spare_blocks)
        };
        let units = u32::try_from((capacity / UNIT).max(1)).unwrap_or(u32::MAX);
        let share = Arc::clone(&self.budget)
            .acquire_many_owned(units)
            .await
            .map_err(|e| Error::new(ErrorKind::Io, "the write buffers are gone").with_source(e))?;
        let bytes = spares
            .lock()
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(capacity));
        Ok((
            PoolBuffer {
                bytes,
                pool: Arc::clone(self),
            },
            Share(share),
        ))
    }

    /// Bytes in use and bytes at most.
    pub(crate) fn usage(&self) -> (u64, u64) {
        let used = self.units.saturating_sub(self.budget.available_permits());
        ((used * UNIT) as u64, (self.units * UNIT) as u64)
    }
}

impl PoolBuffer {
    /// Bytes it can hold.
    pub(crate) fn capacity(&self) -> usize {
        // Not Vec::capacity, which may be more than was asked for.
        if self.bytes.capacity() >= self.pool.block {
            self.pool.block
        } else {
            self.pool.small
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes at an offset up to the current length; the caller has seen to the capacity. One copy.
    pub(crate) fn write(&mut self, offset: usize, data: &[u8]) {
        let overlap = self.bytes.len().saturating_sub(offset).min(data.len());
        let (over, behind) = data.split_at_checked(overlap).unwrap_or((data, &[]));
        if let Some(target) = self.bytes.get_mut(offset..offset + overlap) {
            target.copy_from_slice(over);
        }
        self.bytes.extend_from_slice(behind);
    }

    /// Appends zeros.
    pub(crate) fn zero_fill(&mut self, to: usize) {
        self.bytes.resize(to.max(self.bytes.len()), 0);
    }

    /// The content without a copy; the buffer goes back to the pool with the last reference.
    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for PoolBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for PoolBuffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let (spares, most) = if bytes.capacity() >= self.pool.block {
            (&self.pool.spare_blocks, SPARE_BLOCKS)
        } else {
            (&self.pool.spare_small, SPARE_SMALL)
        };
        let mut spares = spares.lock();
        if spares.len() < most {
            spares.push(bytes);
        }
    }
}
