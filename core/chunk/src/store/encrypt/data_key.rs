//! The key that wraps the data keys of objects (spec 60-objects section 5): which kind it is decides how.

use std::fmt;

use moorage_model::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use super::pem;
use super::rsa_key::RsaKey;
use super::sm2_key::Sm2Key;

/// The key pair of an encrypted volume.
pub struct DataKey(Kind);

enum Kind {
    Rsa(RsaKey),
    Sm2(Box<Sm2Key>),
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey").finish_non_exhaustive()
    }
}

impl DataKey {
    /// Reads the PEM text of the setting: PKCS#1 or PKCS#8, with the passphrase if it is encrypted.
    ///
    /// # Errors
    /// `Unauthenticated` when the passphrase is missing or wrong; `InvalidArgument` when the text is neither an RSA
    /// private key of 2048 bits or more nor an SM2 private key; `NotSupported` for a key of another elliptic curve.
    pub fn from_pem(text: &str, passphrase: Option<&str>) -> Result<DataKey> {
        let der = pem::to_pkcs8(text, passphrase)?;
        if pem::is_elliptic(&der) {
            return Ok(DataKey(Kind::Sm2(Box::new(Sm2Key::from_pkcs8(&der)?))));
        }
        let key = RsaKey::from_pkcs8(&der, |rejected| {
            // A wrong passphrase passes the padding of the cipher one time in 256.
            if text.contains("ENCRYPTED") {
                return pem::wrong_passphrase();
            }
            Error::new(
                ErrorKind::InvalidArgument,
                format!("the data encryption key can not be used: {rejected}"),
            )
            .with_advice(pem::WANTED)
        })?;
        Ok(DataKey(Kind::Rsa(key)))
    }

    /// Wraps the key of one object.
    pub(super) fn wrap(&self, key: &[u8]) -> Option<Vec<u8>> {
        match &self.0 {
            Kind::Rsa(pair) => pair.wrap(key),
            Kind::Sm2(pair) => pair.wrap(key),
        }
    }

    /// Unwraps the key of one object.
    pub(super) fn unwrap(&self, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match &self.0 {
            Kind::Rsa(pair) => pair.unwrap(wrapped),
            Kind::Sm2(pair) => pair.unwrap(wrapped),
        }
    }
}
