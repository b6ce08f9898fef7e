//! The keyring of the session.

use std::time::Duration;

use keyring_core::{Entry, Error};
use zeroize::Zeroizing;

use super::bounded::Calls;
use super::session;
use super::{SecretError, SecretErrorKind, SecretName, SecretStore};

/// What entries belong to, as the tools of the desktop show it.
pub(super) const SERVICE: &str = "moorage";
/// How long the keyring may take for one call: it may have to be started first.
const CALL_DEADLINE: Duration = Duration::from_secs(5);
/// How long a person may take to type the password of the keyring.
const PERSON_DEADLINE: Duration = Duration::from_secs(120);

/// The keyring of the session: the Secret Service of a Linux desktop (GNOME Keyring, KDE Wallet, KeePassXC), the Credential
/// Manager of Windows, the keychain of macOS.
#[derive(Debug, Default)]
pub struct Keyring {
    calls: Calls,
}

impl Keyring {
    /// The keyring of this session, whether or not there is one: each call looks anew.
    #[must_use]
    pub fn new() -> Keyring {
        Keyring::default()
    }
}

impl SecretStore for Keyring {
    fn access(&self) -> Result<(), SecretError> {
        self.calls.run(CALL_DEADLINE, || session::check(None))
    }

    fn read(&self, name: &SecretName) -> Result<Option<Zeroizing<String>>, SecretError> {
        let name = name.clone();
        self.calls.run(CALL_DEADLINE, move || {
            session::check(Some(&name))?;
            match entry(&name)?.get_secret() {
                Ok(bytes) => text(bytes, &name).map(Some),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(failure(error, &name)),
            }
        })
    }

    fn write(&self, name: &SecretName, secret: &str) -> Result<(), SecretError> {
        let (name, secret) = (name.clone(), Zeroizing::new(secret.to_owned()));
        self.calls.run(CALL_DEADLINE, move || {
            session::check(Some(&name))?;
            entry(&name)?
                .set_secret(secret.as_bytes())
                .map_err(|error| failure(error, &name))
        })
    }

    fn remove(&self, name: &SecretName) -> Result<(), SecretError> {
        let name = name.clone();
        self.calls.run(CALL_DEADLINE, move || {
            session::check(Some(&name))?;
            match entry(&name)?.delete_credential() {
                Ok(()) | Err(Error::NoEntry) => Ok(()),
                Err(error) => Err(failure(error, &name)),
            }
        })
    }

    fn unlock(&self, _passphrase: Option<&str>) -> Result<(), SecretError> {
        self.calls.run(PERSON_DEADLINE, session::unlock)
    }

    fn abandon(&self) -> Result<(), SecretError> {
        Ok(())
    }
}

/// What the entry of a secret is called within the service.
pub(super) fn user_name(name: &SecretName) -> String {
    name.to_string()
}

fn entry(name: &SecretName) -> Result<Entry, SecretError> {
    session::entry(name).map_err(|error| failure(error, name))
}

fn text(bytes: Vec<u8>, name: &SecretName) -> Result<Zeroizing<String>, SecretError> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(damaged(name))
        }
    }
}

fn damaged(name: &SecretName) -> SecretError {
    SecretError::new(
        SecretErrorKind::Damaged,
        format!("the secret {name} in the keyring is not as it was written"),
        "Give it again; the new one replaces it.",
    )
}

/// Never with what the entry holds.
fn failure(error: Error, name: &SecretName) -> SecretError {
    match error {
        Error::BadEncoding(bytes) | Error::BadDataFormat(bytes, _) => {
            drop(Zeroizing::new(bytes));
            damaged(name)
        }
        Error::Ambiguous(_) => SecretError::new(
            SecretErrorKind::Damaged,
            format!("the keyring holds the secret {name} more than once"),
            format!(
                "Remove these entries with {}, and give the secret again.",
                session::TOOL
            ),
        ),
        Error::TooLong(_, limit) => SecretError::new(
            SecretErrorKind::Refused,
            format!("the secret {name} is longer than the {limit} bytes that the keyring takes"),
            "Keep secrets in an encrypted file: `moorage agent secrets --store file`.",
        ),
        Error::NoStorageAccess(source) | Error::PlatformFailure(source) => session::failure_of(source),
        error => refused().with_source(error),
    }
}

pub(super) fn refused() -> SecretError {
    SecretError::new(
        SecretErrorKind::Refused,
        "the keyring refuses",
        "Look at the cause, or choose another store with `moorage agent secrets --store`.",
    )
}
