//! The passes over nodes and entries.

use std::collections::{BTreeSet, HashMap, HashSet};

use moorage_model::{AclId, Attr, Counter, Error, ErrorKind, Ino, Name, NodeType, Result};

use super::inode_set::InodeSet;
use super::report::{Defect, Finding, RepairState, Severity};
use super::{CheckOptions, CheckReport};
use crate::admin::progress::Progress;
use crate::admin::reclaim::Pages;
use crate::{Key, Meta, Record, Scan, TxnExt as _};

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
    /// ACL rules that nodes refer to.
    pub(super) acls: BTreeSet<AclId>,
    /// Bytes and number of the nodes that count.
    pub(super) used: (i64, i64),
    /// No session but this client's own lives, so numbers do not move.
    pub(super) alone: bool,
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
            acls: BTreeSet::new(),
            used: (0, 0),
            alone: false,
        }
    }

    /// All passes over a whole volume.
    pub(super) async fn check_volume(&mut self) -> Result<()> {
        self.look_for_sessions().await?;
        let counters = self.counters().await?;
        self.collect_nameless().await?;
        if !self.collect_nodes().await? {
            return Ok(());
        }
        self.check_acls().await?;
        self.check_deleted_files().await?;
        let all: Vec<Ino> = self.directories.keys().copied().collect();
        self.check_directories(all).await?;
        self.check_edges().await?;
        self.find_loops().await?;
        self.check_links().await?;
        self.check_counters(counters).await
    }

    /// Entries and directories below one.
    pub(super) async fn check_tree(&mut self, top: Ino) -> Result<()> {
        let attr = self.meta.getattr(top).await?;
        if attr.is_directory() {
            self.check_directories(vec![top]).await?;
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
            .all(|session| session.expired || session.id == own);
        Ok(())
    }

    pub(super) async fn counters(&self) -> Result<(i64, i64)> {
        let keys = [
            Key::Counter(Counter::UsedSpace),
            Key::Counter(Counter::TotalInodes),
        ];
        let mut found = self.meta.engine.get(&keys).await?;
        Ok((found.counter()?.unwrap_or(0), found.counter()?.unwrap_or(0)))
    }

    async fn collect_nameless(&mut self) -> Result<()> {
        for range in [Scan::AllSustained, Scan::Detached] {
            let mut pages = Pages::new(range);
            while let Some(items) = pages.next(self.meta).await? {
                self.nameless
                    .extend(items.into_iter().filter_map(|(key, _)| match key {
                        Key::Sustained(_, ino) | Key::Detached(ino) => Some(ino),
                        _ => None,
                    }));
            }
        }
        Ok(())
    }

    /// Notes every node; `false` when a damaged record ends the pass.
    async fn collect_nodes(&mut self) -> Result<bool> {
        let mut pages = Pages::new(Scan::AllNodes);
        loop {
            self.progress.check()?;
            let items = match pages.next(self.meta).await {
                Ok(Some(items)) => items,
                Ok(None) => return Ok(true),
                Err(error) => {
                    return self
                        .damaged(error, "the node records behind it were not checked")
                        .map(|()| false);
                }
            };
            self.report.counts.nodes += items.len() as u64;
            self.progress.add(items.len() as u64, 0);
            let mut symlinks = Vec::new();
            for (key, record) in items {
                let (Key::Node(ino), Record::Node(attr)) = (key, record) else {
                    continue;
                };
                self.nodes.insert(ino);
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
    }

    async fn check_symlinks(&mut self, symlinks: Vec<Ino>) -> Result<()> {
        let keys: Vec<Key> = symlinks.iter().map(|ino| Key::Symlink(*ino)).collect();
        let mut targets = self.meta.engine.get(&keys).await?;
        for ino in symlinks {
            if targets.symlink()?.is_none() && self.meta.getattr(ino).await.is_ok() {
                self.add(
                    Defect::MissingTarget,
                    Severity::Error,
                    format!("symlink {ino} has no target record"),
                    "Remove it and make it again.",
                    None,
                );
            }
        }
        Ok(())
    }

    /// A record that can not be read is a finding, any other failure ends the check.
    pub(super) fn damaged(&mut self, error: Error, consequence: &str) -> Result<()> {
        if error.kind() != ErrorKind::Corrupt {
            return Err(error);
        }
        self.add(
            Defect::DamagedRecord,
            Severity::Error,
            format!("{error}; {consequence}"),
            "Restore the record from a metadata backup.",
            None,
        );
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
            Some(Some(Err(error))) => RepairState::Failed(error.to_string()),
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
        self.used.0 += attr.used_space();
        self.used.1 += 1;
    }

    /// Compares the usage counters with the scan, unless they moved meanwhile.
    async fn check_counters(&mut self, before: (i64, i64)) -> Result<()> {
        let after = self.counters().await?;
        if before != after {
            self.add(
                Defect::UsageCounter,
                Severity::Note,
                "the usage counters changed while the volume was checked and were not compared".to_owned(),
                "Check again while nobody writes.",
                None,
            );
            return Ok(());
        }
        let pairs = [
            (Counter::UsedSpace, "bytes", after.0, self.used.0),
            (Counter::TotalInodes, "nodes", after.1, self.used.1),
        ];
        for (counter, unit, stored, scanned) in pairs {
            if stored == scanned {
                continue;
            }
            let repair = match (self.options.repair, self.alone) {
                (true, true) => Some(self.meta.repair_counter(counter, stored, scanned).await),
                (true, false) => Some(Err(super::repair::in_use())),
                (false, _) => None,
            };
            self.add(
                Defect::UsageCounter,
                Severity::Note,
                format!(
                    "counter {} says {stored} {unit}, the scan found {scanned}",
                    counter.name()
                ),
                "A client that died before it wrote its numbers leaves this; `fsck --repair` corrects it.",
                Some(repair),
            );
        }
        Ok(())
    }
}
