//! POSIX locks: ranges of bytes per owner.

use std::sync::Arc;

use moorage_model::{
    Error, ErrorKind, Ino, LockOwner, RecordLock, RecordLockKind, RecordLocks, Result, SessionId,
};

use super::Wait;
use super::attempt::{Attempt, Outcome};
use super::left::Left;
use super::withdrawal::withdrawal;
use crate::{Key, Meta, ReadSet, Record, Scan, Txn};

/// Locked ranges of one owner on one inode. More do not fit in a MySQL BLOB (spec 40-sql section 2).
const MAX_RANGES: usize = 65_535 / RecordLock::BYTES;
/// Records read at once when locks are only looked at.
const LOCK_PAGE: usize = 1000;

/// A range to be locked or unlocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockRequest {
    /// Kind of the lock; `None` unlocks.
    pub kind: Option<RecordLockKind>,
    /// Process that asks, as F_GETLK reports it.
    pub pid: u32,
    /// First byte.
    pub start: u64,
    /// Last byte, inclusive; [`RecordLock::TO_END`] and beyond is "to end of file".
    pub end: u64,
}

impl LockRequest {
    fn checked(mut self) -> Result<LockRequest> {
        self.end = self.end.min(RecordLock::TO_END);
        if self.start > self.end {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("lock range from {} to {}", self.start, self.end),
            ));
        }
        Ok(self)
    }

    fn letter(&self) -> char {
        match self.kind {
            None => 'U',
            Some(RecordLockKind::Read) => 'R',
            Some(RecordLockKind::Write) => 'W',
        }
    }
}

/// A request of one owner; the arguments of its transactions.
#[derive(Clone, Copy, Debug)]
struct Change {
    ino: Ino,
    session: SessionId,
    owner: LockOwner,
    request: LockRequest,
}

/// What a transaction came to: the outcome with the owner's earlier ranges, and whether a lock was weakened.
struct Tried {
    outcome: Outcome<Vec<RecordLock>, LockOwner>,
    weakened: bool,
}

impl Meta {
    /// The first lock (by its start) that another owner holds against `wanted`; `None` when it could be granted.
    /// The process is known for locks of this client only, else it is 0.
    ///
    /// One engine read per 1000 owners; needs no session.
    ///
    /// # Errors
    /// `InvalidArgument` for an empty range; `Corrupt` for a damaged record.
    pub async fn record_lock_get(
        &self,
        ino: Ino,
        owner: LockOwner,
        wanted: RecordLock,
    ) -> Result<Option<RecordLock>> {
        let session = self.session();
        let mut first: Option<RecordLock> = None;
        let mut after: Option<Key> = None;
        loop {
            let page = self
                .engine
                .scan(&Scan::RecordLocks(ino), after.as_ref(), LOCK_PAGE)
                .await?;
            after = page.items.last().map(|(key, _)| key.clone());
            for (key, record) in page.items {
                let (Key::RecordLocks(_, holder, of), Record::RecordLocks(ranges)) = (key, record) else {
                    continue;
                };
                if (holder, of) == (session, owner) {
                    continue;
                }
                let found = ranges.into_iter().find(|range| range.conflicts(&wanted));
                if let Some(mut range) = found
                    && first.is_none_or(|first| range.start < first.start)
                {
                    range.pid = if holder == session { range.pid } else { 0 };
                    first = Some(range);
                }
            }
            if !page.more || after.is_none() {
                return Ok(first);
            }
        }
    }

    /// Locks or unlocks a range for an owner, splitting and merging what it holds.
    ///
    /// Read set: node, POSIX locks of the inode (of the owner when unlocking). Write set: the locks of the owner. Round
    /// trips: one read, one commit per try. Waiting holds no transaction; a release by this client wakes it, for
    /// others it polls.
    ///
    /// # Errors
    /// `WouldBlock` without waiting; `Deadlock` when waiting would close a circle of owners of this client; `NotFound`;
    /// `InvalidArgument` for an empty range; `NoSpace` for more ranges than a record holds; `NotSupported` without a
    /// session; `ReadOnly`.
    ///
    /// # Cancel safety
    /// As [`Meta::flock`].
    pub async fn record_lock_set(
        &self,
        ino: Ino,
        owner: LockOwner,
        request: LockRequest,
        wait: Wait,
    ) -> Result<()> {
        let change = Change {
            ino,
            session: self.lock_session()?,
            owner,
            request: request.checked()?,
        };
        match wait {
            Wait::UntilGranted if request.kind.is_some() => {
                let attempt = || self.try_record_lock(change);
                self.until_granted(ino, owner, attempt).await
            }
            _ => match self.try_record_lock(change)?.await? {
                Outcome::Granted(_) => Ok(()),
                Outcome::Blocked(_) => Err(ErrorKind::WouldBlock.into()),
            },
        }
    }

    fn try_record_lock(&self, change: Change) -> Result<Attempt<Vec<RecordLock>, LockOwner>> {
        let client = self.shared()?;
        let (meta, taker_back) = (Arc::clone(&client), Arc::clone(&client));
        let run = async move {
            let tried = meta.try_change(change).await;
            if tried.is_err() && change.request.kind.is_none() {
                meta.note_left_range(&change, &change.request);
            }
            let tried = tried?;
            if tried.weakened {
                meta.lock_waits.released(change.ino);
            }
            Ok(tried.outcome)
        };
        Ok(Attempt::new(
            client,
            (change.ino, change.owner),
            run,
            move |previous| Box::pin(async move { taker_back.take_back_record_lock(change, previous).await }),
        ))
    }

    async fn try_change(&self, change: Change) -> Result<Tried> {
        self.release_left((change.ino, change.owner)).await?;
        self.transact("record lock", move |meta, txn| {
            Box::pin(async move { change.run(meta, txn).await })
        })
        .await
    }

    /// Undoes a grant that nobody waits for any more, as far as that weakens the lock.
    async fn take_back_record_lock(&self, change: Change, previous: Vec<RecordLock>) {
        if change.request.kind.is_none() {
            return;
        }
        let steps = Arc::new(withdrawal(&change.request, &previous));
        let taken = Arc::clone(&steps);
        let undone = self
            .transact("take back a record lock", move |meta, txn| {
                let steps = Arc::clone(&taken);
                Box::pin(async move { change.withdraw(meta, txn, &steps).await })
            })
            .await;
        self.lock_waits.released(change.ino);
        if undone.is_err() {
            for step in steps.iter().filter(|step| step.kind.is_none()) {
                self.note_left_range(&change, step);
            }
        }
    }

    fn note_left_range(&self, change: &Change, range: &LockRequest) {
        let left = Left::Range(range.start, range.end);
        self.lock_waits.left().note((change.ino, change.owner), left);
    }
}

impl Change {
    async fn run(&self, meta: &Meta, txn: &mut dyn Txn) -> Result<Tried> {
        let mut own = match self.request.kind {
            None => self.locked_own(txn).await?,
            Some(kind) => match self.locked_unless_blocked(meta, txn, kind).await? {
                Ok(own) => own,
                Err(blockers) => {
                    return Ok(Tried {
                        outcome: Outcome::Blocked(blockers),
                        weakened: false,
                    });
                }
            },
        };
        let request = self.request;
        let previous = own.ranges.clone();
        own.set(request.kind, request.pid, request.start, request.end);
        self.store(meta, txn, &previous, own, &request)?;
        let weakened = request.kind != Some(RecordLockKind::Write) && !previous.is_empty();
        Ok(Tried {
            outcome: Outcome::Granted(previous),
            weakened,
        })
    }

    fn key(&self) -> Key {
        Key::RecordLocks(self.ino, self.session, self.owner)
    }

    fn own(&self, ranges: Vec<RecordLock>) -> RecordLocks {
        RecordLocks {
            session: self.session,
            owner: self.owner,
            ranges,
        }
    }

    async fn locked_own(&self, txn: &mut dyn Txn) -> Result<RecordLocks> {
        let ranges = txn.get_locked(&[self.key()]).await?.record_locks()?;
        Ok(self.own(ranges.unwrap_or_default()))
    }

    /// The locks of the owner, or the owners of this client among those whose locks are in the way.
    async fn locked_unless_blocked(
        &self,
        meta: &Meta,
        txn: &mut dyn Txn,
        kind: RecordLockKind,
    ) -> Result<Result<RecordLocks, Vec<LockOwner>>> {
        meta.check_lock_session(self.session)?;
        let mut found = txn
            .lock_set(ReadSet {
                keys: &[Key::Node(self.ino)],
                children: &[],
                range: Some(&Scan::RecordLocks(self.ino)),
            })
            .await?;
        found.records.node()?.ok_or(ErrorKind::NotFound)?;
        let wanted = RecordLock {
            kind,
            pid: self.request.pid,
            start: self.request.start,
            end: self.request.end,
        };
        let mut own = self.own(Vec::new());
        let mut blocked = false;
        let mut blockers = Vec::new();
        for (key, record) in found.range {
            let (Key::RecordLocks(_, session, owner), Record::RecordLocks(ranges)) = (key, record) else {
                continue;
            };
            if (session, owner) == (self.session, self.owner) {
                own.ranges = ranges;
            } else if ranges.iter().any(|range| range.conflicts(&wanted)) {
                blocked = true;
                blockers.extend((session == self.session).then_some(owner));
            }
        }
        Ok(if blocked { Err(blockers) } else { Ok(own) })
    }

    fn store(
        &self,
        meta: &Meta,
        txn: &mut dyn Txn,
        previous: &[RecordLock],
        own: RecordLocks,
        request: &LockRequest,
    ) -> Result<()> {
        if own.ranges == previous {
            return Ok(());
        }
        if own.ranges.len() > MAX_RANGES {
            return Err(Error::new(
                ErrorKind::NoSpace,
                format!("more than {MAX_RANGES} locked ranges on inode {}", self.ino),
            ));
        }
        if own.ranges.is_empty() {
            txn.delete(self.key());
        } else {
            txn.put(self.key(), Record::RecordLocks(own.ranges));
        }
        meta.log(txn, || {
            let (ino, owner, letter) = (self.ino, self.owner, request.letter());
            format!(
                "SETLK({ino},{owner},{letter},{},{},{})",
                request.start, request.end, request.pid
            )
        });
        Ok(())
    }

    async fn withdraw(&self, meta: &Meta, txn: &mut dyn Txn, steps: &[LockRequest]) -> Result<()> {
        let mut own = self.locked_own(txn).await?;
        let before = own.ranges.clone();
        for step in steps {
            own.set(step.kind, step.pid, step.start, step.end);
        }
        let unlock = LockRequest {
            kind: None,
            ..self.request
        };
        self.store(meta, txn, &before, own, &unlock)
    }
}
