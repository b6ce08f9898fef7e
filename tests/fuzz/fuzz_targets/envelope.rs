//! Encrypted objects: the parts of an envelope are the whole object but its header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_chunk::Envelope;

fuzz_target!(|bytes: &[u8]| {
    if let Some(envelope) = Envelope::decode(bytes) {
        let parts = envelope.wrapped_key.len() + envelope.nonce.len() + envelope.sealed.len();
        assert_eq!(parts + 3, bytes.len());
    }
});
