//! Answers of requests that must not be carried out twice.
//!
//! A client that has lost its connection, or waits for long, sends a request again. Removing a name once more would say that it
//! does not exist, and writing once more could undo a later write.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

/// Answers that are kept: many times the requests that clients have under way at once.
const KEPT_ANSWERS: usize = 1024;
/// Bytes of a request that are compared, beside its number and length, as Linux's server does: they hold the caller, the file
/// and the place.
const COMPARED_BYTES: usize = 256;

/// What tells one request from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    xid: u32,
    length: usize,
    checksum: u32,
}

/// The answer of one request, which all who asked get.
pub(crate) type Answer = Arc<OnceCell<Bytes>>;

/// The latest answers.
#[derive(Debug, Default)]
pub(crate) struct AnsweredCalls {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<Key, Answer>,
    order: VecDeque<Key>,
}

impl AnsweredCalls {
    /// The place for the answer of a request, which may be there already, or be under way.
    pub(crate) fn of(&self, xid: u32, message: &[u8]) -> Answer {
        let compared = message.get(..COMPARED_BYTES).unwrap_or(message);
        let key = Key {
            xid,
            length: message.len(),
            checksum: crc32c::crc32c(compared),
        };
        let mut kept = self.kept.lock();
        if let Some(answer) = kept.answers.get(&key) {
            return Arc::clone(answer);
        }
        if kept.order.len() >= KEPT_ANSWERS
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.answers.remove(&oldest);
        }
        let answer = Answer::default();
        kept.answers.insert(key, Arc::clone(&answer));
        kept.order.push_back(key);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_has_one_answer_and_others_have_their_own() {
        let calls = AnsweredCalls::default();
        let first = calls.of(1, b"remove a");
        assert!(Arc::ptr_eq(&first, &calls.of(1, b"remove a")));
        assert!(!Arc::ptr_eq(&first, &calls.of(2, b"remove a")));
        assert!(!Arc::ptr_eq(&first, &calls.of(1, b"remove b")));
    }

    #[test]
    fn old_answers_make_room() {
        let calls = AnsweredCalls::default();
        let first = calls.of(0, b"x");
        for xid in 1..=KEPT_ANSWERS as u32 {
            calls.of(xid, b"x");
        }
        assert!(!Arc::ptr_eq(&first, &calls.of(0, b"x")));
        assert_eq!(calls.kept.lock().answers.len(), KEPT_ANSWERS);
    }
}
