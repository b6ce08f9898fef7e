//! Blocks of a slice and the names of their objects (spec 60-objects sections 1 and 2).

use std::fmt::Write as _;

use moorage_model::SliceId;

/// Prefix of every block key, relative to the volume prefix.
pub const BLOCK_PREFIX: &str = "chunks/";

/// One block of a slice. Its true length is part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId {
    /// The slice it belongs to.
    pub slice: SliceId,
    /// Position in the slice, counted in blocks.
    pub index: u32,
    /// Bytes of the block before compression and encryption.
    pub len: u32,
}

impl BlockId {
    /// The object key relative to the volume prefix (spec 60 section 1).
    ///
    /// One allocation.
    pub fn key(&self, hash_prefix: bool) -> String {
        let id = self.slice.0;
        let mut key = String::with_capacity(64);
        // Writing to a String can not fail.
        let _ = if hash_prefix {
            write!(
                key,
                "chunks/{:02X}/{}/{id}_{}_{}",
                id % 256,
                id / 1_000_000,
                self.index,
                self.len
            )
        } else {
            write!(
                key,
                "chunks/{}/{}/{id}_{}_{}",
                id / 1_000_000,
                id / 1000,
                self.index,
                self.len
            )
        };
        key
    }

    /// Reads a key back; `None` for keys of another shape, which belong to nobody (spec 60 section 2).
    pub fn parse(key: &str) -> Option<BlockId> {
        let rest = key.strip_prefix(BLOCK_PREFIX)?;
        let mut parts = rest.split('/');
        let (_, _, name) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        BlockId::parse_name(name)
    }

    /// Reads the last part of a key, `<id>_<index>_<len>`.
    pub(crate) fn parse_name(name: &str) -> Option<BlockId> {
        let mut numbers = name.split('_');
        let slice = SliceId(decimal(numbers.next()?)?);
        let index = u32::try_from(decimal(numbers.next()?)?).ok()?;
        let len = u32::try_from(decimal(numbers.next()?)?).ok()?;
        numbers.next().is_none().then_some(BlockId { slice, index, len })
    }

    /// Whether a slice of `size` bytes has this block (the rule garbage collection judges by).
    pub fn belongs_to(&self, size: u32, block_size: u32) -> bool {
        let (start, len) = (u64::from(self.index) * u64::from(block_size), u64::from(self.len));
        if self.len == block_size {
            start + len <= u64::from(size)
        } else {
            start + len == u64::from(size)
        }
    }
}

/// A number as the format writes it: digits only, so no sign and no padding survives a round trip unnoticed.
fn decimal(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        None
    } else {
        text.parse().ok()
    }
}

/// The blocks of a slice of `size` bytes, first to last; none for an empty slice.
pub fn blocks(slice: SliceId, size: u32, block_size: u32) -> impl ExactSizeIterator<Item = BlockId> + use<> {
    let count = size.div_ceil(block_size.max(1));
    (0..count as usize).map(move |index| block_at(slice, size, block_size, index as u32))
}

/// The block with this index in a slice of `size` bytes.
pub(crate) fn block_at(slice: SliceId, size: u32, block_size: u32, index: u32) -> BlockId {
    let start = u64::from(index) * u64::from(block_size);
    let len = u64::from(size).saturating_sub(start).min(u64::from(block_size));
    BlockId {
        slice,
        index,
        len: u32::try_from(len).unwrap_or(block_size),
    }
}
