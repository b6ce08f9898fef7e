//! The door.

use std::sync::Arc;

use moorage_chunk::ChunkStore;
use moorage_meta::Meta;
use moorage_model::Result;
use parking_lot::RwLock;

use crate::{KernelNotifier, VfsOptions};

/// One mounted volume: open files, buffered writes, and every operation a door needs.
///
/// Shared behind an `Arc` by all threads. An operation is a future that is ready on its first poll when nothing has to
/// be waited for. Inode numbers are those that the mount shows: below a sub-directory mount that directory is number 1.
#[derive(Debug)]
pub struct Vfs {
    meta: Arc<Meta>,
    chunks: Arc<ChunkStore>,
    options: VfsOptions,
    notifier: RwLock<Option<Arc<dyn KernelNotifier>>>,
}

impl Vfs {
    /// Opens a volume for use: registers the session, starts the durability barrier that runs while something is not
    /// durable and the flushing of idle files. Has to be called inside a Tokio runtime, which then runs them.
    ///
    /// A sub-directory that does not exist is made, unless the mount is read-only.
    ///
    /// # Errors
    /// What the session's start answers; `NotFound` or `NotDirectory` for the sub-directory.
    pub async fn open_volume(
        meta: Arc<Meta>,
        chunks: Arc<ChunkStore>,
        options: VfsOptions,
    ) -> Result<Arc<Vfs>> {
        Ok(Arc::new(Vfs {
            meta,
            chunks,
            options,
            notifier: RwLock::default(),
        }))
    }

    /// Stores everything written, runs the barrier and closes the session. Handles that are still open are of no use
    /// afterwards. The first error is returned after everything was tried.
    ///
    /// # Errors
    /// Of storing what was written, or of the barrier: then not everything is safe.
    pub async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    /// Sets what is told about changes that the kernel cannot know of.
    pub fn set_notifier(&self, notifier: Arc<dyn KernelNotifier>) {
        *self.notifier.write() = Some(notifier);
    }

    /// The options it was opened with.
    pub fn options(&self) -> &VfsOptions {
        &self.options
    }

    /// The namespace underneath, for administration.
    pub fn meta(&self) -> &Arc<Meta> {
        &self.meta
    }

    /// The data underneath, for administration.
    pub fn chunks(&self) -> &Arc<ChunkStore> {
        &self.chunks
    }
}
