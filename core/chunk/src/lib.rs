//! The data of a volume below the file system: slices as blocks in an object store.
//!
//! [`ChunkStore`] writes and reads slices (spec 60-objects); [`store`] holds the object stores and the layers
//! between a volume and its bucket. Nothing here knows files, handles or metadata.

mod barrier;
mod block;
mod block_file;
mod buffer;
mod checksum;
mod chunk_store;
mod compress;
mod config;
mod disk_cache;
mod disk_error;
mod durable_file;
mod flight;
mod guard;
mod hold;
mod memory_cache;
mod offload;
mod pending;
mod pin;
mod platform;
mod rate;
mod read;
mod rewrite;
mod slice_blocks;
mod staging;
mod stats;
pub mod store;
mod touch;
mod upload;
mod warm;
mod writer;

pub use block::{BLOCK_PREFIX, BlockId, blocks};
pub use block_file::{BlockTrailer, Form};
pub use checksum::crc32c;
pub use chunk_store::ChunkStore;
pub use compress::Compression;
pub use config::{CacheConfig, ChunkConfig, WritebackConfig};
pub use durable_file::write_durably;
pub use hold::Hold;
pub use pending::PendingUploads;
pub use rate::Rate;
pub use read::ContentProof;
pub use staging::{
    LeftBlocks, StagedFiles, StagedName, StagedSlice, Upload, UploadKey, UploadState, left_blocks,
    staged_blocks, staged_files,
};
pub use stats::ChunkStats;
pub use store::{
    BucketUrl, Cipher, Claim, DataKey, EncryptedStore, Endpoint, Envelope, Features, FileStore, Greeting,
    MemoryStore, ObjectInfo, ObjectStore, ObjectUpload, ProbeObject, RemoteStore, STORAGES, Sealer, Storage,
    StoreConfig, StoreCounters, check_claim, claim_prefix, is_of_volume, open_store, prefix_in_use,
    probe_store,
};
pub use warm::{BlockPlace, CacheUse};
pub use writer::SliceWriter;
