//! Slice records and the content they paint (spec 20-model sections 5 and 7).

use crate::attr::take;
use crate::{CHUNK_SIZE, Error, ErrorKind, Result, SliceId};

/// Places part of a slice inside a chunk: 24 bytes, the same on every engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Offset inside the chunk, bytes.
    pub pos: u32,
    /// The slice; [`SliceId::HOLE`] reads as zeros.
    pub id: SliceId,
    /// Full length of the slice as stored in objects, bytes.
    pub size: u32,
    /// First used byte inside the slice.
    pub off: u32,
    /// Used bytes.
    pub len: u32,
}

impl Slice {
    /// Bytes of an encoded record.
    pub const BYTES: usize = 24;

    /// A hole record.
    pub fn hole(pos: u32, len: u32) -> Slice {
        Slice {
            pos,
            id: SliceId::HOLE,
            size: 0,
            off: 0,
            len,
        }
    }

    /// The 24 bytes of the record.
    pub fn encode(&self) -> [u8; Slice::BYTES] {
        let mut out = [0; Slice::BYTES];
        let mut rest = out.as_mut_slice();
        put(&mut rest, &self.pos.to_be_bytes());
        put(&mut rest, &self.id.0.to_be_bytes());
        put(&mut rest, &self.size.to_be_bytes());
        put(&mut rest, &self.off.to_be_bytes());
        put(&mut rest, &self.len.to_be_bytes());
        out
    }

    /// Reads one record.
    ///
    /// # Errors
    /// `Corrupt` when the record leaves its chunk or its slice.
    pub fn decode(bytes: &[u8; Slice::BYTES]) -> Result<Slice> {
        let mut input = bytes.as_slice();
        let mut word = || take::<4>(&mut input).map_or(0, u32::from_be_bytes);
        let (pos, high, low) = (word(), word(), word());
        let (size, off, len) = (word(), word(), word());
        let slice = Slice {
            pos,
            id: SliceId(u64::from(high) << 32 | u64::from(low)),
            size,
            off,
            len,
        };
        let inside_chunk = u64::from(pos) + u64::from(len) <= CHUNK_SIZE;
        let inside_slice = slice.id == SliceId::HOLE || u64::from(off) + u64::from(len) <= u64::from(size);
        if inside_chunk && inside_slice {
            Ok(slice)
        } else {
            Err(Error::new(
                ErrorKind::Corrupt,
                format!("slice record {slice:?} leaves its chunk or slice"),
            ))
        }
    }
}

fn put(rest: &mut &mut [u8], bytes: &[u8]) {
    if let Some((head, tail)) = std::mem::take(rest).split_at_mut_checked(bytes.len()) {
        head.copy_from_slice(bytes);
        *rest = tail;
    }
}

/// The bytes of a chunk's record list, oldest first.
pub fn encode_slices(slices: &[Slice]) -> Vec<u8> {
    slices.iter().flat_map(Slice::encode).collect()
}

/// Reads a chunk's record list.
///
/// # Errors
/// `Corrupt` when the length is no multiple of 24 or a record is out of bounds.
pub fn decode_slices(bytes: &[u8]) -> Result<Vec<Slice>> {
    let (records, rest) = bytes.as_chunks::<{ Slice::BYTES }>();
    if !rest.is_empty() {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "slice list of {} bytes is no multiple of {}",
                bytes.len(),
                Slice::BYTES
            ),
        ));
    }
    records.iter().map(Slice::decode).collect()
}

/// A visible piece of a chunk after painting; id 0 reads as zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Offset inside the chunk, bytes.
    pub pos: u32,
    /// The slice it shows, or [`SliceId::HOLE`].
    pub id: SliceId,
    /// Full length of that slice.
    pub size: u32,
    /// First byte inside the slice.
    pub off: u32,
    /// Bytes shown.
    pub len: u32,
}

/// Paints the records in order and returns the visible segments by position, without overlaps.
/// Gaps between segments were never written and read as zeros.
///
/// Cost: O(n log n) for n records, one ordered map.
pub fn resolve(slices: &[Slice]) -> Vec<Segment> {
    let mut painted: std::collections::BTreeMap<u32, Segment> = std::collections::BTreeMap::new();
    for slice in slices.iter().filter(|s| s.len > 0) {
        let (start, end) = (slice.pos, slice.pos.saturating_add(slice.len));
        let before = painted.range(..start).next_back().map(|(_, s)| *s);
        if let Some(left) = before.filter(|s| s.pos + s.len > start) {
            painted.insert(
                left.pos,
                Segment {
                    len: start - left.pos,
                    ..left
                },
            );
            cut_tail(&mut painted, left, end);
        }
        while let Some((&pos, &covered)) = painted.range(start..end).next() {
            painted.remove(&pos);
            cut_tail(&mut painted, covered, end);
        }
        painted.insert(
            start,
            Segment {
                pos: start,
                id: slice.id,
                size: slice.size,
                off: slice.off,
                len: slice.len,
            },
        );
    }
    painted.into_values().collect()
}

/// Puts back what of `segment` lies at or behind `end`.
fn cut_tail(painted: &mut std::collections::BTreeMap<u32, Segment>, segment: Segment, end: u32) {
    let segment_end = segment.pos + segment.len;
    if segment_end > end {
        let cut = end - segment.pos;
        painted.insert(
            end,
            Segment {
                pos: end,
                off: segment.off.saturating_add(cut),
                len: segment_end - end,
                ..segment
            },
        );
    }
}

/// One element of a delayed-slice record: a replaced slice kept for the trash period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelayedSlice {
    /// The replaced slice.
    pub id: SliceId,
    /// Its full length, bytes.
    pub size: u32,
}

impl DelayedSlice {
    /// Bytes of an encoded element.
    pub const BYTES: usize = 12;

    /// The bytes of a delayed-slice record.
    pub fn encode_all(slices: &[DelayedSlice]) -> Vec<u8> {
        let mut out = Vec::with_capacity(slices.len() * DelayedSlice::BYTES);
        for slice in slices {
            out.extend(slice.id.0.to_be_bytes());
            out.extend(slice.size.to_be_bytes());
        }
        out
    }

    /// Reads a delayed-slice record.
    ///
    /// # Errors
    /// `Corrupt` unless the length is a non-zero multiple of 12.
    pub fn decode_all(mut bytes: &[u8]) -> Result<Vec<DelayedSlice>> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(DelayedSlice::BYTES) {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "delayed-slice record of {} bytes, not a multiple of {}",
                    bytes.len(),
                    DelayedSlice::BYTES
                ),
            ));
        }
        let mut out = Vec::with_capacity(bytes.len() / DelayedSlice::BYTES);
        while let (Some(id), Some(size)) = (take::<8>(&mut bytes), take::<4>(&mut bytes)) {
            out.push(DelayedSlice {
                id: SliceId(u64::from_be_bytes(id)),
                size: u32::from_be_bytes(size),
            });
        }
        Ok(out)
    }
}
