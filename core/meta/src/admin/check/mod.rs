//! The metadata half of `fsck`: does the namespace hang together, do the numbers match a full scan?

mod chunks;
mod counters;
mod damaged;
mod directories;
mod edges;
mod inode_set;
mod kinds;
mod links;
mod loops;
mod lost_and_found;
mod namespace;
mod owners;
mod references;
mod repair;
mod report;
mod stranded;

pub(crate) use inode_set::InodeSet;
pub use report::{CheckCounts, CheckReport, Defect, Finding, MAX_FINDINGS, RepairState, Severity};

use moorage_model::{Ino, Result};

use super::progress::Progress;
use crate::Meta;
use namespace::Namespace;

/// What of a volume is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CheckScope {
    /// All records.
    #[default]
    Volume,
    /// A directory and everything below it: entries and their nodes, link counts of directories, statistics.
    Tree(Ino),
}

/// How a volume is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckOptions {
    /// What is checked.
    pub scope: CheckScope,
    /// Repairs what has a safe repair; each repair looks again in its own transaction.
    pub repair: bool,
}

impl Meta {
    /// Checks the records of a volume against each other: entries and nodes, parents, link counts, directory
    /// statistics, loops, counters, slice lists without a file, and the owners of slices. Works on a volume in use: what
    /// looks wrong is read again before it is reported, and numbers that move meanwhile are not compared.
    ///
    /// Repairs, when asked for: link counts, parents, kinds (of the entry or the node, as all other records say), directory
    /// statistics, entries without a node (a directory gets a node again, others lose the entry), orphans and what lies in
    /// directories that do not exist (named in `/lost+found`), deleted files that nobody holds open, and, while no other
    /// session lives, counters (damaged ones too) and slice owners.
    ///
    /// Memory: 40 bytes per directory and 1 MB per million other nodes; 50 MB per million slices, of which at most
    /// two million are held at once and the rest is taken in further passes.
    ///
    /// # Errors
    /// `ReadOnly` for a repair through a read-only client; `Interrupted` when cancelled; what the engine answers.
    /// Records that can not be read are findings, and the check goes on behind them; nothing is repaired that only they
    /// could tell.
    pub async fn check(&self, options: CheckOptions, progress: &Progress) -> Result<CheckReport> {
        if options.repair {
            self.check_writable()?;
        }
        let mut namespace = Namespace::new(self, options, progress);
        match options.scope {
            CheckScope::Tree(ino) => namespace.check_tree(ino).await?,
            CheckScope::Volume => namespace.check_volume().await?,
        }
        Ok(namespace.report)
    }
}
