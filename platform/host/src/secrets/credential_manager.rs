//! The Credential Manager of Windows. It is open for as long as the user is logged in, and asks nobody.

use std::collections::HashMap;

use keyring_core::Entry;
use keyring_core::api::CredentialStoreApi as _;

use super::keyring::{SERVICE, refused, user_name};
use super::{SecretError, SecretName};

/// What shows the entries to a person.
pub(super) const TOOL: &str = "Credential Manager in the Control Panel";

/// Whether secrets can be read and written: always.
///
/// # Errors
/// None.
pub(super) fn check(_name: Option<&SecretName>) -> Result<(), SecretError> {
    Ok(())
}

/// Opens it: it is.
///
/// # Errors
/// None.
pub(super) fn unlock() -> Result<(), SecretError> {
    Ok(())
}

/// The entry of a secret. It stays on this computer: a profile that roams does not take it along.
///
/// # Errors
/// What the library says of the name.
pub(super) fn entry(name: &SecretName) -> keyring_core::Result<Entry> {
    let store = windows_native_keyring_store::Store::new()?;
    let modifiers = HashMap::from([("persistence", "Local")]);
    store.build(SERVICE, &user_name(name), Some(&modifiers))
}

/// A failure below the library that reads entries.
pub(super) fn failure_of(source: Box<dyn std::error::Error + Send + Sync>) -> SecretError {
    refused().with_source(source)
}
