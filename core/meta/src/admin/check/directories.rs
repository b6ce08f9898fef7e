//! The pass over directories: every entry and what the directory says of itself.

use moorage_model::{Attr, DirStat, ErrorKind, Ino, NodeType, Result};

use super::CheckScope;
use super::kinds::has_any;
use super::namespace::Namespace;
use super::report::{Defect, Severity};
use crate::admin::recount::{Listing, list_directory};
use crate::admin::{read_entries, readable};
use crate::verbs::TRASH_ENTRY;
use crate::{DamagedRecord, DirectoryEntry, Key, Scan, TxnExt as _};

impl Namespace<'_> {
    /// Checks these directories, and those found below them when only a tree is checked.
    pub(super) async fn check_directories(&mut self, mut waiting: Vec<Ino>) -> Result<()> {
        while let Some(directory) = waiting.pop() {
            self.progress.check()?;
            self.check_directory(directory, &mut waiting).await?;
        }
        Ok(())
    }

    async fn check_directory(&mut self, directory: Ino, waiting: &mut Vec<Ino>) -> Result<()> {
        let before = match readable(self.own_numbers(directory).await)? {
            Some(numbers) => numbers,
            None => {
                self.report_damaged_statistics(directory).await?;
                // Its entries can be checked all the same.
                (None, None)
            }
        };
        let mut listing = Listing::default();
        let mut all_read = true;
        let mut after = None;
        loop {
            let page = match read_entries(self.meta.engine.as_ref(), directory, after.as_ref(), true).await {
                Ok(page) => page,
                Err(error) => {
                    return self.damaged(
                        error,
                        &format!("directory {directory} was not checked to its end"),
                    );
                }
            };
            let (misnamed, damaged) = self.despite_names(page.damaged).await?;
            let misnamed = misnamed.into_iter().map(|(_, item)| item);
            let items: Vec<DirectoryEntry> = page.items.into_iter().chain(misnamed).collect();
            self.report.counts.entries += items.len() as u64;
            self.progress.add(items.len() as u64, 0);
            for item in &items {
                listing.add(item);
                self.check_entry(directory, item, waiting).await?;
            }
            all_read &= damaged.is_empty();
            // The pass over all entries reports them for a whole volume.
            if self.options.scope != CheckScope::Volume {
                for found in &damaged {
                    self.report_damaged(found).await?;
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        self.report.counts.directories += 1;
        if all_read {
            self.note_numbers(directory, &before, listing);
        }
        Ok(())
    }

    /// A node that can not be read is the finding of the entry that leads to it, so only the statistics are looked at.
    async fn report_damaged_statistics(&mut self, directory: Ino) -> Result<()> {
        let key = Key::DirStat(directory);
        match self.meta.engine.get(std::slice::from_ref(&key)).await {
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                self.report_damaged(&DamagedRecord {
                    key: Some(key),
                    error,
                })
                .await
            }
            found => found.map(drop),
        }
    }

    async fn check_entry(
        &mut self,
        directory: Ino,
        item: &DirectoryEntry,
        waiting: &mut Vec<Ino>,
    ) -> Result<()> {
        let ino = item.entry.ino;
        let first = self.named.insert(ino);
        if first && item.attr.is_some() && self.options.scope != CheckScope::Volume {
            self.report.counts.nodes += 1;
        }
        if first && item.entry.kind == NodeType::Directory && self.options.scope != CheckScope::Volume {
            waiting.push(ino);
        }
        if let Some(what) = reserved(directory, item) {
            return self.report_reserved(directory, item, &what).await;
        }
        if item.damaged {
            let whole_volume = self.options.scope == CheckScope::Volume;
            if item.entry.kind == NodeType::Directory
                && whole_volume
                && self.directories.insert(ino, directory).is_none()
            {
                // What lies in it is there all the same.
                waiting.push(ino);
            }
            // A name of it is enough.
            return if first {
                self.report_damaged_node(directory, item).await
            } else {
                Ok(())
            };
        }
        let Some(attr) = &item.attr else {
            return self.check_missing_node(directory, item, waiting).await;
        };
        let subject = format!("entry {:?} of directory {directory}", item.name);
        if attr.is_directory() && attr.parent != directory && self.has_other_name(ino, attr).await? {
            return self.report_second_name(directory, item, attr).await;
        }
        if attr.kind == item.entry.kind {
            return self.check_parent(directory, item, attr, first, &subject).await;
        }
        match self.check_kind(directory, item, attr, waiting).await? {
            Some(attr) => self.check_parent(directory, item, &attr, first, &subject).await,
            None => Ok(()),
        }
    }

    async fn check_parent(
        &mut self,
        directory: Ino,
        item: &DirectoryEntry,
        attr: &Attr,
        first: bool,
        subject: &str,
    ) -> Result<()> {
        let ino = item.entry.ino;
        let says_this = attr.parent == directory;
        let counted_apart = attr.parent == Ino::NONE && !attr.is_directory();
        if (says_this && first) || counted_apart || !self.still_there(directory, item).await? {
            return Ok(());
        }
        if !says_this {
            if attr.is_directory() && self.lies_in(directory, ino).await? {
                self.inner_entries.push((directory, item.name.clone()));
                return Ok(());
            }
            let repair = self
                .repair(self.meta.repair_parent(directory, item.name.clone()))
                .await;
            if matches!(repair, Some(Ok(true)))
                && let Some(parent) = self.directories.get_mut(&ino)
            {
                *parent = directory;
            }
            self.add(
                Defect::WrongParent,
                Severity::Warning,
                format!(
                    "{subject}: its node {ino} says it lies in directory {}",
                    attr.parent
                ),
                "`fsck --repair` corrects the node, unless that directory has it too.",
                Some(repair),
            );
        } else {
            // It may only have been moved from a directory that was read before.
            self.twice_named.insert(ino);
        }
        Ok(())
    }

    /// Whether the directory that a directory says it lies in has it, so that another entry is one too many.
    async fn has_other_name(&self, ino: Ino, attr: &Attr) -> Result<bool> {
        if ino == Ino::ROOT {
            return Ok(true);
        }
        let names = readable(self.meta.names_of(attr.parent, ino).await)?;
        Ok(names.is_some_and(|names| !names.is_empty()))
    }

    async fn report_second_name(&mut self, directory: Ino, item: &DirectoryEntry, attr: &Attr) -> Result<()> {
        if !self.still_there(directory, item).await? {
            return Ok(());
        }
        let repair = self
            .repair(self.meta.repair_second_name(directory, item.name.clone()))
            .await;
        let lies = if item.entry.ino == Ino::ROOT {
            "the root of the volume".to_owned()
        } else {
            format!("a directory that lies in directory {}", attr.parent)
        };
        self.add(
            Defect::SecondName,
            Severity::Error,
            format!(
                "entry {:?} of directory {directory} leads to inode {}, {lies}: what walks the tree may never end",
                item.name, item.entry.ino
            ),
            "`fsck --repair` removes this entry; nothing that lies below it is touched.",
            Some(repair),
        );
        Ok(())
    }

    /// A name that no client can look up, or that means something else to every client.
    pub(super) async fn report_reserved(
        &mut self,
        directory: Ino,
        item: &DirectoryEntry,
        what: &str,
    ) -> Result<()> {
        if !self.still_there(directory, item).await? {
            return Ok(());
        }
        let repair = self
            .repair(self.meta.repair_reserved_name(directory, item.name.clone()))
            .await;
        self.add(
            Defect::ReservedName,
            Severity::Error,
            format!(
                "entry {:?} of directory {directory} has {what}, so inode {} can not be reached",
                item.name, item.entry.ino
            ),
            "`fsck --repair` names it `renamed-` and its inode, in the same directory.",
            Some(repair),
        );
        Ok(())
    }

    async fn check_missing_node(
        &mut self,
        directory: Ino,
        item: &DirectoryEntry,
        waiting: &mut Vec<Ino>,
    ) -> Result<()> {
        if !self.still_there(directory, item).await? {
            return Ok(());
        }
        let ino = item.entry.ino;
        let is_directory = item.entry.kind == NodeType::Directory
            || has_any(self.meta.engine.as_ref(), Scan::Edges(ino)).await?;
        let certain = self.unread.unknown_nodes == 0;
        let repair = if certain {
            self.repair(self.meta.repair_missing_node(directory, item.name.clone()))
                .await
        } else {
            None
        };
        if is_directory && matches!(repair, Some(Ok(true))) {
            self.nodes.insert(ino);
            if self.directories.insert(ino, directory).is_none() && self.options.scope == CheckScope::Volume {
                waiting.push(ino);
            }
        }
        let advice = if !certain {
            "Nodes whose number can not be read may be it: restore them first."
        } else if is_directory {
            "`fsck --repair` makes the directory again, with mode 0755 and the entries it still has."
        } else {
            "`fsck --repair` removes the entry; what it held is lost."
        };
        self.add(
            Defect::MissingNode,
            Severity::Error,
            format!(
                "entry {:?} of directory {directory} leads to inode {ino}, which does not exist",
                item.name
            ),
            advice,
            certain.then_some(repair),
        );
        Ok(())
    }

    /// Whether an entry that looked wrong is there and looks the same when it is read again.
    pub(super) async fn still_there(&self, directory: Ino, item: &DirectoryEntry) -> Result<bool> {
        let same = |attr: Option<&Attr>| attr.map(|attr| (attr.kind, attr.parent));
        // Twice, since an engine that can not join may read the entry before and the node after a removal.
        for _ in 0..2 {
            match self.meta.engine.lookup(directory, &item.name).await? {
                Some((entry, attr))
                    if entry == item.entry && same(attr.as_ref()) == same(item.attr.as_ref()) => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    async fn own_numbers(&self, directory: Ino) -> Result<(Option<Attr>, Option<DirStat>)> {
        let keys = [Key::Node(directory), Key::DirStat(directory)];
        let mut found = self.meta.engine.get(&keys).await?;
        Ok((found.node()?, found.dir_stat()?))
    }

    /// Notes a directory whose link count and statistics, as they were before it was listed, differ from the listing.
    fn note_numbers(&mut self, directory: Ino, before: &(Option<Attr>, Option<DirStat>), listing: Listing) {
        let (Some(attr), stat) = before else {
            return;
        };
        let drifted = match stat {
            Some(stat) => *stat != listing.stat,
            // A missing record is made by whoever needs it, so it is no finding; a repair makes it.
            None => self.options.repair,
        };
        let differ = attr.nlink != links_of(&listing) || self.has_statistics(attr, &listing) && drifted;
        if differ && !directory.is_trash() {
            self.misnumbered.push((directory, listing));
        }
    }

    /// Whether a directory has statistics that its listing tells: a sum that leaves damaged nodes out tells nothing.
    fn has_statistics(&self, attr: &Attr, listing: &Listing) -> bool {
        self.meta.setting().dir_stats && !attr.in_trash() && listing.damaged == 0
    }

    /// Link counts and statistics of the noted directories, now that entries and nodes have their right kinds. A directory
    /// that changes meanwhile is not judged.
    pub(super) async fn judge_numbers(&mut self) -> Result<()> {
        for (directory, listing) in std::mem::take(&mut self.misnumbered) {
            if !self.disputed.contains(&directory) {
                self.judge_own_numbers(directory, listing).await?;
            }
        }
        Ok(())
    }

    async fn judge_own_numbers(&mut self, directory: Ino, listing: Listing) -> Result<()> {
        let Some(before) = readable(self.own_numbers(directory).await)? else {
            return Ok(());
        };
        let (Some(attr), stat) = &before else {
            return Ok(());
        };
        if !attr.is_directory() {
            return Ok(());
        }
        let links = links_of(&listing);
        let statistics = self.has_statistics(attr, &listing);
        if statistics && stat.is_none() && self.options.repair {
            readable(self.meta.repair_directory_statistics(directory).await)?;
        }
        let drifted = statistics && stat.is_some_and(|stat| stat != listing.stat);
        if attr.nlink == links && !drifted {
            return Ok(());
        }
        let again = readable(list_directory(self.meta.engine.as_ref(), directory).await)?;
        let now = readable(self.own_numbers(directory).await)?;
        if again != Some(listing) || now.as_ref() != Some(&before) {
            return Ok(());
        }
        if attr.nlink != links {
            let repair = self.repair(self.meta.repair_directory_links(directory)).await;
            // Programs take a directory with two links for one without sub-directories; too many harm nobody.
            let severity = if attr.nlink < links {
                Severity::Warning
            } else {
                Severity::Note
            };
            self.add(
                Defect::LinkCount,
                severity,
                format!(
                    "directory {directory} says {} links, its sub-directories make {links}",
                    attr.nlink
                ),
                "`fsck --repair` corrects it.",
                Some(repair),
            );
        }
        if let Some(stored) = stat.as_ref().filter(|_| drifted) {
            let repair = self
                .repair(self.meta.repair_directory_statistics(directory))
                .await;
            let counted = listing.stat;
            self.add(
                Defect::DirectoryStatistics,
                Severity::Note,
                format!(
                    "the statistics of directory {directory} say {}, a listing {}",
                    told(stored),
                    told(&counted)
                ),
                "Such numbers drift; `fsck --repair` counts them again.",
                Some(repair),
            );
        }
        Ok(())
    }

    /// Runs a repair when repairs are asked for.
    pub(super) async fn repair(
        &self,
        repair: impl Future<Output = super::namespace::Repaired>,
    ) -> Option<super::namespace::Repaired> {
        if self.options.repair {
            Some(repair.await)
        } else {
            None
        }
    }
}

/// The links that the sub-directories of a directory make.
fn links_of(listing: &Listing) -> u32 {
    listing.subdirectories.saturating_add(2)
}

/// What an entry can not be reached by its name for.
fn reserved(directory: Ino, item: &DirectoryEntry) -> Option<String> {
    if let Some(flaw) = item.name.flaw() {
        return Some(format!("an impossible name ({flaw})"));
    }
    let meaning = match item.name.as_bytes() {
        b"." => "the directory itself",
        b".." => "the directory above",
        TRASH_ENTRY if directory == Ino::ROOT => "the trash",
        _ => return None,
    };
    Some(format!("the name of {meaning}"))
}

/// All three figures, since any of them may be the one that differs.
fn told(stat: &DirStat) -> String {
    format!(
        "{} entries with {} bytes in {} bytes of space",
        stat.inodes, stat.length, stat.space
    )
}
