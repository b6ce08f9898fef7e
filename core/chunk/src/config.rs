//! What a chunk store is told about the volume and the machine.

use std::path::PathBuf;
use std::time::Duration;

use moorage_model::{Error, ErrorKind, Result, Setting};

use crate::compress::Compression;

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
        /// Largest block size the tools write, in KiB.
        const MAX_BLOCK_KIB: u32 = 16 << 10;
        if setting.block_size == 0 || setting.block_size > MAX_BLOCK_KIB {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "the volume setting has an impossible block size of {} KiB",
                    setting.block_size
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
