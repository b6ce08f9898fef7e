//! Constants of the format (spec 00-overview section 3), each with its unit.

/// Bytes of one chunk, the fixed window of a file whose slice list is one record.
pub const CHUNK_SIZE: u64 = 1 << 26;
/// Largest entry name in bytes.
pub const MAX_NAME_BYTES: usize = 255;
/// Largest symlink target in bytes in the metadata layer.
pub const MAX_SYMLINK_BYTES: usize = 4096;
/// First offset that a file can not reach: lengths are below it (EFBIG).
pub const MAX_FILE_LENGTH: u64 = 1 << 57;
/// Largest extended attribute name in bytes.
pub const MAX_XATTR_NAME_BYTES: usize = 255;
/// Largest extended attribute value in bytes.
pub const MAX_XATTR_VALUE_BYTES: usize = 65_536;
/// Highest `MetaVersion` this client understands.
pub const META_VERSION: u32 = 1;
/// Inode numbers taken from the counter at once.
pub const INODE_BATCH: u64 = 1024;
/// Slice ids taken from the counter at once.
pub const SLICE_BATCH: u64 = 4096;
/// Length that every directory reports, in bytes.
pub const DIRECTORY_LENGTH: u64 = 4096;
/// Block sizes that a volume can have, in KiB; only the powers of two among them (spec 10-setting section 2).
pub const BLOCK_SIZE_KIB: std::ops::RangeInclusive<u32> = 64..=16_384;
