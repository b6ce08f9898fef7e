//! Names of fields, members and keys of a Redis server: what they stand for, or nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_engines::fuzzing::decode_redis_name;

fuzz_target!(|bytes: &[u8]| {
    decode_redis_name(bytes);
});
