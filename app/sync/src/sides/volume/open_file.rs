//! A handle that is given back.

use std::sync::Arc;

use moorage_model::Result;
use moorage_vfs::{FileHandle, Vfs};

/// An open file of a volume.
pub(super) struct OpenFile {
    vfs: Arc<Vfs>,
    handle: Option<FileHandle>,
}

impl OpenFile {
    pub(super) fn new(vfs: &Arc<Vfs>, handle: FileHandle) -> OpenFile {
        OpenFile {
            vfs: Arc::clone(vfs),
            handle: Some(handle),
        }
    }

    /// The handle, until it is closed.
    pub(super) fn handle(&self) -> FileHandle {
        self.handle.unwrap_or_default()
    }

    /// Stores what was written, and gives the handle back.
    ///
    /// # Errors
    /// Of storing.
    pub(super) async fn close(&mut self) -> Result<()> {
        let Some(handle) = self.handle else {
            return Ok(());
        };
        self.vfs.flush(handle, None).await?;
        self.handle = None;
        self.vfs.release(handle, None).await
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let vfs = Arc::clone(&self.vfs);
            runtime.spawn(async move {
                // Whoever could hear of it has gone.
                let _ = vfs.release(handle, None).await;
            });
        }
    }
}
