//! The copy of single nodes inside the transaction of a clone.

use std::collections::BTreeMap;

use moorage_model::{
    Attr, ChunkIndex, DirStat, Entry, ErrorKind, Ino, Name, NodeType, Result, Slice, SliceId,
};

use super::clone_tree::CloneOptions;
use crate::accounting::entry_stat;
use crate::changelog::escape;
use crate::{Context, Key, Meta, Record, Scan, Txn};

/// Chunks locked per round trip.
const CHUNK_BATCH: usize = 1000;

/// What the nodes of one transaction have in common.
pub(super) struct CopyJob<'a> {
    pub(super) context: &'a Context,
    /// Directory of the copies.
    pub(super) parent: Ino,
    pub(super) options: CloneOptions,
    /// The copy is what was asked for, not something below it.
    pub(super) top: bool,
}

/// Copies of nodes for one directory that nobody else sees: its link count grows by the sub-directories. Returns
/// source, copy and attributes of each that was made; sources that are gone are left out.
pub(super) async fn copy_below(
    meta: &Meta,
    txn: &mut dyn Txn,
    job: &CopyJob<'_>,
    wanted: &[(Name, Ino, Ino)],
) -> Result<Vec<(Ino, Ino, Attr)>> {
    let mut directory = txn.lock_node(job.parent).await?.ok_or(ErrorKind::NotFound)?;
    let keys: Vec<Key> = wanted.iter().map(|(_, source, _)| Key::Node(*source)).collect();
    let mut nodes = txn.get_locked(&keys).await?;
    let mut present = Vec::with_capacity(wanted.len());
    for entry in wanted {
        if nodes.node()?.is_some() {
            present.push(entry.clone());
        }
    }
    let made = copy_entries(meta, txn, job, &present).await?;
    let directories = made.iter().filter(|attr| attr.is_directory()).count();
    if directories > 0 {
        let links = directory
            .nlink
            .saturating_add(u32::try_from(directories).unwrap_or(u32::MAX));
        directory.nlink = links;
        txn.put(Key::Node(job.parent), Record::Node(directory));
    }
    Ok(present
        .into_iter()
        .zip(made)
        .map(|((_, source, copy), attr)| (source, copy, attr))
        .collect())
}

/// Copies nodes with their entries, data references and attributes; counts them. Returns the attributes of the copies.
pub(super) async fn copy_entries(
    meta: &Meta,
    txn: &mut dyn Txn,
    job: &CopyJob<'_>,
    entries: &[(Name, Ino, Ino)],
) -> Result<Vec<Attr>> {
    let keys: Vec<Key> = entries.iter().map(|(_, source, _)| Key::Node(*source)).collect();
    let mut nodes = txn.get_locked(&keys).await?;
    let mut made = Vec::with_capacity(entries.len());
    let mut total = DirStat::default();
    for (_, source, _) in entries {
        let attr = nodes.node()?.ok_or(ErrorKind::NotFound)?;
        let mut copied = new_attributes(meta, txn, job.context, attr, job.parent, job.options).await?;
        copied.nlink = if copied.is_directory() { 2 } else { 1 };
        total += entry_stat(&copied);
        made.push((*source, copied));
    }
    if let Some((_, first)) = made.first() {
        meta.check_growth(txn, first.uid, first.gid, job.parent, total.space, total.inodes)
            .await?;
    }
    let mut owners = BTreeMap::new();
    for ((name, source, copy), (_, attr)) in entries.iter().zip(&made) {
        let entry = Entry {
            kind: attr.kind,
            ino: *copy,
        };
        txn.insert(Key::Edge(job.parent, name.clone()), Record::Edge(entry));
        txn.insert(Key::Node(*copy), Record::Node(attr.clone()));
        copy_attachments(meta, txn, *source, *copy, attr, &mut owners).await?;
        meta.account_node(txn, attr.uid, attr.gid, attr.used_space(), 1);
        meta.log(txn, || {
            clone_line(*source, job.parent, name, *copy, job.options, job.top)
        });
    }
    for ((id, size), added) in owners {
        txn.add_owners(id, size, added);
    }
    meta.account_entry(txn, job.parent, total).await?;
    Ok(made.into_iter().map(|(_, attr)| attr).collect())
}

async fn copy_attachments(
    meta: &Meta,
    txn: &mut dyn Txn,
    source: Ino,
    copy: Ino,
    attr: &Attr,
    owners: &mut BTreeMap<(SliceId, u32), i64>,
) -> Result<()> {
    copy_xattrs(txn, source, copy).await?;
    match attr.kind {
        NodeType::File if attr.length > 0 => copy_chunks(txn, source, copy, owners).await,
        NodeType::Symlink => {
            if let Some(target) = txn.get_locked(&[Key::Symlink(source)]).await?.symlink()? {
                txn.insert(Key::Symlink(copy), Record::Symlink(target));
            }
            Ok(())
        }
        NodeType::Directory => {
            if meta.setting().dir_stats {
                txn.insert(Key::DirStat(copy), Record::DirStat(DirStat::default()));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Attributes of a copy, with the links of its source.
///
/// # Errors
/// What reading or storing the access ACL answers, which follows the mode.
pub(super) async fn new_attributes(
    meta: &Meta,
    txn: &mut dyn Txn,
    context: &Context,
    mut attr: Attr,
    parent: Ino,
    options: CloneOptions,
) -> Result<Attr> {
    attr.parent = parent;
    if !options.preserve {
        let now = meta.now();
        attr.uid = context.uid;
        attr.gid = context.gid;
        let mode = attr.mode & !options.umask;
        attr.access_acl = meta.acl_after_chmod(txn, &attr, mode).await?;
        attr.mode = mode;
        (attr.atime, attr.mtime, attr.ctime) = (now, now, now);
    }
    Ok(attr)
}

pub(super) async fn copy_xattrs(txn: &mut dyn Txn, source: Ino, copy: Ino) -> Result<()> {
    let mut after: Option<Key> = None;
    loop {
        let page = txn
            .scan(&Scan::Xattrs(source), after.as_ref(), CHUNK_BATCH)
            .await?;
        after = page.items.last().map(|(key, _)| key.clone());
        for (key, record) in page.items {
            if let Key::Xattr(_, name) = key {
                txn.insert(Key::Xattr(copy, name), record);
            }
        }
        if !page.more || after.is_none() {
            return Ok(());
        }
    }
}

/// Copies the slice lists, locked so that no compaction takes a slice away before the copy owns it.
async fn copy_chunks(
    txn: &mut dyn Txn,
    source: Ino,
    copy: Ino,
    owners: &mut BTreeMap<(SliceId, u32), i64>,
) -> Result<()> {
    let mut after: Option<Key> = None;
    loop {
        let page = txn
            .scan(&Scan::Chunks(source), after.as_ref(), CHUNK_BATCH)
            .await?;
        after = page.items.last().map(|(key, _)| key.clone());
        let chunks: Vec<ChunkIndex> = page
            .items
            .iter()
            .filter_map(|(key, _)| match key {
                Key::Chunk(_, chunk) => Some(*chunk),
                _ => None,
            })
            .collect();
        let keys: Vec<Key> = chunks.iter().map(|chunk| Key::Chunk(source, *chunk)).collect();
        let mut lists = txn.get_locked(&keys).await?;
        for chunk in chunks {
            let Some(records) = lists.chunk()? else { continue };
            for slice in records.iter().filter(|slice| slice.id != SliceId::HOLE) {
                *owners.entry((slice.id, slice.size)).or_default() += 1;
            }
            put_chunk(txn, copy, chunk, records);
        }
        if !page.more || after.is_none() {
            return Ok(());
        }
    }
}

fn put_chunk(txn: &mut dyn Txn, copy: Ino, chunk: ChunkIndex, records: Vec<Slice>) {
    if !records.is_empty() {
        txn.insert(Key::Chunk(copy, chunk), Record::Chunk(records));
    }
}

pub(super) fn clone_line(
    source: Ino,
    parent: Ino,
    name: &Name,
    copy: Ino,
    options: CloneOptions,
    top: bool,
) -> String {
    format!(
        "CLONE({source},{parent},{},{copy},{},{},{top}):{copy}",
        escape(name.as_bytes()),
        options.mode_bits(),
        options.umask
    )
}
