//! BSD and POSIX locks between all clients of a volume (spec 20-model section 9).
//!
//! A lock belongs to a session and an owner inside it. A request that has to wait holds no transaction: it tries,
//! sleeps until a lock of this client goes or a poll is due, and tries again. Whoever stops waiting drops the
//! future; a grant that was under way then is taken back.

mod attempt;
mod deadlock;
mod file_lock;
mod left;
mod record_lock;
mod turn;
mod wait;
mod withdrawal;

use std::future::Future;

use attempt::Outcome;
use moorage_model::{Error, ErrorKind, Ino, LockOwner, Result, SessionId};

pub use record_lock::LockRequest;
pub(crate) use wait::LockWaits;

use crate::{Key, Meta};

/// What a lock request does when a lock of another owner is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Answers `WouldBlock` at once.
    No,
    /// Waits until it is granted or its future is dropped.
    UntilGranted,
}

impl Meta {
    /// These lock records are gone: wakes who waits for them in this client.
    pub(crate) fn note_locks_removed(&self, locks: &[Key]) {
        for lock in locks {
            if let Key::FileLock(ino, ..) | Key::RecordLocks(ino, ..) = lock {
                self.lock_waits.released(*ino);
            }
        }
    }

    /// The session that locks are taken for. Those of a client without one could never be reaped.
    fn lock_session(&self) -> Result<SessionId> {
        let session = self.session();
        if session == SessionId(0) {
            return Err(Error::new(
                ErrorKind::NotSupported,
                "this client has no session, which locks belong to",
            )
            .with_advice("Mount the volume writable to lock its files."));
        }
        Ok(session)
    }

    /// Refuses to lock for a session that has ended while the request waited: nobody would ever release it.
    fn check_lock_session(&self, session: SessionId) -> Result<()> {
        if self.session() == session {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Interrupted,
            format!("session {session} ended while a lock was asked for"),
        ))
    }

    async fn until_granted<Undo, Try>(
        &self,
        ino: Ino,
        owner: LockOwner,
        attempt: impl FnMut() -> Result<Try>,
    ) -> Result<()>
    where
        Try: Future<Output = Result<Outcome<Undo, LockOwner>>>,
    {
        let timer = |pause| self.tasks.timer(pause);
        wait::until_granted(&self.lock_waits, timer, (ino, owner), attempt).await
    }
}
