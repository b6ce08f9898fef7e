//! What the Secret Service says of itself without asking a person: whether it is there, and whether it is locked.
//!
//! Where it is locked, the library that reads entries would wait for a prompt; so this is asked first.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use keyring_core::Entry;
use keyring_core::api::CredentialStoreApi as _;
use secret_service::EncryptionType;
use secret_service::Error;
use secret_service::blocking::SecretService;
use zbus::blocking::connection;

use super::keyring::{SERVICE, refused, user_name};
use super::{SecretError, SecretErrorKind, SecretName};

/// What shows the entries to a person.
pub(super) const TOOL: &str = "the tool of the desktop (Passwords and Keys)";
/// How long one answer may take; prompts come as signals later and are not meant.
const ANSWER_DEADLINE: Duration = Duration::from_secs(4);
/// Errors of the bus that mean that nobody offers the service.
const NOBODY: [&str; 2] = [
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.NameHasNoOwner",
];
/// How errors of the bus begin that mean that the service could not be started.
const NOT_STARTED: &str = "org.freedesktop.DBus.Error.Spawn.";

/// Whether the keyring for new entries is open, and the one that holds this entry.
///
/// # Errors
/// `Locked`, `Absent`; what else the service says.
pub(super) fn check(name: Option<&SecretName>) -> Result<(), SecretError> {
    let service = connect()?;
    match service.get_default_collection() {
        Ok(collection) => {
            if collection.is_locked().map_err(failure)? {
                return Err(failure(Error::Locked));
            }
        }
        Err(error) => return Err(failure(error)),
    }
    let Some(name) = name else { return Ok(()) };
    let user = user_name(name);
    let entry = HashMap::from([("service", SERVICE), ("username", user.as_str())]);
    let found = service.search_items(entry).map_err(failure)?;
    if found.locked.is_empty() {
        Ok(())
    } else {
        Err(failure(Error::Locked))
    }
}

/// Has the person asked for the password of the keyring, where it is locked.
///
/// # Errors
/// When the person declines, or there is nobody to ask.
pub(super) fn unlock() -> Result<(), SecretError> {
    let service = connect()?;
    let collection = service.get_default_collection().map_err(failure)?;
    if collection.is_locked().map_err(failure)? {
        collection.unlock().map_err(failure)?;
        collection.ensure_unlocked().map_err(failure)?;
    }
    Ok(())
}

fn connect() -> Result<SecretService<'static>, SecretError> {
    let connection = connection::Builder::session()
        .and_then(|builder| builder.method_timeout(ANSWER_DEADLINE).build())
        .map_err(|error| failure(Error::Zbus(error)))?;
    // No secret goes over this connection.
    SecretService::connect_with_existing(EncryptionType::Plain, connection).map_err(failure)
}

/// The entry of a secret.
///
/// # Errors
/// What the service says.
pub(super) fn entry(name: &SecretName) -> keyring_core::Result<Entry> {
    // A store that was made while there was no keyring would never see one.
    let store = zbus_secret_service_keyring_store::Store::new()?;
    let label = format!("Moorage: {}", name.kind.replace('_', " "));
    let modifiers = HashMap::from([("label", label.as_str())]);
    store.build(SERVICE, &user_name(name), Some(&modifiers))
}

/// A failure below the library that reads entries.
pub(super) fn failure_of(source: Box<dyn std::error::Error + Send + Sync>) -> SecretError {
    match source.downcast::<Error>() {
        Ok(error) => failure(*error),
        Err(source) => refused().with_source(source),
    }
}

/// An error of the service in the words of stores.
fn failure(error: Error) -> SecretError {
    match error {
        Error::Locked => SecretError::new(
            SecretErrorKind::Locked,
            "the keyring is locked",
            "Unlock it: `moorage agent secrets --unlock` lets the desktop ask for its password. It is tried again by itself.",
        ),
        Error::NoResult => absent("this session has a keyring service, but no keyring").with_source(error),
        Error::Prompt | Error::PromptDisconnected => SecretError::new(
            SecretErrorKind::Refused,
            "the password of the keyring was not given",
            "Try again and give it, or choose another store with `moorage agent secrets --store`.",
        )
        .with_source(error),
        error if is_late(&error) => SecretError::new(
            SecretErrorKind::Silent,
            "the keyring does not answer",
            "Look for a window of the keyring that waits for an answer, or log in anew. It is tried again.",
        )
        .with_source(error),
        error if is_absent(&error) => absent("this session has no keyring").with_source(error),
        error => SecretError::new(
            SecretErrorKind::Refused,
            "the keyring refuses",
            "Look at the cause, or choose another store with `moorage agent secrets --store`.",
        )
        .with_source(error),
    }
}

fn absent(message: &str) -> SecretError {
    SecretError::new(
        SecretErrorKind::Absent,
        message,
        "Log in to a desktop that has one, or keep secrets in an encrypted file: `moorage agent secrets --store file`.",
    )
}

fn is_late(error: &Error) -> bool {
    matches!(error, Error::Zbus(zbus::Error::InputOutput(error)) if error.kind() == io::ErrorKind::TimedOut)
}

fn is_absent(error: &Error) -> bool {
    match error {
        Error::Unavailable => true,
        Error::Zbus(error) => is_bus_absent(error),
        Error::ZbusFdo(error) => matches!(
            error,
            zbus::fdo::Error::ServiceUnknown(_) | zbus::fdo::Error::NameHasNoOwner(_)
        ),
        _ => false,
    }
}

fn is_bus_absent(error: &zbus::Error) -> bool {
    match error {
        zbus::Error::Address(_) | zbus::Error::InterfaceNotFound => true,
        zbus::Error::InputOutput(error) | zbus::Error::Connection(error, _) => matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
        ),
        zbus::Error::MethodError(name, _, _) => {
            NOBODY.contains(&name.as_str()) || name.as_str().starts_with(NOT_STARTED)
        }
        zbus::Error::FDO(error) => matches!(
            **error,
            zbus::fdo::Error::ServiceUnknown(_) | zbus::fdo::Error::NameHasNoOwner(_)
        ),
        _ => false,
    }
}
