//! The volume setting: what decodes is written back so that it can be read again and is the same; what is derived
//! from it when a volume is opened is an error at worst.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_chunk::ChunkConfig;
use moorage_meta::{decode_setting, encode_setting, without_secrets};
use moorage_model::VersionGate;

fuzz_target!(|text: &str| {
    let Ok(setting) = decode_setting(text, "fuzz") else {
        return;
    };
    let Ok(written) = encode_setting(&setting) else {
        return;
    };
    assert_eq!(decode_setting(&written, "fuzz").ok().as_ref(), Some(&setting));
    let _ = VersionGate::check(&setting);
    let _ = ChunkConfig::from_setting(&setting);
    let _ = setting.encrypt_algorithm();
    let _ = setting.with_opened_secrets();
    let _ = without_secrets(&setting);
});
