//! Copies that share their data (the command `clone`; spec 70-semantics section 6).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use moorage_model::{Attr, DirStat, Error, ErrorKind, Flags, Ino, Name, NodeType, Result};

use super::clone_attach::{attach, clone_top_node};
use super::clone_node::{CopyJob, clone_line, copy_below, copy_xattrs, new_attributes};
use super::progress::Progress;
use super::tree_walk::{TreeVisitor, walk};
use crate::permission::{living_directory, refuse_flags};
use crate::{Context, DirectoryEntry, Key, MAY_EXECUTE, MAY_READ, Meta, Record, TxnExt as _};

/// Entries copied by one transaction.
const CLONE_BATCH: usize = 50;
/// Number of the preserve option in changelog lines.
const PRESERVE_BIT: u32 = 2;

/// How a tree is cloned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloneOptions {
    /// Keeps owner, mode and times; otherwise the caller owns the copy, made now.
    pub preserve: bool,
    /// Bits that modes lose unless they are preserved.
    pub umask: u16,
    /// Directories at work at once.
    pub concurrency: usize,
}

impl Default for CloneOptions {
    fn default() -> Self {
        CloneOptions {
            preserve: false,
            umask: 0o022,
            concurrency: 4,
        }
    }
}

impl CloneOptions {
    pub(super) fn mode_bits(self) -> u32 {
        if self.preserve { PRESERVE_BIT } else { 0 }
    }
}

/// A clone that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cloned {
    /// Inode of the copy.
    pub ino: Ino,
    /// Nodes made, the top included.
    pub nodes: u64,
    /// Bytes of usage that the copy counts; its data takes none.
    pub space: u64,
}

/// A directory of the source and its copy.
struct Pair {
    source: Ino,
    copy: Ino,
}

struct Cloner<'m> {
    meta: &'m Meta,
    context: &'m Context,
    options: CloneOptions,
    progress: &'m Progress,
    nodes: AtomicU64,
    space: AtomicU64,
}

impl Meta {
    /// Copies a node, with everything below it when it is a directory, without copying data: the copy shares the
    /// slices of the source. Hard links become files of their own.
    ///
    /// A file is copied in one transaction. A directory is copied detached, where nobody sees it, and attached whole
    /// by a last transaction; a copy that fails is removed, one whose client dies is removed by `gc` a day later. The
    /// copies of files show some state between start and end of the clone. `progress` counts nodes.
    ///
    /// # Errors
    /// `Exists`; `NotFound`; `NotDirectory`; `AccessDenied` for what the caller may not read, or may not change in
    /// `parent`; `NotPermitted` for the trash; `InvalidArgument` for a directory that is to be cloned
    /// into itself or below; `NoSpace` or `QuotaExceeded` when the copy does not fit;
    /// `Interrupted` when cancelled. Nothing is left then but what `gc` finds.
    ///
    /// # Cancel safety
    /// Dropping the future leaves a detached tree that `gc` removes.
    pub async fn clone_tree(
        &self,
        context: &Context,
        source: Ino,
        parent: Ino,
        name: &Name,
        options: CloneOptions,
        progress: &Progress,
    ) -> Result<Cloned> {
        self.check_writable()?;
        if name.is_dots() {
            return Err(ErrorKind::Exists.into());
        }
        if source.is_trash() || parent.is_trash() || (parent == Ino::ROOT && name.as_bytes() == b".trash") {
            return Err(ErrorKind::NotPermitted.into());
        }
        let attr = self.getattr(source).await?;
        let cloner = Cloner {
            meta: self,
            context,
            options,
            progress,
            nodes: AtomicU64::new(0),
            space: AtomicU64::new(0),
        };
        self.check_clone_target(context, parent, name).await?;
        if attr.is_directory()
            && self
                .ancestors(self.engine.as_ref(), parent)
                .await?
                .contains(&source)
        {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "a folder can not be cloned into itself",
            )
            .with_advice("Clone it to a place outside, then move the copy."));
        }
        let ino = if attr.is_directory() {
            self.check_clone_fits(context, &attr, source, parent, options, progress)
                .await?;
            cloner.directory(source, &attr, parent, name).await?
        } else {
            cloner.node(source, &attr, parent, name).await?
        };
        Ok(Cloned {
            ino,
            nodes: cloner.nodes.into_inner(),
            space: cloner.space.into_inner(),
        })
    }

    /// The checks of the attachment, made early so that a hopeless clone copies nothing.
    async fn check_clone_target(&self, context: &Context, parent: Ino, name: &Name) -> Result<()> {
        let keys = [Key::Node(parent), Key::Edge(parent, name.clone())];
        let mut found = self.engine.get(&keys).await?;
        let directory = living_directory(found.node()?)?;
        self.check_directory_change(self.engine.as_ref(), context, &directory)
            .await?;
        refuse_flags(&directory, Flags::IMMUTABLE)?;
        if found.edge()?.is_some() {
            return Err(ErrorKind::Exists.into());
        }
        Ok(())
    }

    /// Whether the limits above the target leave room for the whole tree.
    async fn check_clone_fits(
        &self,
        context: &Context,
        attr: &Attr,
        source: Ino,
        parent: Ino,
        options: CloneOptions,
        progress: &Progress,
    ) -> Result<()> {
        let usage = self
            .tree_usage(source, options.concurrency, &Progress::default())
            .await?;
        progress.expect(usage.files + usage.directories);
        let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let (space, inodes) = (signed(usage.space), signed(usage.files + usage.directories));
        let (uid, gid) = if options.preserve {
            (attr.uid, attr.gid)
        } else {
            (context.uid, context.gid)
        };
        self.transact("check clone", move |meta, txn| {
            Box::pin(async move { meta.check_growth(txn, uid, gid, parent, space, inodes).await })
        })
        .await
    }
}

impl Cloner<'_> {
    fn note(&self, attr: &Attr) {
        self.nodes.fetch_add(1, Ordering::Relaxed);
        let space = attr.used_space().unsigned_abs();
        self.space.fetch_add(space, Ordering::Relaxed);
        self.progress.add(1, space);
    }

    /// Copies a node that is no directory.
    async fn node(&self, source: Ino, attr: &Attr, parent: Ino, name: &Name) -> Result<Ino> {
        if attr.is_file() {
            self.meta.check_access(self.context, attr, MAY_READ).await?;
        }
        let copy = self.meta.allocate_inode().await?;
        let (context, options, name) = (self.context.clone(), self.options, name.clone());
        let shared = Arc::new((context, name));
        let attr = self
            .meta
            .transact("clone", move |meta, txn| {
                let shared = Arc::clone(&shared);
                Box::pin(async move {
                    let (context, name) = &*shared;
                    let job = CopyJob {
                        context,
                        parent,
                        options,
                        top: true,
                    };
                    clone_top_node(meta, txn, &job, source, copy, name).await
                })
            })
            .await?;
        self.note(&attr);
        Ok(copy)
    }

    async fn directory(&self, source: Ino, attr: &Attr, parent: Ino, name: &Name) -> Result<Ino> {
        self.meta
            .check_access(self.context, attr, MAY_READ | MAY_EXECUTE)
            .await?;
        let root = self.make_detached(source, parent, name).await?;
        let pair = Pair { source, copy: root };
        let filled = walk(self.meta, self, pair, self.options.concurrency, self.progress).await;
        let attached = match filled {
            Ok(()) => self.attach(root, parent, name).await,
            Err(error) => Err(error),
        };
        if let Err(error) = attached {
            if let Err(cleanup) = self.meta.remove_detached(root, &Progress::default()).await {
                tracing::warn!(%root, error = %cleanup, "removing an unfinished clone; gc does it after a day");
            }
            return Err(error);
        }
        Ok(root)
    }

    async fn make_detached(&self, source: Ino, parent: Ino, name: &Name) -> Result<Ino> {
        let copy = self.meta.allocate_inode().await?;
        let shared = Arc::new((self.context.clone(), name.clone()));
        let options = self.options;
        let attr = self
            .meta
            .transact("clone", move |meta, txn| {
                let shared = Arc::clone(&shared);
                Box::pin(async move {
                    let (context, name) = &*shared;
                    let attr = txn.lock_node(source).await?.ok_or(ErrorKind::NotFound)?;
                    let mut copied = new_attributes(meta, txn, context, attr, parent, options).await?;
                    copied.nlink = 2;
                    meta.check_growth(txn, copied.uid, copied.gid, parent, copied.used_space(), 1)
                        .await?;
                    copy_xattrs(txn, source, copy).await?;
                    meta.account_node(txn, copied.uid, copied.gid, copied.used_space(), 1);
                    txn.insert(Key::Node(copy), Record::Node(copied.clone()));
                    if meta.setting().dir_stats {
                        txn.insert(Key::DirStat(copy), Record::DirStat(DirStat::default()));
                    }
                    txn.insert(Key::Detached(copy), Record::Detached(meta.now().seconds));
                    meta.log(txn, || clone_line(source, parent, name, copy, options, true));
                    Ok(copied)
                })
            })
            .await?;
        self.note(&attr);
        Ok(copy)
    }

    async fn attach(&self, root: Ino, parent: Ino, name: &Name) -> Result<()> {
        let shared = Arc::new((self.context.clone(), name.clone()));
        self.meta
            .transact("attach clone", move |meta, txn| {
                let shared = Arc::clone(&shared);
                Box::pin(async move {
                    let (context, name) = &*shared;
                    attach(meta, txn, context, root, parent, name).await
                })
            })
            .await
    }
}

#[async_trait]
impl TreeVisitor for Cloner<'_> {
    type Place = Pair;

    fn directory(&self, place: &Pair) -> Ino {
        place.source
    }

    async fn page(&self, place: &Pair, entries: Vec<DirectoryEntry>) -> Result<Vec<Pair>> {
        let entries = DirectoryEntry::all_readable(entries)?;
        let mut below = Vec::new();
        let mut wanted = Vec::with_capacity(entries.len());
        for item in entries {
            // Entries that lost their node have nothing to copy.
            let Some(attr) = &item.attr else { continue };
            let need = match attr.kind {
                NodeType::Directory => MAY_READ | MAY_EXECUTE,
                NodeType::File => MAY_READ,
                _ => 0,
            };
            self.meta.check_access(self.context, attr, need).await?;
            let copy = self.meta.allocate_inode().await?;
            wanted.push((item.name, item.entry.ino, copy));
        }
        for batch in wanted.chunks(CLONE_BATCH) {
            self.progress.check()?;
            let shared = Arc::new((self.context.clone(), batch.to_vec()));
            let (parent, options) = (place.copy, self.options);
            let made = self
                .meta
                .transact("clone", move |meta, txn| {
                    let shared = Arc::clone(&shared);
                    Box::pin(async move {
                        let job = CopyJob {
                            context: &shared.0,
                            parent,
                            options,
                            top: false,
                        };
                        copy_below(meta, txn, &job, &shared.1).await
                    })
                })
                .await?;
            for (source, copy, attr) in made {
                self.note(&attr);
                if attr.is_directory() {
                    below.push(Pair { source, copy });
                }
            }
        }
        Ok(below)
    }

    async fn leave(&self, _: Pair) -> Result<()> {
        Ok(())
    }
}
