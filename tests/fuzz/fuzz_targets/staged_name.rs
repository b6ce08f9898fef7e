//! Names in the staging folder: one that is read is the one that would be written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_chunk::StagedName;

fuzz_target!(|name: &str| {
    if let Some(staged) = StagedName::parse(name) {
        assert_eq!(staged.to_string(), name);
    }
});
