//! An SM2 key, which wraps data keys by SM2 public-key encryption in its ASN.1 form (spec 60-objects section 5).

use moorage_model::{Error, ErrorKind, Result};
use sm2::SecretKey;
use sm2::pkcs8::DecodePrivateKey as _;
use sm2::pke::{DecryptingKey, EncryptingKey};
use zeroize::Zeroizing;

/// The key pair.
pub(super) struct Sm2Key {
    wrap: EncryptingKey,
    unwrap: DecryptingKey,
}

impl Sm2Key {
    /// Reads a PKCS#8 document.
    ///
    /// # Errors
    /// `NotSupported` for a key of another elliptic curve.
    pub(super) fn from_pkcs8(der: &[u8]) -> Result<Sm2Key> {
        let secret = SecretKey::from_pkcs8_der(der).map_err(|error| {
            Error::new(
                ErrorKind::NotSupported,
                "the data encryption key is of an elliptic curve that is not SM2",
            )
            .with_source(error.to_string())
            .with_advice(
                "The key is the PEM text of an RSA private key of 2048 bits or more, or of an SM2 one",
            )
        })?;
        Ok(Sm2Key {
            wrap: EncryptingKey::new(secret.public_key()),
            unwrap: DecryptingKey::new(secret),
        })
    }

    pub(super) fn wrap(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.wrap.encrypt_der(&mut rand::rng(), key).ok()
    }

    pub(super) fn unwrap(&self, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.unwrap.decrypt_der(wrapped).ok().map(Zeroizing::new)
    }
}
