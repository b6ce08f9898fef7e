//! Entry records and names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_model::{Entry, Name};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(entry) = Entry::decode(bytes) {
        assert_eq!(Entry::decode(&entry.encode()).ok(), Some(entry));
    }
    if let Ok(name) = Name::new(bytes) {
        assert_eq!(name.as_bytes(), bytes);
    }
});
