//! The volume setting: what decodes is written back so that it can be read again and names the same volume.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_meta::{decode_setting, encode_setting};

fuzz_target!(|text: &str| {
    let Ok(setting) = decode_setting(text, "fuzz") else { return };
    let Ok(written) = encode_setting(&setting) else { return };
    let again = decode_setting(&written, "fuzz").ok();
    assert_eq!(again.map(|again| (again.name, again.uuid)), Some((setting.name, setting.uuid)));
});
