//! Lines of the changelog (spec 70-semantics section 14).

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use moorage_model::SessionId;

use crate::{Meta, Txn};

/// Numbers the lines of this process.
#[derive(Debug, Default)]
pub(crate) struct ChangelogLines(AtomicU64);

impl Meta {
    /// Appends a line in this transaction when the volume keeps a changelog; `change` is `OP(arguments):result`.
    /// Otherwise `change` is not called.
    pub(crate) fn log(&self, txn: &mut dyn Txn, change: impl FnOnce() -> String) {
        self.log_as(txn, self.session(), change);
    }

    /// As [`Meta::log`], for a session that is only about to be this client's.
    pub(crate) fn log_as(&self, txn: &mut dyn Txn, session: SessionId, change: impl FnOnce() -> String) {
        if !self.setting.read().change_log {
            return;
        }
        let now = self.now();
        let number = self
            .caches
            .changelog
            .0
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_add(1);
        txn.append_changelog(format!(
            "{}.{:09}|{}|({},{number})",
            now.seconds,
            now.nanoseconds,
            change(),
            session
        ));
    }
}

/// A string inside the arguments of a line: control bytes, bytes from 127 on and `,%()"\` as `%XX`.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            0..32 | 127.. | b',' | b'%' | b'(' | b')' | b'"' | b'\\' => {
                // Writing to a String can not fail.
                let _ = write!(out, "%{byte:02X}");
            }
            plain => out.push(char::from(plain)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn separators_and_bytes_beyond_ascii_are_escaped_in_upper_case_hex() {
        assert_eq!(escape(b"plain name"), "plain name");
        assert_eq!(escape(b"a,b%(c)\"\\"), "a%2Cb%25%28c%29%22%5C");
        assert_eq!(escape(&[0, 31, 32, 126, 127, 0xFF]), "%00%1F ~%7F%FF");
    }
}
