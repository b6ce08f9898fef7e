//! Compressed blocks: decoding gives the length that the name promises, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_chunk::Compression;

/// Largest block tried, bytes.
const LONGEST_BLOCK: u32 = 1 << 16;

// The first four bytes are the length that the name of the object gives.
fuzz_target!(|bytes: &[u8]| {
    let Some((len, body)) = bytes.split_first_chunk::<4>() else {
        return;
    };
    let len = u32::from_le_bytes(*len) % LONGEST_BLOCK;
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        if let Ok(block) = compression.decode(body.to_vec().into(), len, "fuzz") {
            assert_eq!(block.len() as u64, u64::from(len));
        }
    }
});
