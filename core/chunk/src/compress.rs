//! Compression of block bodies (spec 60-objects section 4).

use std::cell::RefCell;

use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result};

/// Level the format prescribes for Zstandard.
const ZSTD_LEVEL: i32 = 1;

/// How block bodies are compressed. Fixed for the life of a volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Raw bytes.
    #[default]
    None,
    /// One raw LZ4 block, without header.
    Lz4,
    /// One Zstandard frame with its content size.
    Zstd,
}

thread_local! {
    // A context holds about 1 MiB of tables; making one per block would cost more than compressing a small block.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

impl Compression {
    /// From the setting's text, in any case; empty means none.
    ///
    /// # Errors
    /// `NotSupported` for an algorithm the format does not have.
    pub fn parse(name: &str) -> Result<Compression> {
        match name.to_ascii_lowercase().as_str() {
            "" | "none" => Ok(Compression::None),
            "lz4" => Ok(Compression::Lz4),
            "zstd" => Ok(Compression::Zstd),
            other => Err(
                Error::new(ErrorKind::NotSupported, format!("unknown compression {other:?}"))
                    .with_advice("Use one of none, lz4, zstd"),
            ),
        }
    }

    /// The object body for a block. Without compression the same bytes, not a copy.
    ///
    /// # Errors
    /// `Io` when the library fails.
    pub fn encode(self, block: Bytes) -> Result<Bytes> {
        match self {
            Compression::None => Ok(block),
            Compression::Lz4 => {
                let bound = lz4::block::compress_bound(block.len()).map_err(|e| failed("lz4", &e))?;
                let mut body = vec![0; bound];
                let mode = Some(lz4::block::CompressionMode::DEFAULT);
                let len = lz4::block::compress_to_buffer(&block, mode, false, &mut body)
                    .map_err(|e| failed("lz4", &e))?;
                body.truncate(len);
                Ok(body.into())
            }
            Compression::Zstd => COMPRESSOR.with_borrow_mut(|slot| {
                let compressor = match slot {
                    Some(compressor) => compressor,
                    None => {
                        slot.insert(zstd::bulk::Compressor::new(ZSTD_LEVEL).map_err(|e| failed("zstd", &e))?)
                    }
                };
                Ok(compressor
                    .compress(&block)
                    .map_err(|e| failed("zstd", &e))?
                    .into())
            }),
        }
    }

    /// The block in an object body. `len` is the length from the object name, `key` names the object in errors.
    ///
    /// # Errors
    /// `Corrupt` when the body does not decode to exactly `len` bytes.
    pub fn decode(self, body: Bytes, len: u32, key: &str) -> Result<Bytes> {
        let expected = len as usize;
        let block = match self {
            Compression::None => body,
            Compression::Lz4 => {
                if body.is_empty() {
                    return Err(damaged(key, "it is empty"));
                }
                let size =
                    i32::try_from(len).map_err(|_| damaged(key, "its name gives an impossible length"))?;
                let mut block = vec![0; expected];
                let got = lz4::block::decompress_to_buffer(&body, Some(size), &mut block)
                    .map_err(|e| damaged(key, "LZ4 refuses it").with_source(e))?;
                block.truncate(got);
                block.into()
            }
            Compression::Zstd => DECOMPRESSOR.with_borrow_mut(|slot| {
                let decompressor = match slot {
                    Some(decompressor) => decompressor,
                    None => slot.insert(zstd::bulk::Decompressor::new().map_err(|e| failed("zstd", &e))?),
                };
                decompressor
                    .decompress(&body, expected)
                    .map(Bytes::from)
                    .map_err(|e| damaged(key, "Zstandard refuses it").with_source(e))
            })?,
        };
        if block.len() == expected {
            Ok(block)
        } else {
            Err(damaged(
                key,
                &format!("it holds {} bytes instead of {expected}", block.len()),
            ))
        }
    }
}

fn failed(what: &str, error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("{what} could not compress a block: {error}"),
    )
}

/// The error of an object whose bytes are not what its name promises.
pub(crate) fn damaged(key: &str, why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("object {key} is damaged: {why}")).with_advice(
        "Restore the object from a copy of the bucket, or find the file it belongs to with `moorage fsck`.",
    )
}
