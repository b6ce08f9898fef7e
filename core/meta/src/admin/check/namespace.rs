//! The passes over nodes and entries.

use std::collections::{BTreeSet, HashMap, HashSet};

use moorage_model::{AclId, Attr, Error, ErrorKind, Ino, Name, NodeType, Result, SliceId};

use super::damaged::Unread;
use super::inode_set::InodeSet;
use super::report::{Defect, Finding, RepairState, Severity};
use super::stranded::Stranded;
use super::{CheckOptions, CheckReport};
use crate::admin::progress::Progress;
use crate::admin::recount::Listing;
use crate::admin::{FROM_BACKUP, Pages, readable};
use crate::{DamagedRecord, Key, Meta, Record, Scan, TxnExt as _};

/// What a repair of a finding came to.
pub(super) type Repaired = Result<bool>;

/// State of a running check.
pub(super) struct Namespace<'m> {
    pub(super) meta: &'m Meta,
    pub(super) options: CheckOptions,
    pub(super) progress: &'m Progress,
    pub(super) report: CheckReport,
    /// Every node.
    pub(super) nodes: InodeSet,
    /// Nodes that an entry leads to.
    pub(super) named: InodeSet,
    /// Directories with the parents that they say they have.
    pub(super) directories: HashMap<Ino, Ino>,
    /// Nodes that need no name: held open, or the top of an unfinished clone.
    pub(super) nameless: HashSet<Ino>,
    /// Nodes that seem to have more names than they can have.
    pub(super) twice_named: HashSet<Ino>,
    /// Entries that lead to them: node, directory, name.
    pub(super) sightings: Vec<(Ino, Ino, Name)>,
    /// Entries that lead to a directory from inside it: directory, name.
    pub(super) inner_entries: Vec<(Ino, Name)>,
    /// Nodes of no certain kind, and the directories that have them: their numbers are not judged.
    pub(super) disputed: HashSet<Ino>,
    /// Directories whose own numbers differ from their listing.
    pub(super) misnumbered: Vec<(Ino, Listing)>,
    /// Symlinks without a target.
    pub(super) targetless: Vec<Ino>,
    /// Entries in directories that do not exist.
    pub(super) stranded: Stranded,
    /// What could not be read.
    pub(super) unread: Unread,
    /// ACL rules that nodes refer to.
    pub(super) acls: BTreeSet<AclId>,
    /// Bytes and number of the nodes that count.
    pub(super) used: (i64, i64),
    /// Nodes that repairs made, with the bytes that they count.
    pub(super) made: HashMap<Ino, i64>,
    /// No session but this client's own lives, so numbers do not move.
    pub(super) alone: bool,
    /// Highest inode number of a node or entry, the trash aside.
    pub(super) highest_inode: Ino,
    /// Highest slice id on record.
    pub(super) highest_slice: SliceId,
}

impl<'m> Namespace<'m> {
    pub(super) fn new(meta: &'m Meta, options: CheckOptions, progress: &'m Progress) -> Self {
        Namespace {
            meta,
            options,
            progress,
            report: CheckReport::default(),
            nodes: InodeSet::default(),
            named: InodeSet::default(),
            directories: HashMap::new(),
            nameless: HashSet::new(),
            twice_named: HashSet::new(),
            sightings: Vec::new(),
            inner_entries: Vec::new(),
            disputed: HashSet::new(),
            misnumbered: Vec::new(),
            targetless: Vec::new(),
            stranded: Stranded::default(),
            unread: Unread::default(),
            acls: BTreeSet::new(),
            used: (0, 0),
            made: HashMap::new(),
            alone: false,
            highest_inode: Ino::ROOT,
            highest_slice: SliceId::HOLE,
        }
    }

    /// All passes over a whole volume.
    pub(super) async fn check_volume(&mut self) -> Result<()> {
        self.look_for_sessions().await?;
        self.check_damaged_counters().await?;
        let usage = self.usage_counters().await?;
        self.collect_nameless().await?;
        self.collect_nodes().await?;
        self.check_acls().await?;
        self.check_deleted_files().await?;
        let all: Vec<Ino> = self.directories.keys().copied().collect();
        self.check_directories(all).await?;
        self.check_edges().await?;
        self.check_stranded().await?;
        self.judge_numbers().await?;
        self.judge_targets().await?;
        self.judge_inner_entries().await?;
        self.find_loops().await?;
        self.check_links().await?;
        self.report_nameless_damage().await?;
        self.check_usage(usage).await?;
        self.check_other_records().await?;
        self.check_chunks().await?;
        self.check_owners().await?;
        self.check_allocation().await
    }

    /// Entries and directories below one.
    pub(super) async fn check_tree(&mut self, top: Ino) -> Result<()> {
        let attr = self.meta.getattr(top).await?;
        self.report.counts.nodes += 1;
        if attr.is_directory() {
            self.check_directories(vec![top]).await?;
            self.judge_numbers().await?;
            self.judge_inner_entries().await?;
        } else {
            self.check_file_links(top, &attr).await?;
        }
        Ok(())
    }

    async fn look_for_sessions(&mut self) -> Result<()> {
        let own = self.meta.session();
        let sessions = self.meta.list_sessions().await?;
        self.alone = sessions
            .iter()
            .all(|session| !session.damaged && (session.expired || session.id == own));
        Ok(())
    }

    async fn collect_nameless(&mut self) -> Result<()> {
        for range in [Scan::AllSustained, Scan::Detached] {
            let mut pages = Pages::new(range);
            while let Some(page) = pages.survey(self.meta).await? {
                self.report_page(&page).await?;
                self.unread.holders += page.damaged.len() as u64;
                self.nameless
                    .extend(page.items.into_iter().filter_map(|(key, _)| match key {
                        Key::Sustained(_, ino) | Key::Detached(ino) => Some(ino),
                        _ => None,
                    }));
            }
        }
        Ok(())
    }

    /// Notes every node. Damaged ones are reported with the entries that lead to them.
    async fn collect_nodes(&mut self) -> Result<()> {
        let mut pages = Pages::new(Scan::AllNodes);
        while let Some(page) = pages.survey(self.meta).await? {
            self.progress.check()?;
            self.report.counts.nodes += page.items.len() as u64;
            self.progress.add(page.items.len() as u64, 0);
            for found in &page.damaged {
                if let Some(Key::Node(ino)) = &found.key {
                    self.nodes.insert(*ino);
                    self.unread.nodes.insert(*ino);
                } else {
                    self.unread.unknown_nodes += 1;
                    self.report_damaged(found).await?;
                }
            }
            let mut symlinks = Vec::new();
            for (key, record) in page.items {
                let (Key::Node(ino), Record::Node(attr)) = (key, record) else {
                    continue;
                };
                self.nodes.insert(ino);
                if !ino.is_internal() && !ino.is_trash() {
                    self.highest_inode = self.highest_inode.max(ino);
                }
                self.note_acls(&attr);
                match attr.kind {
                    NodeType::Directory => {
                        self.directories.insert(ino, attr.parent);
                    }
                    NodeType::Symlink => symlinks.push(ino),
                    _ => {}
                }
            }
            self.check_symlinks(symlinks).await?;
        }
        Ok(())
    }

    async fn check_symlinks(&mut self, symlinks: Vec<Ino>) -> Result<()> {
        let keys: Vec<Key> = symlinks.iter().map(|ino| Key::Symlink(*ino)).collect();
        let Some(mut targets) = readable(self.meta.engine.get(&keys).await)? else {
            return self.report_damaged_among(keys).await;
        };
        for ino in symlinks {
            if targets.symlink()?.is_none() {
                self.targetless.push(ino);
            }
        }
        Ok(())
    }

    /// Reports the symlinks that still are such and have no target, now that nodes have their right kinds.
    async fn judge_targets(&mut self) -> Result<()> {
        for ino in std::mem::take(&mut self.targetless) {
            let attr = self.node_again(ino).await?;
            let is_symlink = attr.is_some_and(|attr| attr.kind == NodeType::Symlink);
            if !is_symlink || self.disputed.contains(&ino) {
                continue;
            }
            self.add(
                Defect::MissingTarget,
                Severity::Error,
                format!("symlink {ino} has no target record"),
                "Remove it and make it again.",
                None,
            );
        }
        Ok(())
    }

    /// Reads records of which one at least is damaged one by one.
    async fn report_damaged_among(&mut self, keys: Vec<Key>) -> Result<()> {
        for key in keys {
            match self.meta.engine.get(std::slice::from_ref(&key)).await {
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    self.report_damaged(&DamagedRecord {
                        key: Some(key),
                        error,
                    })
                    .await?;
                }
                found => found.map(drop)?,
            }
        }
        Ok(())
    }

    /// A record that can not be read is a finding, any other failure ends the check.
    pub(super) fn damaged(&mut self, error: Error, consequence: &str) -> Result<()> {
        if error.kind() != ErrorKind::Corrupt {
            return Err(error);
        }
        self.add_damaged(format!("{}; {consequence}", error.reason()), FROM_BACKUP);
        Ok(())
    }

    /// Notes a finding; `repair` is `None` when there is none, else what it came to when it was asked for.
    pub(super) fn add(
        &mut self,
        defect: Defect,
        severity: Severity,
        message: String,
        advice: &str,
        repair: Option<Option<Repaired>>,
    ) {
        let repair = match repair {
            None => RepairState::Impossible,
            Some(None) => RepairState::Possible,
            Some(Some(Ok(true))) => RepairState::Done,
            Some(Some(Ok(false))) => RepairState::Failed("it changed meanwhile; check again".to_owned()),
            Some(Some(Err(error))) => RepairState::Failed(error.reason()),
        };
        self.report.add(Finding {
            defect,
            severity,
            message,
            advice: advice.to_owned(),
            repair,
        });
    }

    /// Counts a node for the comparison with the usage counters.
    pub(super) fn count(&mut self, attr: &Attr) {
        self.used.0 = self.used.0.saturating_add(attr.used_space());
        self.used.1 += 1;
    }
}
