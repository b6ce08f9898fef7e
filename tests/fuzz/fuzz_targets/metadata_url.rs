//! Metadata addresses as messages show them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_engines::redact;

fuzz_target!(|text: &str| {
    let _ = redact(text);
    assert!(!redact(&format!("redis://user:XYZZY-secret@{text}")).contains("XYZZY-secret"));
});
