//! The changelog: one line per change, in the transaction of the change (spec 70-semantics section 14).

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Meta, Txn};

/// Numbers the lines of this process.
#[derive(Debug, Default)]
pub(crate) struct ChangelogSequence(AtomicU64);

impl Meta {
    /// Appends `operation`, for example `LINK(5,1,name,true):2`, when the volume keeps a changelog; else does nothing
    /// and does not call it.
    pub(crate) fn log(&self, txn: &mut dyn Txn, operation: impl FnOnce() -> String) {
        if !self.setting().change_log {
            return;
        }
        let now = self.now();
        let number = self.changelog.0.fetch_add(1, Ordering::Relaxed) + 1;
        txn.append_changelog(format!(
            "{}.{:09}|{}|({},{number})",
            now.seconds,
            now.nanoseconds,
            operation(),
            self.session()
        ));
    }
}

/// Text of bytes inside an argument: bytes below 32, from 127 on, and `,%()"\` become `%XX`.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if !(32..127).contains(&byte) || b",%()\"\\".contains(&byte) {
            let _ = write!(out, "%{byte:02X}");
        } else {
            out.push(char::from(byte));
        }
    }
    out
}
