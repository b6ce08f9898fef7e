//! Mounting through FUSE.

use std::sync::Arc;

use moorage_host::{
    CaseMode, FolderMount, MountBackend, MountCapabilities, MountError, MountPoint, check_driver,
};
use moorage_vfs::Vfs;
use tokio::runtime::Handle;

use crate::{FuseSession, SessionOptions};

/// Mounts volumes through the kernel's FUSE.
#[derive(Clone, Debug)]
pub struct FuseBackend {
    runtime: Handle,
}

impl FuseBackend {
    /// One whose operations wait on this runtime.
    pub fn new(runtime: Handle) -> FuseBackend {
        FuseBackend { runtime }
    }
}

impl MountBackend for FuseBackend {
    type Volume = Arc<Vfs>;
    type Options = SessionOptions;
    type Session = FuseSession;

    fn capabilities(&self) -> MountCapabilities {
        MountCapabilities {
            drive_letter: false,
            folder: FolderMount::Existing,
            system_chosen: false,
            read_only: true,
            volume_name: false,
            case_modes: &[CaseMode::Sensitive],
            forced_unmount: true,
            // Programs that watch a folder are told by the kernel what is done through this mount alone.
            notifications: false,
            locks_across_hosts: true,
            extended_attributes: true,
            access_lists: true,
        }
    }

    fn check(&self) -> Result<(), MountError> {
        check_driver()
    }

    fn mount(
        &self,
        volume: &Arc<Vfs>,
        point: &MountPoint,
        options: &SessionOptions,
    ) -> Result<FuseSession, MountError> {
        FuseSession::start(volume, point.path(), options, self.runtime.clone())
    }
}
