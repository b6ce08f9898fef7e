//! The ways to mount on this system: through the kernel's FUSE, or through its client of NFS.

use std::sync::Arc;

#[cfg(target_os = "linux")]
use clap::ValueEnum;
#[cfg(target_os = "linux")]
use moorage_fuse::{FuseBackend, FuseSession};
use moorage_host::{MountBackend as _, MountError, MountPoint, MountSession};
use moorage_nfs::{NfsBackend, NfsOptions, NfsSession, Stopper};
use moorage_vfs::Vfs;
use tokio::runtime::Handle;

/// How a volume is made to appear.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum MountWay {
    /// The kernel's FUSE
    Fuse,
    /// A server of NFS for this computer alone, which the system's own client mounts
    Nfs,
}

/// How it is served.
#[derive(Clone, Debug)]
pub(super) enum SessionOptions {
    #[cfg(target_os = "linux")]
    Fuse(moorage_fuse::SessionOptions),
    Nfs(NfsOptions),
}

/// A volume that is served.
pub(super) enum Session {
    #[cfg(target_os = "linux")]
    Fuse(FuseSession),
    Nfs(Box<NfsSession>),
}

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
    match options {
        #[cfg(target_os = "linux")]
        SessionOptions::Fuse(options) => FuseBackend::new(runtime)
            .mount(vfs, point, options)
            .map(Session::Fuse),
        SessionOptions::Nfs(options) => NfsBackend::new(runtime)
            .mount(vfs, point, options)
            .map(|session| Session::Nfs(Box::new(session))),
    }
}

impl Session {
    /// What ends it, where nothing is mounted.
    pub(super) fn stopper(&self) -> Option<Stopper> {
        match self {
            #[cfg(target_os = "linux")]
            Session::Fuse(_) => None,
            Session::Nfs(session) => session.stopper(),
        }
    }

    /// What a person has to do to see the volume; none where it is mounted.
    pub(super) fn instructions(&self, volume: &str) -> Option<String> {
        let session = match self {
            #[cfg(target_os = "linux")]
            Session::Fuse(_) => return None,
            Session::Nfs(session) => session,
        };
        let command = session.mount_command()?;
        Some(format!(
            "Volume {volume} is served to this computer at port {}. Whoever reads the next line can use all of it as any user; \
             it mounts the volume:\n{command}\nCtrl-C stores everything and ends it; unmount first.",
            session.port()
        ))
    }
}

impl MountSession for Session {
    fn wait(self) -> Result<(), MountError> {
        match self {
            #[cfg(target_os = "linux")]
            Session::Fuse(session) => session.wait(),
            Session::Nfs(session) => session.wait(),
        }
    }
}
