//! The RSA key that wraps the data keys of objects (spec 60-objects section 5).

use std::fmt;

use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use moorage_model::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use super::pem;

/// Label of the wrap.
const LABEL: &[u8] = b"keys";

/// The key pair of an encrypted volume.
pub struct DataKey {
    wrap: OaepPublicEncryptingKey,
    unwrap: OaepPrivateDecryptingKey,
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
    /// `Unauthenticated` when the passphrase is missing or wrong; `InvalidArgument` when the text is no RSA
    /// private key of 2048 bits or more; `NotSupported` for an SM2 key.
    pub fn from_pem(text: &str, passphrase: Option<&str>) -> Result<DataKey> {
        let der = pem::to_pkcs8(text, passphrase)?;
        let pair = PrivateDecryptingKey::from_pkcs8(&der).map_err(|rejected| {
            // A wrong passphrase passes the padding of the cipher one time in 256.
            if text.contains("ENCRYPTED") {
                return pem::wrong_passphrase();
            }
            Error::new(
                ErrorKind::InvalidArgument,
                format!("the data encryption key can not be used: {rejected}"),
            )
            .with_advice("The key is the PEM text of an RSA private key of 2048 bits or more")
        })?;
        let broken = |_| Error::new(ErrorKind::Io, "the data encryption key can not be prepared");
        Ok(DataKey {
            wrap: OaepPublicEncryptingKey::new(pair.public_key()).map_err(broken)?,
            unwrap: OaepPrivateDecryptingKey::new(pair).map_err(broken)?,
        })
    }

    /// Wraps the key of one object. About 20 microseconds for 2048 bits.
    pub(super) fn wrap(&self, key: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![0; self.wrap.ciphertext_size()];
        let len = self
            .wrap
            .encrypt(&OAEP_SHA256_MGF1SHA256, key, &mut out, Some(LABEL))
            .ok()?
            .len();
        out.truncate(len);
        Some(out)
    }

    /// Unwraps the key of one object. About half a millisecond for 2048 bits.
    pub(super) fn unwrap(&self, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(vec![0; self.unwrap.min_output_size()]);
        let len = self
            .unwrap
            .decrypt(&OAEP_SHA256_MGF1SHA256, wrapped, &mut out, Some(LABEL))
            .ok()?
            .len();
        out.truncate(len);
        Some(out)
    }
}
