//! Compressed blocks: decoding gives the length that the name promises, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_chunk::Compression;

/// Largest block tried, bytes.
const LONGEST_BLOCK: u32 = 1 << 16;

fuzz_target!(|input: (u32, Vec<u8>)| {
    let (len, body) = input;
    let len = len % LONGEST_BLOCK;
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        if let Ok(block) = compression.decode(body.clone().into(), len, "fuzz") {
            assert_eq!(block.len() as u64, u64::from(len));
        }
    }
});
