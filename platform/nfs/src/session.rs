//! A volume that is served.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use moorage_host::{HostError, MountError, MountProblem, MountSession};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::backend::{NfsOptions, is_mounted};
use crate::connection;
use crate::kept::KeptServer;
use crate::mount_command::Mounting;
use crate::server::Server;

/// How often it is looked whether the mount is there: nobody tells a server.
const LOOK: Duration = Duration::from_millis(500);

/// A volume that a server on this computer serves.
#[derive(Debug)]
pub struct NfsSession {
    server: Arc<Server>,
    serving: JoinHandle<()>,
    stop: watch::Sender<bool>,
    mounting: Mounting,
    serve_only: bool,
    state: PathBuf,
    runtime: Handle,
}

/// Ends a session that is only served.
#[derive(Clone, Debug)]
pub struct Stopper {
    stop: watch::Sender<bool>,
}

impl Stopper {
    /// Ends it.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

impl NfsSession {
    pub(crate) fn start(
        server: Arc<Server>,
        listener: TcpListener,
        mounting: Mounting,
        options: &NfsOptions,
        runtime: &Handle,
    ) -> io::Result<NfsSession> {
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let stop = watch::Sender::new(false);
        let serving = runtime.spawn(connection::serve(Arc::clone(&server), listener, stop.subscribe()));
        Ok(NfsSession {
            server,
            serving,
            stop,
            mounting,
            serve_only: options.serve_only,
            state: options.state.clone(),
            runtime: runtime.clone(),
        })
    }

    /// Nobody else can mount from now on.
    pub(crate) fn close_export(&self) {
        self.server.export.close();
    }

    /// The port on this computer at which it is served.
    pub fn port(&self) -> u16 {
        self.mounting.port
    }

    /// The path to mount, a secret.
    pub fn export(&self) -> &str {
        self.server.export.path()
    }

    /// The command that mounts what is only served; `None` where it is mounted.
    pub fn mount_command(&self) -> Option<String> {
        self.serve_only.then(|| self.mounting.line())
    }

    /// What ends a session that is only served; `None` where it is mounted, and ends when it is unmounted.
    pub fn stopper(&self) -> Option<Stopper> {
        self.serve_only.then(|| Stopper {
            stop: self.stop.clone(),
        })
    }

    async fn ended(&self) {
        let mut stopped = self.stop.subscribe();
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                _ = look.tick(), if !self.serve_only => {
                    // A table that can not be read for once says nothing.
                    if let Ok(false) = is_mounted(&self.mounting.point, &self.mounting.source()) {
                        return;
                    }
                }
            }
        }
    }
}

impl Drop for NfsSession {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl MountSession for NfsSession {
    fn wait(mut self) -> Result<(), MountError> {
        let runtime = self.runtime.clone();
        runtime.block_on(self.ended());
        self.stop.send_replace(true);
        let ended = runtime.block_on(&mut self.serving);
        // What is only served may be mounted still, and goes on when it is served again.
        if !self.serve_only {
            KeptServer::forget(&self.state, &self.mounting.point);
        }
        ended.map_err(|error| {
            let error = HostError::new("serving on this computer").with_source(io::Error::other(error));
            MountError::new(MountProblem::System, error)
        })
    }
}
