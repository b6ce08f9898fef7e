//! The jobs that clients of a volume share, each guarded so that one client runs it per period
//! (spec 70-semantics section 2).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use moorage_model::{Counter, Result};

use crate::admin::{Progress, ReclaimMode};
use crate::tasks::{Stop, jittered};
use crate::{Key, Meta, TxnExt as _};

/// Period of the jobs.
const HOUR: Duration = Duration::from_secs(3600);
/// Period of the changelog's job.
const FIVE_MINUTES: Duration = Duration::from_secs(300);
/// Share of the period that has to pass between two starts, in tenths.
const GUARD_TENTHS: u32 = 9;
/// A job ends after this time; the next run goes on.
const JOB_LIMIT: Duration = Duration::from_secs(50 * 60);
/// Deleted files younger than this are left to the client that deleted them, unix seconds.
const FRESH_DELETION: i64 = 3600;
/// Directories of expired trash emptied at once.
const TRASH_DIRECTORIES_AT_ONCE: usize = 4;

type JobRun = fn(Arc<Meta>) -> Pin<Box<dyn Future<Output = Result<()>> + Send>>;

struct SharedJob {
    name: &'static str,
    guard: Counter,
    period: Duration,
    run: JobRun,
}

const JOBS: [SharedJob; 4] = [
    SharedJob {
        name: "clean up deleted files",
        guard: Counter::LastCleanupFiles,
        period: HOUR,
        run: |meta| Box::pin(async move { meta.clean_up_files().await }),
    },
    SharedJob {
        name: "clean up slices",
        guard: Counter::NextCleanupSlices,
        period: HOUR,
        run: |meta| Box::pin(async move { meta.clean_up_slices().await }),
    },
    SharedJob {
        name: "empty the trash",
        guard: Counter::LastCleanupTrash,
        period: HOUR,
        run: |meta| Box::pin(async move { meta.clean_up_trash().await }),
    },
    SharedJob {
        name: "trim the changelog",
        guard: Counter::LastCleanupChangelog,
        period: FIVE_MINUTES,
        run: |meta| Box::pin(async move { meta.trim_changelog().await }),
    },
];

impl Meta {
    /// Starts one loop per job.
    pub(crate) fn start_shared_jobs(&self) {
        for job in &JOBS {
            let meta = Weak::clone(&self.this);
            self.tasks.spawn(|stop| repeat(meta, stop, job));
        }
    }

    /// Removes the data of files that were deleted more than an hour ago and whose deleter did not come to it.
    ///
    /// # Errors
    /// The first failure, after the other files were tried.
    pub async fn clean_up_files(&self) -> Result<()> {
        let before = self.now().seconds.saturating_sub(FRESH_DELETION);
        self.reclaim_deleted_files(before, ReclaimMode::Delete, &Progress::default())
            .await
            .and_then(|found| found.all_readable("removing deleted files"))
            .map(drop)
    }

    /// Removes slices whose reference says that nothing shows them, and lets the engine forget old versions of records.
    ///
    /// # Errors
    /// The first failure, after the other slices were tried.
    pub async fn clean_up_slices(&self) -> Result<()> {
        let removed = self
            .reclaim_dead_slices(ReclaimMode::Delete, &Progress::default())
            .await
            .and_then(|found| found.all_readable("removing slices without owners"));
        let forgotten = self.engine.drop_old_versions().await;
        removed.and(forgotten)
    }

    /// Empties the hours of the trash that are over their time, and gives up slices that compactions replaced and that
    /// were kept as long. Does nothing on a volume that never had a trash.
    ///
    /// # Errors
    /// The first failure, after the slices were tried too.
    pub async fn clean_up_trash(&self) -> Result<()> {
        if !self.has_trash().await? {
            return Ok(());
        }
        let progress = Progress::default();
        let emptied = self
            .expire_trash(
                self.trash_expiry(),
                ReclaimMode::Delete,
                TRASH_DIRECTORIES_AT_ONCE,
                &progress,
            )
            .await;
        let before = self.delayed_slice_expiry();
        let purged = self
            .reclaim_delayed_slices(before, ReclaimMode::Delete, &progress)
            .await
            .and_then(|found| found.all_readable("giving up replaced slices"));
        let emptied = emptied.and_then(|found| found.all_readable());
        emptied.map(drop).and(purged.map(drop))
    }

    /// Whether the trash was ever used on this volume.
    async fn has_trash(&self) -> Result<bool> {
        let root = self
            .engine
            .get(&[Key::Node(moorage_model::Ino::TRASH)])
            .await?
            .node()?;
        Ok(root.is_some())
    }
}

async fn repeat(meta: Weak<Meta>, mut stop: Stop, job: &'static SharedJob) {
    while stop.sleep(jittered(job.period)).await {
        let Some(meta) = meta.upgrade() else { return };
        match meta.win_guard(job.guard, job.period * GUARD_TENTHS / 10).await {
            Ok(false) => continue,
            Ok(true) => {}
            Err(error) => {
                tracing::warn!(%error, job = job.name, "job guard");
                continue;
            }
        }
        let limited = tokio::time::timeout(JOB_LIMIT, (job.run)(meta));
        tokio::select! {
            () = stop.stopped() => return,
            outcome = limited => match outcome {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, job = job.name, "shared job"),
                Err(_) => tracing::info!(job = job.name, "stopped at its time limit; the next run goes on"),
            },
        }
    }
}
