//! Records of slices that a compaction replaced.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_model::DelayedSlice;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(slices) = DelayedSlice::decode_all(bytes) {
        assert_eq!(DelayedSlice::encode_all(&slices), bytes);
    }
});
