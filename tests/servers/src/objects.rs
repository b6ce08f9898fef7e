//! A server that holds the objects of volumes in its memory.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use self::s3::{Mood, Server};

#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "written for tests, which fail by panicking; only a part is needed here"
)]
#[path = "../../../core/chunk/tests/remote/server.rs"]
mod s3;

/// A running server that speaks as much of S3 as a volume needs; ended when this goes.
pub struct Objects {
    server: Arc<Server>,
    #[expect(dead_code, reason = "the server runs for as long as its threads")]
    runtime: Runtime,
}

impl Objects {
    /// Starts it, without objects.
    ///
    /// # Errors
    /// No thread can be started.
    ///
    /// # Panics
    /// No port is free.
    pub fn start() -> io::Result<Objects> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let server = runtime.block_on(Server::start());
        Ok(Objects { server, runtime })
    }

    /// URL of its bucket, for a volume with the storage `s3`. Any keys will do.
    pub fn bucket(&self) -> String {
        self.server.bucket()
    }

    /// From now on every upload takes this long.
    pub fn take_after(&self, delay: Duration) {
        self.server.be(Mood::SlowToTake(delay));
    }
}
