//! What a load adds up while it reads: the highest numbers, usage, and who owns what.

use std::collections::HashMap;

use moorage_model::{
    AclId, AclRule, Attr, Counter, Error, ErrorKind, Ino, QuotaKey, Result, SessionId, SliceId,
};

use super::batch::{Batches, Loaded};
use super::numbers::check_slice;
use crate::admin::InodeSet;
use crate::usage::Usage;

/// Numbers that may have been taken while a dump was made, beyond what its counters said at its begin.
const MOST_AHEAD: u64 = 1 << 32;

/// Sums over the nodes that were read.
///
/// Memory: a bit per inode and per slice, 50 bytes per owner of files, and the ACL rules.
#[derive(Debug, Default)]
pub(super) struct Totals {
    nodes: InodeSet,
    /// Slice ids are as dense as inodes.
    slices: InodeSet,
    /// Whether users and groups are counted.
    by_owner: bool,
    owners: HashMap<QuotaKey, Usage>,
    usage: Usage,
    highest_inode: u64,
    highest_hour: u64,
    highest_slice: u64,
    highest_session: u64,
    rules: HashMap<AclRule, AclId>,
    rules_in_order: Vec<AclRule>,
}

impl Totals {
    pub(super) fn count_owners(&mut self, wanted: bool) {
        self.by_owner = wanted;
    }

    /// Whether this inode is met for the first time.
    pub(super) fn is_first(&mut self, ino: Ino) -> bool {
        self.take_inode(ino);
        self.nodes.insert(ino)
    }

    /// Notes an inode that a record names, so that its number is not given out again.
    pub(super) fn take_inode(&mut self, ino: Ino) {
        match ino.0.checked_sub(Ino::TRASH.0) {
            Some(hour) => self.highest_hour = self.highest_hour.max(hour),
            None => self.highest_inode = self.highest_inode.max(ino.0),
        }
    }

    /// Notes the number of a session.
    pub(super) fn take_session(&mut self, session: SessionId) {
        self.highest_session = self.highest_session.max(session.0);
    }

    /// Counts a node; the two roots belong to nobody.
    pub(super) fn count(&mut self, ino: Ino, attr: &Attr) {
        if ino == Ino::ROOT || ino == Ino::TRASH {
            return;
        }
        let space = attr.used_space();
        self.usage.add(space, 1);
        if self.by_owner {
            for owner in [QuotaKey::User(attr.uid), QuotaKey::Group(attr.gid)] {
                self.owners.entry(owner).or_default().add(space, 1);
            }
        }
    }

    /// Notes that a record of a chunk shows this slice.
    ///
    /// # Errors
    /// See [`Batches::push`].
    pub(super) fn own_slice(&mut self, batches: &mut Batches, id: SliceId, size: u32) -> Result<()> {
        if id == SliceId::HOLE {
            return Ok(());
        }
        check_slice(id)?;
        self.highest_slice = self.highest_slice.max(id.0);
        batches.push(if self.slices.insert(Ino(id.0)) {
            Loaded::Slice(id, size)
        } else {
            Loaded::Owners(id, size, 1)
        })
    }

    /// Notes a slice whose number of owners is told elsewhere: it has one so far.
    ///
    /// # Errors
    /// See [`Batches::push`].
    pub(super) fn see_slice(&mut self, batches: &mut Batches, id: SliceId, size: u32) -> Result<()> {
        if id == SliceId::HOLE {
            return Ok(());
        }
        check_slice(id)?;
        self.highest_slice = self.highest_slice.max(id.0);
        if self.slices.insert(Ino(id.0)) {
            batches.push(Loaded::Slice(id, size))?;
        }
        Ok(())
    }

    /// The id that a rule will get: equal rules share one.
    pub(super) fn rule(&mut self, rule: AclRule) -> Result<AclId> {
        if let Some(id) = self.rules.get(&rule) {
            return Ok(*id);
        }
        let number = u32::try_from(self.rules_in_order.len() + 1)
            .map_err(|_| Error::new(ErrorKind::NoSpace, "the volume has no ACL ids left"))?;
        self.rules_in_order.push(rule.clone());
        self.rules.insert(rule, AclId(number));
        Ok(AclId(number))
    }

    /// The rules by their ids, the first being 1.
    pub(super) fn take_rules(&mut self) -> Vec<AclRule> {
        self.rules.clear();
        std::mem::take(&mut self.rules_in_order)
    }

    /// What users and groups own.
    pub(super) fn take_owners(&mut self) -> HashMap<QuotaKey, Usage> {
        std::mem::take(&mut self.owners)
    }

    /// Bytes and nodes in use.
    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// The value of a counter that hands out numbers: it goes on where the dumped volume was, and gives none that the
    /// dump uses.
    ///
    /// # Errors
    /// `Corrupt` when a number of the dump is one that its counter can not have given, or the counter has none left.
    pub(super) fn counter(&self, counter: Counter, dumped: i64) -> Result<i64> {
        let (what, least) = match counter {
            Counter::NextInode => ("inode", self.highest_inode.max(Ino::ROOT.0) + 1),
            Counter::NextChunk => ("slice", self.highest_slice + 1),
            Counter::NextTrash => ("directory of the trash", self.highest_hour),
            Counter::NextSession => ("session", self.highest_session),
            _ => return Ok(dumped),
        };
        let dumped = u64::try_from(dumped).unwrap_or(0);
        if least > dumped.saturating_add(MOST_AHEAD) {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "the dump has {what} {}, a number that its counter {} can not have given: it says {dumped}",
                    least - u64::from(counter.is_next_free()),
                    counter.name()
                ),
            ));
        }
        let value = dumped.max(least);
        // Beyond it an inode would be one of the virtual files.
        let value = (value < Ino::INTERNAL.0)
            .then(|| i64::try_from(value).ok())
            .flatten();
        value.ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                format!("counter {} of the dump is beyond every number", counter.name()),
            )
        })
    }
}
