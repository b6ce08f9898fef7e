//! Removing what a session leaves behind.

use std::sync::Arc;

use moorage_model::{Ino, Result, SessionId};

use crate::jobs::Deletion;
use crate::{Key, Meta, Record, Scan, Verb};

/// Records removed per transaction.
const BATCH: usize = 100;
/// Seconds without a heartbeat after which a session of a client before 1.0 is dead.
const LEGACY_EXPIRY: i64 = 300;
/// Expired sessions cleaned at one heartbeat.
const MAX_SESSIONS: usize = 1000;

impl Meta {
    /// Cleans up after every session whose expiry has passed, at most 1000. Returns how many were removed.
    ///
    /// # Errors
    /// The first failure, after the other sessions were tried.
    pub async fn reap_sessions(&self) -> Result<usize> {
        let expired = self.expired_sessions().await?;
        let mut reaped = 0;
        let mut outcome = Ok(());
        for (session, record) in expired {
            match self.clean_session(session, record).await {
                Ok(()) => reaped += 1,
                Err(error) if outcome.is_ok() => outcome = Err(error),
                Err(_) => {}
            }
        }
        outcome.map(|()| reaped)
    }

    /// Sessions whose expiry, or for clients before 1.0 whose last heartbeat, is long enough ago, with their records.
    async fn expired_sessions(&self) -> Result<Vec<(SessionId, Key)>> {
        let now = self.now().seconds;
        let own = self.session();
        let mut expired = Vec::new();
        for range in [Scan::Sessions, Scan::LegacySessions] {
            let mut after: Option<Key> = None;
            loop {
                // A damaged session keeps none of the others.
                let page = self.engine.survey(&range, after.as_ref(), MAX_SESSIONS).await?;
                after = page.next;
                expired.extend(page.items.into_iter().filter_map(|(key, record)| {
                    let (session, dead) = match (&key, record) {
                        (Key::Session(session), Record::Session(record)) => (*session, record.expire < now),
                        (Key::LegacySession(session), Record::LegacySession(heartbeat)) => {
                            (*session, heartbeat < now.saturating_sub(LEGACY_EXPIRY))
                        }
                        _ => return None,
                    };
                    (dead && session != own).then_some((session, key))
                }));
                if after.is_none() || expired.len() >= MAX_SESSIONS {
                    break;
                }
            }
        }
        expired.truncate(MAX_SESSIONS);
        Ok(expired)
    }

    /// Removes locks, sustained files and at last the record of a session. The data of the files is removed in the
    /// background.
    ///
    /// # Errors
    /// The first failure; the session record stays then, so that somebody tries again.
    pub(super) async fn clean_session(&self, session: SessionId, record: Key) -> Result<()> {
        self.clean_locks(session).await?;
        self.clean_sustained(session).await?;
        self.transact(Verb::removal("clean session"), move |meta, txn| {
            txn.delete(record.clone());
            meta.log(txn, || format!("CLEANSESSION({session})"));
            Box::pin(async { Ok(()) })
        })
        .await
    }

    async fn clean_locks(&self, session: SessionId) -> Result<()> {
        loop {
            let page = self
                .engine
                .scan(&Scan::SessionLocks(session), None, BATCH)
                .await?;
            let more = page.more;
            let keys: Arc<Vec<Key>> = Arc::new(page.items.into_iter().map(|(key, _)| key).collect());
            if keys.is_empty() {
                return Ok(());
            }
            let removed = Arc::clone(&keys);
            self.transact(Verb::removal("clean locks"), move |_, txn| {
                let keys = Arc::clone(&removed);
                Box::pin(async move {
                    // Locked, because a take of the same lock may be under way.
                    txn.get_locked(&keys).await?;
                    for key in keys.iter() {
                        txn.delete(key.clone());
                    }
                    Ok(())
                })
            })
            .await?;
            self.note_locks_removed(&keys);
            if !more {
                return Ok(());
            }
        }
    }

    async fn clean_sustained(&self, session: SessionId) -> Result<()> {
        let mut after: Option<Key> = None;
        loop {
            let page = self
                .engine
                .scan(&Scan::Sustained(session), after.as_ref(), BATCH)
                .await?;
            after = page.items.last().map(|(key, _)| key.clone());
            let inodes: Vec<Ino> = page
                .items
                .iter()
                .filter_map(|(key, _)| match key {
                    Key::Sustained(_, ino) => Some(*ino),
                    _ => None,
                })
                .collect();
            for ino in inodes {
                if let Some(length) = self.end_sustained(session, ino).await? {
                    self.deletions.push(Deletion::File(ino, length));
                }
            }
            if !page.more || after.is_none() {
                return Ok(());
            }
        }
    }
}
