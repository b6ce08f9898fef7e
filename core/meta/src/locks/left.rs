//! Locks that could not be released because the engine did not answer: released as soon as it does.

use std::collections::HashMap;
use std::sync::Arc;

use moorage_model::{LockOwner, RecordLock, RecordLocks, Result, SessionId};
use parking_lot::Mutex;

use super::attempt::{Attempt, Outcome};
use super::turn::Asker;
use crate::{Key, Meta, Record, Txn};

/// Owners whose releases are remembered. What is beyond ends with the session.
const MAX_ASKERS: usize = 10_000;
/// Ranges remembered per owner; more are one release of everything between the first and the last.
const MAX_RANGES: usize = 64;

/// A release that is still to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// The BSD lock.
    File,
    /// POSIX locks from this byte to this one.
    Range(u64, u64),
}

/// All releases that are still to be done.
#[derive(Debug, Default)]
pub(super) struct LeftLocks(Mutex<HashMap<Asker, Vec<Left>>>);

impl LeftLocks {
    pub(super) fn note(&self, asker: Asker, left: Left) {
        let mut all = self.0.lock();
        if all.len() >= MAX_ASKERS && !all.contains_key(&asker) {
            tracing::warn!(inode = %asker.0, "too many locks wait to be released; this one ends with the session");
            return;
        }
        let releases = all.entry(asker).or_default();
        if !releases.contains(&left) {
            releases.push(left);
        }
        if releases.len() > MAX_RANGES {
            *releases = merged(releases);
        }
    }

    fn of(&self, asker: Asker) -> Vec<Left> {
        self.0.lock().get(&asker).cloned().unwrap_or_default()
    }

    fn done(&self, asker: Asker) {
        self.0.lock().remove(&asker);
    }

    fn askers(&self) -> Vec<Asker> {
        self.0.lock().keys().copied().collect()
    }
}

fn merged(releases: &[Left]) -> Vec<Left> {
    let ranges = releases.iter().filter_map(|left| match left {
        Left::File => None,
        Left::Range(start, end) => Some((*start, *end)),
    });
    let around = ranges.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    let file = releases.contains(&Left::File).then_some(Left::File);
    file.into_iter()
        .chain(around.map(|(start, end)| Left::Range(start, end)))
        .collect()
}

impl Meta {
    /// Tries again to release what could not be released before, for every owner.
    ///
    /// # Errors
    /// The first failure; the rest waits for the next time.
    pub(crate) async fn release_left_locks(&self) -> Result<()> {
        for asker in self.lock_waits.left().askers() {
            let client = self.shared()?;
            let meta = Arc::clone(&client);
            let run = async move {
                meta.release_left(asker).await?;
                Ok(Outcome::<(), LockOwner>::Granted(()))
            };
            Attempt::new(client, asker, run, |()| Box::pin(async {})).await?;
        }
        Ok(())
    }

    /// As [`Meta::release_left_locks`] for one owner, within its turn. Without anything left it is ready at once.
    pub(super) async fn release_left(&self, asker: Asker) -> Result<()> {
        let left = Arc::new(self.lock_waits.left().of(asker));
        if left.is_empty() {
            return Ok(());
        }
        let session = self.session();
        self.transact("release left locks", move |_, txn| {
            let left = Arc::clone(&left);
            Box::pin(async move { release(txn, asker, session, &left).await })
        })
        .await?;
        self.lock_waits.left().done(asker);
        self.lock_waits.released(asker.0);
        Ok(())
    }
}

async fn release(txn: &mut dyn Txn, (ino, owner): Asker, session: SessionId, left: &[Left]) -> Result<()> {
    let key = Key::RecordLocks(ino, session, owner);
    let found: Option<Vec<RecordLock>> = txn.get_locked(std::slice::from_ref(&key)).await?.record_locks()?;
    let mut locks = RecordLocks {
        session,
        owner,
        ranges: found.unwrap_or_default(),
    };
    for left in left {
        match *left {
            Left::File => txn.delete(Key::FileLock(ino, session, owner)),
            Left::Range(start, end) => locks.set(None, 0, start, end),
        }
    }
    if locks.ranges.is_empty() {
        txn.delete(key);
    } else {
        txn.put(key, Record::RecordLocks(locks.ranges));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use moorage_model::Ino;

    use super::*;

    #[test]
    fn many_ranges_of_one_owner_become_one_that_covers_them() {
        let left = LeftLocks::default();
        let asker = (Ino(1), LockOwner(2));
        left.note(asker, Left::File);
        for number in 0..100 {
            left.note(asker, Left::Range(number * 10, number * 10 + 1));
        }
        let releases = left.of(asker);
        assert!(releases.len() <= MAX_RANGES);
        assert!(releases.contains(&Left::File));
        for number in 0..100 {
            let covered = releases.iter().any(
                |left| matches!(left, Left::Range(start, end) if *start <= number * 10 && number * 10 < *end),
            );
            assert!(covered, "range {number}");
        }
    }
}
