//! Bucket addresses: an error never repeats what may hold a password.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_chunk::BucketUrl;

/// Stands for a password; an input that holds it itself says nothing.
const SECRET: &str = "XYZZY-secret";

fuzz_target!(|text: &str| {
    if text.contains(SECRET) {
        return;
    }
    if let Err(error) = BucketUrl::parse(&format!("https://user:{SECRET}@{text}")) {
        assert!(!error.to_string().contains(SECRET));
    }
    let _ = BucketUrl::parse(text);
});
