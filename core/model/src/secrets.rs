//! Secrets of the volume setting, sealed in place (spec 10-setting section 3).
//!
//! The key is derived from the UUID in the same record: this obscures the secrets, it does not protect them.

use aes_gcm::aead::Aead;
use aes_gcm::aead::array::typenum::U12;
use aes_gcm::{Aes128Gcm, AesGcm, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use sm3::Sm3;
use sm4::Sm4;

use crate::{EncryptAlgo, Error, ErrorKind, Result, SecretError, Setting};

/// Bytes of a nonce in front of a sealed secret.
pub const SECRET_NONCE_BYTES: usize = 12;
/// Bytes of the key of either cipher.
const KEY_BYTES: usize = 16;
/// What a dump leaves in place of a secret, in the open or sealed.
pub const REMOVED_SECRET: &str = "removed";
/// Number of the first and only block of the key derivation: 16 of the 32 bytes it gives are used.
const FIRST_BLOCK: u32 = 1;

impl Setting {
    /// The data encryption algorithm.
    ///
    /// # Errors
    /// `NotSupported` for a name that no release writes.
    pub fn encrypt_algorithm(&self) -> Result<EncryptAlgo> {
        match self.encrypt_algo.as_str() {
            "" | "aes256gcm-rsa" => Ok(EncryptAlgo::Aes256GcmRsa),
            "chacha20-rsa" => Ok(EncryptAlgo::ChaCha20Rsa),
            "sm4gcm" => Ok(EncryptAlgo::Sm4Gcm),
            other => Err(Error::new(
                ErrorKind::NotSupported,
                format!("data encryption {other:?} is not known to this release"),
            )),
        }
    }

    /// The setting with its secrets in the open, for opening the store. Neither show nor store it.
    ///
    /// # Errors
    /// `Corrupt` naming the first secret that a dump removed or that can not be decrypted.
    pub fn with_opened_secrets(&self) -> Result<Setting> {
        let mut opened = self.clone();
        if !self.key_encrypted {
            return Ok(opened);
        }
        let cipher = Cipher::of(self)?;
        for (name, secret) in opened.secrets() {
            if !secret.is_empty() {
                *secret = open(&cipher, name, secret).map_err(|error| unusable(name, &error))?;
            }
        }
        opened.key_encrypted = false;
        Ok(opened)
    }

    /// As [`Setting::with_opened_secrets`], for changing the setting: secrets that a dump removed stay so.
    ///
    /// # Errors
    /// `Corrupt` naming the first secret that can not be decrypted.
    pub fn with_readable_secrets(&self) -> Result<Setting> {
        let mut known = self.clone();
        let mut removed = Vec::new();
        for (name, secret) in known.secrets() {
            if secret == REMOVED_SECRET {
                secret.clear();
                removed.push(name);
            }
        }
        let mut opened = known.with_opened_secrets()?;
        for (name, secret) in opened.secrets() {
            if removed.contains(&name) {
                REMOVED_SECRET.clone_into(secret);
            }
        }
        Ok(opened)
    }

    /// Refuses a setting without a secret that a dump removed.
    ///
    /// # Errors
    /// `Corrupt` naming the first of them and the option of `moorage config` that sets it.
    pub fn refuse_removed_secrets(&self) -> Result<()> {
        let mut setting = self.clone();
        let secrets = setting.secrets();
        match secrets.into_iter().find(|(_, secret)| *secret == REMOVED_SECRET) {
            None => Ok(()),
            Some((name, _)) => Err(unusable(name, &SecretError::Removed(name))),
        }
    }

    /// Whether the volume is encrypted and its key is not in the setting: a dump removed it, or it can not be decrypted.
    pub fn lacks_encrypt_key(&self) -> bool {
        if self.encrypt_key.is_empty() {
            return false;
        }
        let key_alone = Setting {
            secret_key: String::new(),
            session_token: String::new(),
            ..self.clone()
        };
        self.encrypt_key == REMOVED_SECRET || key_alone.with_opened_secrets().is_err()
    }

    /// The setting as it is stored: secrets that are in the open are sealed for its UUID. `nonce` gives bytes that
    /// are random for each secret. Without any secret nothing changes; those that a dump removed stay so.
    ///
    /// # Errors
    /// `Io` when the cipher fails.
    pub fn with_sealed_secrets(
        &self,
        mut nonce: impl FnMut() -> [u8; SECRET_NONCE_BYTES],
    ) -> Result<Setting> {
        let mut sealed = self.clone();
        if self.key_encrypted {
            return Ok(sealed);
        }
        let cipher = Cipher::of(self)?;
        let mut any = false;
        for (name, secret) in sealed.secrets() {
            if !secret.is_empty() && secret != REMOVED_SECRET {
                let nonce = nonce();
                let body = cipher.encrypt(&nonce, secret.as_bytes()).ok_or_else(|| {
                    Error::new(
                        ErrorKind::Io,
                        format!("{name} of the volume setting can not be sealed"),
                    )
                })?;
                *secret = STANDARD.encode([nonce.as_slice(), &body].concat());
                any = true;
            }
        }
        sealed.key_encrypted = any;
        Ok(sealed)
    }

    /// The three secrets, in the order in which they are opened.
    fn secrets(&mut self) -> [(&'static str, &mut String); 3] {
        // The flag is set by the caller while these are borrowed, so it is not among them.
        [
            ("EncryptKey", &mut self.encrypt_key),
            ("SecretKey", &mut self.secret_key),
            ("SessionToken", &mut self.session_token),
        ]
    }
}

/// The cipher of a volume's secrets.
enum Cipher {
    Aes(Box<Aes128Gcm>),
    Sm4(Box<AesGcm<Sm4, U12>>),
}

impl Cipher {
    fn of(setting: &Setting) -> Result<Cipher> {
        let uuid = setting.uuid.as_bytes();
        let cipher = if setting.encrypt_algo == "sm4gcm" {
            let block = Sm3::new_with_prefix(uuid)
                .chain_update(FIRST_BLOCK.to_be_bytes())
                .finalize();
            let key = block.get(..KEY_BYTES).unwrap_or_default();
            AesGcm::new_from_slice(key).map(|cipher| Cipher::Sm4(Box::new(cipher)))
        } else {
            Aes128Gcm::new_from_slice(&Md5::digest(uuid)).map(|cipher| Cipher::Aes(Box::new(cipher)))
        };
        cipher.map_err(|_| {
            Error::new(
                ErrorKind::Io,
                "the key for the setting's secrets has a wrong length",
            )
        })
    }

    fn encrypt(&self, nonce: &[u8; SECRET_NONCE_BYTES], plain: &[u8]) -> Option<Vec<u8>> {
        match self {
            Cipher::Aes(cipher) => cipher.encrypt(nonce.into(), plain).ok(),
            Cipher::Sm4(cipher) => cipher.encrypt(nonce.into(), plain).ok(),
        }
    }

    fn decrypt(&self, nonce: &[u8; SECRET_NONCE_BYTES], body: &[u8]) -> Option<Vec<u8>> {
        match self {
            Cipher::Aes(cipher) => cipher.decrypt(nonce.into(), body).ok(),
            Cipher::Sm4(cipher) => cipher.decrypt(nonce.into(), body).ok(),
        }
    }
}

fn unusable(name: &str, error: &SecretError) -> Error {
    let option = match name {
        "EncryptKey" => "--encrypt-rsa-key FILE",
        "SecretKey" => "--secret-key KEY",
        _ => "--session-token TOKEN",
    };
    Error::new(ErrorKind::Corrupt, error.to_string()).with_advice(format!(
        "Set it again with `moorage config META-URL {option}`; other members are not affected."
    ))
}

fn open(cipher: &Cipher, name: &'static str, sealed: &str) -> Result<String, SecretError> {
    if sealed == REMOVED_SECRET {
        return Err(SecretError::Removed(name));
    }
    let bytes = STANDARD.decode(sealed).ok();
    let plain = bytes.as_deref().and_then(|bytes| {
        let (nonce, body) = bytes.split_first_chunk()?;
        cipher.decrypt(nonce, body)
    });
    plain
        .and_then(|plain| String::from_utf8(plain).ok())
        .ok_or(SecretError::Damaged(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "faa27c8f-edab-4791-a4e0-1620b732b343";

    fn setting(algorithm: &str, secret: &str, key_encrypted: bool) -> Setting {
        Setting {
            uuid: UUID.to_owned(),
            encrypt_algo: algorithm.to_owned(),
            secret_key: secret.to_owned(),
            key_encrypted,
            ..Setting::default()
        }
    }

    fn counting() -> [u8; SECRET_NONCE_BYTES] {
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    }

    #[test]
    fn the_vectors_of_the_format_are_met_byte_for_byte() {
        let stored = setting("", "AQSttslKOSE/hQT/gmaMniCsdPF8JdPRfoYK6zFkdUOnifYwBA==", true);
        assert_eq!(stored.with_opened_secrets().unwrap().secret_key, "foobarbaz");
        let sealed = setting("", "secret", false)
            .with_sealed_secrets(counting)
            .unwrap();
        assert_eq!(
            sealed.secret_key,
            "AAECAwQFBgcICQoLXyYI+V2wZXEJwloLWF9ZjMHqUjFgSw=="
        );
        assert!(sealed.key_encrypted);
    }

    #[test]
    fn a_removed_secret_stays_so_beside_one_that_is_sealed() {
        let mut dumped = setting("", REMOVED_SECRET, true);
        dumped.encrypt_key = REMOVED_SECRET.to_owned();
        assert!(dumped.lacks_encrypt_key());
        for refused in [
            dumped.with_opened_secrets().map(drop),
            dumped.refuse_removed_secrets(),
        ] {
            let refused = refused.unwrap_err();
            assert!(
                refused
                    .advice()
                    .unwrap()
                    .contains("config META-URL --encrypt-rsa-key"),
                "{refused}"
            );
        }
        let mut opened = dumped.with_readable_secrets().unwrap();
        opened.encrypt_key = "a key".to_owned();
        let sealed = opened.with_sealed_secrets(counting).unwrap();
        assert!(sealed.key_encrypted && !sealed.lacks_encrypt_key());
        assert_eq!(sealed.secret_key, REMOVED_SECRET);
        let refused = sealed.refuse_removed_secrets().unwrap_err();
        assert!(refused.advice().unwrap().contains("--secret-key"), "{refused}");
        assert_eq!(sealed.with_readable_secrets().unwrap(), opened);
    }

    #[test]
    fn sealed_secrets_open_again_under_every_algorithm() {
        for algorithm in ["", "aes256gcm-rsa", "chacha20-rsa", "sm4gcm"] {
            let open = setting(algorithm, "s3cret", false);
            let sealed = open.with_sealed_secrets(counting).unwrap();
            assert_ne!(sealed.secret_key, "s3cret");
            assert_eq!(sealed.with_opened_secrets().unwrap(), open, "{algorithm}");
        }
    }

    #[test]
    fn a_removed_or_damaged_secret_is_named() {
        for secret in [
            "removed",
            "no base64",
            "AAECAwQFBgcICQoLXyYI+V2wZXEJwloLWF9ZjMHqUjFgSA==",
        ] {
            let error = setting("", secret, true).with_opened_secrets().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains("SecretKey"), "{error}");
        }
    }

    #[test]
    fn without_secrets_nothing_is_marked_as_sealed() {
        let plain = setting("", "", false);
        assert_eq!(plain.with_sealed_secrets(counting).unwrap(), plain);
    }
}
