//! Metadata addresses: the redacted form and the errors of opening one never repeat a password.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_engines::{open, redact};

/// Stands for a password; an input that holds it itself says nothing.
const SECRET: &str = "XYZZY-secret";

fuzz_target!(|text: &str| {
    if text.contains(SECRET) {
        return;
    }
    let _ = redact(text);
    let _ = open(text, None);
    let _ = open(&format!("sqlite3://{text}"), None);
    for scheme in [
        "redis://",
        "rediss://",
        "unix://",
        "mysql://",
        "postgres://",
        "tikv://",
        "unknown://",
        "redis:",
        "",
    ] {
        let url = format!("{scheme}user:{SECRET}@{text}");
        assert!(!redact(&url).contains(SECRET));
        if let Err(error) = open(&url, None) {
            assert!(!error.to_string().contains(SECRET));
        }
    }
});
