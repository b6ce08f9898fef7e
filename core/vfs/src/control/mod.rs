//! Commands that run inside a mount, through its `.control` file (spec 70-semantics section 13).
//!
//! A request is written to the file: a big-endian command number, a big-endian length, and that many bytes of payload.
//! The answer is read from the same handle: progress frames while the command runs, then a data frame or one byte with
//! an error number. Payloads are what the commands of JuiceFS 1.4 send, so its command-line tool works on a mount.
//!
//! Whoever opened the file asks. The kernel can not judge what a request names by number, so every command checks that
//! the caller could have reached it by a path of this mount, with the caller's own permissions.

mod cache_report;
mod client;
mod clone;
mod codec;
mod compact;
mod errno;
mod exchange;
mod folder;
mod info;
mod own_requests;
mod pin;
mod remove;
mod run;
mod summary;
mod warm_up;

pub use cache_report::{CacheFigures, CacheReport, FailedPath, UnfetchedFile, UnfitFile};
pub use client::ask;
pub use codec::{CacheAction, Request, WarmUpRequest};
pub use errno::error_number;
pub(crate) use exchange::Exchange;
pub use folder::{ContentPlace, FolderCache, FolderItem, FolderItemKind, FolderReport};
pub use own_requests::{FolderRequest, PinAction, PinRequest};
pub use pin::{PinReport, PinStatus};
pub(crate) use warm_up::MAX_BACKGROUND_WARM_UPS;
