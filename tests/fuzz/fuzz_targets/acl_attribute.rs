//! POSIX ACLs as setxattr(2) hands them over.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_model::AclRule;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(rule) = AclRule::decode_xattr(bytes) {
        assert_eq!(
            AclRule::decode_xattr(&rule.encode_xattr()).ok().as_ref(),
            Some(&rule)
        );
    }
});
