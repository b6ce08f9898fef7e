//! A volume whose objects are on a server of the test.

use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::fixture::{Volume, succeed};
use crate::server::Server;

/// A volume on a server that can stop answering.
pub(crate) struct RemoteVolume {
    pub(crate) volume: Volume,
    pub(crate) server: Arc<Server>,
    /// Runs the server.
    _runtime: Runtime,
}

impl RemoteVolume {
    pub(crate) fn format() -> Option<RemoteVolume> {
        RemoteVolume::format_over(|_, server| server.bucket())
    }

    /// As [`RemoteVolume::format`], over a way to the server whose address of the bucket `way` gives.
    pub(crate) fn format_over(way: impl FnOnce(&Runtime, &Server) -> String) -> Option<RemoteVolume> {
        let volume = Volume::home()?;
        let runtime = Runtime::new().expect("runtime");
        let server = runtime.block_on(Server::start());
        let bucket = way(&runtime, &server);
        let mut format = volume.program();
        format
            .args(["format", "--storage", "s3", "--bucket"])
            .arg(bucket)
            .args(["--access-key", "key", "--secret-key", "secret"]);
        succeed(format.arg(volume.url()).arg("testvolume"));
        Some(RemoteVolume {
            volume,
            server,
            _runtime: runtime,
        })
    }

    pub(crate) fn blocks(&self) -> usize {
        let objects = self.server.objects.lock().expect("not poisoned");
        objects.keys().filter(|key| key.contains("/chunks/")).count()
    }
}
