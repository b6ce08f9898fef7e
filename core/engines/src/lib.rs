//! Metadata engines: each maps the typed records of [`moorage_meta`] to its layout and commits them.

mod memory;
mod sqlite;

use std::sync::Arc;

pub use memory::{CommitFault, MemoryEngine};
use moorage_meta::Engine;
use moorage_model::{Error, ErrorKind, Result};

/// Opens the engine that a metadata URL names. A missing SQLite file is made; its tables are made by
/// [`Engine::prepare`]. `password` takes the place of one in the URL.
///
/// # Errors
/// `InvalidArgument` for a malformed URL, `NotSupported` for an engine that this build does not have, and what
/// opening meets; the text never holds a password.
pub fn open(url: &str, _password: Option<&str>) -> Result<Arc<dyn Engine>> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{} is no metadata URL", redact(url)),
        )
        .with_advice("Write ENGINE://ADDRESS, for example sqlite3:///home/me/volume.db."));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "sqlite3" | "sqlite" => Ok(Arc::new(sqlite::SqliteEngine::open(rest)?)),
        "memory" => Ok(Arc::new(MemoryEngine::new())),
        "redis" | "rediss" | "unix" | "mysql" | "postgres" | "postgresql" | "tikv" | "etcd" | "fdb"
        | "badger" => Err(Error::new(
            ErrorKind::NotSupported,
            format!("metadata engine {scheme} is not part of this build"),
        )
        .with_advice("Use sqlite3://FILE.")),
        other => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("unknown metadata engine {other}"),
        )
        .with_advice("Use sqlite3://FILE.")),
    }
}

/// As [`open`], for a volume that exists already: a missing SQLite file is an error and is not made.
///
/// # Errors
/// `NotFound` for a missing file; see [`open`].
pub fn open_existing(url: &str, password: Option<&str>) -> Result<Arc<dyn Engine>> {
    if let Some(("sqlite3" | "sqlite", rest)) = url.split_once("://") {
        sqlite::check_file(rest)?;
    }
    open(url, password)
}

/// The URL with its password replaced, for messages.
pub fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    match authority.rsplit_once('@') {
        Some((user, host)) if user.contains(':') => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:****@{host}{path}")
        }
        _ => url.to_owned(),
    }
}
