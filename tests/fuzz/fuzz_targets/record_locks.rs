//! POSIX locks of one owner.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_model::RecordLocks;

fuzz_target!(|bytes: &[u8]| {
    let _ = RecordLocks::decode_ranges(bytes);
});
