//! Open files of a mounted volume: the one door that every adapter and gateway uses.
//!
//! [`Vfs`] joins the namespace (`moorage-meta`) and the data (`moorage-chunk`). It owns handles, buffered writes,
//! readahead, what may be cached, and with them the promises: close-to-open between clients, read-your-writes inside
//! one mount, and the order of data, metadata and durability. Nothing here names a kernel interface.

mod background;
mod backup;
mod caller;
mod coherence;
pub mod control;
mod directory;
mod figures;
mod file;
mod handles;
mod identity;
mod internal;
mod interrupt;
mod journal;
mod letters;
mod notify;
mod options;
mod pins;
mod prefetch;
mod readers;
mod reply;
mod request;
mod shutdown;
mod told_attributes;
mod verbs;
mod vfs;
pub mod volume_check;
mod volume_data;

pub use backup::BackupOptions;
pub use caller::{Caller, Groups};
pub use coherence::Asked;
pub use figures::{Figures, VolumeSpace};
pub use internal::refusal_in_root;
pub use letters::fold_case;
pub use notify::KernelNotifier;
pub use options::{Squash, SyncMode, VfsOptions};
pub use reply::{
    AttrReply, DirItem, EntryReply, FileHandle, OpenReply, PREFERRED_IO_BYTES, StatFsReply, shown_size,
};
pub use request::{
    FallocateMode, LockRange, LockWait, NewNode, OpenFlags, RecordLockRequest, RenameFlags, SeekTarget,
    SetAttrRequest, SetTime, SetXattrMode, WriteOrigin,
};
pub use shutdown::{Shutdown, UnstoredFile, UnstoredSize};
pub use vfs::Vfs;
pub use volume_data::VolumeData;
