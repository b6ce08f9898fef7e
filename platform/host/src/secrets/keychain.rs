//! The keychain of macOS. It is open while the user is logged in; the system asks the person itself where it is not.

use apple_native_keyring_store::keychain::Store;
use keyring_core::Entry;
use keyring_core::api::CredentialStoreApi as _;

use super::keyring::{SERVICE, refused, user_name};
use super::{SecretError, SecretName};

/// What shows the entries to a person.
pub(super) const TOOL: &str = "Keychain Access";

/// Whether secrets can be read and written: always, as far as can be told without asking for one.
///
/// # Errors
/// None.
pub(super) fn check(_name: Option<&SecretName>) -> Result<(), SecretError> {
    Ok(())
}

/// Opens it: the system does.
///
/// # Errors
/// None.
pub(super) fn unlock() -> Result<(), SecretError> {
    Ok(())
}

/// The entry of a secret, in the keychain of this user.
///
/// # Errors
/// What the library says of the name.
pub(super) fn entry(name: &SecretName) -> keyring_core::Result<Entry> {
    Store::new()?.build(SERVICE, &user_name(name), None)
}

/// A failure below the library that reads entries.
pub(super) fn failure_of(source: Box<dyn std::error::Error + Send + Sync>) -> SecretError {
    refused().with_source(source)
}
