//! What a chunk store is told about the volume and the machine.

use std::path::PathBuf;
use std::time::Duration;

use moorage_model::{BLOCK_SIZE_KIB, Error, ErrorKind, Result, Setting};

use crate::compress::Compression;
use crate::hold::Hold;

/// Blocks kept on the local disk.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheConfig {
    /// Folders, best on different disks; blocks are spread over them by name. Each volume has its own folder inside.
    pub dirs: Vec<PathBuf>,
    /// Most bytes over all folders.
    pub size_bytes: u64,
    /// Part of each disk that stays free, 0 to 1.
    pub free_space_ratio: f64,
}

impl Default for CacheConfig {
    fn default() -> CacheConfig {
        CacheConfig {
            dirs: Vec::new(),
            size_bytes: 100 << 30,
            free_space_ratio: 0.1,
        }
    }
}

/// Blocks acknowledged from the local disk and uploaded later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WritebackConfig {
    /// Folder for staged blocks. Each volume has its own folder inside.
    pub dir: PathBuf,
    /// Most staged bytes; beyond it blocks go to the store directly.
    pub max_bytes: u64,
    /// How long a block may wait for its upload while the store answers; once the oldest waits longer, new blocks
    /// go to the store directly until the queue has caught up.
    pub deadline: Duration,
}

impl Default for WritebackConfig {
    fn default() -> WritebackConfig {
        WritebackConfig {
            dir: PathBuf::new(),
            max_bytes: 10 << 30,
            deadline: Duration::from_secs(3600),
        }
    }
}

/// Everything a chunk store needs beside its object store.
#[derive(Clone, Debug, PartialEq)]
pub struct ChunkConfig {
    /// Bytes of a full block.
    pub block_size: u32,
    /// Compression of the volume.
    pub compression: Compression,
    /// Object name variant of the volume.
    pub hash_prefix: bool,
    /// Uploads at the same time.
    pub max_uploads: usize,
    /// Downloads at the same time.
    pub max_downloads: usize,
    /// Deletions at the same time.
    pub max_deletes: usize,
    /// Bytes per second to the store, 0 = unlimited.
    pub upload_limit: u64,
    /// The machine has set the upload limit, so that it does not follow the volume's.
    pub own_upload_limit: bool,
    /// Bytes per second from the store, 0 = unlimited.
    pub download_limit: u64,
    /// The machine has set the download limit, so that it does not follow the volume's.
    pub own_download_limit: bool,
    /// Whole blocks fetched in the background after a small read of a part; 0 turns that off.
    pub prefetch: usize,
    /// Bytes of memory for data that is being written, read ahead or just used.
    pub buffer_size: u64,
    /// Disk cache; `None` keeps blocks in memory only.
    pub cache: Option<CacheConfig>,
    /// Write-back; `None` acknowledges a block when the store has it.
    pub writeback: Option<WritebackConfig>,
    /// Longest one read of the store may take.
    pub get_timeout: Duration,
    /// Longest one write of the store may take.
    pub put_timeout: Duration,
    /// Attempts after the first for a call that failed for a passing reason.
    pub retries: u32,
    /// Transfers that nobody waits for are held from the start.
    pub hold: Option<Hold>,
}

impl Default for ChunkConfig {
    fn default() -> ChunkConfig {
        ChunkConfig {
            block_size: 4 << 20,
            compression: Compression::None,
            hash_prefix: false,
            max_uploads: 20,
            max_downloads: 200,
            max_deletes: 10,
            upload_limit: 0,
            own_upload_limit: false,
            download_limit: 0,
            own_download_limit: false,
            prefetch: 1,
            buffer_size: 300 << 20,
            cache: None,
            writeback: None,
            get_timeout: Duration::from_secs(60),
            put_timeout: Duration::from_secs(60),
            retries: 10,
            hold: None,
        }
    }
}

/// Bytes per second of a limit given in Mbit/s (spec 10-setting section 2); nonsense counts as unlimited.
pub(crate) fn bytes_per_second(megabits: i64) -> u64 {
    u64::try_from(megabits).unwrap_or(0).saturating_mul(1_000_000) / 8
}

impl ChunkConfig {
    /// What the volume prescribes, with defaults for the machine's side.
    ///
    /// # Errors
    /// `NotSupported` for an unknown compression, `Corrupt` for an impossible block size.
    pub fn from_setting(setting: &Setting) -> Result<ChunkConfig> {
        if !setting.has_valid_block_size() {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "the volume setting has an impossible block size of {} KiB: it is a power of two from {} to {} KiB",
                    setting.block_size,
                    BLOCK_SIZE_KIB.start(),
                    BLOCK_SIZE_KIB.end()
                ),
            ));
        }
        Ok(ChunkConfig {
            block_size: setting.block_size << 10,
            compression: Compression::parse(&setting.compression)?,
            hash_prefix: setting.hash_prefix,
            upload_limit: bytes_per_second(setting.upload_limit),
            download_limit: bytes_per_second(setting.download_limit),
            ..ChunkConfig::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_block_sizes_that_a_volume_can_have_are_taken() {
        let config = |block_size| {
            ChunkConfig::from_setting(&Setting {
                block_size,
                ..Setting::default()
            })
        };
        for sound in [64, 128, 4096, 16_384] {
            assert!(config(sound).is_ok(), "{sound}");
        }
        for impossible in [0, 1, 32, 65, 4097, 32_768, u32::MAX] {
            let refused = config(impossible).map(drop).map_err(|error| error.kind());
            assert_eq!(refused, Err(ErrorKind::Corrupt), "{impossible}");
        }
    }
}
