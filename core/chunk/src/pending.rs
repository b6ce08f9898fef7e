//! What write-back has acknowledged and not yet uploaded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moorage_model::{Error, ErrorKind, Result};

use crate::chunk_store::{ChunkStore, closed};
use crate::disk_cache::DiskCache;
use crate::offload::away;
use crate::staging::{StagedFiles, Upload};

/// How often a waiter looks at what is pending, when nothing wakes it earlier.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Longest wait for uploaded files to leave the staging folder.
const MOST_SETTLING: Duration = Duration::from_secs(5);

/// What to do about blocks whose files are gone.
const GONE_FOR_GOOD: &str = "Put the staging folder back where it was, for example by mounting its disk, and it goes on; \
                             otherwise write the files again.";

/// Blocks that a write-back volume has acknowledged but not yet uploaded, and whose files are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingUploads {
    /// Number of blocks.
    pub blocks: u64,
    /// Bytes of their objects.
    pub bytes: u64,
    /// Number of blocks that were not uploaded and whose files are gone.
    pub lost_blocks: u64,
    /// How long the oldest has been waiting.
    pub oldest: Option<Duration>,
    /// Why the last attempt failed, if it did; without advice.
    pub last_error: Option<String>,
}

impl ChunkStore {
    /// What is acknowledged but not yet in the store.
    pub fn pending(&self) -> PendingUploads {
        self.staging
            .as_ref()
            .map_or_else(PendingUploads::default, |staging| staging.pending())
    }

    /// What is acknowledged but not yet in the store, by files. In proportion to the number of staged blocks.
    pub fn staged_files(&self) -> StagedFiles {
        self.staging
            .as_ref()
            .map_or_else(StagedFiles::default, |staging| staging.files())
    }

    /// What was acknowledged, is not in the store, and is lost since its files are gone, by files; as far as that was seen.
    /// In proportion to the number of staged blocks.
    pub fn lost_files(&self) -> StagedFiles {
        self.staging
            .as_ref()
            .map_or_else(StagedFiles::default, |staging| staging.lost_files())
    }

    /// Looks whether the files of all staged blocks are there, as far as their bytes are not in memory, from where they are
    /// uploaded then. A look at each.
    ///
    /// # Errors
    /// While the process ends.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn look_for_lost(self: &Arc<Self>) -> Result<()> {
        let Some(staging) = self.staging.clone() else {
            return Ok(());
        };
        let this = Arc::clone(self);
        away(&self.runtime, move || {
            staging.look_for_gone(|block| this.memory.get(block).is_some());
            Ok(())
        })
        .await
    }

    /// Uploads of staged blocks by file: at most so many that are not done, and the last few that are. In proportion to
    /// the number of files with staged blocks.
    pub fn uploads(&self, most: usize) -> Vec<Upload> {
        self.staging
            .as_ref()
            .map_or_else(Vec::new, |staging| staging.uploads(most))
    }

    /// The network may be another one than a moment ago, as after a sleep of the computer: connections are made anew, calls
    /// that hang are made again, and what waits for its next attempt makes it now.
    pub fn try_again(&self) {
        self.store.renew();
        self.guard.try_again();
    }

    /// Why nothing gets through to the store at the moment, without advice; `None` while there is no sign of that.
    pub fn store_problem(&self) -> Option<String> {
        // What failed is told of while it waits for another attempt, which a hold puts off.
        let waiting = self.staging.as_ref().map(|staging| staging.pending());
        let waiting = waiting.filter(|pending| pending.blocks > 0 && self.held().is_none());
        let failed = waiting.and_then(|pending| pending.last_error);
        failed.or_else(|| self.guard.problem())
    }

    /// Waits until nothing is pending; `progress` hears of each block that goes.
    ///
    /// Safe to drop: uploads go on without it.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer, or an upload fails after all its retries. What is pending stays
    /// on the disk and is tried again, by this process or the next. `Io` when nothing is left but what is lost.
    pub async fn drain(self: &Arc<Self>, mut progress: impl FnMut(&PendingUploads) + Send) -> Result<()> {
        let Some(staging) = &self.staging else {
            progress(&self.pending());
            return Ok(());
        };
        // What is gone is not found by uploads that are paused.
        self.look_for_lost().await?;
        let failures = staging.failures();
        let mut last = None;
        let mut stored_since = None;
        loop {
            let pending = staging.pending();
            if last != Some(pending.blocks) {
                progress(&pending);
                last = Some(pending.blocks);
            }
            let failed = staging.failures() > failures;
            if pending.blocks == 0 && pending.lost_blocks > 0 {
                return Err(Error::new(
                    ErrorKind::Io,
                    format!(
                        "blocks that were deleted from the staging folder before they were uploaded: {}",
                        pending.lost_blocks
                    ),
                )
                .with_advice(GONE_FOR_GOOD));
            }
            if pending.blocks == 0 && !failed {
                // Files that are stored but still lie in the staging folder would be uploaded once more by the next
                // process: worth a moment, but no more.
                let settled = staging.is_settled() && self.disk.as_ref().is_none_or(DiskCache::has_adopted);
                let since = *stored_since.get_or_insert_with(Instant::now);
                if settled || since.elapsed() > MOST_SETTLING {
                    return Ok(());
                }
            }
            let problem = self.guard.problem();
            if failed || problem.is_some() {
                let why = pending.last_error.or(problem);
                let why = why.unwrap_or_else(|| "an upload failed".to_owned());
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    format!(
                        "blocks that could not be uploaded to the object store: {}",
                        pending.blocks
                    ),
                )
                .with_source(why)
                .with_advice("They are safe in the staging folder, and the next mount of the volume that stages there uploads them."));
            }
            let waiting = Arc::clone(staging);
            let wait = self.runtime.spawn(async move {
                // Either way it is time to look again.
                let _ = tokio::time::timeout(LOOK_EVERY, waiting.changed.notified()).await;
            });
            wait.await.map_err(|_| closed())?;
        }
    }
}
