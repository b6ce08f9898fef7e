//! Values of a Redis server, whatever they hold: a record, none, or an error that names it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_engines::fuzzing::decode_redis_values;

// The first byte is the number of the kind of record. Each value is a length of one byte and as many bytes; 255 means
// that there is none.
fuzz_target!(|bytes: &[u8]| {
    let Some((kind, mut rest)) = bytes.split_first() else {
        return;
    };
    let mut values = Vec::new();
    while let Some((length, behind)) = rest.split_first() {
        let length = match *length {
            255 => None,
            length => Some(usize::from(length).min(behind.len())),
        };
        let (value, later) = behind.split_at(length.unwrap_or(0));
        values.push(length.map(|_| value.to_vec()));
        rest = later;
    }
    if let Some(Err(error)) = decode_redis_values(usize::from(*kind), &values) {
        assert!(!error.to_string().is_empty());
    }
});
