//! Messages on a stream: four bytes of length, most significant first, and so many bytes of JSON.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Most bytes of a message to the agent: far more than any settings, little enough for many clients at once.
pub const MAX_TO_AGENT: usize = 1 << 20;
/// Most bytes of a message to a client: a list of ten thousand volumes with their figures.
pub const MAX_TO_CLIENT: usize = 32 << 20;

/// Bytes read or reserved at once, so that a length alone makes nobody allocate.
const CHUNK: usize = 64 << 10;

/// Why a message was not read or written. After any of them the stream is of no use.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream failed, or ended within a message.
    #[error("the connection broke: {0}")]
    Stream(#[from] io::Error),
    /// It is longer than the receiver takes.
    #[error("a message of {length} bytes is longer than the {limit} that are taken")]
    TooLong {
        /// Its bytes.
        length: usize,
        /// Most bytes.
        limit: usize,
    },
    /// It is no message of this protocol.
    #[error("a message cannot be read: line {line}, column {column}")]
    NotAMessage {
        /// Line of the JSON. Its text is not repeated: it may hold a secret.
        line: usize,
        /// Column of the JSON.
        column: usize,
    },
    /// It cannot be put into JSON.
    #[error("a message cannot be written as JSON")]
    NotWritable,
}

/// Reads one message; nothing when the stream ended before one began.
///
/// Not cancel-safe: a cancelled read may have taken a part of a message.
///
/// # Errors
///
/// When the stream breaks, or holds what is too long or no message.
pub async fn read<M: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
    limit: usize,
) -> Result<Option<M>, FrameError> {
    let mut length = [0; 4];
    if stream.read(&mut length[..1]).await? == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut length[1..]).await?;
    let length = u32::from_be_bytes(length) as usize;
    if length > limit {
        return Err(FrameError::TooLong { length, limit });
    }
    let mut body = Vec::with_capacity(length.min(CHUNK));
    let taken = stream.take(length as u64).read_to_end(&mut body).await?;
    if taken < length {
        return Err(FrameError::Stream(io::ErrorKind::UnexpectedEof.into()));
    }
    decode(&body).map(Some)
}

/// Reads a message from the bytes of one frame.
///
/// # Errors
///
/// When they are no message.
pub fn decode<M: DeserializeOwned>(body: &[u8]) -> Result<M, FrameError> {
    serde_json::from_slice(body).map_err(|error| FrameError::NotAMessage {
        line: error.line(),
        column: error.column(),
    })
}

/// Writes one message.
///
/// Not cancel-safe: a cancelled write may have sent a part of a message.
///
/// # Errors
///
/// When the stream breaks, or the message is longer than the receiver takes; then nothing was written.
pub async fn write<M: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &M,
    limit: usize,
) -> Result<(), FrameError> {
    let body = serde_json::to_vec(message).map_err(|_| FrameError::NotWritable)?;
    let too_long = FrameError::TooLong {
        length: body.len(),
        limit,
    };
    let length = match u32::try_from(body.len()) {
        Ok(length) if body.len() <= limit => length,
        _ => return Err(too_long),
    };
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&body).await?;
    stream.flush().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{ClientMessage, Request, RequestId};
    use crate::volume::AddVolume;

    fn ask() -> ClientMessage {
        ClientMessage::Ask {
            id: RequestId(7),
            request: Box::new(Request::VolumeAdd {
                volume: AddVolume::Demo,
            }),
        }
    }

    #[tokio::test]
    async fn what_was_written_is_read_and_then_the_stream_ends() {
        let mut bytes = Vec::new();
        write(&mut bytes, &ask(), MAX_TO_AGENT).await.expect("written");
        let mut stream = bytes.as_slice();
        let message = read::<ClientMessage>(&mut stream, MAX_TO_AGENT)
            .await
            .expect("read");
        assert_eq!(message, Some(ask()));
        let end = read::<ClientMessage>(&mut stream, MAX_TO_AGENT)
            .await
            .expect("read");
        assert_eq!(end, None);
    }

    #[tokio::test]
    async fn a_length_above_the_limit_is_refused_before_the_message_is_read() {
        let mut stream = [0xff; 4].as_slice();
        let refused = read::<ClientMessage>(&mut stream, MAX_TO_AGENT).await;
        assert!(matches!(refused, Err(FrameError::TooLong { .. })), "{refused:?}");
    }

    #[tokio::test]
    async fn a_stream_that_ends_within_a_message_is_broken() {
        let mut bytes = Vec::new();
        write(&mut bytes, &ask(), MAX_TO_AGENT).await.expect("written");
        bytes.pop();
        let broken = read::<ClientMessage>(&mut bytes.as_slice(), MAX_TO_AGENT).await;
        assert!(matches!(broken, Err(FrameError::Stream(_))), "{broken:?}");
    }

    #[test]
    fn what_is_no_message_is_told_without_its_text() {
        let refused = decode::<ClientMessage>(br#"{"message":"hunter2"}"#).expect_err("no message");
        assert!(!refused.to_string().contains("hunter2"), "{refused}");
    }

    #[test]
    fn a_newer_topic_or_code_is_read_as_other() {
        use crate::message::Topic;
        use crate::problem::ProblemCode;
        use crate::state::ReasonCode;
        assert_eq!(
            decode::<Topic>(br#"{"topic":"newer"}"#).expect("read"),
            Topic::Other
        );
        assert_eq!(
            decode::<ProblemCode>(br#""newer""#).expect("read"),
            ProblemCode::Internal
        );
        assert_eq!(
            decode::<ReasonCode>(br#""newer""#).expect("read"),
            ReasonCode::Other
        );
    }
}
