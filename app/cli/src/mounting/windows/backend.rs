//! The way to mount on Windows.

use std::sync::Arc;

use moorage_host::{MountBackend as _, MountError, MountPoint};
use moorage_vfs::Vfs;
use moorage_winfsp::WinFspBackend;
pub(super) use moorage_winfsp::{WinFspOptions as SessionOptions, WinFspSession as Session};
use tokio::runtime::Handle;

/// Makes the volume appear. Blocks the thread.
///
/// # Errors
/// As [`moorage_host::MountBackend::mount`].
pub(super) fn mount(
    runtime: Handle,
    vfs: &Arc<Vfs>,
    point: &MountPoint,
    options: &SessionOptions,
) -> Result<Session, MountError> {
    WinFspBackend::new(runtime).mount(vfs, point, options)
}
