//! What goes on without a request: storing and committing what lies in buffers, and following the volume's setting.

use std::sync::{Arc, Weak};
use std::time::Duration;

use moorage_model::SliceId;
use tokio::sync::watch;

use crate::Vfs;
use crate::file::OpenFile;

/// How often files are looked at.
const ROUND: Duration = Duration::from_secs(1);
/// Shortest time between two rounds, however many writers wait.
const SHORTEST_ROUND: Duration = Duration::from_millis(100);
/// Part of the buffers in use, in percent, above which idle slices are stored early.
const PRESSURE_PERCENT: u64 = 75;

/// Settles files whose slices have been idle, are old or are complete, until told to stop.
pub(crate) async fn flush_idle_files(vfs: Weak<Vfs>, mut stopping: watch::Receiver<bool>) {
    loop {
        let Some(current) = vfs.upgrade() else { return };
        let waited = async {
            current.sleep(SHORTEST_ROUND).await;
            tokio::select! {
                () = current.sleep(ROUND) => {}
                () = current.relief.notified() => {}
            }
        };
        tokio::select! {
            () = waited => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let pressure = current.buffers_run_short();
        for file in current.files.dirty() {
            file.give_up_expired().await;
            if file.is_due(pressure) {
                current.settle_soon(&file);
            }
        }
    }
}

/// Takes changed limits of the volume over into the data layer, until told to stop.
pub(crate) async fn follow_setting(
    vfs: Weak<Vfs>,
    mut changes: watch::Receiver<u64>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let Some(current) = vfs.upgrade() else { return };
        current.chunks.follow_setting(&current.meta.setting());
    }
}

impl Vfs {
    /// Stores and commits a file in the background, unless that is under way.
    pub(crate) fn settle_soon(&self, file: &Arc<OpenFile>) {
        use std::sync::atomic::Ordering;
        let Some(vfs) = self.this.upgrade() else { return };
        if file.settling.swap(true, Ordering::AcqRel) {
            return;
        }
        let file = Arc::clone(file);
        self.runtime.spawn(async move {
            let outcome = file.store_and_commit(&vfs).await;
            file.settling.store(false, Ordering::Release);
            if let Err(error) = outcome {
                tracing::warn!(%error, inode = file.ino.0, "written data could not be stored yet");
            }
            vfs.files.retire(&file);
        });
    }

    /// Asks the flusher to look at all files now.
    pub(crate) fn relieve(&self) {
        self.relief.notify_one();
    }

    /// Whether most write buffers are in use.
    pub(crate) fn buffers_run_short(&self) -> bool {
        let (used, limit) = self.chunks.buffers();
        used.saturating_mul(100) >= limit.saturating_mul(PRESSURE_PERCENT)
    }

    /// Deletes objects of slices that never got a record.
    pub(crate) fn remove_objects(&self, slices: Vec<(SliceId, u32)>) {
        let chunks = Arc::clone(&self.chunks);
        self.runtime.spawn(async move {
            for (id, size) in slices.into_iter().filter(|(_, size)| *size > 0) {
                if let Err(error) = chunks.remove(id, size).await {
                    tracing::warn!(%error, slice = id.0, "objects are left to garbage collection");
                }
            }
        });
    }
}
