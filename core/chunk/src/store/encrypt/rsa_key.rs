//! An RSA key, which wraps data keys by OAEP with SHA-256 (spec 60-objects section 5).

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use moorage_model::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

/// Label of the wrap.
const LABEL: &[u8] = b"keys";

/// The key pair.
pub(super) struct RsaKey {
    wrap: OaepPublicEncryptingKey,
    unwrap: OaepPrivateDecryptingKey,
}

impl RsaKey {
    /// Reads a PKCS#8 document; `rejected` says what is wrong with one that is no key of 2048 bits or more.
    ///
    /// # Errors
    /// That of `rejected`; `Io` when the library fails.
    pub(super) fn from_pkcs8(der: &[u8], rejected: impl FnOnce(KeyRejected) -> Error) -> Result<RsaKey> {
        let pair = PrivateDecryptingKey::from_pkcs8(der).map_err(rejected)?;
        let broken = |_| Error::new(ErrorKind::Io, "the data encryption key can not be prepared");
        Ok(RsaKey {
            wrap: OaepPublicEncryptingKey::new(pair.public_key()).map_err(broken)?,
            unwrap: OaepPrivateDecryptingKey::new(pair).map_err(broken)?,
        })
    }

    /// About 20 microseconds for 2048 bits.
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

    /// About half a millisecond for 2048 bits.
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
