//! Records that can not be read: what they are called, and what can not be concluded without them.

use std::collections::HashSet;

use moorage_model::{Attr, Error, Ino, Result};

use super::namespace::Namespace;
use super::report::{Defect, Severity};
use crate::admin::{FROM_BACKUP, Pages, UnreadableRecord, readable};
use crate::{DamagedRecord, DirectoryEntry, Key, Scan, Survey, TxnExt as _};

/// What to do about a damaged record.
fn restoring() -> String {
    format!("{FROM_BACKUP} Until then the record can not be used, everything beside it can.")
}

/// What a check could not read.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Nodes by their inode.
    pub(super) nodes: HashSet<Ino>,
    /// Nodes whose inode can not be read either: any that seems to be missing may be one of them.
    pub(super) unknown_nodes: u64,
    /// Entries: any node may have one of them for its name.
    pub(super) entries: u64,
    /// Records that keep nodes without a name alive.
    pub(super) holders: u64,
}

impl Unread {
    /// Whether a node without a name is known to have none, and nobody who needs it.
    pub(super) fn names_are_known(&self) -> bool {
        self.entries == 0 && self.holders == 0
    }
}

impl Namespace<'_> {
    /// Entries of which nothing is damaged but the name, each with its directory, and the other damaged records.
    pub(super) async fn despite_names(
        &self,
        found: Vec<DamagedRecord>,
    ) -> Result<(Vec<(Ino, DirectoryEntry)>, Vec<DamagedRecord>)> {
        let (mut misnamed, mut damaged) = (Vec::new(), Vec::new());
        for record in found {
            let Some(Key::Edge(directory, name)) = record.key.as_ref().filter(|key| is_misnamed(key)) else {
                damaged.push(record);
                continue;
            };
            let key = Key::Edge(*directory, name.clone());
            let entry = readable(
                self.meta
                    .engine
                    .get(&[key])
                    .await
                    .and_then(|mut found| found.edge()),
            )?;
            match entry {
                None => damaged.push(record),
                // Somebody has repaired or removed it meanwhile.
                Some(None) => {}
                Some(Some(entry)) => {
                    let node = readable(self.read_node(entry.ino).await)?;
                    let item = DirectoryEntry {
                        name: name.clone(),
                        entry,
                        damaged: node.is_none(),
                        attr: node.flatten(),
                    };
                    misnamed.push((*directory, item));
                }
            }
        }
        Ok((misnamed, damaged))
    }

    /// Reports a damaged record with the file it belongs to.
    pub(super) async fn report_damaged(&mut self, found: &DamagedRecord) -> Result<()> {
        self.report_unreadable(&UnreadableRecord {
            key: found.key.clone(),
            reason: found.error.reason(),
        })
        .await
    }

    /// As [`Namespace::report_damaged`], for a record that was noted earlier.
    pub(super) async fn report_unreadable(&mut self, found: &UnreadableRecord) -> Result<()> {
        let place = match &found.key {
            Some(
                Key::Edge(ino, _)
                | Key::Symlink(ino)
                | Key::Xattr(ino, _)
                | Key::Chunk(ino, _)
                | Key::DirStat(ino)
                | Key::FileLock(ino, ..)
                | Key::RecordLocks(ino, ..)
                | Key::Sustained(_, ino)
                | Key::Quota(moorage_model::QuotaKey::Directory(ino)),
            ) => format!("; it belongs to {}", self.meta.describe_node(*ino).await?),
            _ => String::new(),
        };
        self.add_damaged(format!("{}{place}", found.reason), &restoring());
        Ok(())
    }

    /// The damaged records of a page.
    pub(super) async fn report_page(&mut self, page: &Survey) -> Result<()> {
        for found in &page.damaged {
            self.report_damaged(found).await?;
        }
        Ok(())
    }

    /// The entry of a node that can not be read.
    pub(super) async fn report_damaged_node(&mut self, directory: Ino, item: &DirectoryEntry) -> Result<()> {
        let Err(error) = self.read_node(item.entry.ino).await else {
            // Somebody has written it meanwhile.
            return Ok(());
        };
        let folder = self.meta.describe_node(directory).await?;
        self.add_damaged(
            format!("entry {:?} of {folder}: {}", item.name, error.reason()),
            &restoring(),
        );
        Ok(())
    }

    /// Damaged nodes that no entry led to.
    pub(super) async fn report_nameless_damage(&mut self) -> Result<()> {
        let mut nameless: Vec<Ino> = self
            .unread
            .nodes
            .iter()
            .copied()
            .filter(|ino| !self.named.contains(*ino))
            .collect();
        nameless.sort_unstable();
        for ino in nameless {
            if let Err(error) = self.read_node(ino).await {
                self.add_damaged(format!("{}; no entry leads to it", error.reason()), &restoring());
            }
        }
        Ok(())
    }

    /// Records that the other passes do not read.
    pub(super) async fn check_other_records(&mut self) -> Result<()> {
        let mut ranges = vec![
            Scan::Sessions,
            Scan::LegacySessions,
            Scan::DeletedFiles,
            Scan::Quotas,
            Scan::Acls,
            Scan::AllXattrs,
            Scan::Changelog,
        ];
        let sessions = self.meta.list_sessions().await?;
        ranges.extend(sessions.iter().map(|session| Scan::SessionLocks(session.id)));
        for range in ranges {
            let mut pages = Pages::new(range);
            while let Some(page) = pages.survey(self.meta).await? {
                self.progress.check()?;
                self.report_page(&page).await?;
            }
        }
        Ok(())
    }

    /// One node; the error is that of its record.
    async fn read_node(&self, ino: Ino) -> Result<Option<Attr>, Error> {
        self.meta.engine.get(&[Key::Node(ino)]).await?.node()
    }

    /// A node that is read again; `None` when it is gone or can not be read.
    pub(super) async fn node_again(&self, ino: Ino) -> Result<Option<Attr>> {
        Ok(readable(self.read_node(ino).await)?.flatten())
    }

    pub(super) fn add_damaged(&mut self, message: String, advice: &str) {
        self.report.counts.damaged += 1;
        self.add(Defect::DamagedRecord, Severity::Error, message, advice, None);
    }
}

/// Whether a key is that of an entry with an impossible name.
fn is_misnamed(key: &Key) -> bool {
    matches!(key, Key::Edge(_, name) if name.flaw().is_some())
}
