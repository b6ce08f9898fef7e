//! Metadata engines: each maps the typed records of [`moorage_meta`] to its layout and commits them.

mod certificates;
mod collected;
mod duration;
mod entries;
#[cfg(fuzzing)]
pub mod fuzzing;
mod memory;
mod mysql;
mod postgres;
mod redis;
mod relational;
mod runs;
mod sql;
mod sqlite;
mod sums;
mod tikv;
mod verifier;
mod write;

use std::sync::Arc;

pub use memory::{CommitFault, MemoryEngine, SeededFaults};
use moorage_meta::Engine;
pub use moorage_model::redact;
use moorage_model::{Error, ErrorKind, Result, split_scheme};

/// What to write, for messages.
const URL_FORMS: &str = "Write sqlite3://FILE, for example sqlite3:///home/me/volume.db, redis://[user[:password]@]host[:port][/db] (rediss:// for TLS), postgres://[user[:password]@]host[:port]/database, mysql://user[:password]@(host:port)/database, or tikv://host[:port][,host...]/prefix.";

/// Opens the engine that a metadata URL names. Nothing is connected to or made before it is needed: a missing
/// SQLite file reads as an empty database and is made by the first change.
///
/// `sqlite3://FILE[?table_prefix=NAME]` takes an absolute or a relative path; other options of SQLite drivers are
/// accepted and have no effect. `password` takes the place of one in the URL of an engine that has passwords.
///
/// # Errors
/// `InvalidArgument` for a malformed URL or an unknown engine, `NotSupported` for an option that can not be followed,
/// `DatabaseMissing` when the folder of a file does not exist; the text never holds a password.
pub fn open(url: &str, password: Option<&str>) -> Result<Arc<dyn Engine>> {
    let Some((scheme, rest)) = split_scheme(url) else {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{} is no metadata URL", redact(url)),
        )
        .with_advice(URL_FORMS));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "sqlite3" | "sqlite" => Ok(Arc::new(sqlite::SqliteEngine::open(rest)?)),
        "memory" => Ok(Arc::new(MemoryEngine::new())),
        "redis" | "rediss" | "unix" => Ok(Arc::new(redis::RedisEngine::open(url, password)?)),
        "postgres" | "postgresql" => Ok(Arc::new(postgres::open(url, password)?)),
        "mysql" => Ok(Arc::new(mysql::open(url, password)?)),
        "tikv" => Ok(Arc::new(tikv::TikvEngine::open(url)?)),
        other => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("unknown metadata engine {other}; known are sqlite3, redis, postgres, mysql and tikv"),
        )
        .with_advice(URL_FORMS)),
    }
}

/// As [`open`], for a volume that exists already: a missing SQLite file is an error.
///
/// # Errors
/// `DatabaseMissing` for a missing file; see [`open`].
pub fn open_existing(url: &str, password: Option<&str>) -> Result<Arc<dyn Engine>> {
    if let Some(("sqlite3" | "sqlite", rest)) = split_scheme(url) {
        sqlite::check_exists(rest)?;
    }
    open(url, password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_mistyped_url_does_not_show_its_password() {
        for url in [
            "ann:hunter2@host",
            "redis:ann:hunter2@host",
            "ann:hunter2@host?to=http://x",
        ] {
            let error = open(url, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
