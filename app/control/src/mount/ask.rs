//! The agent's side.

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::{MountAnswer, MountMessage, MountProtocol, MountRequest};
use crate::frame::{self, FrameError, MAX_TO_AGENT};
use crate::problem::Problem;
use crate::socket::{SocketError, connect};

/// Why a mount process did not answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no connection to it.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// What it sent can not be read, or it ended in between.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// It hung up without an answer.
    #[error("the mount process gave no answer")]
    NoAnswer,
    /// It took too long.
    #[error("the mount process gave no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// It could not do it.
    #[error(transparent)]
    Failed(Problem),
}

/// Asks the mount process that listens at `socket`, and waits for its answer until the deadline.
///
/// # Cancel safety
///
/// The process may do what was asked all the same.
///
/// # Errors
///
/// When nobody listens there, nothing is answered in time, or it could not be done.
pub async fn ask(socket: &Path, request: MountRequest, deadline: Duration) -> Result<MountAnswer, AskError> {
    let asked = async {
        let mut stream = connect(socket).await?;
        let message = MountMessage {
            protocol: MountProtocol::CURRENT,
            request,
        };
        frame::write(&mut stream, &message, MAX_TO_AGENT).await?;
        match frame::read(&mut stream, MAX_TO_AGENT).await? {
            Some(MountAnswer::Failed { problem }) => Err(AskError::Failed(problem)),
            Some(answer) => Ok(answer),
            None => Err(AskError::NoAnswer),
        }
    };
    timeout(deadline, asked)
        .await
        .unwrap_or(Err(AskError::TimedOut(deadline)))
}
