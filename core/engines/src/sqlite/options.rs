//! What a `sqlite3://` URL says.

use std::path::{Path, PathBuf};
use std::sync::Once;

use moorage_model::{Error, ErrorKind, Result};

use super::presence::Presence;

/// Table prefix of a volume whose URL names none.
const DEFAULT_PREFIX: &str = "jfs_";

/// A parsed URL.
#[derive(Debug)]
pub(super) struct SqliteOptions {
    /// Absolute path of the database file.
    pub(super) path: PathBuf,
    /// Prefix of every table name.
    pub(super) prefix: String,
    /// Done once it was looked at who else may read the file.
    pub(super) readers_looked_at: Once,
    /// Whether the file was found, and which it is.
    pub(super) presence: Presence,
}

impl SqliteOptions {
    /// Parses what follows `sqlite3://`: a path and options. `table_prefix` is ours; options of other drivers
    /// (cache, journal mode, time-outs) are accepted and ignored, since this engine sets its own.
    pub(super) fn parse(rest: &str) -> Result<SqliteOptions> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if path.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "the metadata URL sqlite3:// names no file",
            )
            .with_advice("Write sqlite3://FILE, for example sqlite3:///home/me/volume.db."));
        }
        let mut prefix = DEFAULT_PREFIX.to_owned();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if name == "table_prefix" && !value.is_empty() {
                if !value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                    return Err(Error::new(
                        ErrorKind::InvalidArgument,
                        format!(
                            "table_prefix {value} of the metadata URL holds more than letters, digits and _"
                        ),
                    )
                    .with_advice("Use letters, digits and _ only."));
                }
                prefix = format!("{DEFAULT_PREFIX}{value}_");
            }
        }
        // On Windows sqlite3:///C:/volume.db names a drive, as file:///C:/ does.
        let drive = path
            .strip_prefix('/')
            .filter(|rest| cfg!(windows) && rest.get(1..2) == Some(":"));
        let path = std::path::absolute(drive.unwrap_or(path)).map_err(|error| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("path {path} of the metadata URL"),
            )
            .with_source(error)
        })?;
        Ok(SqliteOptions {
            path,
            prefix,
            readers_looked_at: Once::new(),
            presence: Presence::default(),
        })
    }

    /// Whether the volume shares its file with others on purpose.
    pub(super) fn has_own_prefix(&self) -> bool {
        self.prefix != DEFAULT_PREFIX
    }

    /// Refuses a path that can hold no database, before SQLite's own message that names no part of it. Tells whether
    /// the file exists.
    ///
    /// # Errors
    /// `IsDirectory` for a folder, `DatabaseMissing` when its folder does not exist, `AccessDenied` when this user may not
    /// look there.
    pub(super) fn check(&self) -> Result<bool> {
        match std::fs::metadata(&self.path) {
            Ok(found) if found.is_dir() => Err(Error::new(
                ErrorKind::IsDirectory,
                format!("SQLite database {} is a folder", self.path.display()),
            )
            .with_advice("Name a file in the metadata URL.")),
            Ok(_) => self.presence.look(&self.path),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                Err(self.failed("a folder of its path is closed to this user", error).with_advice(
                    "Run the command as the user who owns the database, or have the folder opened to this user.",
                ))
            }
            Err(_) if self.folder().is_dir() => Ok(false),
            Err(_) => Err(Error::new(
                ErrorKind::DatabaseMissing,
                format!(
                    "SQLite database {}: the folder {} does not exist",
                    self.path.display(),
                    self.folder().display()
                ),
            )
            .with_advice("Create the folder, or correct the path in the metadata URL.")),
        }
    }

    fn failed(&self, what: &str, error: std::io::Error) -> Error {
        let message = format!("SQLite database {}: {what}", self.path.display());
        Error::new(ErrorKind::AccessDenied, message).with_source(error)
    }

    /// Says once when others may read the file, which is known to hold a volume: advice about a file of another
    /// program would harm it. It is not changed: sharing it may be meant.
    pub(super) fn warn_of_readers(&self) {
        self.readers_looked_at.call_once(|| self.look_at_readers());
    }

    #[cfg(unix)]
    fn look_at_readers(&self) {
        use std::os::unix::fs::PermissionsExt as _;
        const OF_OTHERS: u32 = 0o077;
        let mode = std::fs::metadata(&self.path).map_or(0, |file| file.permissions().mode() & 0o777);
        if mode & OF_OTHERS != 0 {
            let path = self.path.display();
            tracing::warn!(
                "the SQLite database {path} is open to other users (mode {mode:03o}) and may hold keys of the object \
                 store; `chmod 600 {path}` closes it"
            );
        }
    }

    #[cfg(not(unix))]
    fn look_at_readers(&self) {}

    /// The folder of the file.
    pub(super) fn folder(&self) -> &Path {
        let parent = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        parent.unwrap_or(Path::new("."))
    }

    /// The write-ahead log beside the file.
    pub(super) fn log(&self) -> PathBuf {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        PathBuf::from(log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_path_keeps_its_slash() {
        let options = SqliteOptions::parse("/srv/meta.db").unwrap();
        assert_eq!(options.path, Path::new("/srv/meta.db"));
        assert_eq!(options.prefix, "jfs_");
        assert_eq!(options.log(), Path::new("/srv/meta.db-wal"));
    }

    #[test]
    fn a_relative_path_is_resolved_against_the_working_folder() {
        let options = SqliteOptions::parse("rel.db").unwrap();
        assert_eq!(options.path, std::env::current_dir().unwrap().join("rel.db"));
    }

    #[test]
    fn options_of_other_drivers_are_accepted_and_table_prefix_is_used() {
        let options =
            SqliteOptions::parse("/srv/meta.db?cache=shared&_journal=WAL&_timeout=5000&table_prefix=a1")
                .unwrap();
        assert_eq!(options.prefix, "jfs_a1_");
        assert!(options.has_own_prefix());
    }

    #[test]
    fn a_prefix_that_could_break_out_of_a_name_is_refused() {
        let error = SqliteOptions::parse("/srv/meta.db?table_prefix=a`b").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}
