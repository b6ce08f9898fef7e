//! Giving back what nothing shows any more: deleted files, replaced slices, slices without owners, unfinished clones
//! (spec 70-semantics sections 3 and 4, 20-model sections 6 and 7).

use std::collections::BTreeMap;

use futures_util::stream::StreamExt as _;
use moorage_model::{DelayedSlice, Ino, Result, SliceId};

use super::damage::{left_out, readable};
use super::pages::Pages;
use super::progress::Progress;
use crate::{Key, Meta, Record, Scan, Txn, Verb};

/// Deleted files whose chunks are dropped at once.
const FILES_AT_ONCE: usize = 10;

/// Whether what is found is removed or only counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReclaimMode {
    /// Count what would go.
    DryRun,
    /// Remove it.
    Delete,
}

/// How much of a kind was found and, unless the run was dry, removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclaimed {
    /// Records: files, slices, slice lists or directories.
    pub count: u64,
    /// Bytes they stand for before compression: file lengths or slice sizes.
    pub bytes: u64,
    /// Records that can not be read. They stay, and so does what they stand for.
    pub damaged: u64,
}

impl Reclaimed {
    pub(super) fn add(&mut self, count: u64, bytes: u64) {
        self.count += count;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Refuses an answer that damaged records were left out of.
    pub(crate) fn all_readable(self, what: &str) -> Result<Reclaimed> {
        match self.damaged {
            0 => Ok(self),
            damaged => Err(left_out(what, damaged)),
        }
    }
}

impl Meta {
    /// Removes the data of files deleted before `before` (unix seconds): chunks, then objects of slices that lost
    /// their last owner, then the record. Files deleted later are left to whoever is at it now.
    ///
    /// # Errors
    /// The first failure, damaged records aside; everything else was tried. `Interrupted` when cancelled.
    ///
    /// # Cancel safety
    /// Idempotent; what was not done is done by the next run.
    pub async fn reclaim_deleted_files(
        &self,
        before: i64,
        mode: ReclaimMode,
        progress: &Progress,
    ) -> Result<Reclaimed> {
        let mut found = Reclaimed::default();
        let mut outcome = Ok(());
        let mut pages = Pages::new(Scan::DeletedFiles);
        while let Some(page) = pages.survey(self).await? {
            progress.check()?;
            found.damaged += page.damaged.len() as u64;
            let files: Vec<(Ino, u64)> = page
                .items
                .into_iter()
                .filter_map(|item| match item {
                    (Key::DeletedFile(ino, length), Record::DeletedFile(at)) if at < before => {
                        Some((ino, length))
                    }
                    _ => None,
                })
                .collect();
            if mode == ReclaimMode::DryRun {
                files.iter().for_each(|(_, length)| found.add(1, *length));
                continue;
            }
            let mut work = futures_util::stream::iter(files)
                .map(|(ino, length)| async move { (length, self.drop_file_data(ino, length).await) })
                .buffer_unordered(FILES_AT_ONCE);
            let mut dead = Vec::new();
            while let Some((length, dropped)) = work.next().await {
                match readable(dropped) {
                    Ok(Some(slices)) => {
                        dead.extend(slices);
                        found.add(1, length);
                    }
                    Ok(None) => found.damaged += 1,
                    Err(error) => outcome = Err(error),
                }
                progress.add(1, length);
            }
            outcome = outcome.and(self.remove_slices(dead).await);
        }
        outcome.map(|()| found)
    }

    /// Gives up slices replaced by compactions before `before` (unix seconds): takes the owners that the delayed
    /// records hold away, and removes what has none left.
    ///
    /// # Errors
    /// The first failure; the others were tried. `Interrupted` when cancelled.
    ///
    /// # Cancel safety
    /// Each record goes in one transaction with its owners; slices left without owners are found by
    /// [`Meta::reclaim_dead_slices`].
    pub async fn reclaim_delayed_slices(
        &self,
        before: i64,
        mode: ReclaimMode,
        progress: &Progress,
    ) -> Result<Reclaimed> {
        let mut found = Reclaimed::default();
        let mut outcome = Ok(());
        let mut pages = Pages::new(Scan::DelayedSlices);
        while let Some(page) = pages.survey(self).await? {
            found.damaged += page.damaged.len() as u64;
            for (key, record) in page.items {
                let (Key::DelayedSlices(id, at), Record::DelayedSlices(slices)) = (key, record) else {
                    continue;
                };
                if at >= before {
                    continue;
                }
                progress.check()?;
                let bytes = slices.iter().map(|slice| u64::from(slice.size)).sum();
                slices
                    .iter()
                    .for_each(|slice| found.add(1, u64::from(slice.size)));
                if mode == ReclaimMode::Delete {
                    outcome = outcome.and(self.end_delay(id, at).await);
                    progress.add(slices.len() as u64, bytes);
                }
            }
        }
        outcome.map(|()| found)
    }

    async fn end_delay(&self, id: SliceId, at: i64) -> Result<()> {
        let slices = self
            .transact(Verb::removal("purge delayed slices"), move |meta, txn| {
                Box::pin(async move { drop_delayed(meta, txn, id, at).await })
            })
            .await?;
        self.remove_slices(slices).await
    }

    /// Removes the objects and the references of slices that no record owns.
    ///
    /// # Errors
    /// The first failure; `Interrupted` when cancelled.
    ///
    /// # Cancel safety
    /// Idempotent.
    pub async fn reclaim_dead_slices(&self, mode: ReclaimMode, progress: &Progress) -> Result<Reclaimed> {
        let mut found = Reclaimed::default();
        let mut outcome = Ok(());
        let mut pages = Pages::new(Scan::DeadSlices);
        while let Some(page) = pages.survey(self).await? {
            progress.check()?;
            found.damaged += page.damaged.len() as u64;
            let slices: Vec<(SliceId, u32)> = page
                .items
                .into_iter()
                .filter_map(|(key, _)| match key {
                    Key::SliceRef(id, size) => Some((id, size)),
                    _ => None,
                })
                .collect();
            let bytes = slices.iter().map(|(_, size)| u64::from(*size)).sum();
            slices.iter().for_each(|(_, size)| found.add(1, u64::from(*size)));
            if mode == ReclaimMode::Delete {
                let count = slices.len() as u64;
                outcome = outcome.and(self.remove_slices(slices).await);
                progress.add(count, bytes);
            }
        }
        outcome.map(|()| found)
    }

    /// Removes trees that clones begun before `before` (unix seconds) left unattached.
    ///
    /// # Errors
    /// The first failure; `Interrupted` when cancelled.
    ///
    /// # Cancel safety
    /// The record of a tree goes last, so the next run goes on.
    pub async fn reclaim_detached(
        &self,
        before: i64,
        mode: ReclaimMode,
        progress: &Progress,
    ) -> Result<Reclaimed> {
        let mut found = Reclaimed::default();
        let mut pages = Pages::new(Scan::Detached);
        while let Some(page) = pages.survey(self).await? {
            found.damaged += page.damaged.len() as u64;
            for (key, record) in page.items {
                if let (Key::Detached(ino), Record::Detached(began)) = (key, record)
                    && began < before
                {
                    let removed = match mode {
                        ReclaimMode::DryRun => Some(()),
                        ReclaimMode::Delete => readable(self.remove_detached(ino, progress).await)?,
                    };
                    match removed {
                        Some(()) => found.add(1, 0),
                        None => found.damaged += 1,
                    }
                }
            }
        }
        Ok(found)
    }
}

async fn drop_delayed(meta: &Meta, txn: &mut dyn Txn, id: SliceId, at: i64) -> Result<Vec<(SliceId, u32)>> {
    let key = Key::DelayedSlices(id, at);
    let slices: Vec<DelayedSlice> = txn
        .get_locked(std::slice::from_ref(&key))
        .await?
        .delayed_slices()?
        .unwrap_or_default();
    let mut owners: BTreeMap<(SliceId, u32), i64> = BTreeMap::new();
    for slice in slices {
        *owners.entry((slice.id, slice.size)).or_default() -= 1;
    }
    if owners.is_empty() {
        return Ok(Vec::new());
    }
    txn.delete(key);
    for ((id, size), lost) in &owners {
        txn.add_owners(*id, *size, *lost);
    }
    meta.log(txn, || format!("CLEANUP_DELAYED_SLICES({id},{at})"));
    Ok(owners.into_keys().collect())
}
