//! What comes from the environment or through a pipe: secrets, so that they stand in no command line, and switches for
//! experts.

use std::io::{BufRead as _, Read as _};
use std::sync::OnceLock;

use moorage_control::frame;
use moorage_control::secret::{Secret, VolumeSecrets};
use moorage_model::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

/// Password of the metadata database, for a URL that has none.
const META_PASSWORD: [&str; 2] = ["MOORAGE_META_PASSWORD", "META_PASSWORD"];
/// Password of a Redis server, as JuiceFS reads it before the one for all databases.
const REDIS_PASSWORD: [&str; 2] = ["MOORAGE_REDIS_PASSWORD", "REDIS_PASSWORD"];
/// File that holds that password.
const META_PASSWORD_FILE: [&str; 2] = ["MOORAGE_META_PASSWORD_FILE", "META_PASSWORD_FILE"];
/// Passphrase of the private key of an encrypted volume.
const RSA_PASSPHRASE: [&str; 2] = ["MOORAGE_RSA_PASSPHRASE", "JFS_RSA_PASSPHRASE"];
/// Passphrase of the agent's encrypted file of secrets.
const SECRETS_PASSPHRASE: &str = "MOORAGE_SECRETS_PASSPHRASE";
/// Credentials of the object store, read when a volume is made.
const ACCESS_KEY: [&str; 2] = ["MOORAGE_ACCESS_KEY", "ACCESS_KEY"];
const SECRET_KEY: [&str; 2] = ["MOORAGE_SECRET_KEY", "SECRET_KEY"];
const SESSION_TOKEN: [&str; 2] = ["MOORAGE_SESSION_TOKEN", "SESSION_TOKEN"];
/// Any value skips the check of the object store, for stores that refuse parts of it.
const NO_STORE_CHECK: [&str; 2] = ["MOORAGE_NO_CHECK_OBJECT_STORAGE", "JFS_NO_CHECK_OBJECT_STORAGE"];

/// Seconds below which `gc` does not judge an object.
const GC_AGE: [&str; 2] = ["MOORAGE_GC_SKIPPEDTIME", "JFS_GC_SKIPPEDTIME"];

/// Bytes of a line of secrets at most: keys and tokens are far shorter.
const LONGEST_SECRETS: u64 = 64 << 10;

/// What came through standard input; it wins over the environment.
static GIVEN: OnceLock<VolumeSecrets> = OnceLock::new();

/// Takes secrets from one line of JSON on standard input.
///
/// # Errors
/// `InvalidArgument` when there is no such line; its text is not repeated.
pub(crate) fn take_from_stdin() -> Result<()> {
    let mut line = Zeroizing::new(String::new());
    let mut input = std::io::stdin().lock().take(LONGEST_SECRETS);
    let wrong = || {
        Error::new(ErrorKind::InvalidArgument, "standard input holds no line of secrets").with_advice(
            "Give one line of JSON, such as {\"metadata_password\": \"…\", \"key_passphrase\": \"…\"}; {} is none.",
        )
    };
    input
        .read_line(&mut line)
        .map_err(|error| wrong().with_source(error))?;
    let secrets = frame::decode(line.as_bytes()).map_err(|error| wrong().with_source(error))?;
    // A second line would be a mistake of this program; the first one counts.
    let _first = GIVEN.set(secrets);
    Ok(())
}

/// The line that [`take_from_stdin`] of another process takes, with what came through this one's.
pub(crate) fn line_to_pass_on() -> Option<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(serde_json::to_vec(GIVEN.get()?).ok()?);
    line.push(b'\n');
    Some(line)
}

fn given(which: impl Fn(&VolumeSecrets) -> Option<&Secret>) -> Option<String> {
    let secret = which(GIVEN.get()?)?.expose();
    (!secret.is_empty()).then(|| secret.to_owned())
}

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
    if let Some(password) = given(|secrets| secrets.metadata_password.as_ref()) {
        return Ok(Some(password));
    }
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
    given(|secrets| secrets.key_passphrase.as_ref()).or_else(|| first(RSA_PASSPHRASE))
}

/// Passphrase of the agent's encrypted file of secrets.
pub(crate) fn secrets_passphrase() -> Option<String> {
    std::env::var(SECRETS_PASSPHRASE)
        .ok()
        .filter(|value| !value.is_empty())
}

/// Access key of the object store.
pub(crate) fn access_key() -> Option<String> {
    given(|secrets| secrets.access_key.as_ref()).or_else(|| first(ACCESS_KEY))
}

/// Secret key of the object store.
pub(crate) fn secret_key() -> Option<String> {
    given(|secrets| secrets.secret_key.as_ref()).or_else(|| first(SECRET_KEY))
}

/// Session token of the object store.
pub(crate) fn session_token() -> Option<String> {
    given(|secrets| secrets.session_token.as_ref()).or_else(|| first(SESSION_TOKEN))
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
