//! `.control`: commands that run inside the mount.
//!
//! A request is a big-endian command number, a big-endian length, and that many bytes of payload; the answer is read
//! from the same handle: progress frames (0xFE and two numbers), one data frame (0xFF, a length, JSON), or one byte
//! with an error number (spec 70-semantics section 13).

use moorage_meta::Context;
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;

use crate::Vfs;

/// Longest payload taken: a path of the system's limit and some numbers.
const MAX_PAYLOAD_BYTES: usize = 64 << 10;
/// Bytes in front of a payload.
const HEADER_BYTES: usize = 8;

/// Requests and answers of one handle.
#[derive(Debug)]
pub(crate) struct Exchange {
    context: Context,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Exchange {
    /// For commands of this caller.
    pub(crate) fn new(context: Context) -> Exchange {
        Exchange {
            context,
            state: Mutex::default(),
        }
    }

    /// Takes bytes of a request and runs it when it is complete.
    ///
    /// # Errors
    /// `InvalidArgument` for a payload that is too long.
    pub(crate) async fn write(&self, vfs: &Vfs, data: &[u8]) -> Result<usize> {
        let complete = {
            let mut state = self.state.lock();
            state.request.extend_from_slice(data);
            take_request(&mut state.request)?
        };
        if let Some((command, payload)) = complete {
            let answer = answer(vfs, &self.context, command, &payload).await;
            self.state.lock().answer.extend(answer);
        }
        Ok(data.len())
    }

    /// Takes bytes of the answer out.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> usize {
        let mut state = self.state.lock();
        let len = buffer.len().min(state.answer.len());
        for (to, from) in buffer.iter_mut().zip(state.answer.drain(..len)) {
            *to = from;
        }
        len
    }
}

/// Takes the first complete request out of the bytes written so far.
fn take_request(bytes: &mut Vec<u8>) -> Result<Option<(u32, Vec<u8>)>> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Ok(None);
    };
    let [a, b, c, d, e, f, g, h] = *head;
    let (command, length) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_PAYLOAD_BYTES {
        bytes.clear();
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("a command's payload of {length} bytes is longer than {MAX_PAYLOAD_BYTES}"),
        ));
    }
    let Some(payload) = rest.get(..length).map(<[u8]>::to_vec) else {
        return Ok(None);
    };
    bytes.drain(..HEADER_BYTES + length);
    Ok(Some((command, payload)))
}

/// The frames that answer a command.
async fn answer(vfs: &Vfs, context: &Context, command: u32, payload: &[u8]) -> Vec<u8> {
    let _ = (vfs, context, payload);
    tracing::debug!(command, "command of the control channel");
    vec![NOT_SUPPORTED]
}

/// ENOTSUP of Linux, which the channel's error byte speaks on every platform.
const NOT_SUPPORTED: u8 = 95;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_when_its_last_byte_is_there() {
        let mut bytes = vec![0, 0, 3, 0xEA, 0, 0, 0, 2, 7];
        assert_eq!(take_request(&mut bytes).unwrap(), None);
        bytes.push(8);
        bytes.push(9);
        assert_eq!(take_request(&mut bytes).unwrap(), Some((1002, vec![7, 8])));
        assert_eq!(bytes, [9]);
    }

    #[test]
    fn an_endless_payload_is_refused() {
        let mut bytes = vec![0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF];
        assert!(take_request(&mut bytes).is_err());
        assert!(bytes.is_empty());
    }
}
