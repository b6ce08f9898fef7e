//! Attribute records: what decodes survives a second round with every field the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_model::Attr;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(attr) = Attr::decode(bytes) {
        assert_eq!(Attr::decode(&attr.encode()).ok().as_ref(), Some(&attr));
    }
});
