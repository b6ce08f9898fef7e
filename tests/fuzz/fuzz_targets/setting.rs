//! The volume setting: what decodes is written back so that it reads the same, unknown members included.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_meta::{decode_setting, encode_setting};

fuzz_target!(|text: &str| {
    let Ok(setting) = decode_setting(text, "fuzz") else { return };
    let Ok(written) = encode_setting(&setting) else { return };
    assert_eq!(decode_setting(&written, "fuzz").ok().as_ref(), Some(&setting));
});
