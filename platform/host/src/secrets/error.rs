//! Why a store of secrets did not do what it was asked for.

use std::error::Error;
use std::fmt;

/// What a caller decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretErrorKind {
    /// It asks for its password first; it may be open at the next call.
    Locked,
    /// There is no such store in this session.
    Absent,
    /// It does not answer in time.
    Silent,
    /// It says no.
    Refused,
    /// What it holds can not be read.
    Damaged,
}

/// A failure with what it happened to and what the user can do. It holds no secret.
#[derive(Debug)]
pub struct SecretError {
    kind: SecretErrorKind,
    message: String,
    advice: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SecretError {
    pub(super) fn new(
        kind: SecretErrorKind,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> SecretError {
        SecretError {
            kind,
            message: message.into(),
            advice: advice.into(),
            source: None,
        }
    }

    pub(super) fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> SecretError {
        self.source = Some(source.into());
        self
    }

    /// What a caller decides on.
    pub fn kind(&self) -> SecretErrorKind {
        self.kind
    }

    /// What failed, without its cause.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What lies beneath, in one line.
    pub fn cause(&self) -> Option<String> {
        let mut cause: Option<&dyn Error> = self.source.as_ref().map(|source| source.as_ref() as _);
        let mut causes = Vec::new();
        while let Some(error) = cause {
            let text = error.to_string();
            // Many a library repeats the text of the cause in its own.
            if !causes.last().is_some_and(|last: &String| last.contains(&text)) {
                causes.push(text);
            }
            cause = error.source();
        }
        (!causes.is_empty()).then(|| causes.join(": "))
    }

    /// What the user can do, as a full sentence.
    pub fn advice(&self) -> &str {
        &self.advice
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for SecretError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as _)
    }
}
