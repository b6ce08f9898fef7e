//! Bucket addresses: an error never repeats what may hold a password.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_chunk::BucketUrl;

fuzz_target!(|text: &str| {
    let secret = format!("https://user:XYZZY-secret@{text}");
    if let Err(error) = BucketUrl::parse(&secret) {
        assert!(!error.to_string().contains("XYZZY-secret"));
    }
    let _ = BucketUrl::parse(text);
});
