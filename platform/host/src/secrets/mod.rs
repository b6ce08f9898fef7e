//! Where secrets are kept for longer than a process lives: the keyring of the session, or an encrypted file.
//!
//! Each secret is an entry of its own: keyrings take small ones only.

mod bounded;
#[cfg(windows)]
mod credential_manager;
mod error;
mod file;
#[cfg(target_os = "macos")]
mod keychain;
mod keyring;
mod sealed;
#[cfg(target_os = "linux")]
mod secret_service;

#[cfg(windows)]
use self::credential_manager as session;
#[cfg(target_os = "macos")]
use self::keychain as session;
#[cfg(target_os = "linux")]
use self::secret_service as session;

use std::fmt;

use zeroize::Zeroizing;

pub use self::error::{SecretError, SecretErrorKind};
pub use self::file::EncryptedFile;
pub use self::keyring::Keyring;
pub use self::sealed::KeySource;

/// A secret of something, as `volume 7` and its `password`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretName {
    owner: String,
    kind: String,
}

impl SecretName {
    /// Names the secret of this kind that belongs to this owner.
    #[must_use]
    pub fn new(owner: impl Into<String>, kind: impl Into<String>) -> SecretName {
        SecretName {
            owner: owner.into(),
            kind: kind.into(),
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.owner, self.kind)
    }
}

/// A store of secrets.
///
/// # Behavior
/// Every method blocks its thread, for a bounded time. None but [`SecretStore::unlock`] asks a person for anything: what is
/// locked is `Locked`. A store that was locked or absent is tried anew by the next call.
pub trait SecretStore: fmt::Debug + Send + Sync {
    /// Whether secrets can be read and written now.
    ///
    /// # Errors
    /// Why not.
    fn access(&self) -> Result<(), SecretError>;

    /// Reads a secret; `None` when the store has none of this name.
    ///
    /// # Errors
    /// When that is not known.
    fn read(&self, name: &SecretName) -> Result<Option<Zeroizing<String>>, SecretError>;

    /// Keeps a secret, in place of an earlier one of this name.
    ///
    /// # Errors
    /// When it is not kept; then an earlier one is still there.
    fn write(&self, name: &SecretName, secret: &str) -> Result<(), SecretError>;

    /// Removes a secret; succeeds when there is none.
    ///
    /// # Errors
    /// When it may still be there.
    fn remove(&self, name: &SecretName) -> Result<(), SecretError>;

    /// Opens the store: with a passphrase where it has one of its own, else by asking the person through the desktop.
    ///
    /// # Errors
    /// `Refused` when the passphrase is wrong or the person declines.
    fn unlock(&self, passphrase: Option<&str>) -> Result<(), SecretError>;

    /// The store is not used any more, and its secrets were removed: what is left of it goes.
    ///
    /// # Errors
    /// When something stays.
    fn abandon(&self) -> Result<(), SecretError>;
}
