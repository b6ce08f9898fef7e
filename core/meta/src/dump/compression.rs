//! Compression of a dump as a whole, by the end of its file's name.

use std::io::{self, BufReader, Cursor, Read, Write};
use std::path::Path;

use flate2::Compression as GzipLevel;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use zstd::stream::{read::Decoder as ZstdDecoder, write::Encoder as ZstdEncoder};

use super::DumpBlocks;

/// The first bytes of a gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
/// The first bytes of a Zstandard file.
const ZSTD_MAGIC: [u8; MAGIC_BYTES] = [0x28, 0xB5, 0x2F, 0xFD];
/// Bytes that tell how a file is packed.
const MAGIC_BYTES: usize = 4;
/// Bytes read from a file at once.
const READ_BYTES: usize = 256 << 10;

/// How the bytes of a dump are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DumpCompression {
    /// Not at all.
    #[default]
    None,
    /// gzip, `.gz`.
    Gzip,
    /// gzip at its fastest level, for backups that nobody waits for.
    FastGzip,
    /// Zstandard, `.zstd` or `.zst`.
    Zstd,
}

impl DumpCompression {
    /// What the end of a file's name asks for.
    pub fn of_path(path: &Path) -> DumpCompression {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => DumpCompression::Gzip,
            Some("zstd" | "zst") => DumpCompression::Zstd,
            _ => DumpCompression::None,
        }
    }

    /// Reads what was packed, however it was: a dump tells by its first bytes.
    ///
    /// # Errors
    /// Those of reading the first bytes.
    pub fn unpack(mut packed: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
        let mut start = Vec::with_capacity(MAGIC_BYTES);
        packed.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut start)?;
        let is_gzip = start.starts_with(&GZIP_MAGIC);
        let is_zstd = start == ZSTD_MAGIC;
        let packed = BufReader::with_capacity(READ_BYTES, Cursor::new(start).chain(packed));
        Ok(if is_gzip {
            Box::new(MultiGzDecoder::new(packed))
        } else if is_zstd {
            Box::new(ZstdDecoder::with_buffer(packed)?)
        } else {
            Box::new(packed)
        })
    }

    /// Packs the blocks of a dump into `file` until the dump ends, on a thread that may wait. Answers with the file,
    /// which is complete only if the dump itself succeeded.
    ///
    /// # Errors
    /// Those of writing.
    pub fn pack<W: Write>(self, mut blocks: DumpBlocks, mut file: W) -> io::Result<W> {
        match self {
            DumpCompression::None => {
                copy(&mut blocks, &mut file)?;
                file.flush()?;
                Ok(file)
            }
            DumpCompression::Gzip | DumpCompression::FastGzip => {
                let level = match self {
                    DumpCompression::FastGzip => GzipLevel::fast(),
                    _ => GzipLevel::default(),
                };
                let mut packer = GzEncoder::new(file, level);
                copy(&mut blocks, &mut packer)?;
                packer.finish()
            }
            DumpCompression::Zstd => {
                let mut packer = ZstdEncoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                copy(&mut blocks, &mut packer)?;
                packer.finish()
            }
        }
    }
}

fn copy(blocks: &mut DumpBlocks, target: &mut impl Write) -> io::Result<()> {
    while let Some(block) = blocks.blocking_recv() {
        target.write_all(&block)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_name_decides() {
        for (name, compression) in [
            ("a.json", DumpCompression::None),
            ("a.json.gz", DumpCompression::Gzip),
            ("a.bin.zstd", DumpCompression::Zstd),
            ("a.zst", DumpCompression::Zstd),
            ("gz", DumpCompression::None),
        ] {
            assert_eq!(DumpCompression::of_path(Path::new(name)), compression, "{name}");
        }
    }

    #[tokio::test]
    async fn what_was_packed_is_read_whatever_it_is_called() {
        let text = "{\"Setting\": {}}\n".repeat(50_000);
        for compression in [
            DumpCompression::None,
            DumpCompression::Gzip,
            DumpCompression::FastGzip,
            DumpCompression::Zstd,
        ] {
            let (mut output, blocks) = crate::dump_channel();
            let packer = tokio::task::spawn_blocking(move || compression.pack(blocks, Vec::new()));
            output.write(text.as_bytes()).await.unwrap();
            output.flush().await.unwrap();
            drop(output);
            let packed = packer.await.unwrap().unwrap();
            assert!(compression == DumpCompression::None || packed.len() < text.len() / 10);
            let mut read = String::new();
            let mut unpacked = DumpCompression::unpack(Cursor::new(packed)).unwrap();
            unpacked.read_to_string(&mut read).unwrap();
            assert_eq!(read, text, "{compression:?}");
        }
    }

    #[test]
    fn a_dump_shorter_than_every_magic_is_read_as_it_is() {
        for text in ["", "{", "{}"] {
            let mut read = String::new();
            let mut unpacked = DumpCompression::unpack(text.as_bytes()).unwrap();
            unpacked.read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
        }
    }
}
