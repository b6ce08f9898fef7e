//! The pass over all entries: those whose directory is missing, and nodes that several lead to.

use std::collections::BTreeMap;

use moorage_model::{Attr, Ino, Name, Result};

use super::namespace::Namespace;
use super::report::{Defect, Severity};
use crate::admin::{Pages, readable};
use crate::{Key, Record, Scan};

/// Entries kept of nodes that seem to have too many names.
const MAX_SIGHTINGS: usize = 10_000;

impl Namespace<'_> {
    /// Entries whose directory was not among the nodes.
    pub(super) async fn check_edges(&mut self) -> Result<()> {
        let mut pages = Pages::new(Scan::AllEdges);
        while let Some(page) = pages.survey(self.meta).await? {
            self.progress.check()?;
            // Those of directories were reported, and have other names already when repairs were asked for.
            let (misnamed, damaged) = self.despite_names(page.damaged).await?;
            for found in &damaged {
                self.report_damaged(found).await?;
            }
            self.unread.entries += damaged.len() as u64;
            let entries = page.items.into_iter().filter_map(|item| match item {
                (Key::Edge(parent, name), Record::Edge(entry)) => Some((parent, name, entry)),
                _ => None,
            });
            let misnamed = misnamed
                .into_iter()
                .map(|(parent, item)| (parent, item.name, item.entry));
            for (parent, name, entry) in entries.chain(misnamed) {
                if self.twice_named.contains(&entry.ino) && self.sightings.len() < MAX_SIGHTINGS {
                    self.sightings.push((entry.ino, parent, name.clone()));
                }
                if self.directories.contains_key(&parent) {
                    continue;
                }
                // What it leads to has a name, only a lost one.
                self.named.insert(entry.ino);
                if self.unread.nodes.contains(&parent) {
                    continue;
                }
                let attr = self.node_again(parent).await?;
                // Where it leads to a damaged node, that is a finding of its own.
                let again = readable(self.meta.engine.lookup(parent, &name).await)?.flatten();
                if again.is_none() || attr.as_ref().is_some_and(Attr::is_directory) {
                    continue;
                }
                self.stranded.note(parent, attr.is_some(), name, entry);
            }
        }
        self.judge_second_names().await
    }

    /// Reports nodes that several of the entries seen still lead to, though they can have one name only.
    async fn judge_second_names(&mut self) -> Result<()> {
        let mut places: BTreeMap<Ino, Vec<(Ino, Name)>> = BTreeMap::new();
        for (ino, parent, name) in std::mem::take(&mut self.sightings) {
            let found = readable(self.meta.engine.lookup(parent, &name).await)?.flatten();
            // Hard links know that they are several: their node says no parent.
            if found.is_some_and(|(entry, attr)| {
                entry.ino == ino && attr.is_some_and(|attr| attr.is_directory() || attr.parent != Ino::NONE)
            }) {
                places.entry(ino).or_default().push((parent, name));
            }
        }
        for (ino, names) in places.into_iter().filter(|(_, names)| names.len() > 1) {
            let names: Vec<String> = names
                .iter()
                .map(|(parent, name)| format!("{name:?} of directory {parent}"))
                .collect();
            self.add(
                Defect::SecondName,
                Severity::Error,
                format!("inode {ino} can have one name and has {}", names.join(", ")),
                "Copy what is below it elsewhere and remove one of the names.",
                None,
            );
        }
        Ok(())
    }
}
