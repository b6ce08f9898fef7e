//! Trailers of staged and cached blocks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_chunk::{BlockTrailer, crc32c};

fuzz_target!(|bytes: &[u8]| {
    let _ = BlockTrailer::decode(bytes);
    // With a checksum that is right, since next to no input has one by chance.
    let Some((body, _)) = bytes.split_last_chunk::<4>() else {
        return;
    };
    let sealed = [body, &crc32c(body).to_le_bytes()].concat();
    if let Some(trailer) = BlockTrailer::decode(&sealed) {
        let mut again = Vec::new();
        trailer.encode(&mut again);
        assert_eq!(again, sealed);
    }
});
