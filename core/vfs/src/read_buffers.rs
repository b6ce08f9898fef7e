//! Buffers of reads, used again and again: a fresh megabyte costs more page faults than the read that fills it.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

/// Buffers kept for the next read.
const SPARE_BUFFERS: usize = 16;
/// Larger buffers are not kept.
const LARGEST_KEPT: usize = 1 << 20;

/// The spare ones.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffers {
    spare: Mutex<Vec<Vec<u8>>>,
}

/// A buffer that goes back when the last reference to its bytes is dropped.
#[derive(Debug)]
pub(crate) struct ReadBuffer {
    bytes: Vec<u8>,
    filled: usize,
    home: Arc<ReadBuffers>,
}

impl ReadBuffers {
    /// A buffer of this size, whose content is left from earlier reads.
    pub(crate) fn take(self: &Arc<Self>, size: usize) -> ReadBuffer {
        let mut bytes = self.spare.lock().pop().unwrap_or_default();
        if bytes.len() < size {
            bytes.resize(size, 0);
        }
        ReadBuffer {
            bytes,
            filled: size,
            home: Arc::clone(self),
        }
    }
}

impl ReadBuffer {
    /// The room to be filled.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.filled).unwrap_or_default()
    }

    /// The first `len` bytes, which were filled; nothing else can be seen of the buffer.
    pub(crate) fn filled(mut self, len: usize) -> Bytes {
        self.filled = len.min(self.filled);
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for ReadBuffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

impl Drop for ReadBuffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.len() > LARGEST_KEPT {
            return;
        }
        let mut spare = self.home.spare.lock();
        if spare.len() < SPARE_BUFFERS {
            spare.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_read_left_is_never_shown() {
        let buffers: Arc<ReadBuffers> = Arc::default();
        let mut first = buffers.take(8);
        first.room().copy_from_slice(b"a secret");
        drop(first.filled(8));
        let mut second = buffers.take(8);
        if let Some(room) = second.room().get_mut(..2) {
            room.copy_from_slice(b"ok");
        }
        assert_eq!(second.filled(2), b"ok".as_slice());
    }
}
