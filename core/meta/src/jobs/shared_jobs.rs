//! The jobs that clients of a volume share, each guarded so that one client runs it per period
//! (spec 70-semantics section 2).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use moorage_model::{Counter, Result};

use crate::tasks::{Stop, jittered};
use crate::{Key, Meta, Record, Scan, TxnExt as _};

/// Period of the jobs.
const HOUR: Duration = Duration::from_secs(3600);
/// Share of the period that has to pass between two starts, in tenths.
const GUARD_TENTHS: u32 = 9;
/// A job ends after this time; the next run goes on.
const JOB_LIMIT: Duration = Duration::from_secs(50 * 60);
/// Deleted files younger than this are left to the client that deleted them, unix seconds.
const FRESH_DELETION: i64 = 3600;
/// Deleted files looked at per run.
const MAX_FILES: usize = 600_000;
/// Records read per page.
const PAGE: usize = 1000;

type JobRun = fn(Arc<Meta>) -> Pin<Box<dyn Future<Output = Result<()>> + Send>>;

struct SharedJob {
    name: &'static str,
    guard: Counter,
    period: Duration,
    run: JobRun,
}

const JOBS: [SharedJob; 2] = [
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
        let mut outcome = Ok(());
        let mut after: Option<Key> = None;
        let mut seen = 0;
        while seen < MAX_FILES {
            let page = self
                .engine
                .scan(&Scan::DeletedFiles, after.as_ref(), PAGE)
                .await?;
            after = page.items.last().map(|(key, _)| key.clone());
            seen += page.items.len();
            let mut slices = Vec::new();
            for (key, record) in page.items {
                if let (Key::DeletedFile(ino, length), Record::DeletedFile(deleted)) = (key, record)
                    && deleted < before
                {
                    match self.drop_file_data(ino, length).await {
                        Ok(dropped) => slices.extend(dropped),
                        Err(error) => outcome = Err(error),
                    }
                }
            }
            outcome = self.remove_slices(slices).await.and(outcome);
            if !page.more || after.is_none() {
                break;
            }
        }
        outcome
    }

    /// Removes slices whose reference says that nothing shows them.
    ///
    /// # Errors
    /// The first failure, after the other slices were tried.
    pub async fn clean_up_slices(&self) -> Result<()> {
        let mut outcome = Ok(());
        let mut after: Option<Key> = None;
        loop {
            let page = self.engine.scan(&Scan::DeadSlices, after.as_ref(), PAGE).await?;
            after = page.items.last().map(|(key, _)| key.clone());
            let slices = page.items.into_iter().filter_map(|(key, _)| match key {
                Key::SliceRef(id, size) => Some((id, size)),
                _ => None,
            });
            outcome = self.remove_slices(slices.collect()).await.and(outcome);
            if !page.more || after.is_none() {
                return outcome;
            }
        }
    }

    /// Whether the trash was ever used on this volume.
    pub(crate) async fn has_trash(&self) -> Result<bool> {
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
