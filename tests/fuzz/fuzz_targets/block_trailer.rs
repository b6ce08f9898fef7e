//! Trailers of staged and cached blocks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_chunk::BlockTrailer;

fuzz_target!(|bytes: &[u8]| {
    let _ = BlockTrailer::decode(bytes);
});
