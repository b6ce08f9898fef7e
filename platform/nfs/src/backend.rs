//! Mounting through the system's NFS client.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use moorage_host::{
    CaseMode, FolderMount, HostError, MountBackend, MountCapabilities, MountError, MountPoint, MountProblem,
    mounts,
};
use moorage_vfs::Vfs;
use tokio::runtime::Handle;

use crate::export::Export;
use crate::kept::KeptServer;
use crate::mount_command::{self, Mounting};
use crate::server::Server;
use crate::session::NfsSession;

/// How a volume is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NfsOptions {
    /// What names the volume, whatever it is called.
    pub uuid: String,
    /// The state folder of this user, for what is kept over a restart.
    pub state: PathBuf,
    /// The client refuses changes as well.
    pub read_only: bool,
    /// How long the client may rely on attributes.
    pub attributes: Duration,
    /// Only served: somebody else mounts it.
    pub serve_only: bool,
}

/// Mounts volumes through a server on this computer, without a driver.
///
/// The volume has to be opened so that it checks permissions itself: no kernel does for a server.
#[derive(Clone, Debug)]
pub struct NfsBackend {
    runtime: Handle,
}

impl NfsBackend {
    /// One whose operations wait on this runtime.
    pub fn new(runtime: Handle) -> NfsBackend {
        NfsBackend { runtime }
    }
}

impl MountBackend for NfsBackend {
    type Volume = Arc<Vfs>;
    type Options = NfsOptions;
    type Session = NfsSession;

    fn capabilities(&self) -> MountCapabilities {
        MountCapabilities {
            drive_letter: false,
            folder: FolderMount::Existing,
            system_chosen: false,
            read_only: true,
            volume_name: false,
            case_modes: &[CaseMode::Sensitive],
            forced_unmount: true,
            notifications: false,
            locks_across_hosts: false,
            extended_attributes: false,
            access_lists: false,
        }
    }

    fn check(&self) -> Result<(), MountError> {
        mount_command::check()
    }

    fn mount(
        &self,
        volume: &Arc<Vfs>,
        point: &MountPoint,
        options: &NfsOptions,
    ) -> Result<NfsSession, MountError> {
        let mut kept = KeptServer::of(&options.state, point.path(), &options.uuid);
        let system = |error| MountError::new(MountProblem::System, error);
        let (listener, port) = listen(kept.port)
            .map_err(|error| system(HostError::new("listening on this computer").with_source(error)))?;
        kept.port = port;
        kept.keep(&options.state, point.path()).map_err(system)?;
        let mounting = Mounting {
            port,
            path: kept.path.clone(),
            point: point.path().to_owned(),
            read_only: options.read_only,
            attributes: options.attributes,
        };
        let export = Export::new(kept.path, &kept.key, &options.uuid, volume.root());
        let server = Server::new(volume, export, fsid(&options.uuid), &self.runtime);
        let session = NfsSession::start(
            Arc::new(server),
            listener,
            mounting.clone(),
            options,
            &self.runtime,
        )
        .map_err(|error| system(HostError::new("serving on this computer").with_source(error)))?;
        // A client whose server was restarted goes on by itself.
        if !options.serve_only && !is_mounted(point.path(), &mounting.source())? {
            mounting.run()?;
        }
        if !options.serve_only {
            session.close_export();
        }
        Ok(session)
    }
}

/// A listener for this computer alone, at the port of the last time where that is free.
fn listen(port: u16) -> io::Result<(TcpListener, u16)> {
    let at = |port| TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
    let listener = match at(port) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && port != 0 => {
            tracing::warn!(
                port,
                "the port of the last time is taken; whoever has it mounted has to mount again"
            );
            at(0)?
        }
        listener => listener?,
    };
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// Tells a volume from others: the same over restarts.
fn fsid(uuid: &str) -> u64 {
    let digest = digest::digest(&digest::SHA256, uuid.as_bytes());
    digest
        .as_ref()
        .first_chunk()
        .copied()
        .map_or(0, u64::from_be_bytes)
}

/// Whether this source is mounted there.
pub(crate) fn is_mounted(point: &Path, source: &str) -> Result<bool, MountError> {
    let mounts = mounts().map_err(|error| MountError::new(MountProblem::System, error))?;
    Ok(mounts
        .iter()
        .any(|mount| mount.point == point && mount.source == source))
}
