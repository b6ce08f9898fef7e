//! `.control`: the channel for commands that run inside the mount.
//!
//! The framing is here; no command is part of this build, since the payloads of JuiceFS's commands are not known to the
//! specification and a request that is misread could remove the wrong tree. Each is answered with ENOTSUP, and tools
//! work on the volume directly instead.
//!
//! A request is a big-endian command number, a big-endian length, and that many bytes of payload; the answer is read
//! from the same handle: progress frames (0xFE and two numbers), one data frame (0xFF, a length, JSON), or one byte
//! with an error number (spec 70-semantics section 13).

use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;

/// Longest payload taken: a path of the system's limit and some numbers.
const MAX_PAYLOAD_BYTES: usize = 64 << 10;
/// Bytes in front of a payload.
const HEADER_BYTES: usize = 8;

/// Requests and answers of one handle.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Exchange {
    /// Takes bytes of requests and answers those that are complete.
    ///
    /// # Errors
    /// `InvalidArgument` for a payload that is too long.
    pub(crate) fn write(&self, data: &[u8]) -> Result<usize> {
        let mut state = self.state.lock();
        state.request.extend_from_slice(data);
        while let Some((command, _)) = take_request(&mut state.request)? {
            tracing::debug!(command, "command that is not part of this build");
            // A caller that never reads gets no more than it could ever use.
            if state.answer.len() < MAX_PAYLOAD_BYTES {
                state.answer.push(NOT_SUPPORTED);
            }
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
