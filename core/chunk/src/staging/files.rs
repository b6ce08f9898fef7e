//! Which files have blocks that only this machine has.

use std::collections::{HashMap, HashSet};
use std::fs::{self, ReadDir};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use moorage_model::{Ino, Result, SliceId};

use super::name::StagedName;
use super::outside::{Order, each_folder};

/// Acknowledged blocks that the object store does not have yet, by the slices and files that they belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StagedFiles {
    /// Slices with staged blocks.
    pub slices: HashMap<SliceId, StagedSlice>,
    /// Number of blocks.
    pub blocks: u64,
    /// When the oldest was staged.
    pub oldest: Option<SystemTime>,
}

/// The staged blocks of one slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StagedSlice {
    /// The file that it was written to, where that is known.
    pub owner: Option<Ino>,
    /// Bytes of its staged blocks, before compression.
    pub bytes: u64,
}

impl StagedFiles {
    /// Number of files. A slice of which the file is not known counts as one.
    pub fn files(&self) -> u64 {
        let unowned = self.slices.values().filter(|slice| slice.owner.is_none()).count();
        (self.owners().len() + unowned) as u64
    }

    /// The files that are known.
    pub fn owners(&self) -> HashSet<Ino> {
        self.slices.values().filter_map(|slice| slice.owner).collect()
    }

    /// Bytes of the files, before compression.
    pub fn bytes(&self) -> u64 {
        self.slices.values().map(|slice| slice.bytes).sum()
    }

    /// Bytes of one of the files, before compression.
    pub fn bytes_of(&self, ino: Ino) -> u64 {
        let of_file = self.slices.values().filter(|slice| slice.owner == Some(ino));
        of_file.map(|slice| slice.bytes).sum()
    }

    /// Adds what another folder holds.
    pub fn merge(&mut self, other: StagedFiles) {
        for (id, more) in other.slices {
            let slice = self.slices.entry(id).or_default();
            slice.owner = slice.owner.or(more.owner);
            slice.bytes += more.bytes;
        }
        self.blocks += other.blocks;
        if let Some(oldest) = other.oldest {
            self.note_age(oldest);
        }
    }

    /// Counts one more block.
    pub(super) fn add(&mut self, name: &StagedName) {
        let slice = self.slices.entry(name.block.slice).or_default();
        slice.owner = slice.owner.or(name.owner);
        slice.bytes += u64::from(name.block.len);
        self.blocks += 1;
    }

    /// Notes when a block was staged.
    pub(super) fn note_age(&mut self, since: SystemTime) {
        self.oldest = Some(self.oldest.map_or(since, |oldest| oldest.min(since)));
    }
}

/// What the staging folders of the volume `uuid` in a cache folder hold, of living mounts and of ended ones: while it is
/// nothing, everything that was acknowledged from them is in the object store. Changes nothing. Blocks the thread: one
/// listing for each mount that staged there.
///
/// A block that is stored may be counted for a moment longer, until its file has left the folder.
///
/// # Errors
/// `InvalidArgument` for an impossible UUID; the disk's when a folder that is there can not be read.
pub fn staged_files(cache: &Path, uuid: &str) -> Result<StagedFiles> {
    for order in Order::BOTH {
        let mut found = StagedFiles::default();
        each_folder(cache, uuid, order, |root, entries| {
            count(root, entries, &mut found)
        })?;
        if found.blocks > 0 {
            return Ok(found);
        }
    }
    Ok(StagedFiles::default())
}

fn count(root: &Path, entries: ReadDir, found: &mut StagedFiles) -> io::Result<()> {
    let mut first: Option<StagedName> = None;
    for entry in entries {
        let Some(name) = entry?.file_name().to_str().and_then(StagedName::parse) else {
            continue;
        };
        found.add(&name);
        if first.is_none_or(|first| name.number < first.number) {
            first = Some(name);
        }
    }
    // Blocks are numbered in the order in which they were staged. One that is uploaded meanwhile has no age any more.
    let since = first.and_then(|first| fs::metadata(root.join(first.to_string())).ok()?.modified().ok());
    if let Some(since) = since {
        found.note_age(since);
    }
    Ok(())
}
