//! `Counters`.

use serde::{Deserialize, Serialize};

/// The counters of a volume; ids are the next free ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::dump) struct CountersDocument {
    pub(in crate::dump) used_space: i64,
    pub(in crate::dump) used_inodes: i64,
    pub(in crate::dump) next_inodes: i64,
    pub(in crate::dump) next_chunk: i64,
    pub(in crate::dump) next_session: i64,
    pub(in crate::dump) next_trash: i64,
}
