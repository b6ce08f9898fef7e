//! Named ACL entries as the relational engines store them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_model::AclRule;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(entries) = AclRule::decode_entries(bytes) {
        assert_eq!(
            AclRule::decode_entries(&AclRule::encode_entries(&entries))
                .ok()
                .as_ref(),
            Some(&entries)
        );
    }
});
