//! The one error type: a kind (what a caller can act on), what it happened to, its cause and what to do.

use std::fmt;

/// Result with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in terms a caller can act on. Adapters map it exhaustively (errno, NTSTATUS, HTTP).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No such file, entry or object (ENOENT).
    NotFound,
    /// The name exists already (EEXIST).
    Exists,
    /// A directory was needed (ENOTDIR).
    NotDirectory,
    /// A non-directory was needed (EISDIR).
    IsDirectory,
    /// The directory has entries (ENOTEMPTY).
    NotEmpty,
    /// Permission bits or ACL forbid it (EACCES).
    AccessDenied,
    /// Not allowed to this caller whatever the mode (EPERM).
    NotPermitted,
    /// Bad argument (EINVAL).
    InvalidArgument,
    /// Name or path too long (ENAMETOOLONG).
    NameTooLong,
    /// Offset or length beyond 2^57 (EFBIG).
    FileTooLarge,
    /// The volume, disk or bucket is full (ENOSPC).
    NoSpace,
    /// A quota is exhausted (EDQUOT).
    QuotaExceeded,
    /// The mount or store is read-only (EROFS).
    ReadOnly,
    /// Would have to wait (EAGAIN).
    WouldBlock,
    /// Interrupted by a signal (EINTR).
    Interrupted,
    /// Waiting would close a circle of lock holders (EDEADLK).
    Deadlock,
    /// Not supported by the format, the volume or this build (ENOTSUP).
    NotSupported,
    /// The extended attribute does not exist (ENODATA).
    NoAttribute,
    /// The value does not fit (ERANGE).
    OutOfRange,
    /// Writing range operations on a FIFO (EPIPE).
    BrokenPipe,
    /// Unknown or wrongly opened handle (EBADF).
    BadHandle,
    /// No data or hole after this offset (ENXIO).
    NoSuchAddress,
    /// Too many links (EMLINK).
    TooManyLinks,
    /// Unknown ioctl (ENOTTY).
    NotTty,
    /// In use: mount point, lock or record (EBUSY).
    Busy,
    /// The handle or inode is gone (ESTALE).
    Stale,
    /// Too many open files or requests (EMFILE).
    TooManyOpen,
    /// Another transaction won; the engine retries it (EBUSY once retries are exhausted).
    Conflict,
    /// A deadline passed (ETIMEDOUT).
    Timeout,
    /// The database or store can not be reached now (EIO).
    Unavailable,
    /// A record or object is damaged (EIO).
    Corrupt,
    /// The database, its schema or its file does not exist (EIO): nothing is known of the files in it.
    DatabaseMissing,
    /// Credentials are missing or refused (EACCES).
    Unauthenticated,
    /// The database holds no volume (EIO).
    NotFormatted,
    /// The volume asks for another client version (EIO).
    VersionMismatch,
    /// Any other failure of a device or library (EIO).
    Io,
}

/// Who answered with an error, as far as that was noted; a later one says more about the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// A rule of the file system.
    Verb,
    /// The database or the store.
    Service,
    /// Nobody: a commit was sent, and what became of it can not be told.
    LostCommit,
}

#[derive(Debug)]
struct Detail {
    message: String,
    advice: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    origin: Origin,
}

/// Kind, object, cause and advice of a failure.
///
/// An error without detail (the ENOENT of a lookup) allocates nothing.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    detail: Option<Box<Detail>>,
}

impl Error {
    /// An error whose message names the object it happened to.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            detail: Some(Box::new(Detail {
                message: message.into(),
                advice: None,
                source: None,
                origin: Origin::Verb,
            })),
        }
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What the user can do, as a full sentence.
    pub fn advice(&self) -> Option<&str> {
        self.detail.as_ref().and_then(|d| d.advice.as_deref())
    }

    /// The sentence that names the object, without advice and cause.
    pub fn message(&self) -> Option<&str> {
        self.detail.as_ref().map(|d| d.message.as_str())
    }

    /// One line without advice: message, or kind where there is none, and cause chain.
    pub fn reason(&self) -> String {
        let message = self.message().filter(|message| !message.is_empty());
        let mut reason = message.unwrap_or(self.kind.describe()).to_owned();
        if let Some(source) = self.detail.as_ref().and_then(|detail| detail.source.as_ref()) {
            reason.push_str(": ");
            let shared = source.downcast_ref::<std::sync::Arc<Error>>();
            match source.downcast_ref::<Error>().or(shared.map(AsRef::as_ref)) {
                Some(error) => reason.push_str(&error.reason()),
                None => reason.push_str(&source.to_string()),
            }
        }
        reason
    }

    /// Adds what the user can do, as a full sentence.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.detail_mut().advice = Some(advice.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.detail_mut().source = Some(source.into());
        self
    }

    /// Says that the database or the store answered, and no rule of the file system: see [`Error::verdict`].
    #[must_use]
    pub fn of_service(self) -> Self {
        self.noted(Origin::Service)
    }

    /// Says that a commit was sent and that its fate is not known, whatever kept it from being known: see
    /// [`Error::verdict`].
    #[must_use]
    pub fn of_lost_commit(self) -> Self {
        self.noted(Origin::LostCommit)
            .context("the commit was sent and its fate is not known")
    }

    fn noted(mut self, origin: Origin) -> Self {
        let detail = self.detail_mut();
        detail.origin = detail.origin.max(origin);
        self
    }

    pub(crate) fn origin(&self) -> Origin {
        self.detail.as_ref().map_or(Origin::Verb, |detail| detail.origin)
    }

    /// Puts what was being done in front of the message, keeping kind, advice and cause.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        let kind = self.kind;
        let detail = self.detail_mut();
        detail.message = if detail.message.is_empty() {
            format!("{what}: {}", kind.describe())
        } else {
            format!("{what}: {}", detail.message)
        };
        self
    }

    fn detail_mut(&mut self) -> &mut Detail {
        self.detail.get_or_insert_with(|| {
            Box::new(Detail {
                message: String::new(),
                advice: None,
                source: None,
                origin: Origin::Verb,
            })
        })
    }
}

impl ErrorKind {
    /// The kind in words, without an object.
    pub fn describe(self) -> &'static str {
        use ErrorKind::*;
        match self {
            NotFound => "no such file or directory",
            Exists => "it exists already",
            NotDirectory => "not a directory",
            IsDirectory => "is a directory",
            NotEmpty => "the directory is not empty",
            AccessDenied => "permission denied",
            NotPermitted => "operation not permitted",
            InvalidArgument => "invalid argument",
            NameTooLong => "the name is too long",
            FileTooLarge => "the file would be too large",
            NoSpace => "no space left",
            QuotaExceeded => "quota exceeded",
            ReadOnly => "read-only",
            WouldBlock => "it would have to wait",
            Interrupted => "interrupted",
            Deadlock => "waiting would deadlock",
            NotSupported => "not supported",
            NoAttribute => "no such attribute",
            OutOfRange => "the value is out of range",
            BrokenPipe => "broken pipe",
            BadHandle => "bad file handle",
            NoSuchAddress => "nothing beyond this offset",
            TooManyLinks => "too many links",
            NotTty => "unknown ioctl",
            Busy => "in use",
            Stale => "stale handle",
            TooManyOpen => "too many open files",
            Conflict => "another client changed it at the same time",
            Timeout => "timed out",
            Unavailable => "unavailable",
            Corrupt => "damaged",
            DatabaseMissing => "the database does not exist",
            Unauthenticated => "credentials are missing or refused",
            NotFormatted => "not a formatted volume",
            VersionMismatch => "the volume asks for another client version",
            Io => "input/output error",
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Error { kind, detail: None }
    }
}

impl fmt::Display for Error {
    /// One line: message, cause chain, advice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(detail) = &self.detail else {
            return f.write_str(self.kind.describe());
        };
        if detail.message.is_empty() {
            f.write_str(self.kind.describe())?;
        } else {
            f.write_str(&detail.message)?;
        }
        if let Some(source) = &detail.source {
            write!(f, ": {source}")?;
        }
        if let Some(advice) = &detail.advice {
            write!(f, ". {advice}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.detail.as_ref()?.source.as_ref().map(|s| s.as_ref() as _)
    }
}
