//! What comes from the environment: secrets, so that they stand in no command line, and switches for experts.

use moorage_model::{Error, ErrorKind, Result};

/// Password of the metadata database, for a URL that has none.
const META_PASSWORD: [&str; 2] = ["MOORAGE_META_PASSWORD", "META_PASSWORD"];
/// Password of a Redis server, as JuiceFS reads it before the one for all databases.
const REDIS_PASSWORD: [&str; 2] = ["MOORAGE_REDIS_PASSWORD", "REDIS_PASSWORD"];
/// File that holds that password.
const META_PASSWORD_FILE: [&str; 2] = ["MOORAGE_META_PASSWORD_FILE", "META_PASSWORD_FILE"];
/// Passphrase of the private key of an encrypted volume.
const RSA_PASSPHRASE: [&str; 2] = ["MOORAGE_RSA_PASSPHRASE", "JFS_RSA_PASSPHRASE"];
/// Credentials of the object store, read when a volume is made.
const ACCESS_KEY: [&str; 2] = ["MOORAGE_ACCESS_KEY", "ACCESS_KEY"];
const SECRET_KEY: [&str; 2] = ["MOORAGE_SECRET_KEY", "SECRET_KEY"];
const SESSION_TOKEN: [&str; 2] = ["MOORAGE_SESSION_TOKEN", "SESSION_TOKEN"];
/// Any value skips the check of the object store, for stores that refuse parts of it.
const NO_STORE_CHECK: [&str; 2] = ["MOORAGE_NO_CHECK_OBJECT_STORAGE", "JFS_NO_CHECK_OBJECT_STORAGE"];

/// Seconds below which `gc` does not judge an object.
const GC_AGE: [&str; 2] = ["MOORAGE_GC_SKIPPEDTIME", "JFS_GC_SKIPPEDTIME"];

/// The first of the variables that is set to something.
fn first(names: [&str; 2]) -> Option<String> {
    names
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// Password of the metadata database with this scheme in its URL.
///
/// # Errors
/// When the file that should hold it can not be read.
pub(crate) fn meta_password(scheme: &str) -> Result<Option<String>> {
    let of_redis = ["redis", "rediss", "unix"].contains(&scheme.to_ascii_lowercase().as_str());
    if let Some(password) = first(REDIS_PASSWORD).filter(|_| of_redis) {
        return Ok(Some(password));
    }
    if let Some(password) = first(META_PASSWORD) {
        return Ok(Some(password));
    }
    let Some(file) = first(META_PASSWORD_FILE) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&file).map_err(|error| {
        Error::new(
            ErrorKind::NotFound,
            format!("the password file {file} of META_PASSWORD_FILE can not be read"),
        )
        .with_source(error)
        .with_advice("Correct the variable, or set META_PASSWORD instead.")
    })?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Passphrase of the private key of an encrypted volume.
pub(crate) fn rsa_passphrase() -> Option<String> {
    first(RSA_PASSPHRASE)
}

/// Access key of the object store.
pub(crate) fn access_key() -> Option<String> {
    first(ACCESS_KEY)
}

/// Secret key of the object store.
pub(crate) fn secret_key() -> Option<String> {
    first(SECRET_KEY)
}

/// Session token of the object store.
pub(crate) fn session_token() -> Option<String> {
    first(SESSION_TOKEN)
}

/// Whether the object store is tested when it is named, and its owner when it is opened.
pub(crate) fn check_store() -> bool {
    first(NO_STORE_CHECK).is_none()
}

/// Seconds below which `gc` does not judge an object, when another age than its own is wanted.
///
/// # Errors
/// `InvalidArgument` when the variable holds no number.
pub(crate) fn gc_age_seconds() -> Result<Option<u64>> {
    first(GC_AGE)
        .map(|text| {
            text.parse().map_err(|_| {
                Error::new(
                    ErrorKind::InvalidArgument,
                    format!("{text:?} in JFS_GC_SKIPPEDTIME is no number of seconds"),
                )
            })
        })
        .transpose()
}
