//! Dropping the chunks of deleted files.

use std::collections::BTreeMap;
use std::sync::Arc;

use moorage_model::{Error, ErrorKind, Ino, Result, SessionId, SliceId};

use crate::{Key, Meta, Record, Scan, Txn};

/// Chunks dropped per transaction.
const CHUNK_BATCH: usize = 64;

impl Meta {
    /// Drops the chunks of a deleted file, then its deleted-file record. Idempotent; clients may race. Returns the
    /// slices that lost an owner.
    ///
    /// Round trips per 64 chunks: one read, and one read and one commit of a transaction.
    ///
    /// # Errors
    /// `Corrupt` when the node still exists; what the engine answers.
    pub(crate) async fn drop_file_data(&self, ino: Ino, length: u64) -> Result<Vec<(SliceId, u32)>> {
        let mut slices = Vec::new();
        loop {
            let page = self.engine.scan(&Scan::Chunks(ino), None, CHUNK_BATCH).await?;
            let last = !page.more;
            let keys: Vec<Key> = page.items.into_iter().map(|(key, _)| key).collect();
            let keys = Arc::new(keys);
            let dropped = self
                .transact("delete chunks", move |meta, txn| {
                    let keys = Arc::clone(&keys);
                    Box::pin(async move {
                        let dropped = drop_chunks(meta, txn, ino, &keys).await?;
                        if last {
                            txn.delete(Key::DeletedFile(ino, length));
                        }
                        Ok(dropped)
                    })
                })
                .await?;
            slices.extend(dropped);
            if last {
                return Ok(slices);
            }
        }
    }

    /// Turns a file that a session held open after its last link was removed into a deleted one. Returns its length,
    /// or `None` when there is nothing to remove.
    ///
    /// # Errors
    /// What the engine answers.
    pub(crate) async fn end_sustained(&self, session: SessionId, ino: Ino) -> Result<Option<u64>> {
        self.transact("delete sustained", move |meta, txn| {
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
        .await
    }
}

async fn drop_chunks(
    meta: &Meta,
    txn: &mut dyn Txn,
    ino: Ino,
    chunks: &[Key],
) -> Result<Vec<(SliceId, u32)>> {
    let mut keys = vec![Key::Node(ino)];
    keys.extend_from_slice(chunks);
    let mut found = txn.get_locked(&keys).await?;
    if found.node()?.is_some() {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!("inode {ino} is recorded as deleted but still exists"),
        )
        .with_advice("Run `moorage fsck`."));
    }
    let mut owners: BTreeMap<(SliceId, u32), i64> = BTreeMap::new();
    for key in chunks {
        let Some(records) = found.chunk()? else { continue };
        for slice in records.iter().filter(|slice| slice.id != SliceId::HOLE) {
            *owners.entry((slice.id, slice.size)).or_default() -= 1;
        }
        txn.delete(key.clone());
        if let Key::Chunk(_, chunk) = key {
            meta.log(txn, || format!("DELCHUNK({ino},{chunk})"));
        }
    }
    for ((id, size), lost) in &owners {
        txn.add_owners(*id, *size, *lost);
    }
    Ok(owners.into_keys().collect())
}
