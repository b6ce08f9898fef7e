//! BSD locks: one per open file, on the whole file.

use std::sync::Arc;

use moorage_model::{ErrorKind, FileLockKind, Ino, LockOwner, Result, SessionId};

use super::Wait;
use super::attempt::{Attempt, Outcome};
use super::left::Left;
use crate::{Key, Meta, ReadSet, Record, Scan, Txn, Verb};

/// A request of one owner; the arguments of its transactions.
#[derive(Clone, Copy, Debug)]
struct Request {
    ino: Ino,
    session: SessionId,
    owner: LockOwner,
    kind: FileLockKind,
    wait: Wait,
}

/// What a transaction came to: the outcome with the owner's earlier lock, and whether a lock was given up or weakened.
#[derive(Debug)]
struct Tried {
    outcome: Outcome<Option<FileLockKind>, LockOwner>,
    weakened: bool,
}

impl Meta {
    /// Takes, converts or (`None`) releases the BSD lock of an open file.
    ///
    /// An owner that waits for an exclusive lock gives up its shared one first, as on Linux, so that two of them do
    /// not wait for each other for ever.
    ///
    /// Read set: node, BSD locks of the inode, sessions of those in the way. Write set: the own lock, locks of sessions
    /// that are gone. Round trips: one read, one more when locks are in the way, one commit per try; a release is one
    /// commit. Waiting holds no transaction; a release by this client wakes it, for others it polls.
    ///
    /// # Errors
    /// `WouldBlock` without waiting; `NotFound`; `NotSupported` without a session; `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future of a request for a lock leaves no lock behind that was not held before; a commit under way
    /// is taken back in the background. A release that has begun is carried through.
    pub async fn flock(
        &self,
        ino: Ino,
        owner: LockOwner,
        kind: Option<FileLockKind>,
        wait: Wait,
    ) -> Result<()> {
        let session = self.lock_session()?;
        let request = Request {
            ino,
            session,
            owner,
            kind: kind.unwrap_or(FileLockKind::Shared),
            wait,
        };
        if kind.is_none() {
            return self.release_file_lock(request).await;
        }
        match wait {
            Wait::No => match self.try_file_lock(request)?.await? {
                Outcome::Granted(_) => Ok(()),
                Outcome::Blocked(_) => Err(ErrorKind::WouldBlock.into()),
            },
            Wait::UntilGranted => {
                let attempt = || self.try_file_lock(request);
                self.until_granted(ino, owner, attempt).await
            }
        }
    }

    fn try_file_lock(&self, request: Request) -> Result<Attempt<Option<FileLockKind>, LockOwner>> {
        let client = self.shared()?;
        let (meta, taker_back) = (Arc::clone(&client), Arc::clone(&client));
        let run = async move {
            meta.release_left((request.ino, request.owner)).await?;
            let tried = meta
                .transact("flock", move |meta, txn| {
                    Box::pin(async move { request.run(meta, txn).await })
                })
                .await?;
            if tried.weakened {
                meta.lock_waits.released(request.ino);
            }
            Ok(tried.outcome)
        };
        Ok(Attempt::new(
            client,
            (request.ino, request.owner),
            run,
            move |previous| Box::pin(async move { taker_back.take_back_file_lock(request, previous).await }),
        ))
    }

    /// Undoes a grant that nobody waits for any more, as far as that weakens the lock.
    async fn take_back_file_lock(&self, request: Request, previous: Option<FileLockKind>) {
        if previous == Some(request.kind) || previous == Some(FileLockKind::Exclusive) {
            return;
        }
        let undone = self
            .transact("take back a lock", move |meta, txn| {
                request.store(meta, txn, previous);
                Box::pin(async { Ok(()) })
            })
            .await;
        self.lock_waits.released(request.ino);
        if undone.is_err() && previous.is_none() {
            self.lock_waits
                .left()
                .note((request.ino, request.owner), Left::File);
        }
    }

    async fn release_file_lock(&self, request: Request) -> Result<()> {
        let client = self.shared()?;
        let meta = Arc::clone(&client);
        let run = async move {
            let released = meta
                .transact(Verb::removal("unlock"), move |meta, txn| {
                    request.store(meta, txn, None);
                    Box::pin(async { Ok(()) })
                })
                .await;
            if released.is_err() {
                let asker = (request.ino, request.owner);
                meta.lock_waits.left().note(asker, Left::File);
            }
            released?;
            meta.lock_waits.released(request.ino);
            Ok(Outcome::<(), LockOwner>::Granted(()))
        };
        let asker = (request.ino, request.owner);
        Attempt::new(client, asker, run, |()| Box::pin(async {}))
            .await
            .map(drop)
    }
}

impl Request {
    async fn run(&self, meta: &Meta, txn: &mut dyn Txn) -> Result<Tried> {
        meta.check_lock_session(self.session)?;
        let mut found = txn
            .lock_set(ReadSet {
                keys: &[Key::Node(self.ino)],
                children: &[],
                range: Some(&Scan::FileLocks(self.ino)),
            })
            .await?;
        found.records.node()?.ok_or(ErrorKind::NotFound)?;
        let mut previous = None;
        let mut blockers = Vec::new();
        for (key, record) in found.range {
            let (Key::FileLock(_, session, owner), Record::FileLock(kind)) = (key, record) else {
                continue;
            };
            if (session, owner) == (self.session, self.owner) {
                previous = Some(kind);
            } else if [kind, self.kind].contains(&FileLockKind::Exclusive) {
                blockers.push((session, owner));
            }
        }
        if self.is_blocked(txn, &blockers).await? {
            let weakened = previous.is_some() && self.wait == Wait::UntilGranted;
            if weakened {
                self.store(meta, txn, None);
            }
            return Ok(Tried {
                // An owner is one open file, not a process: no circle of them is a deadlock.
                outcome: Outcome::Blocked(Vec::new()),
                weakened,
            });
        }
        if previous != Some(self.kind) {
            self.store(meta, txn, Some(self.kind));
        }
        Ok(Tried {
            outcome: Outcome::Granted(previous),
            weakened: previous == Some(FileLockKind::Exclusive) && self.kind == FileLockKind::Shared,
        })
    }

    /// Whether a session that lives holds one of these locks. Those of the others are removed: JuiceFS leaves the shared
    /// locks of a session behind that it reaps on Redis (spec 30-redis section 3). One round trip when there are any.
    async fn is_blocked(&self, txn: &mut dyn Txn, blockers: &[(SessionId, LockOwner)]) -> Result<bool> {
        if blockers.is_empty() {
            return Ok(false);
        }
        let keys: Vec<Key> = blockers
            .iter()
            .flat_map(|(session, _)| [Key::Session(*session), Key::LegacySession(*session)])
            .collect();
        let sessions = txn.lock(&keys).await?;
        let mut blocked = false;
        for ((session, owner), found) in blockers.iter().zip(sessions.chunks(2)) {
            if *session == self.session || found.iter().any(Option::is_some) {
                blocked = true;
            } else {
                txn.delete(Key::FileLock(self.ino, *session, *owner));
            }
        }
        Ok(blocked)
    }

    /// Gives the owner a lock of this kind, or none.
    fn store(&self, meta: &Meta, txn: &mut dyn Txn, kind: Option<FileLockKind>) {
        let own = Key::FileLock(self.ino, self.session, self.owner);
        match kind {
            Some(kind) => txn.put(own, Record::FileLock(kind)),
            None => txn.delete(own),
        }
        meta.log(txn, || {
            let letter = kind.map_or('U', |kind| char::from(kind.letter()));
            format!("FLOCK({},{},{letter})", self.ino, self.owner)
        });
    }
}
