//! The last pass over nodes: names, link counts, and what counts as used.

use moorage_model::{Attr, Ino, NodeType, Result};

use super::namespace::Namespace;
use super::report::{Defect, Severity};
use crate::admin::{Pages, readable};
use crate::{Key, Record, Scan, TxnExt as _};

/// Advice where a damaged entry may be the one that is missed.
pub(super) const ENTRIES_FIRST: &str = "Entries that can not be read may lead to it: restore them first.";

impl Namespace<'_> {
    pub(super) async fn check_links(&mut self) -> Result<()> {
        let mut pages = Pages::new(Scan::AllNodes);
        while let Some(page) = pages.survey(self.meta).await? {
            self.progress.check()?;
            for (key, record) in page.items {
                let (Key::Node(ino), Record::Node(attr)) = (key, record) else {
                    continue;
                };
                if ino == Ino::ROOT || ino == Ino::TRASH || self.made.contains_key(&ino) {
                    continue;
                }
                let named = self.named.contains(ino);
                // Made since the first pass; its name was not seen.
                let fresh = !self.nodes.contains(ino);
                if named || fresh || self.nameless.contains(&ino) {
                    self.count(&attr);
                }
                if named && !attr.is_directory() && !self.disputed.contains(&ino) {
                    self.check_file_links(ino, &attr).await?;
                } else if !named
                    && !fresh
                    && !self.nameless.contains(&ino)
                    && self.check_nameless(ino, &attr).await?
                {
                    self.count(&attr);
                }
            }
        }
        Ok(())
    }

    /// Link count of a node that is no directory.
    pub(super) async fn check_file_links(&mut self, ino: Ino, attr: &Attr) -> Result<()> {
        let links = self.links(ino, attr).await?;
        if attr.nlink == links {
            return Ok(());
        }
        let again = self.node_again(ino).await?;
        if again.as_ref() != Some(attr) || links == 0 {
            return Ok(());
        }
        let certain = self.unread.entries == 0;
        let repair = if certain {
            self.repair(self.meta.repair_file_links(ino)).await
        } else {
            None
        };
        // The original copies the link count when it clones special files (spec 70-semantics section 6).
        let severity = if attr.kind == NodeType::File {
            Severity::Warning
        } else {
            Severity::Note
        };
        self.add(
            Defect::LinkCount,
            severity,
            format!("inode {ino} says {} links and has {links}", attr.nlink),
            if certain {
                "`fsck --repair` corrects it."
            } else {
                ENTRIES_FIRST
            },
            certain.then_some(repair),
        );
        Ok(())
    }

    async fn links(&self, ino: Ino, attr: &Attr) -> Result<u32> {
        if attr.parent != Ino::NONE {
            return Ok(1);
        }
        let parents = self.meta.engine.parents(ino).await?;
        Ok(parents.into_iter().map(|(_, entries)| entries).sum())
    }

    /// A node without a name that nobody holds open. Whether it counts as used: what gets a name does.
    async fn check_nameless(&mut self, ino: Ino, attr: &Attr) -> Result<bool> {
        // In this order: a finished clone gets its name as it stops being kept.
        if self.node_again(ino).await?.as_ref() != Some(attr) {
            return Ok(false);
        }
        if self.is_kept(ino, attr).await? || self.has_name(ino, attr).await? {
            return Ok(true);
        }
        // Somebody may have moved or removed it after the first of these reads.
        if self.node_again(ino).await?.as_ref() != Some(attr) {
            return Ok(false);
        }
        if !self.unread.names_are_known() {
            self.add(
                Defect::Orphan,
                Severity::Warning,
                format!(
                    "no entry that can be read leads to inode {ino}, a {:?} of {} bytes",
                    attr.kind, attr.length
                ),
                ENTRIES_FIRST,
                None,
            );
            return Ok(true);
        }
        if attr.nlink == 0 && attr.is_file() {
            let repair = self.repair(self.meta.repair_unsustained(ino)).await;
            self.add(
                Defect::Orphan,
                Severity::Warning,
                format!("file {ino} was deleted, but its {} bytes were not", attr.length),
                "`fsck --repair` deletes them.",
                Some(repair),
            );
            return Ok(false);
        }
        let repair = match self.home().await {
            None => None,
            Some(Ok(home)) => Some(self.meta.repair_orphan(ino, home).await),
            Some(Err(error)) => Some(Err(error)),
        };
        self.add(
            Defect::Orphan,
            Severity::Warning,
            format!(
                "no entry leads to inode {ino}, a {:?} of {} bytes that was in directory {}",
                attr.kind, attr.length, attr.parent
            ),
            "`fsck --repair` gives it a name in /lost+found.",
            Some(repair),
        );
        Ok(true)
    }

    /// Whether it needs no name since the pass began: a clone at work, or a file removed while it is open.
    async fn is_kept(&self, ino: Ino, attr: &Attr) -> Result<bool> {
        let clone = self.meta.engine.get(&[Key::Detached(ino)]).await;
        if readable(clone)?.is_none_or(|mut found| !matches!(found.detached(), Ok(None))) {
            return Ok(true);
        }
        if attr.nlink > 0 {
            return Ok(false);
        }
        let mut pages = Pages::new(Scan::AllSustained);
        while let Some(page) = pages.survey(self.meta).await? {
            let mut held = page.items.iter().map(|(key, _)| key);
            if held.any(|key| matches!(key, Key::Sustained(_, open) if *open == ino)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether somebody named it since the directories were read.
    async fn has_name(&self, ino: Ino, attr: &Attr) -> Result<bool> {
        if attr.parent == Ino::NONE {
            return Ok(!self.meta.engine.parents(ino).await?.is_empty());
        }
        // A directory with a damaged entry does not tell.
        let names = readable(self.meta.names_of(attr.parent, ino).await)?;
        Ok(names.is_some_and(|names| !names.is_empty()))
    }
}
