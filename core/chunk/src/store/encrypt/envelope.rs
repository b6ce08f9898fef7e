//! The layout of an encrypted object (spec 60-objects section 5).

/// Bytes before the wrapped key: its length and that of the nonce.
const HEADER_BYTES: usize = 3;

/// The parts of an encrypted object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The data key, encrypted with the volume's public key.
    pub wrapped_key: &'a [u8],
    /// The nonce of the cipher.
    pub nonce: &'a [u8],
    /// Ciphertext, then the tag.
    pub sealed: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Splits an object; `None` when it is too short for what its header says.
    pub fn decode(bytes: &'a [u8]) -> Option<Envelope<'a>> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let [high, low, nonce] = *header;
        let (wrapped_key, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        let (nonce, sealed) = rest.split_at_checked(usize::from(nonce))?;
        (!sealed.is_empty()).then_some(Envelope {
            wrapped_key,
            nonce,
            sealed,
        })
    }

    /// The bytes before the ciphertext, in a buffer with room for `more` bytes; `None` for parts too long to say.
    pub(super) fn start(wrapped_key: &[u8], nonce: &[u8], more: usize) -> Option<Vec<u8>> {
        let [high, low] = u16::try_from(wrapped_key.len()).ok()?.to_be_bytes();
        let nonce_bytes = u8::try_from(nonce.len()).ok()?;
        let mut out = Vec::with_capacity(HEADER_BYTES + wrapped_key.len() + nonce.len() + more);
        out.extend_from_slice(&[high, low, nonce_bytes]);
        out.extend_from_slice(wrapped_key);
        out.extend_from_slice(nonce);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::Envelope;

    #[test]
    fn an_envelope_splits_where_its_header_says() {
        let mut bytes = Envelope::start(b"key", b"nonce", 4).unwrap();
        bytes.extend_from_slice(b"data");
        let parts = Envelope::decode(&bytes).unwrap();
        assert_eq!(
            (parts.wrapped_key, parts.nonce, parts.sealed),
            (&b"key"[..], &b"nonce"[..], &b"data"[..])
        );
    }

    #[test]
    fn every_cut_of_an_envelope_is_refused() {
        let mut bytes = Envelope::start(&[7; 256], &[1; 12], 1).unwrap();
        bytes.push(9);
        for len in 0..bytes.len() {
            assert_eq!(Envelope::decode(&bytes[..len]), None, "{len}");
        }
        assert!(Envelope::decode(&bytes).is_some());
    }
}
