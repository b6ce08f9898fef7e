//! Automatic backups of the metadata into the object store (spec 80-dump section 2).

use std::sync::Weak;
use std::time::Duration;

use bytes::Bytes;
use moorage_meta::admin::Progress;
use moorage_meta::{
    BACKUP_FOLDER, BackupTurn, DumpCompression, DumpOptions, DumpSummary, backup_look, dump_channel,
};
use moorage_model::{Error, ErrorKind, Result};
use tokio::sync::watch;

use crate::Vfs;

/// Names listed at once.
const PAGE: usize = 1000;
/// Nodes read at the same time: a backup is in nobody's hurry.
const CONCURRENCY: usize = 4;

/// When the metadata is backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupOptions {
    /// Time between two backups of the volume, whichever client makes them.
    pub interval: Duration,
    /// Leave the trash out.
    pub skip_trash: bool,
}

impl BackupOptions {
    /// Shortest interval.
    pub const SHORTEST: Duration = Duration::from_secs(300);
}

/// Makes backups that are due until told to stop.
pub(crate) async fn back_up(vfs: Weak<Vfs>, options: BackupOptions, mut stopping: watch::Receiver<bool>) {
    loop {
        let Some(look) = vfs.upgrade().map(|vfs| vfs.sleep(backup_look(options.interval))) else {
            return;
        };
        tokio::select! {
            () = look => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let Some(current) = vfs.upgrade() else { return };
        if current.chunks.is_held() {
            // It stays due, and another client may make it.
            continue;
        }
        let made = tokio::select! {
            made = current.back_up_if_due(options) => made,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        match made {
            Ok(None) => {}
            Ok(Some(summary)) if summary.unreadable == 0 => {
                tracing::info!(entries = summary.entries, "metadata was backed up");
            }
            Ok(Some(summary)) => tracing::warn!(
                unreadable = summary.unreadable,
                "metadata was backed up but for records that can not be read; run `moorage fsck`"
            ),
            Err(error) => tracing::warn!(%error, "metadata could not be backed up"),
        }
    }
}

impl Vfs {
    /// Backs the metadata up if that is due and no other client does it, and removes backups that are kept no longer.
    ///
    /// Memory: the packed backup, some 60 bytes per file.
    ///
    /// # Errors
    /// What the engine and the store answer. The next backup is due an interval later.
    ///
    /// # Cancel safety
    /// Dropping the future stores no backup.
    pub async fn back_up_if_due(&self, options: BackupOptions) -> Result<Option<DumpSummary>> {
        match self.meta.claim_backup(options.interval).await? {
            BackupTurn::NotDue => return Ok(None),
            BackupTurn::TooLarge => {
                tracing::warn!(
                    "the volume has too many files for a backup every hour; mount with a longer --backup-meta"
                );
                return Ok(None);
            }
            BackupTurn::Mine => {}
        }
        let name = self.meta.backup_name();
        let (output, blocks) = dump_channel();
        let packer = tokio::task::spawn_blocking(move || DumpCompression::FastGzip.pack(blocks, Vec::new()));
        let dump_options = DumpOptions {
            skip_trash: options.skip_trash,
            concurrency: CONCURRENCY,
            ..DumpOptions::default()
        };
        let summary = self
            .meta
            .dump_json(&dump_options, output, &Progress::default())
            .await?;
        let packed = packer
            .await
            .map_err(|error| {
                Error::new(ErrorKind::Io, "the thread that packs a backup failed").with_source(error)
            })?
            .map_err(|error| Error::new(ErrorKind::Io, "packing a backup").with_source(error))?;
        let store = self.chunks.store();
        store
            .put(&name, Bytes::from(packed))
            .await
            .map_err(|error| error.context(&name))?;
        store.sync().await?;
        self.remove_expired_backups().await?;
        Ok(Some(summary))
    }

    async fn remove_expired_backups(&self) -> Result<()> {
        let store = self.chunks.store();
        let mut names: Vec<String> = Vec::new();
        loop {
            let page = store
                .list(BACKUP_FOLDER, names.last().map(String::as_str), PAGE)
                .await?;
            let is_last = page.len() < PAGE;
            names.extend(page.into_iter().map(|(name, _)| name));
            if is_last {
                break;
            }
        }
        for name in self.meta.expired_backups(names) {
            store.delete(&name).await?;
        }
        Ok(())
    }
}
