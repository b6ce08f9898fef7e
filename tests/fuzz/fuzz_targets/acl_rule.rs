//! ACL rules as stored.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_model::AclRule;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(rule) = AclRule::decode(bytes) {
        assert_eq!(AclRule::decode(&rule.encode()).ok().as_ref(), Some(&rule));
    }
});
