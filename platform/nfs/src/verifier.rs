//! The number by which clients learn that written data may be lost.

use std::sync::atomic::{AtomicU64, Ordering};

use nfs3_types::nfs3::writeverf3;

/// Told with each write and each commit. A client that sees another one than before sends what it wrote since its last commit
/// again (RFC 1813 section 3.3.7).
#[derive(Debug)]
pub(crate) struct WriteVerifier {
    number: AtomicU64,
}

impl WriteVerifier {
    /// One that no server before this one had.
    pub(crate) fn new() -> WriteVerifier {
        WriteVerifier {
            number: AtomicU64::new(rand::random()),
        }
    }

    /// Written data may be lost.
    pub(crate) fn change(&self) {
        self.number.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn told(&self) -> writeverf3 {
        writeverf3(self.number.load(Ordering::Acquire).to_be_bytes())
    }
}
