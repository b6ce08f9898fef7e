//! Why a request has no result, and what to do about it.

use std::time::Duration;

use crate::greeting::GreetingError;
use crate::problem::{Problem, ProblemCode};

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no connection to an agent of this user.
    #[error(transparent)]
    Socket(#[from] crate::socket::SocketError),
    /// The agent is another version, or none.
    #[error(transparent)]
    Greeting(#[from] GreetingError),
    /// The connection ended.
    #[error("the agent ended, or closed the connection")]
    Closed,
    /// The agent did not answer in time. Whether it did what was asked is not known.
    #[error("the agent did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The agent answered something else than what was asked for.
    #[error("the agent answered something else than was asked for")]
    Unexpected,
    /// What was asked for could not be done.
    #[error(transparent)]
    Failed(Problem),
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Problem {
        let (code, advice) = match error {
            ClientError::Failed(problem) | ClientError::Greeting(GreetingError::Refused(problem)) => {
                return problem;
            }
            ClientError::Socket(ref error) => of_socket(error),
            ClientError::Greeting(_) => (
                ProblemCode::Unreachable,
                "Look whether another program uses the agent's socket; `moorage agent stop` ends an agent.",
            ),
            ClientError::Closed => (
                ProblemCode::Unreachable,
                "Start the agent again with `moorage agent run`; mounted volumes stay mounted meanwhile.",
            ),
            ClientError::TimedOut(_) => (
                ProblemCode::TimedOut,
                "Try again; an agent that never answers can be ended, and its volumes stay mounted.",
            ),
            ClientError::Unexpected => (
                ProblemCode::Internal,
                "Use the agent and this program of one version.",
            ),
        };
        Problem {
            code,
            message: error.to_string(),
            cause: None,
            advice: advice.to_owned(),
            retryable: matches!(code, ProblemCode::Unreachable | ProblemCode::TimedOut),
        }
    }
}

fn of_socket(error: &crate::socket::SocketError) -> (ProblemCode, &'static str) {
    use crate::socket::{OCCUPIED_ADVICE, SYSTEM_ADVICE, SocketError, USER_ADVICE};
    match error {
        SocketError::NobodyListens { .. } => (
            ProblemCode::Unreachable,
            "Start it with `moorage agent run`; it serves until it is told to end.",
        ),
        SocketError::ForeignFolder { .. } | SocketError::ForeignPeer { .. } => {
            (ProblemCode::PermissionDenied, USER_ADVICE)
        }
        SocketError::Occupied { .. } => (ProblemCode::AlreadyExists, OCCUPIED_ADVICE),
        SocketError::System { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            (ProblemCode::PermissionDenied, USER_ADVICE)
        }
        SocketError::System { .. } => (ProblemCode::Internal, SYSTEM_ADVICE),
    }
}
