//! Object names: one that is a block's is the name of exactly that block in one of the two layouts, or in none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_chunk::BlockId;

fuzz_target!(|key: &str| {
    if let Some(block) = BlockId::parse(key) {
        for hash_prefix in [false, true] {
            assert_eq!(BlockId::parse(&block.key(hash_prefix)), Some(block));
        }
    }
});
