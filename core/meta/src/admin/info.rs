//! Everything known of one node (the command `info`).

use moorage_model::{Attr, ChunkIndex, Ino, Result, Slice};

use super::entries::read_entries;
use super::pages::Pages;
use super::progress::Progress;
use super::summary::TreeUsage;
use crate::{Key, Meta, Record, Scan};

/// Slice records that the answer holds at most.
pub const MAX_INFO_SLICES: usize = 100_000;

/// Which parts of the answer are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfoOptions {
    /// Adds up everything below a directory, else only its own entries.
    pub recursive: bool,
    /// Directories read at once.
    pub concurrency: usize,
}

impl Default for InfoOptions {
    fn default() -> Self {
        InfoOptions {
            recursive: false,
            concurrency: 10,
        }
    }
}

/// What is known of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeInfo {
    /// Its inode.
    pub ino: Ino,
    /// Its attributes.
    pub attr: Attr,
    /// All paths that lead to it, at most 1000.
    pub paths: Vec<Vec<u8>>,
    /// Paths that were left out because they lead through more than [`MAX_PATH_DEPTH`](crate::MAX_PATH_DEPTH)
    /// directories.
    pub deeper_paths: usize,
    /// What it counts, with its entries or with everything below it.
    pub usage: TreeUsage,
    /// Slice lists of a regular file as stored, oldest record first.
    pub chunks: Vec<(ChunkIndex, Vec<Slice>)>,
    /// More records exist than [`MAX_INFO_SLICES`]; the rest is left out.
    pub truncated: bool,
}

impl Meta {
    /// Attributes, paths, usage and slice records of a node.
    ///
    /// Memory: bounded by [`MAX_INFO_SLICES`] records of 24 bytes and 1000 paths.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` naming a damaged record; what the engine answers.
    pub async fn info(&self, ino: Ino, options: InfoOptions, progress: &Progress) -> Result<NodeInfo> {
        let attr = self.getattr(ino).await?;
        let paths = self.build_paths(ino).await?;
        let usage = match (attr.is_directory(), options.recursive) {
            (true, true) => self.tree_usage(ino, options.concurrency, progress).await?,
            (true, false) => TreeUsage::of(&attr).plus(self.children_usage(ino).await?),
            (false, _) => TreeUsage::of(&attr),
        };
        let mut info = NodeInfo {
            ino,
            attr,
            paths: paths.built,
            deeper_paths: paths.too_deep,
            usage,
            chunks: Vec::new(),
            truncated: false,
        };
        if info.attr.is_file() {
            self.read_all_slices(&mut info).await?;
        }
        Ok(info)
    }

    async fn children_usage(&self, directory: Ino) -> Result<TreeUsage> {
        let mut usage = TreeUsage::default();
        let mut after = None;
        loop {
            let page = read_entries(self.engine.as_ref(), directory, after.as_ref(), true).await?;
            usage.unreadable += page.damaged.len() as u64;
            for item in &page.items {
                usage.unreadable += u64::from(item.damaged);
                if let Some(attr) = &item.attr {
                    usage = usage.plus(TreeUsage::of(attr));
                }
            }
            if page.next.is_none() {
                return Ok(usage);
            }
            after = page.next;
        }
    }

    async fn read_all_slices(&self, info: &mut NodeInfo) -> Result<()> {
        let mut left = MAX_INFO_SLICES;
        let mut pages = Pages::new(Scan::Chunks(info.ino));
        while let Some(items) = pages.next(self).await? {
            for (key, record) in items {
                let (Key::Chunk(_, index), Record::Chunk(mut slices)) = (key, record) else {
                    continue;
                };
                if slices.len() > left {
                    slices.truncate(left);
                    info.truncated = true;
                }
                left -= slices.len();
                info.chunks.push((index, slices));
                if info.truncated {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
