//! The ciphers a volume may be encrypted with (spec 60-objects section 5).

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut as _, KeyInit as _, consts::U12};
use aws_lc_rs::aead::{AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use moorage_model::{Error, ErrorKind, Result};

/// Bytes of a nonce: the same for all ciphers.
pub(super) const NONCE_BYTES: usize = 12;
/// Bytes of an authentication tag: the same for all ciphers.
pub(super) const TAG_BYTES: usize = 16;
/// Bytes of the longest data key.
pub(super) const MAX_KEY_BYTES: usize = 32;

type Sm4Gcm = aes_gcm::AesGcm<sm4::Sm4, U12>;

/// Authenticated encryption of object bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES-256-GCM: `aes256gcm-rsa` and the empty text.
    Aes256Gcm,
    /// ChaCha20-Poly1305 of RFC 8439: `chacha20-rsa`.
    ChaCha20Poly1305,
    /// SM4-GCM: `sm4gcm`.
    Sm4Gcm,
}

/// The library refused key or bytes; it does not say why.
#[derive(Debug)]
pub(super) struct Refused;

impl Cipher {
    /// From the setting's text.
    ///
    /// # Errors
    /// `NotSupported` for an algorithm the format does not have.
    pub fn parse(name: &str) -> Result<Cipher> {
        match name.to_ascii_lowercase().as_str() {
            "" | "aes256gcm-rsa" => Ok(Cipher::Aes256Gcm),
            "chacha20-rsa" => Ok(Cipher::ChaCha20Poly1305),
            "sm4gcm" => Ok(Cipher::Sm4Gcm),
            other => Err(
                Error::new(ErrorKind::NotSupported, format!("unknown encryption {other:?}"))
                    .with_advice("Use one of aes256gcm-rsa, chacha20-rsa, sm4gcm"),
            ),
        }
    }

    /// Bytes of a data key.
    pub(super) fn key_bytes(self) -> usize {
        match self {
            Cipher::Aes256Gcm | Cipher::ChaCha20Poly1305 => MAX_KEY_BYTES,
            Cipher::Sm4Gcm => 16,
        }
    }

    /// Encrypts `buffer` behind `from` in place and appends the tag.
    pub(super) fn seal(
        self,
        key: &[u8],
        nonce: [u8; NONCE_BYTES],
        buffer: &mut Vec<u8>,
        from: usize,
    ) -> Result<(), Refused> {
        let plain = buffer.get_mut(from..).ok_or(Refused)?;
        match self.hardware() {
            Some(algorithm) => {
                let key = LessSafeKey::new(UnboundKey::new(algorithm, key).map_err(|_| Refused)?);
                let tag = key
                    .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), plain)
                    .map_err(|_| Refused)?;
                buffer.extend_from_slice(tag.as_ref());
            }
            None => {
                let key = Sm4Gcm::new_from_slice(key).map_err(|_| Refused)?;
                let tag = key
                    .encrypt_inout_detached(&nonce.into(), &[], InOutBuf::from(plain))
                    .map_err(|_| Refused)?;
                buffer.extend_from_slice(&tag);
            }
        }
        Ok(())
    }

    /// Decrypts `sealed`, ciphertext and tag, into a new buffer. One allocation, one pass.
    pub(super) fn open(
        self,
        key: &[u8],
        nonce: [u8; NONCE_BYTES],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Refused> {
        let (text, tag) = sealed
            .len()
            .checked_sub(TAG_BYTES)
            .and_then(|at| sealed.split_at_checked(at))
            .ok_or(Refused)?;
        let mut plain = vec![0; text.len()];
        match self.hardware() {
            Some(algorithm) => LessSafeKey::new(UnboundKey::new(algorithm, key).map_err(|_| Refused)?)
                .open_separate_gather(
                    Nonce::assume_unique_for_key(nonce),
                    Aad::empty(),
                    text,
                    tag,
                    &mut plain,
                )
                .map_err(|_| Refused)?,
            None => {
                let tag: [u8; TAG_BYTES] = tag.try_into().map_err(|_| Refused)?;
                let inout = InOutBuf::new(text, &mut plain).map_err(|_| Refused)?;
                Sm4Gcm::new_from_slice(key)
                    .map_err(|_| Refused)?
                    .decrypt_inout_detached(&nonce.into(), &[], inout, &tag.into())
                    .map_err(|_| Refused)?;
            }
        }
        Ok(plain)
    }

    /// The implementation with hardware support, where there is one.
    fn hardware(self) -> Option<&'static Algorithm> {
        match self {
            Cipher::Aes256Gcm => Some(&AES_256_GCM),
            Cipher::ChaCha20Poly1305 => Some(&CHACHA20_POLY1305),
            Cipher::Sm4Gcm => None,
        }
    }
}
