//! Counters: usage against the scan, allocation against what was numbered, and damaged ones built again.

use moorage_model::{Counter, ErrorKind, Ino, Result, SliceId};

use super::namespace::{Namespace, Repaired};
use super::repair::in_use;
use super::report::{Defect, Severity};
use crate::admin::{Pages, readable};
use crate::{Key, Record, Scan, TxnExt as _};

/// Slice ids that a rebuilt counter skips. Deleted slices leave no record, but caches of clients may hold their blocks:
/// a slice that got such an id again would find them under its name. So this is more than any volume has deleted in
/// a row, and a negligible part of 2^63.
const SPARE_SLICES: u64 = 1 << 32;
/// Inode numbers that a rebuilt counter skips: deleted files leave no record, and programs may know their numbers.
/// Few enough for programs that hold them in 32 bits.
const SPARE_INODES: u64 = 1 << 20;
/// Numbers that other rebuilt counters skip; their uses are short-lived, or all on record.
const SPARE_NUMBERS: u64 = 1 << 10;

/// The highest numbers on record, and what is used.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    inode: u64,
    /// Behind [`Ino::TRASH`].
    trash_directory: u64,
    slice: u64,
    session: u64,
    acl: u64,
    space: i64,
    nodes: i64,
}

impl Seen {
    fn note(&mut self, key: &Key, record: &Record) {
        self.note_key(key);
        match record {
            Record::Node(attr) if !matches!(key, Key::Node(Ino::ROOT | Ino::TRASH)) => {
                self.space = self.space.saturating_add(attr.used_space());
                self.nodes = self.nodes.saturating_add(1);
            }
            Record::Edge(entry) => self.note_inode(entry.ino),
            Record::Chunk(slices) => slices.iter().for_each(|slice| self.note_slice(slice.id)),
            Record::DelayedSlices(slices) => slices.iter().for_each(|slice| self.note_slice(slice.id)),
            _ => {}
        }
    }

    fn note_key(&mut self, key: &Key) {
        match key {
            Key::Node(ino) | Key::Edge(ino, _) | Key::Chunk(ino, _) | Key::DeletedFile(ino, _) => {
                self.note_inode(*ino);
            }
            Key::DelayedSlices(id, _) | Key::SliceRef(id, _) => self.note_slice(*id),
            Key::Sustained(session, ino) => {
                self.session = self.session.max(session.0);
                self.note_inode(*ino);
            }
            Key::Session(session) | Key::LegacySession(session) => {
                self.session = self.session.max(session.0);
            }
            Key::Acl(id) => self.acl = self.acl.max(u64::from(id.0)),
            _ => {}
        }
    }

    fn note_inode(&mut self, ino: Ino) {
        if ino.is_trash() {
            self.trash_directory = self.trash_directory.max(ino.0 - Ino::TRASH.0);
        } else if !ino.is_internal() {
            self.inode = self.inode.max(ino.0);
        }
    }

    fn note_slice(&mut self, id: SliceId) {
        self.slice = self.slice.max(id.0);
    }

    /// The value of a counter that agrees with all this.
    fn value_of(&self, counter: Counter) -> i64 {
        let behind = |highest: u64, spare: u64| {
            let next = highest.saturating_add(spare);
            i64::try_from(next).unwrap_or(i64::MAX)
        };
        match counter {
            Counter::NextInode => behind(self.inode.max(Ino::ROOT.0) + 1, SPARE_INODES),
            Counter::NextChunk => behind(self.slice.saturating_add(1), SPARE_SLICES),
            Counter::NextSession => behind(self.session, SPARE_NUMBERS),
            Counter::NextTrash => behind(self.trash_directory, SPARE_NUMBERS),
            Counter::AclMaxId => behind(self.acl, SPARE_NUMBERS),
            Counter::UsedSpace => self.space,
            Counter::TotalInodes => self.nodes,
            // The job runs at its next chance.
            Counter::NextCleanupSlices
            | Counter::LastCleanupSessions
            | Counter::LastCleanupFiles
            | Counter::LastCleanupTrash
            | Counter::LastCleanupChangelog => 0,
        }
    }
}

impl Namespace<'_> {
    /// Finds counters that can not be read, and builds them again when asked to. First of all, since the other repairs
    /// take numbers and change what is used.
    pub(super) async fn check_damaged_counters(&mut self) -> Result<()> {
        let mut damaged = Vec::new();
        for counter in Counter::ALL {
            match self.read_counter(counter).await {
                Err(error) if error.kind() == ErrorKind::Corrupt => damaged.push((counter, error)),
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        if damaged.is_empty() {
            return Ok(());
        }
        let seen = if self.options.repair && self.alone {
            Some(self.scan_numbers().await?)
        } else {
            None
        };
        for (counter, error) in damaged {
            let repair: Option<Repaired> = match (&seen, self.options.repair) {
                (Some(seen), _) => {
                    let value = seen.value_of(counter);
                    Some(self.meta.rebuild_counter(counter, value).await)
                }
                (None, true) => Some(Err(in_use())),
                (None, false) => None,
            };
            self.report.counts.damaged += u64::from(!matches!(repair, Some(Ok(true))));
            self.add(
                Defect::DamagedRecord,
                Severity::Error,
                error.reason(),
                "`fsck --repair` builds it again from all other records, while nobody has the volume mounted.",
                Some(repair),
            );
        }
        Ok(())
    }

    pub(super) async fn read_counter(&self, counter: Counter) -> Result<Option<i64>> {
        self.meta.engine.get(&[Key::Counter(counter)]).await?.counter()
    }

    /// Every record that says a number or takes space; damaged ones can not, which the spare numbers make up for.
    async fn scan_numbers(&self) -> Result<Seen> {
        let mut seen = Seen::default();
        for range in [
            Scan::AllNodes,
            Scan::AllEdges,
            Scan::AllChunks,
            Scan::DelayedSlices,
            Scan::SliceRefs,
            Scan::DeletedFiles,
            Scan::AllSustained,
            Scan::Sessions,
            Scan::LegacySessions,
            Scan::Acls,
        ] {
            let mut pages = Pages::new(range);
            while let Some(page) = pages.survey(self.meta).await? {
                self.progress.check()?;
                let items = page.items.iter();
                items.for_each(|(key, record)| seen.note(key, record));
                let named = page.damaged.iter().filter_map(|found| found.key.as_ref());
                named.for_each(|key| seen.note_key(key));
            }
        }
        Ok(seen)
    }

    /// The usage counters; `None` where one can not be read.
    pub(super) async fn usage_counters(&self) -> Result<Option<(i64, i64)>> {
        let space = readable(self.read_counter(Counter::UsedSpace).await)?;
        let nodes = readable(self.read_counter(Counter::TotalInodes).await)?;
        Ok(space
            .zip(nodes)
            .map(|(space, nodes)| (space.unwrap_or(0), nodes.unwrap_or(0))))
    }

    /// Compares the usage counters with the scan, unless they moved meanwhile.
    pub(super) async fn check_usage(&mut self, before: Option<(i64, i64)>) -> Result<()> {
        let (Some(before), Some(after)) = (before, self.usage_counters().await?) else {
            // A finding already.
            return Ok(());
        };
        let unread = self.unread.nodes.len() as u64 + self.unread.unknown_nodes + self.unread.entries;
        let uncertain = if unread > 0 {
            Some(format!("{unread} of the nodes and entries can not be read"))
        } else if self.disputed.is_empty() {
            None
        } else {
            Some("nodes and their entries contradict each other in what they are".to_owned())
        };
        if let Some(reason) = uncertain {
            self.add(
                Defect::UsageCounter,
                Severity::Note,
                format!("the usage counters were not compared: {reason}"),
                "Restore them, then check again.",
                None,
            );
            return Ok(());
        }
        // Nodes that repairs made are counted by both.
        let (mut expected, mut scanned) = (before, self.used);
        for space in self.made.values() {
            expected = (expected.0.saturating_add(*space), expected.1.saturating_add(1));
            scanned = (scanned.0.saturating_add(*space), scanned.1.saturating_add(1));
        }
        if expected != after {
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
            (Counter::UsedSpace, "bytes", after.0, scanned.0),
            (Counter::TotalInodes, "nodes", after.1, scanned.1),
        ];
        for (counter, unit, stored, scanned) in pairs {
            if stored == scanned {
                continue;
            }
            let repair = match (self.options.repair, self.alone) {
                (true, true) => Some(self.meta.repair_counter(counter, stored, scanned).await),
                (true, false) => Some(Err(in_use())),
                (false, _) => None,
            };
            self.add(
                Defect::UsageCounter,
                Severity::Note,
                format!(
                    "counter {} says {stored} {unit}, the scan found {scanned}",
                    counter.name()
                ),
                "A client or server that stopped before numbers were written leaves this, and so do other clients at work; \
                 `fsck --repair` corrects it.",
                Some(repair),
            );
        }
        Ok(())
    }

    /// Whether the counters that give numbers are beyond all that the passes have seen. They are read last, so they are
    /// in a volume in use too.
    pub(super) async fn check_allocation(&mut self) -> Result<()> {
        let pairs = [
            (Counter::NextInode, "inode", self.highest_inode.0, SPARE_INODES),
            (Counter::NextChunk, "slice", self.highest_slice.0, SPARE_SLICES),
        ];
        for (counter, what, highest, spare) in pairs {
            let Some(stored) = readable(self.read_counter(counter).await)? else {
                continue;
            };
            let stored = stored.unwrap_or(counter.initial());
            if u64::try_from(stored).is_ok_and(|next| next > highest) {
                continue;
            }
            let value = i64::try_from(highest.saturating_add(spare)).unwrap_or(i64::MAX);
            let repair = match (self.options.repair, self.alone) {
                (true, true) => Some(self.meta.repair_allocation(counter, stored, value).await),
                (true, false) => Some(Err(in_use())),
                (false, _) => None,
            };
            self.add(
                Defect::AllocationCounter,
                Severity::Error,
                if stored < 0 {
                    format!("counter {} says {stored}, and no {what} can have a number below zero", counter.name())
                } else {
                    format!(
                        "counter {} says {stored}, and there is {what} {highest} already: something new would get the \
                         number of something else",
                        counter.name()
                    )
                },
                "Write nothing before `fsck --repair` has set it beyond, while nobody has the volume mounted.",
                Some(repair),
            );
        }
        Ok(())
    }
}
