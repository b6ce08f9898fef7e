//! The end of a mounted volume: everything written is stored, or what was not is named.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use moorage_model::{Error, ErrorKind, Ino, Result};

use crate::Vfs;
use crate::file::OpenFile;

/// Longest time for finding the names of files that were not stored, and for closing the session, each: an engine that
/// does not answer either must not keep a forced end from ending.
const PARTING: Duration = Duration::from_secs(2);
/// Wait of a patient shutdown between two attempts: short enough that whoever has made room sees it taken, long enough
/// that a full disk is not busy with refusing.
const NEXT_ATTEMPT: Duration = Duration::from_secs(5);

/// A file with written data that is in no store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnstoredFile {
    /// Its inode number.
    pub ino: Ino,
    /// One of its paths in the volume; none for a deleted file, or when the engine did not tell.
    pub path: Option<String>,
    /// Bytes written that are only in memory, or were staged and lost; 0 when what was written was given up before.
    pub bytes: u64,
}

/// What a shutdown that does not insist left behind.
#[derive(Debug)]
pub struct Shutdown {
    /// Files that still hold data, and those that lost some and had nobody to tell.
    pub unstored: Vec<UnstoredFile>,
    /// The first error of storing what was written, or of closing the session, which makes it durable: `Timeout` when
    /// that did not end.
    pub outcome: Result<()>,
}

/// How much written data is in memory alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnstoredSize {
    /// Files that hold it.
    pub files: u64,
    /// Bytes that were written to them and are neither stored nor, with write-back, staged.
    pub bytes: u64,
}

impl Vfs {
    /// What is written and in memory alone, now. Short locks, in proportion to the number of files that hold data.
    pub fn unstored_size(&self) -> UnstoredSize {
        let mut size = UnstoredSize::default();
        for file in self.files.dirty() {
            size.files += 1;
            size.bytes += unnamed(&file).bytes;
        }
        size
    }

    /// Stores everything written, runs the barrier and closes the session. Handles that are still open are of no use
    /// afterwards. The first error is returned after everything was tried, once. With write-back, what is staged then
    /// is the chunk store's to upload ([`moorage_chunk::ChunkStore::drain`]).
    ///
    /// # Errors
    /// Of storing what was written, or of the barrier: then not everything is safe.
    ///
    /// # Cancel safety
    /// A dropped future leaves what is not stored in memory; another shutdown goes on.
    pub async fn shutdown(&self) -> Result<()> {
        self.stop_flusher().await;
        let files = self.files.dirty();
        let stored = self.settle_all(&files).await.and(untold(&files));
        let closed = self.meta.close_session().await;
        stored.and(closed)
    }

    /// As [`Vfs::shutdown`], but tries again, every few seconds, for as long as a later attempt may store what is left:
    /// a full disk may get room, a store may come back. `told` hears after each attempt what is not stored and why.
    ///
    /// Ends without it when the volume is gone or another one took its place, and 50 minutes after it was written, when
    /// garbage collection of any client may take its blocks.
    ///
    /// # Cancel safety
    /// As [`Vfs::shutdown`].
    pub async fn shutdown_patiently(&self, mut told: impl FnMut(&[UnstoredFile], &Error)) -> Shutdown {
        self.stop_flusher().await;
        let files = self.files.dirty();
        let stored = loop {
            let Err(error) = self.settle_all(&files).await else {
                break Ok(());
            };
            let kept: Vec<UnstoredFile> = files.iter().filter(|file| file.is_dirty()).map(unnamed).collect();
            if kept.is_empty() {
                break Err(error);
            }
            told(&self.named(kept).await, &error);
            tokio::select! {
                () = self.sleep(NEXT_ATTEMPT) => {}
                _ = self.meta.stopped() => break Err(error),
            }
            join_all(files.iter().map(|file| file.give_up_expired())).await;
        };
        let (unstored, lost) = self.left_of(&files).await;
        let closed = self.meta.close_session().await;
        Shutdown {
            unstored,
            outcome: stored.and(lost).and(closed),
        }
    }

    /// As [`Vfs::shutdown`], but stores only what it can within `limit`, and tells what is left. Ends seconds after
    /// the limit even when neither the store nor the engine answers.
    pub async fn shutdown_within(&self, limit: Duration) -> Shutdown {
        let files = self.files.dirty();
        let store = async {
            self.stop_flusher().await;
            self.settle_all(&files).await
        };
        let stored = tokio::select! {
            stored = store => stored,
            () = self.sleep(limit) => Ok(()),
        };
        let (unstored, lost) = self.left_of(&files).await;
        let closed = tokio::select! {
            closed = self.meta.close_session() => closed,
            () = self.sleep(PARTING) => Err(Error::new(
                ErrorKind::Timeout,
                "the session was not closed in time: what was stored last may not survive a power cut",
            )
            .with_advice("Check the metadata engine, then look at the files that were written last.")),
        };
        Shutdown {
            unstored,
            outcome: stored.and(lost).and(closed),
        }
    }

    /// Files with bytes that were staged, and are lost since the staging folder lost them before they were uploaded; as far
    /// as they are known. Names are looked for within seconds. One listing of names per file.
    pub async fn lost_files(&self) -> Vec<UnstoredFile> {
        let lost = self.chunks.lost_files();
        let files = lost.owners().into_iter().map(|ino| UnstoredFile {
            ino,
            path: None,
            bytes: lost.bytes_of(ino),
        });
        self.named(files.collect()).await
    }

    /// One attempt at all files at once: one that has to wait for its object does not keep others from being stored.
    pub(crate) async fn settle_all(&self, files: &[Arc<OpenFile>]) -> Result<()> {
        let settled = join_all(files.iter().map(|file| file.store_and_commit(self))).await;
        settled.into_iter().collect()
    }

    /// The files that hold data or lost some, and why the first of them lost it.
    async fn left_of(&self, files: &[Arc<OpenFile>]) -> (Vec<UnstoredFile>, Result<()>) {
        let mut left = Vec::new();
        let mut reason = Ok(());
        for file in files {
            let lost = file.untold();
            if lost.is_err() || file.is_dirty() {
                left.push(unnamed(file));
            }
            reason = reason.and(lost);
        }
        (self.named(left).await, reason)
    }

    async fn named(&self, mut files: Vec<UnstoredFile>) -> Vec<UnstoredFile> {
        // Messages name the first ones: the same every time.
        files.sort_unstable_by_key(|file| file.ino);
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

/// Whether a file lost data and had nobody to tell.
fn untold(files: &[Arc<OpenFile>]) -> Result<()> {
    let told: Vec<Result<()>> = files.iter().map(|file| file.untold()).collect();
    told.into_iter().collect()
}

fn unnamed(file: &Arc<OpenFile>) -> UnstoredFile {
    let pending = &file.content().pending;
    UnstoredFile {
        ino: file.ino,
        path: None,
        bytes: pending.iter().map(|pending| u64::from(pending.len)).sum(),
    }
}
