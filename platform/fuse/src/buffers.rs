//! Buffers for the data of reads and writes.
//!
//! A fresh megabyte costs the kernel's clearing of each of its pages, which is more than copying into one that is
//! there already.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use parking_lot::Mutex;

/// Bytes of one buffer: the largest request that is negotiated.
const BUFFER_BYTES: usize = 1 << 20;
/// Buffers kept for later; more are in use only while more requests wait.
const KEPT_BUFFERS: usize = 16;

/// Keeps buffers between requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct BufferPool {
    free: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// A buffer of one request; goes back when dropped. Its content is what an earlier request left.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
    pool: BufferPool,
}

impl BufferPool {
    pub(crate) fn take(&self, length: usize) -> Buffer {
        let mut bytes = self.free.lock().pop().unwrap_or_default();
        if bytes.len() < length {
            bytes = vec![0; length.max(BUFFER_BYTES)];
        }
        Buffer {
            bytes,
            length,
            pool: self.clone(),
        }
    }

    pub(crate) fn copy_of(&self, data: &[u8]) -> Buffer {
        let mut buffer = self.take(data.len());
        buffer.copy_from_slice(data);
        buffer
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.length).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut free = self.pool.free.lock();
        if free.len() < KEPT_BUFFERS && self.bytes.len() == BUFFER_BYTES {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_as_long_as_asked_and_used_again() {
        let pool = BufferPool::default();
        let first = pool.copy_of(b"abc");
        assert_eq!(&first[..], b"abc");
        let place = first.as_ptr();
        drop(first);
        let second = pool.take(70_000);
        assert_eq!((second.len(), second.as_ptr()), (70_000, place));
    }

    #[test]
    fn more_buffers_than_are_kept_go_back_to_the_system() {
        let pool = BufferPool::default();
        let many: Vec<Buffer> = (0..2 * KEPT_BUFFERS).map(|_| pool.take(1)).collect();
        drop(many);
        assert_eq!(pool.free.lock().len(), KEPT_BUFFERS);
    }
}
