//! Failures of the local disk as errors.

use std::fmt::Display;
use std::io;

use moorage_model::{Error, ErrorKind, Result};

/// The error of `what`, such as "writing /a/b".
pub(crate) fn failed(what: impl Display, error: io::Error) -> Error {
    Error::new(kind_of(&error), what.to_string()).with_source(error)
}

fn kind_of(error: &io::Error) -> ErrorKind {
    use io::ErrorKind as Io;
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        // A symbolic link where a folder was needed.
        return ErrorKind::NotDirectory;
    }
    match error.kind() {
        Io::NotFound => ErrorKind::NotFound,
        Io::AlreadyExists => ErrorKind::Exists,
        Io::NotADirectory => ErrorKind::NotDirectory,
        Io::IsADirectory => ErrorKind::IsDirectory,
        Io::DirectoryNotEmpty => ErrorKind::NotEmpty,
        Io::PermissionDenied => ErrorKind::AccessDenied,
        Io::ReadOnlyFilesystem => ErrorKind::ReadOnly,
        Io::StorageFull => ErrorKind::NoSpace,
        Io::QuotaExceeded => ErrorKind::QuotaExceeded,
        Io::FileTooLarge => ErrorKind::FileTooLarge,
        Io::InvalidFilename => ErrorKind::NameTooLong,
        Io::InvalidInput => ErrorKind::InvalidArgument,
        Io::ResourceBusy => ErrorKind::Busy,
        Io::TimedOut => ErrorKind::Timeout,
        Io::Unsupported => ErrorKind::NotSupported,
        _ => ErrorKind::Io,
    }
}

/// Runs work that waits for a disk where it keeps nobody else waiting.
///
/// # Errors
/// The work's.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Io, "a thread that waits for the disk failed").with_source(error))
    })
}
