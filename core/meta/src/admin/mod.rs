//! Administration of a volume: what commands do beyond single verbs, one file per job.
//!
//! Jobs read in pages and work on several directories at once; each says what memory it takes. Whoever runs one
//! watches it, or stops it, through a [`Progress`].

mod check;
mod clone_attach;
mod clone_node;
mod clone_tree;
mod compact_tree;
mod configure;
mod damage;
mod entries;
mod expire_trash;
mod info;
mod orphaned_chunks;
mod pages;
mod progress;
mod reclaim;
mod recount;
mod remove_tree;
mod restore;
mod slice_window;
mod status;
mod summary;
mod trash;
mod tree_walk;

pub(crate) use check::InodeSet;
pub use check::{
    CheckCounts, CheckOptions, CheckReport, CheckScope, Defect, Finding, MAX_FINDINGS, RepairState, Severity,
};
pub use clone_tree::{CloneOptions, Cloned};
pub use compact_tree::CompactSummary;
pub use configure::{SettingChange, SettingChanged};
pub(crate) use damage::readable;
pub use damage::{Damage, FROM_BACKUP, UnreadableRecord};
pub(crate) use entries::{read_entries, read_one_by_one};
pub use expire_trash::TrashExpiry;
pub use info::{InfoOptions, MAX_INFO_SLICES, NodeInfo};
pub(crate) use pages::Pages;
pub use progress::{Progress, ProgressCounts};
pub use reclaim::{ReclaimMode, Reclaimed};
pub use remove_tree::RemoveTreeOptions;
pub use restore::{RestoreOptions, Restored};
pub use slice_window::{SliceShown, SliceUse, SliceWindow};
pub use status::{PendingStatus, SessionDetail, SessionStatus, VolumeStatus};
pub use summary::{MAX_SUMMARY_DEPTH, MAX_SUMMARY_ENTRIES, SummaryNode, SummaryOptions, TreeUsage};
pub use trash::{
    EntryPurged, EntryRestored, HourContent, MAX_TRASH_PAGE, OldFolder, PurgeScope, RemovedAttributes,
    RestoreOutcome, TrashEntry, TrashHour, TrashHours, TrashPage, TrashQuery,
};
pub(crate) use tree_walk::below_itself;
