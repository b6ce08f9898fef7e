//! Members of `Sustained` and `DelFiles`: what has no name any more.

use serde::{Deserialize, Serialize};

/// The deleted files that a session holds open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::dump) struct SustainedDocument {
    pub(in crate::dump) sid: u64,
    pub(in crate::dump) inodes: Option<Vec<u64>>,
}

/// A deleted file whose data is still to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::dump) struct DeletedFileDocument {
    pub(in crate::dump) inode: u64,
    /// Bytes.
    pub(in crate::dump) length: u64,
    /// Unix seconds of the deletion.
    pub(in crate::dump) expire: i64,
}
