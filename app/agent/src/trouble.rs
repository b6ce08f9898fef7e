//! Problems in the words of the protocol.

use moorage_control::problem::{Problem, ProblemCode};
use moorage_host::HostError;

/// A problem that stays until something is changed.
pub(crate) fn lasting(code: ProblemCode, message: impl Into<String>, advice: impl Into<String>) -> Problem {
    Problem {
        code,
        message: message.into(),
        cause: None,
        advice: advice.into(),
        retryable: false,
    }
}

/// A problem that may be gone at the next attempt.
pub(crate) fn passing(code: ProblemCode, message: impl Into<String>, advice: impl Into<String>) -> Problem {
    Problem {
        retryable: true,
        ..lasting(code, message, advice)
    }
}

/// A problem with what the system says of it.
pub(crate) fn caused(problem: Problem, cause: impl std::fmt::Display) -> Problem {
    Problem {
        cause: Some(cause.to_string()),
        ..problem
    }
}

/// A refusal of the operating system.
pub(crate) fn of_host(code: ProblemCode, error: &HostError) -> Problem {
    lasting(
        code,
        error.message(),
        error.advice().unwrap_or("Look at the cause and try again."),
    )
}

/// What this version does not do.
pub(crate) fn not_supported(what: &str) -> Problem {
    lasting(
        ProblemCode::NotSupported,
        format!("the agent of this version does not {what}"),
        "Nothing was changed; a later version may offer it.",
    )
}
