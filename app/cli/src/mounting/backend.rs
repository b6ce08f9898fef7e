//! The backend of this system.

#[cfg(unix)]
pub(super) use moorage_fuse::{FuseBackend as Backend, FuseSession as Session, SessionOptions};
#[cfg(windows)]
pub(super) use moorage_winfsp::{
    WinFspBackend as Backend, WinFspOptions as SessionOptions, WinFspSession as Session,
};
