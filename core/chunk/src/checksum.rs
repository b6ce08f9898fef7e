//! CRC-32C (Castagnoli) as the format and the local files use it (spec 60-objects section 6).

/// Checksum of a whole body.
pub fn crc32c(bytes: &[u8]) -> u32 {
    ::crc32c::crc32c(bytes)
}
