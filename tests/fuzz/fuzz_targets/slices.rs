//! Slice lists: decoding, and resolving whatever decodes into segments that are in order and do not overlap.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_model::{decode_slices, encode_slices, resolve};

fuzz_target!(|bytes: &[u8]| {
    let Ok(slices) = decode_slices(bytes) else { return };
    assert_eq!(
        decode_slices(&encode_slices(&slices)).ok().as_ref(),
        Some(&slices)
    );
    let mut end = 0;
    for segment in resolve(&slices) {
        assert!(u64::from(segment.pos) >= end, "segments overlap or go back");
        assert!(segment.len > 0, "an empty segment");
        end = u64::from(segment.pos) + u64::from(segment.len);
    }
});
