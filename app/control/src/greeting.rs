//! How a connection begins: both sides say what they speak before anything else is read.

use tokio::io::{AsyncRead, AsyncWrite};

use crate::frame::{self, FrameError, MAX_TO_AGENT, MAX_TO_CLIENT};
use crate::message::{AgentMessage, ClientMessage, Hello};
use crate::problem::Problem;
use crate::version::agree;

/// Why a connection did not begin.
#[derive(Debug, thiserror::Error)]
pub enum GreetingError {
    /// The stream is of no use.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The other side ended, or said something else first.
    #[error("the other side did not say hello")]
    NoHello,
    /// One side refuses the other, as when their versions differ.
    #[error(transparent)]
    Refused(#[from] Problem),
}

/// Begins a connection as the client; gives what the agent is.
///
/// Not cancel-safe, and waits for as long as the agent says nothing: the caller sets a deadline and drops the stream.
///
/// # Errors
///
/// When the agent refuses, speaks another version, or is none.
pub async fn greet_agent(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    hello: Hello,
) -> Result<Hello, GreetingError> {
    let own = hello.protocol;
    frame::write(stream, &ClientMessage::Hello(hello), MAX_TO_AGENT).await?;
    match frame::read(stream, MAX_TO_CLIENT).await? {
        Some(AgentMessage::Hello(agent)) => {
            agree(agent.protocol, own)?;
            Ok(agent)
        }
        Some(AgentMessage::Refused { problem }) => Err(problem.into()),
        _ => Err(GreetingError::NoHello),
    }
}

/// Begins a connection as the agent; gives what the client is. A client of another version is told which side to update.
///
/// Not cancel-safe, and waits for as long as the client says nothing: the caller sets a deadline and drops the stream.
///
/// # Errors
///
/// When the client speaks another version, or is none.
pub async fn greet_client(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    hello: Hello,
) -> Result<Hello, GreetingError> {
    let Some(ClientMessage::Hello(client)) = frame::read(stream, MAX_TO_AGENT).await? else {
        return Err(GreetingError::NoHello);
    };
    if let Err(problem) = agree(hello.protocol, client.protocol) {
        let refused = AgentMessage::Refused {
            problem: problem.clone(),
        };
        frame::write(stream, &refused, MAX_TO_CLIENT).await?;
        return Err(problem.into());
    }
    frame::write(stream, &AgentMessage::Hello(hello), MAX_TO_CLIENT).await?;
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Request, RequestId};
    use crate::problem::ProblemCode;
    use crate::version::ProtocolVersion;

    fn speaks(version: u32) -> Hello {
        Hello {
            protocol: ProtocolVersion(version),
            product: "1.2.3".to_owned(),
        }
    }

    #[tokio::test]
    async fn sides_of_one_version_learn_of_each_other() {
        let (mut client, mut agent) = tokio::io::duplex(64);
        let (at_client, at_agent) = tokio::join!(
            greet_agent(&mut client, speaks(1)),
            greet_client(&mut agent, speaks(1))
        );
        assert_eq!(at_client.expect("greeted"), speaks(1));
        assert_eq!(at_agent.expect("greeted"), speaks(1));
    }

    #[tokio::test]
    async fn sides_of_two_versions_both_learn_which_is_to_be_updated() {
        let (mut client, mut agent) = tokio::io::duplex(64);
        let (at_client, at_agent) = tokio::join!(
            greet_agent(&mut client, speaks(1)),
            greet_client(&mut agent, speaks(2))
        );
        for refused in [at_client, at_agent] {
            let Err(GreetingError::Refused(problem)) = refused else {
                panic!("{refused:?}");
            };
            assert_eq!(problem.code, ProblemCode::VersionMismatch);
            assert!(problem.message.starts_with("this program is older"), "{problem}");
        }
    }

    #[tokio::test]
    async fn a_request_before_hello_is_not_answered() {
        let (mut client, mut agent) = tokio::io::duplex(4096);
        let ask = ClientMessage::Ask {
            id: RequestId(1),
            request: Box::new(Request::AgentStop),
        };
        frame::write(&mut client, &ask, MAX_TO_AGENT).await.expect("sent");
        let refused = greet_client(&mut agent, speaks(1)).await;
        assert!(matches!(refused, Err(GreetingError::NoHello)), "{refused:?}");
    }
}
