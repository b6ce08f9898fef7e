//! The door for Linux: translates FUSE requests (fuser) into operations of [`moorage_vfs::Vfs`], and nothing else.
//!
//! Each request becomes a future that is polled once on the FUSE thread; most are ready then and answered in place.
//! What has to wait goes on the Tokio runtime.

mod adapter;
mod answers;
mod asker;
mod attributes;
mod backend;
mod buffers;
mod caller;
mod dispatch;
mod errno;
mod flags;
mod ioctl;
mod kernel;
mod locks;
mod notifier;
mod options;
mod session;

pub use backend::FuseBackend;
pub use options::{Audience, MountOptions};
pub use session::{FuseSession, SessionOptions};
