//! Dropping the chunks of deleted files.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use moorage_model::{Error, ErrorKind, Ino, Result, SessionId, SliceId};

use crate::{Key, Meta, Record, Scan, Txn, Verb};

/// Chunks dropped per transaction.
const CHUNK_BATCH: usize = 64;
/// Files dropped per transaction.
const FILE_BATCH: usize = 64;

/// Chunks of a deleted file that are dropped in one transaction with those of others.
#[derive(Clone, Debug)]
struct Doomed {
    ino: Ino,
    chunks: Vec<Key>,
    /// Length in its deleted-file record, which goes along with the last of its chunks.
    ends: Option<u64>,
}

impl Meta {
    /// As [`Meta::drop_file_data`] for many files, in no order. Returns the slices that lost an owner, and the first
    /// failure, behind which it goes on with the other files.
    ///
    /// Round trips of small files: one read each, up to `at_once` of them side by side, and one read and one commit of
    /// a transaction per 64.
    pub(crate) async fn drop_data_of_files(
        &self,
        files: Vec<(Ino, u64)>,
        at_once: usize,
    ) -> (Vec<(SliceId, u32)>, Result<()>) {
        let mut pages = futures_util::stream::iter(files)
            .map(|(ino, length)| async move { (length, self.first_chunks(ino, length).await) })
            .buffer_unordered(at_once.max(1));
        let mut slices = Vec::new();
        let mut outcome = Ok(());
        let mut batch: Vec<Doomed> = Vec::new();
        while let Some((length, page)) = pages.next().await {
            let dropped = match page {
                Ok(doomed) if doomed.ends.is_none() => self.drop_from(doomed, length).await,
                Ok(doomed) => {
                    let chunks: usize = batch.iter().map(|doomed| doomed.chunks.len()).sum();
                    let full = batch.len() == FILE_BATCH || chunks + doomed.chunks.len() > CHUNK_BATCH;
                    let ready = if full {
                        std::mem::take(&mut batch)
                    } else {
                        Vec::new()
                    };
                    batch.push(doomed);
                    self.drop_batch(ready, &mut slices).await.map(|()| Vec::new())
                }
                Err(error) => Err(error),
            };
            match dropped {
                Ok(dropped) => slices.extend(dropped),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        let last = self.drop_batch(batch, &mut slices).await;
        (slices, outcome.and(last))
    }

    /// One transaction; or one per file when it meets damage, so that a damaged file keeps no other.
    async fn drop_batch(&self, batch: Vec<Doomed>, slices: &mut Vec<(SliceId, u32)>) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        match self.drop_doomed(Arc::new(batch.clone())).await {
            Ok(dropped) => {
                slices.extend(dropped);
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::Corrupt => {}
            Err(error) => return Err(error),
        }
        let mut outcome = Ok(());
        for doomed in batch {
            match self.drop_doomed(Arc::new(vec![doomed])).await {
                Ok(dropped) => slices.extend(dropped),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome
    }

    /// Drops the chunks of a deleted file, then its deleted-file record. Idempotent; clients may race. Returns the
    /// slices that lost an owner.
    ///
    /// Round trips per 64 chunks: one read, and one read and one commit of a transaction.
    ///
    /// # Errors
    /// `Corrupt` when the node still exists; what the engine answers.
    pub(crate) async fn drop_file_data(&self, ino: Ino, length: u64) -> Result<Vec<(SliceId, u32)>> {
        let doomed = self.first_chunks(ino, length).await?;
        self.drop_from(doomed, length).await
    }

    /// Drops these chunks of a file, and those behind them.
    async fn drop_from(&self, mut doomed: Doomed, length: u64) -> Result<Vec<(SliceId, u32)>> {
        let mut slices = Vec::new();
        loop {
            let (ino, last) = (doomed.ino, doomed.ends.is_some());
            slices.extend(self.drop_doomed(Arc::new(vec![doomed])).await?);
            if last {
                return Ok(slices);
            }
            doomed = self.first_chunks(ino, length).await?;
        }
    }

    /// The first chunks of a file that still has some.
    async fn first_chunks(&self, ino: Ino, length: u64) -> Result<Doomed> {
        let page = self
            .engine
            .scan(&Scan::DeletedChunks(ino, length), None, CHUNK_BATCH)
            .await?;
        Ok(Doomed {
            ino,
            chunks: page.items.into_iter().map(|(key, _)| key).collect(),
            ends: (!page.more).then_some(length),
        })
    }

    /// Drops slice lists that belong to no file. Idempotent; returns the slices that lost an owner. One transaction.
    ///
    /// # Errors
    /// `Corrupt` when there is such a file, or for a damaged list; what the engine answers.
    pub(crate) async fn drop_chunks_without_file(
        &self,
        ino: Ino,
        chunks: Vec<Key>,
    ) -> Result<Vec<(SliceId, u32)>> {
        let ends = None;
        self.drop_doomed(Arc::new(vec![Doomed { ino, chunks, ends }]))
            .await
    }

    async fn drop_doomed(&self, doomed: Arc<Vec<Doomed>>) -> Result<Vec<(SliceId, u32)>> {
        self.transact(Verb::removal("delete chunks"), move |meta, txn| {
            let doomed = Arc::clone(&doomed);
            Box::pin(async move { drop_chunks(meta, txn, &doomed).await })
        })
        .await
    }

    /// Turns a file that a session held open after its last link was removed into a deleted one. Returns its length,
    /// or `None` when there is nothing to remove.
    ///
    /// # Errors
    /// What the engine answers.
    pub(crate) async fn end_sustained(&self, session: SessionId, ino: Ino) -> Result<Option<u64>> {
        let length = self
            .transact(Verb::removal("delete sustained"), move |meta, txn| {
                Box::pin(async move {
                    let keys = [Key::Node(ino), Key::Sustained(session, ino)];
                    let attr = txn.get_locked(&keys).await?.node()?;
                    txn.delete(Key::Sustained(session, ino));
                    meta.log(txn, || format!("DELSUSTAINED({session},{ino})"));
                    let Some(attr) = attr.filter(|attr| attr.nlink == 0) else {
                        return Ok(None);
                    };
                    txn.delete(Key::Node(ino));
                    // Those set while it had no name any more.
                    txn.delete_attachments(ino);
                    let deleted = Record::DeletedFile(meta.now().seconds);
                    txn.put(Key::DeletedFile(ino, attr.length), deleted);
                    meta.account_node(txn, attr.uid, attr.gid, -attr.used_space(), -1);
                    Ok(Some(attr.length))
                })
            })
            .await?;
        self.open_files.note_ended(ino);
        Ok(length)
    }
}

async fn drop_chunks(meta: &Meta, txn: &mut dyn Txn, files: &[Doomed]) -> Result<Vec<(SliceId, u32)>> {
    let keys: Vec<Key> = files
        .iter()
        .flat_map(|file| std::iter::once(Key::Node(file.ino)).chain(file.chunks.iter().cloned()))
        .collect();
    let mut found = txn.get_locked(&keys).await?;
    let mut owners: BTreeMap<(SliceId, u32), i64> = BTreeMap::new();
    for file in files {
        let ino = file.ino;
        if found.node()?.is_some() {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("inode {ino} is recorded as deleted but still exists"),
            )
            .with_advice("Run `moorage fsck`."));
        }
        for key in &file.chunks {
            let Some(records) = found.chunk()? else { continue };
            for slice in records.iter().filter(|slice| slice.id != SliceId::HOLE) {
                *owners.entry((slice.id, slice.size)).or_default() -= 1;
            }
            txn.delete(key.clone());
            if let Key::Chunk(_, chunk) = key {
                meta.log(txn, || format!("DELCHUNK({ino},{chunk})"));
            }
        }
        if let Some(length) = file.ends {
            txn.delete(Key::DeletedFile(ino, length));
        }
    }
    for ((id, size), lost) in &owners {
        txn.add_owners(*id, *size, *lost);
    }
    Ok(owners.into_keys().collect())
}
