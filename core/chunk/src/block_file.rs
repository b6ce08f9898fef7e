//! The form of blocks in files of this machine: the disk cache and the staging folder.
//!
//! ```text
//! payload      as many bytes as the trailer says
//! sums         CRC-32C of each piece of 32 KiB of the payload, little-endian
//! trailer      40 bytes, see BlockTrailer
//! ```
//!
//! The payload comes first, so that its pages are aligned as a reader wants them. A file that is cut, half written
//! or changed fails a checksum before a byte of it is used; no file needs to be synced to be trusted.

use std::fs::File;
use std::io;

use bytes::Bytes;
use moorage_model::{SliceId, TierId};

use crate::block::BlockId;
use crate::checksum::crc32c;
use crate::platform;

/// Bytes under one checksum: what a small read has to read and check.
pub(crate) const PIECE_BYTES: usize = 32 << 10;
/// Bytes of a checksum.
const SUM_BYTES: usize = 4;
/// Bytes of the trailer.
const TRAILER_BYTES: usize = 40;
/// First bytes of the trailer; the last of them counts the versions of this form.
const MAGIC: [u8; 8] = *b"MOORBLK\x01";
/// Bytes read at once from the end of a file: trailer and sums of blocks up to 4 MiB and more.
const END_BYTES: usize = 2 << 10;
/// Longest payload: the largest block of the format and what encryption and bad luck with compression add.
const MAX_PAYLOAD: usize = 64 << 20;

/// What the payload of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The bytes of the block.
    Block,
    /// The object: compressed and encrypted as the volume prescribes.
    Object,
}

/// The last bytes of a block file: what the payload is, and checksums of everything but the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockTrailer {
    /// The block.
    pub block: BlockId,
    /// Bytes of the payload.
    pub payload: u32,
    /// What the payload is.
    pub form: Form,
    /// The tier it is to be stored with.
    pub tier: TierId,
    /// CRC-32C of the sums.
    pub sums: u32,
}

impl BlockTrailer {
    /// Reads a trailer; `None` when it is none, of another version, or damaged.
    pub fn decode(bytes: &[u8]) -> Option<BlockTrailer> {
        let (body, sum) = bytes.split_last_chunk::<SUM_BYTES>()?;
        if body.len() != TRAILER_BYTES - SUM_BYTES || crc32c(body) != u32::from_le_bytes(*sum) {
            return None;
        }
        let (magic, rest) = body.split_first_chunk::<8>()?;
        let (slice, rest) = rest.split_first_chunk::<8>()?;
        let (index, rest) = rest.split_first_chunk::<4>()?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let (payload, rest) = rest.split_first_chunk::<4>()?;
        let ([form, tier, 0, 0], rest) = rest.split_first_chunk::<4>()? else {
            return None;
        };
        let (sums, []) = rest.split_first_chunk::<4>()? else {
            return None;
        };
        let form = match form {
            0 => Form::Block,
            1 => Form::Object,
            _ => return None,
        };
        (*magic == MAGIC).then_some(BlockTrailer {
            block: BlockId {
                slice: SliceId(u64::from_le_bytes(*slice)),
                index: u32::from_le_bytes(*index),
                len: u32::from_le_bytes(*len),
            },
            payload: u32::from_le_bytes(*payload),
            form,
            tier: TierId(*tier),
            sums: u32::from_le_bytes(*sums),
        })
    }

    /// Appends the trailer, its own checksum included.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.block.slice.0.to_le_bytes());
        out.extend_from_slice(&self.block.index.to_le_bytes());
        out.extend_from_slice(&self.block.len.to_le_bytes());
        out.extend_from_slice(&self.payload.to_le_bytes());
        let form = match self.form {
            Form::Block => 0,
            Form::Object => 1,
        };
        out.extend_from_slice(&[form, self.tier.0, 0, 0]);
        out.extend_from_slice(&self.sums.to_le_bytes());
        let sum = crc32c(out.get(start..).unwrap_or_default());
        out.extend_from_slice(&sum.to_le_bytes());
    }

    fn sums_bytes(&self) -> usize {
        (self.payload as usize).div_ceil(PIECE_BYTES) * SUM_BYTES
    }
}

/// What follows a payload in its file. Reads the payload once, for its checksums.
pub(crate) fn ending(block: BlockId, form: Form, tier: TierId, payload: &[u8]) -> Vec<u8> {
    let pieces = payload.len().div_ceil(PIECE_BYTES);
    let mut out = Vec::with_capacity(pieces * SUM_BYTES + TRAILER_BYTES);
    for piece in payload.chunks(PIECE_BYTES) {
        out.extend_from_slice(&crc32c(piece).to_le_bytes());
    }
    let trailer = BlockTrailer {
        block,
        payload: u32::try_from(payload.len()).unwrap_or(u32::MAX),
        form,
        tier,
        sums: crc32c(&out),
    };
    trailer.encode(&mut out);
    out
}

/// Bytes of the file for a payload of this length.
pub(crate) fn file_bytes(payload: usize) -> u64 {
    (payload + payload.div_ceil(PIECE_BYTES) * SUM_BYTES + TRAILER_BYTES) as u64
}

/// An open block file whose sums are in memory.
#[derive(Debug)]
pub(crate) struct BlockFile {
    file: File,
    pub(crate) trailer: BlockTrailer,
    sums: Box<[u32]>,
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl BlockFile {
    /// Reads and checks what stands behind the payload: one `fstat`, one `pread`, a second for blocks above 15 MiB.
    ///
    /// # Errors
    /// `InvalidData` when the file is not what it should be; else the system's.
    pub(crate) fn open(file: File) -> io::Result<BlockFile> {
        let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        let mut end = vec![0; size.min(END_BYTES)];
        let end_at = size - end.len();
        platform::read_exact_at(&file, &mut end, end_at as u64)?;
        let trailer = end
            .len()
            .checked_sub(TRAILER_BYTES)
            .and_then(|at| BlockTrailer::decode(end.get(at..)?))
            .ok_or_else(|| damaged("its trailer is damaged"))?;
        let sums_bytes = trailer.sums_bytes();
        let payload = trailer.payload as usize;
        if payload > MAX_PAYLOAD || size != payload + sums_bytes + TRAILER_BYTES {
            return Err(damaged("its length is not what its trailer says"));
        }
        if sums_bytes + TRAILER_BYTES > end.len() {
            end = vec![0; sums_bytes + TRAILER_BYTES];
            platform::read_exact_at(&file, &mut end, payload as u64)?;
        }
        let at = end.len() - TRAILER_BYTES - sums_bytes;
        let sums = end.get(at..at + sums_bytes).unwrap_or_default();
        if crc32c(sums) != trailer.sums {
            return Err(damaged("its checksums are damaged"));
        }
        let (sums, _) = sums.as_chunks::<SUM_BYTES>();
        Ok(BlockFile {
            file,
            trailer,
            sums: sums.iter().map(|sum| u32::from_le_bytes(*sum)).collect(),
        })
    }

    /// Fills `out` from `offset` of the payload, after checking every piece it touches.
    ///
    /// One `pread` for the pieces that lie inside, straight into `out`; one more with a copy for a piece that is
    /// cut at each end.
    ///
    /// # Errors
    /// `InvalidData` when a checksum fails, `UnexpectedEof` behind the end.
    pub(crate) fn read(&self, offset: usize, out: &mut [u8]) -> io::Result<()> {
        let payload = self.trailer.payload as usize;
        if offset.saturating_add(out.len()) > payload {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (mut offset, mut rest) = (offset, out);
        while !rest.is_empty() {
            let piece = offset / PIECE_BYTES;
            let start = piece * PIECE_BYTES;
            let length = PIECE_BYTES.min(payload - start);
            let whole = if offset == start {
                self.whole_pieces(start, rest.len())
            } else {
                0
            };
            let done = if whole > 0 {
                let (inside, _) = rest.split_at_mut(whole);
                platform::read_exact_at(&self.file, inside, start as u64)?;
                for (at, bytes) in inside.chunks(PIECE_BYTES).enumerate() {
                    self.check(piece + at, bytes)?;
                }
                whole
            } else {
                let mut space = [0; PIECE_BYTES];
                let space = space.get_mut(..length).unwrap_or_default();
                platform::read_exact_at(&self.file, space, start as u64)?;
                self.check(piece, space)?;
                let from = offset - start;
                let part = rest.len().min(length - from);
                if let (Some(to), Some(bytes)) = (rest.get_mut(..part), space.get(from..from + part)) {
                    to.copy_from_slice(bytes);
                }
                part
            };
            offset += done;
            rest = rest.get_mut(done..).unwrap_or_default();
        }
        Ok(())
    }

    /// Bytes of the pieces from `start` that lie inside a buffer of `room` bytes.
    fn whole_pieces(&self, start: usize, room: usize) -> usize {
        let left = self.trailer.payload as usize - start;
        if room >= left {
            left
        } else {
            room - room % PIECE_BYTES
        }
    }

    fn check(&self, piece: usize, bytes: &[u8]) -> io::Result<()> {
        if self.sums.get(piece) == Some(&crc32c(bytes)) {
            Ok(())
        } else {
            Err(damaged("its bytes fail their checksum"))
        }
    }

    /// The whole payload, checked.
    ///
    /// # Errors
    /// As [`BlockFile::read`].
    pub(crate) fn read_all(&self) -> io::Result<Bytes> {
        let mut payload = vec![0; self.trailer.payload as usize];
        self.read(0, &mut payload)?;
        Ok(payload.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn block(len: usize) -> BlockId {
        BlockId {
            slice: SliceId(77),
            index: 3,
            len: len as u32,
        }
    }

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|n| (n * n / 7) as u8).collect()
    }

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    fn whole(payload: &[u8]) -> Vec<u8> {
        let mut content = payload.to_vec();
        content.extend(ending(block(payload.len()), Form::Block, TierId(2), payload));
        assert_eq!(content.len() as u64, file_bytes(payload.len()));
        content
    }

    #[test]
    fn any_range_of_a_block_file_reads_back() {
        for len in [
            0,
            1,
            PIECE_BYTES - 1,
            PIECE_BYTES,
            PIECE_BYTES + 1,
            5 * PIECE_BYTES + 17,
            17 << 20,
        ] {
            let payload = bytes(len);
            let open = BlockFile::open(file(&whole(&payload))).unwrap();
            assert_eq!((open.trailer.block, open.trailer.tier), (block(len), TierId(2)));
            assert!(open.read_all().unwrap() == payload);
            for (from, to) in [
                (0, len),
                (1, len),
                (0, len / 2),
                (len / 3, len / 3 + 1),
                (PIECE_BYTES, len),
            ] {
                let (from, to) = (from.min(len), to.min(len));
                let mut out = vec![0; to.saturating_sub(from)];
                open.read(from, &mut out).unwrap();
                assert!(out == payload[from..from.max(to)], "{from}..{to} of {len}");
            }
            assert!(open.read(len, &mut [0]).is_err());
        }
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_noticed() {
        let payload = bytes(PIECE_BYTES + 100);
        let content = whole(&payload);
        for len in (0..content.len())
            .step_by(997)
            .chain(content.len() - 60..content.len())
        {
            assert!(BlockFile::open(file(&content[..len])).is_err(), "cut to {len}");
        }
        for at in (0..content.len())
            .step_by(991)
            .chain(content.len() - 60..content.len())
        {
            let mut changed = content.clone();
            changed[at] ^= 0x10;
            let read = BlockFile::open(file(&changed)).and_then(|open| open.read_all());
            assert!(read.is_err(), "byte {at}");
        }
    }
}
