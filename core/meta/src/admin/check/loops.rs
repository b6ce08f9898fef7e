//! Directories that hang below each other and nothing else.

use moorage_model::{Ino, Result};

use super::inode_set::InodeSet;
use super::namespace::Namespace;
use super::report::{Defect, Severity};
use crate::admin::{FROM_BACKUP, readable};

impl Namespace<'_> {
    /// Follows the parents of every directory; a chain that meets itself is a loop, unless its directories have been
    /// moved since they were read. Each loop is reported once.
    pub(super) async fn find_loops(&mut self) -> Result<()> {
        let mut done = InodeSet::default();
        let mut loops = Vec::new();
        for start in self.directories.keys() {
            let mut chain: Vec<Ino> = Vec::new();
            let mut on_chain = InodeSet::default();
            let mut current = *start;
            let mut met = Vec::new();
            while current != Ino::ROOT && !current.is_trash() && !done.contains(current) {
                if !on_chain.insert(current) {
                    let first = chain.iter().position(|ino| *ino == current).unwrap_or(0);
                    met = chain.split_off(first);
                    break;
                }
                chain.push(current);
                let Some(parent) = self.directories.get(&current) else {
                    break;
                };
                current = *parent;
            }
            for ino in chain.into_iter().chain(met.iter().copied()) {
                done.insert(ino);
            }
            if !met.is_empty() {
                loops.push(met);
            }
        }
        for found in loops {
            if !self.is_unchanged(&found).await? {
                continue;
            }
            let members: Vec<String> = found.iter().map(Ino::to_string).collect();
            self.add(
                Defect::Loop,
                Severity::Error,
                format!(
                    "directories {} contain each other and hang below nothing",
                    members.join(", ")
                ),
                &format!("Two clients moved them into each other at the same time. {FROM_BACKUP}"),
                None,
            );
        }
        Ok(())
    }

    async fn is_unchanged(&self, directories: &[Ino]) -> Result<bool> {
        let Some(now) = readable(self.meta.getattrs(directories).await)? else {
            return Ok(false);
        };
        Ok(directories
            .iter()
            .zip(now)
            .all(|(ino, attr)| self.directories.get(ino).copied() == attr.map(|attr| attr.parent)))
    }
}
