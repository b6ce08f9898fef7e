//! Removing what a session leaves behind.

use std::sync::Arc;

use moorage_model::{Ino, Result, SessionId};

use crate::jobs::Deletion;
use crate::{Key, Meta, Record, Scan};

/// Records removed per transaction.
const BATCH: usize = 100;
/// Expired sessions cleaned at one heartbeat.
const MAX_SESSIONS: usize = 1000;

impl Meta {
    /// Cleans up after every session whose expiry has passed, at most 1000. Returns how many were removed.
    ///
    /// # Errors
    /// The first failure, after the other sessions were tried.
    pub async fn reap_sessions(&self) -> Result<usize> {
        let now = self.now().seconds;
        let mut expired = Vec::new();
        let mut after: Option<Key> = None;
        loop {
            let page = self
                .engine
                .scan(&Scan::Sessions, after.as_ref(), MAX_SESSIONS)
                .await?;
            after = page.items.last().map(|(key, _)| key.clone());
            for (key, record) in page.items {
                if let (Key::Session(session), Record::Session(record)) = (key, record)
                    && record.expire < now
                    && session != self.session()
                {
                    expired.push(session);
                }
            }
            if !page.more || after.is_none() || expired.len() >= MAX_SESSIONS {
                break;
            }
        }
        expired.truncate(MAX_SESSIONS);
        let mut reaped = 0;
        let mut outcome = Ok(());
        for session in expired {
            match self.clean_session(session).await {
                Ok(()) => reaped += 1,
                Err(error) if outcome.is_ok() => outcome = Err(error),
                Err(_) => {}
            }
        }
        outcome.map(|()| reaped)
    }

    /// Removes locks, sustained files and at last the record of a session. The data of the files is removed in the
    /// background.
    ///
    /// # Errors
    /// The first failure; the session record stays then, so that somebody tries again.
    pub(crate) async fn clean_session(&self, session: SessionId) -> Result<()> {
        self.clean_locks(session).await?;
        self.clean_sustained(session).await?;
        self.transact("clean session", move |meta, txn| {
            txn.delete(Key::Session(session));
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
            self.transact("clean locks", move |_, txn| {
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
