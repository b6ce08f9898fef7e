//! The end of a mounted volume: everything written is stored, or what was not is named.

use std::time::Duration;

use futures_util::future::join_all;
use moorage_model::{Error, ErrorKind, Ino, Result};

use crate::Vfs;
use crate::file::OpenFile;

/// Longest time for finding the names of files that were not stored, and for closing the session, each: an engine that
/// does not answer either must not keep a forced end from ending.
const PARTING: Duration = Duration::from_secs(2);

/// A file with written data that is in no store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnstoredFile {
    /// Its inode number.
    pub ino: Ino,
    /// One of its paths in the volume; none for a deleted file, or when the engine did not tell.
    pub path: Option<String>,
    /// Bytes written and not stored.
    pub bytes: u64,
}

/// What a shutdown with a limit left behind.
#[derive(Debug)]
pub struct HastyShutdown {
    /// Files that still hold data.
    pub unstored: Vec<UnstoredFile>,
    /// The first error of storing what was written, or of closing the session, which makes it durable: `Timeout` when
    /// that did not end.
    pub outcome: Result<()>,
}

impl Vfs {
    /// Stores everything written, runs the barrier and closes the session. Handles that are still open are of no use
    /// afterwards. The first error is returned after everything was tried. With write-back, what is staged then is
    /// the chunk store's to upload ([`moorage_chunk::ChunkStore::drain`]).
    ///
    /// # Errors
    /// Of storing what was written, or of the barrier: then not everything is safe.
    ///
    /// # Cancel safety
    /// A dropped future leaves what is not stored in memory; another shutdown goes on.
    pub async fn shutdown(&self) -> Result<()> {
        let stored = self.store_everything().await;
        let closed = self.meta.close_session().await;
        stored.and(closed)
    }

    /// As [`Vfs::shutdown`], but stores only what it can within `limit`, and tells what is left. Ends seconds after
    /// the limit even when neither the store nor the engine answers.
    pub async fn shutdown_within(&self, limit: Duration) -> HastyShutdown {
        let stored = tokio::select! {
            stored = self.store_everything() => stored,
            () = self.sleep(limit) => Ok(()),
        };
        let unstored = self.unstored().await;
        let closed = tokio::select! {
            closed = self.meta.close_session() => closed,
            () = self.sleep(PARTING) => Err(Error::new(
                ErrorKind::Timeout,
                "the session was not closed in time: what was stored last may not survive a power cut",
            )
            .with_advice("Check the metadata engine, then look at the files that were written last.")),
        };
        HastyShutdown {
            unstored,
            outcome: stored.and(closed),
        }
    }

    /// All files at once: one that has to wait for its object does not keep others from being stored.
    async fn store_everything(&self) -> Result<()> {
        self.stop_flusher().await;
        let dirty = self.files.dirty();
        let settled = join_all(dirty.iter().map(|file| async move {
            file.store_and_commit(self).await?;
            file.untold()
        }))
        .await;
        settled.into_iter().collect()
    }

    async fn unstored(&self) -> Vec<UnstoredFile> {
        let mut files: Vec<UnstoredFile> = self.files.dirty().iter().map(|file| unnamed(file)).collect();
        let name_all = async {
            for file in &mut files {
                let paths = self.meta.paths(file.ino).await.unwrap_or_default();
                file.path = paths
                    .first()
                    .map(|path| String::from_utf8_lossy(path).into_owned());
            }
        };
        tokio::select! {
            () = name_all => {}
            () = self.sleep(PARTING) => {}
        }
        files
    }
}

fn unnamed(file: &OpenFile) -> UnstoredFile {
    let pending = &file.content().pending;
    UnstoredFile {
        ino: file.ino,
        path: None,
        bytes: pending.iter().map(|pending| u64::from(pending.len)).sum(),
    }
}
