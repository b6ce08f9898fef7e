//! Adding up a directory tree.

use moorage_model::{Attr, DirStat, Error, ErrorKind, Ino, NodeType, Result, align4k};

use super::Usage;
use crate::accounting::entry_stat;
use crate::admin::{InodeSet, below_itself, read_entries, readable};
use crate::{Key, Meta, Read, TxnExt as _};

/// Directories whose statistics are read at once.
const STATISTICS_BATCH: usize = 100;

/// Where the numbers of a tree come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// The statistics of its directories, with the drift they may have; the listing where there are none.
    #[default]
    Statistics,
    /// The attributes of every node.
    Entries,
}

/// Directories without statistics that one walk notes to be counted anew.
const MAX_UNCOUNTED: usize = 1000;

/// What a directory and everything below it count in a directory quota above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SubtreeUsage {
    pub(crate) directory: Ino,
    /// Bytes.
    pub(crate) space: i64,
    pub(crate) inodes: i64,
}

impl Meta {
    /// Adds up a directory and everything below it, hard links once per entry.
    ///
    /// Round trips: one per 1000 entries and directory, one per 100 directories for statistics. Memory: 8 bytes per
    /// directory that is found and not visited yet, and a bit per directory.
    ///
    /// # Errors
    /// What the engine answers.
    pub(crate) async fn subtree_usage(
        &self,
        reader: &(impl Read + ?Sized),
        directory: Ino,
        counting: Counting,
    ) -> Result<SubtreeUsage> {
        let below = self
            .walk(reader, directory, counting)
            .await?
            .all_readable(directory)?;
        Ok(SubtreeUsage {
            directory,
            space: below.space.saturating_add(align4k(0)),
            inodes: below.inodes.saturating_add(1),
        })
    }

    /// As [`Meta::subtree_usage`] without the directory itself: what its own quota counts. Directories that should have
    /// statistics and have none are counted anew for the next time (spec 70-semantics section 8).
    ///
    /// # Errors
    /// `Corrupt` when something could not be read; what the engine answers.
    pub(super) async fn usage_below(&self, directory: Ino, counting: Counting) -> Result<Usage> {
        self.usage_of_readable(directory, counting)
            .await?
            .all_readable(directory)
    }

    /// As [`Meta::usage_below`], of what can be read.
    pub(super) async fn usage_of_readable(&self, directory: Ino, counting: Counting) -> Result<Walked> {
        let mut walked = self.walk(self.engine.as_ref(), directory, counting).await?;
        if !self.options.read_only {
            for directory in std::mem::take(&mut walked.uncounted) {
                readable(self.recount_directory(directory).await)?;
            }
        }
        Ok(walked)
    }

    async fn walk(
        &self,
        reader: &(impl Read + ?Sized),
        directory: Ino,
        counting: Counting,
    ) -> Result<Walked> {
        let by_statistics = counting == Counting::Statistics && self.setting.read().dir_stats;
        let mut walked = Walked::default();
        let mut pending = vec![directory];
        let mut seen = InodeSet::default();
        while !pending.is_empty() {
            let batch = pending.split_off(pending.len().saturating_sub(STATISTICS_BATCH));
            let mut known = if by_statistics {
                let keys: Vec<Key> = batch.iter().map(|ino| Key::DirStat(*ino)).collect();
                // A damaged one leaves those beside it to be listed too.
                readable(reader.get(&keys).await)?
            } else {
                None
            };
            for current in batch {
                if !seen.insert(current) {
                    return Err(below_itself(current));
                }
                let stat = match &mut known {
                    Some(records) => records.dir_stat()?.filter(is_plausible),
                    None => None,
                };
                let (listed, unreadable) = list(reader, current, stat.is_none(), &mut pending).await?;
                walked.unreadable += unreadable;
                if by_statistics && stat.is_none() && walked.uncounted.len() < MAX_UNCOUNTED {
                    walked.uncounted.push(current);
                }
                let stat = stat.unwrap_or(listed);
                walked.usage.add(stat.space, stat.inodes);
            }
        }
        Ok(walked)
    }
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) usage: Usage,
    /// Entries that could not be read, or whose attributes could not.
    pub(super) unreadable: u64,
    /// Directories that should have statistics and have none, as far as they are remembered.
    uncounted: Vec<Ino>,
}

impl Walked {
    fn all_readable(self, directory: Ino) -> Result<Usage> {
        if self.unreadable == 0 {
            return Ok(self.usage);
        }
        Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "directory {directory} can not be added up: {} entries in it can not be read",
                self.unreadable
            ),
        )
        .with_advice("`moorage fsck` names them."))
    }
}

/// Whether statistics can be used: numbers below zero are left by clients that died (spec 70-semantics section 1).
fn is_plausible(stat: &DirStat) -> bool {
    stat.length >= 0 && stat.space >= 0 && stat.inodes >= 0
}

/// Lists a directory: notes its sub-directories and adds up its entries, whose sizes are right only `with_sizes`.
/// Answers with the number of those that can not be read, too.
async fn list(
    reader: &(impl Read + ?Sized),
    directory: Ino,
    with_sizes: bool,
    subdirectories: &mut Vec<Ino>,
) -> Result<(DirStat, u64)> {
    let mut sum = DirStat::default();
    let mut unreadable = 0;
    let mut after = None;
    loop {
        let page = read_entries(reader, directory, after.as_ref(), with_sizes).await?;
        unreadable += page.damaged.len() as u64;
        for item in &page.items {
            unreadable += u64::from(item.damaged);
            sum += entry_of(item.attr.as_ref());
            if item.entry.kind == NodeType::Directory {
                subdirectories.push(item.entry.ino);
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok((sum, unreadable));
        }
    }
}

/// What an entry counts; one whose node is missing like an empty file.
fn entry_of(attr: Option<&Attr>) -> DirStat {
    attr.map_or(
        DirStat {
            length: 0,
            space: align4k(0),
            inodes: 1,
        },
        entry_stat,
    )
}
