//! What the operating system refused, and what to do about it.

use std::fmt;
use std::io;

/// A failure with the object it happened to and what the user can do.
#[derive(Debug)]
pub struct HostError {
    message: String,
    advice: Option<String>,
    source: Option<io::Error>,
}

impl HostError {
    /// A failure whose message names the object.
    pub fn new(message: impl Into<String>) -> HostError {
        HostError {
            message: message.into(),
            advice: None,
            source: None,
        }
    }

    /// Adds what the user can do, as a full sentence.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<String>) -> HostError {
        self.advice = Some(advice.into());
        self
    }

    /// Adds the system's answer.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<io::Error>) -> HostError {
        self.source = Some(source.into());
        self
    }

    /// What the user can do.
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    /// What failed, with the system's answer, without the advice.
    pub fn message(&self) -> String {
        match &self.source {
            Some(source) => format!("{}: {source}", self.message),
            None => self.message.clone(),
        }
    }

    /// The system's answer.
    pub fn io(&self) -> Option<&io::Error> {
        self.source.as_ref()
    }
}

impl fmt::Display for HostError {
    /// One line: message, cause, advice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
        match &self.advice {
            Some(advice) => write!(f, ". {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for HostError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
