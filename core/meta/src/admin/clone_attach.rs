//! Where a copy meets the tree that everybody sees: its entry, or its removal when it never gets one.

use moorage_model::{Attr, Entry, Error, ErrorKind, Flags, Ino, Name, NodeType, Result};

use super::clone_node::{CopyJob, copy_entries};
use super::progress::Progress;
use crate::accounting::entry_stat;
use crate::changelog::escape;
use crate::permission::{living_directory, refuse_flags};
use crate::{Context, Key, Meta, Record, Txn, Verb};

impl Meta {
    /// Removes the tree of a clone that was not attached, its record last.
    pub(super) async fn remove_detached(&self, root: Ino, progress: &Progress) -> Result<()> {
        let name = Name::new(b"detached")?;
        self.empty_directory(root, &name, 1, progress).await?;
        self.transact(Verb::removal("remove detached"), move |meta, txn| {
            Box::pin(async move {
                let keys = [Key::Node(root), Key::Detached(root)];
                let mut found = txn.get_locked(&keys).await?;
                let attr = found.node()?;
                if found.detached()?.is_none() {
                    return Ok(());
                }
                if let Some(attr) = attr {
                    txn.delete(Key::Node(root));
                    txn.delete(Key::DirStat(root));
                    txn.delete_attachments(root);
                    meta.account_node(txn, attr.uid, attr.gid, -attr.used_space(), -1);
                }
                txn.delete(Key::Detached(root));
                meta.log(txn, || format!("CLEANUP({root})"));
                Ok(())
            })
        })
        .await
    }
}

/// Copies a node that is no directory into a directory that everybody sees.
pub(super) async fn clone_top_node(
    meta: &Meta,
    txn: &mut dyn Txn,
    job: &CopyJob<'_>,
    source: Ino,
    copy: Ino,
    name: &Name,
) -> Result<Attr> {
    let edge = Key::Edge(job.parent, name.clone());
    let mut found = txn.get_locked(&[Key::Node(job.parent), edge]).await?;
    let directory = living_directory(found.node()?)?;
    meta.check_directory_change(&*txn, job.context, &directory)
        .await?;
    refuse_flags(&directory, Flags::IMMUTABLE)?;
    if found.edge()?.is_some() {
        return Err(ErrorKind::Exists.into());
    }
    let made = copy_entries(meta, txn, job, &[(name.clone(), source, copy)]).await?;
    let attr = made.into_iter().next().ok_or(ErrorKind::NotFound)?;
    meta.touch_directory(txn, job.parent, directory, attr.kind);
    Ok(attr)
}

/// Gives the top of a filled copy its name and takes its record away.
pub(super) async fn attach(
    meta: &Meta,
    txn: &mut dyn Txn,
    context: &Context,
    root: Ino,
    parent: Ino,
    name: &Name,
) -> Result<()> {
    let edge = Key::Edge(parent, name.clone());
    let keys = [
        Key::Node(parent),
        edge.clone(),
        Key::Node(root),
        Key::Detached(root),
    ];
    let mut found = txn.get_locked(&keys).await?;
    let directory = living_directory(found.node()?)?;
    meta.check_directory_change(&*txn, context, &directory).await?;
    refuse_flags(&directory, Flags::IMMUTABLE)?;
    if found.edge()?.is_some() {
        return Err(ErrorKind::Exists.into());
    }
    let attr = found.node()?;
    let (Some(attr), Some(_)) = (attr, found.detached()?) else {
        return Err(Error::new(
            ErrorKind::Interrupted,
            format!("the unfinished clone {root} was removed by another client"),
        )
        .with_advice("Clones that take more than a day are taken for abandoned; clone smaller trees."));
    };
    let entry = Entry {
        kind: NodeType::Directory,
        ino: root,
    };
    txn.insert(edge, Record::Edge(entry));
    txn.delete(Key::Detached(root));
    meta.account_entry(txn, parent, entry_stat(&attr)).await?;
    meta.touch_directory(txn, parent, directory, NodeType::Directory);
    meta.log(txn, || {
        format!("ATTACH({root},{parent},{})", escape(name.as_bytes()))
    });
    Ok(())
}
