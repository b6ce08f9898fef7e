//! What a tree holds (the commands `info` and `summary`).

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use moorage_model::{Attr, Ino, Name, NodeType, Result, align4k};

use super::entries::read_entries;
use super::progress::Progress;
use super::tree_walk::{TreeVisitor, walk};
use crate::{DamagedRecord, DirectoryEntry, Meta};

/// Deepest level that a summary shows.
pub const MAX_SUMMARY_DEPTH: u8 = 10;
/// Most entries that a summary shows of one directory.
pub const MAX_SUMMARY_ENTRIES: usize = 100;

/// What a tree counts; hard links once per entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeUsage {
    /// Nodes that are no directory.
    pub files: u64,
    /// Directories, the top of the tree included.
    pub directories: u64,
    /// Sum of the lengths of regular files, bytes.
    pub length: u64,
    /// Bytes as usage and quotas count them: lengths rounded up to 4096, and 4096 for everything else.
    pub space: u64,
    /// Entries that can not be read, and are missing from the other numbers, or whose attributes can not be read, and
    /// that count as empty.
    pub unreadable: u64,
}

impl TreeUsage {
    /// What one node counts.
    pub fn of(attr: &Attr) -> TreeUsage {
        let directory = u64::from(attr.is_directory());
        TreeUsage {
            files: 1 - directory,
            directories: directory,
            length: if attr.is_file() { attr.length } else { 0 },
            space: attr.used_space().unsigned_abs(),
            unreadable: 0,
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: TreeUsage) -> TreeUsage {
        TreeUsage {
            files: self.files + other.files,
            directories: self.directories + other.directories,
            length: self.length.saturating_add(other.length),
            space: self.space.saturating_add(other.space),
            unreadable: self.unreadable + other.unreadable,
        }
    }
}

/// A node of a summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryNode {
    /// Its inode; [`Ino::NONE`] for what `...` stands for.
    pub ino: Ino,
    /// Its name; for the top whatever the caller called it. `...` stands for the entries that are not shown.
    pub name: Vec<u8>,
    /// Its kind; what `...` stands for is shown as a file.
    pub kind: NodeType,
    /// What it and everything below it counts.
    pub usage: TreeUsage,
    /// The largest of its entries, largest first, and last what the others sum up to.
    pub children: Vec<SummaryNode>,
}

/// How much of a tree a summary shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SummaryOptions {
    /// Levels below the top, at most [`MAX_SUMMARY_DEPTH`].
    pub depth: u8,
    /// Entries per directory, at most [`MAX_SUMMARY_ENTRIES`].
    pub entries: usize,
    /// Directories read at once.
    pub concurrency: usize,
}

impl Default for SummaryOptions {
    fn default() -> Self {
        SummaryOptions {
            depth: 2,
            entries: 10,
            concurrency: 10,
        }
    }
}

#[derive(Debug, Default)]
struct Sums {
    files: AtomicU64,
    directories: AtomicU64,
    length: AtomicU64,
    space: AtomicU64,
    unreadable: AtomicU64,
}

impl Sums {
    fn add(&self, usage: TreeUsage) {
        self.files.fetch_add(usage.files, Ordering::Relaxed);
        self.directories.fetch_add(usage.directories, Ordering::Relaxed);
        self.length.fetch_add(usage.length, Ordering::Relaxed);
        self.space.fetch_add(usage.space, Ordering::Relaxed);
        self.unreadable.fetch_add(usage.unreadable, Ordering::Relaxed);
    }
}

struct Adder<'p> {
    sums: Sums,
    progress: &'p Progress,
}

#[async_trait]
impl TreeVisitor for Adder<'_> {
    type Place = Ino;

    fn directory(&self, place: &Ino) -> Ino {
        *place
    }

    fn damaged(&self, _: &Ino, entries: Vec<DamagedRecord>) -> Result<()> {
        self.sums
            .unreadable
            .fetch_add(entries.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    async fn page(&self, _: &Ino, entries: Vec<DirectoryEntry>) -> Result<Vec<Ino>> {
        let mut directories = Vec::new();
        let mut usage = TreeUsage::default();
        for item in &entries {
            usage = usage.plus(entry_usage(item));
            if item.entry.kind == NodeType::Directory {
                directories.push(item.entry.ino);
            }
        }
        self.sums.add(usage);
        self.progress.add(entries.len() as u64, usage.space);
        Ok(directories)
    }

    async fn leave(&self, _: Ino) -> Result<()> {
        Ok(())
    }
}

/// What an entry counts; one without a node counts as an empty one of its kind.
fn entry_usage(item: &DirectoryEntry) -> TreeUsage {
    match &item.attr {
        Some(attr) => TreeUsage::of(attr),
        None => {
            let directory = u64::from(item.entry.kind == NodeType::Directory);
            TreeUsage {
                files: 1 - directory,
                directories: directory,
                length: 0,
                space: align4k(0).unsigned_abs(),
                unreadable: u64::from(item.damaged),
            }
        }
    }
}

impl Meta {
    /// Adds up a node and, when it is a directory, everything below it, from the entries themselves, so also where
    /// the directory statistics have drifted. Hard links count once per entry.
    ///
    /// Round trips: one per directory and 1000 entries, several at once.
    ///
    /// # Errors
    /// `NotFound`; `Interrupted` when cancelled; what the engine answers.
    pub async fn tree_usage(&self, ino: Ino, concurrency: usize, progress: &Progress) -> Result<TreeUsage> {
        let attr = self.getattr(ino).await?;
        let own = TreeUsage::of(&attr);
        if !attr.is_directory() {
            return Ok(own);
        }
        Ok(own.plus(self.usage_of_entries(ino, concurrency, progress).await?))
    }

    /// Adds up everything below a directory, whose own attributes need not be readable.
    async fn usage_of_entries(
        &self,
        directory: Ino,
        concurrency: usize,
        progress: &Progress,
    ) -> Result<TreeUsage> {
        let adder = Adder {
            sums: Sums::default(),
            progress,
        };
        walk(self, &adder, directory, concurrency, progress).await?;
        Ok(TreeUsage {
            files: adder.sums.files.into_inner(),
            directories: adder.sums.directories.into_inner(),
            length: adder.sums.length.into_inner(),
            space: adder.sums.space.into_inner(),
            unreadable: adder.sums.unreadable.into_inner(),
        })
    }

    /// The upper levels of a tree with what each part of it counts, the largest first.
    ///
    /// Memory: the nodes shown and one page of a directory per level.
    ///
    /// # Errors
    /// See [`Meta::tree_usage`].
    pub async fn summary(
        &self,
        ino: Ino,
        name: &[u8],
        options: SummaryOptions,
        progress: &Progress,
    ) -> Result<SummaryNode> {
        let attr = self.getattr(ino).await?;
        let options = SummaryOptions {
            depth: options.depth.min(MAX_SUMMARY_DEPTH),
            entries: options.entries.min(MAX_SUMMARY_ENTRIES),
            ..options
        };
        self.summarize(
            ino,
            name.to_vec(),
            TreeUsage::of(&attr),
            attr.kind,
            options,
            progress,
        )
        .await
    }

    fn summarize<'m>(
        &'m self,
        ino: Ino,
        name: Vec<u8>,
        own: TreeUsage,
        kind: NodeType,
        options: SummaryOptions,
        progress: &'m Progress,
    ) -> BoxFuture<'m, Result<SummaryNode>> {
        Box::pin(async move {
            let mut node = SummaryNode {
                ino,
                name,
                kind,
                usage: own,
                children: Vec::new(),
            };
            if kind != NodeType::Directory {
                return Ok(node);
            }
            if options.depth == 0 {
                let below = self.usage_of_entries(ino, options.concurrency, progress).await?;
                node.usage = own.plus(below);
                return Ok(node);
            }
            let below = SummaryOptions {
                depth: options.depth - 1,
                ..options
            };
            let mut hidden = TreeUsage::default();
            let mut after: Option<Name> = None;
            loop {
                progress.check()?;
                let page = read_entries(self.engine.as_ref(), ino, after.as_ref(), true).await?;
                after = page.next;
                node.usage.unreadable += page.damaged.len() as u64;
                progress.add(page.items.len() as u64, 0);
                for item in page.items {
                    let usage = entry_usage(&item);
                    let name = item.name.as_bytes().to_vec();
                    let child = self
                        .summarize(item.entry.ino, name, usage, item.entry.kind, below, progress)
                        .await?;
                    node.usage = node.usage.plus(child.usage);
                    node.children.push(child);
                }
                hidden = hidden.plus(keep_largest(&mut node.children, options.entries));
                if after.is_none() {
                    break;
                }
            }
            if hidden != TreeUsage::default() {
                node.children.push(SummaryNode {
                    ino: Ino::NONE,
                    name: b"...".to_vec(),
                    kind: NodeType::File,
                    usage: hidden,
                    children: Vec::new(),
                });
            }
            Ok(node)
        })
    }
}

/// Sorts the largest to the front, drops those beyond `limit` and returns what they counted.
fn keep_largest(children: &mut Vec<SummaryNode>, limit: usize) -> TreeUsage {
    children.sort_by(|a, b| {
        b.usage
            .space
            .cmp(&a.usage.space)
            .then_with(|| a.name.cmp(&b.name))
    });
    let dropped = children.split_off(limit.min(children.len()));
    dropped
        .into_iter()
        .fold(TreeUsage::default(), |sum, child| sum.plus(child.usage))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, space: u64) -> SummaryNode {
        SummaryNode {
            ino: Ino(7),
            name: name.as_bytes().to_vec(),
            kind: NodeType::File,
            usage: TreeUsage {
                files: 1,
                space,
                ..TreeUsage::default()
            },
            children: Vec::new(),
        }
    }

    #[test]
    fn the_largest_entries_stay_and_the_others_are_summed_up() {
        let mut children = vec![node("a", 4096), node("b", 12288), node("c", 8192)];
        let hidden = keep_largest(&mut children, 2);
        let names: Vec<_> = children.iter().map(|child| child.name.as_slice()).collect();
        assert_eq!(names, [b"b", b"c"]);
        assert_eq!((hidden.files, hidden.space), (1, 4096));
    }
}
