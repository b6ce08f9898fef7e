//! Beginning and ending a session.

use std::sync::Arc;
use std::time::Duration;

use moorage_model::{Counter, Error, ErrorKind, Result, SessionId, SessionInfo, VersionGate};

use crate::calendar::UtcTime;
use crate::{DataStore, Key, Meta, Record, SessionRecord};

/// A session expires after so many heartbeats without a refresh.
const HEARTBEATS_TO_EXPIRY: u32 = 5;
/// Expiry of a session that is never refreshed.
const NEVER_REFRESHED: Duration = Duration::from_secs(365 * 86_400);
/// How long a closing client waits for its background tasks.
const TASK_PATIENCE: Duration = Duration::from_secs(30);
/// Session numbers tried before registering is given up.
const MAX_NUMBERS: u32 = 100;

impl Meta {
    /// Gives deletion, compaction and durability access to the data without registering a session, as a short
    /// administrative command does.
    pub fn attach_data(&self, data: Arc<dyn DataStore>) {
        self.tasks.use_current_runtime();
        *self.data.write() = Some(data);
    }

    /// Registers a session and starts its background tasks on the current tokio runtime: heartbeat, removal of deleted
    /// data, the periodic durability barrier and, when the options ask for it, the jobs that clients share. A
    /// read-only client registers nothing and only keeps up with the setting. Returns the session, 0 for a
    /// read-only client.
    ///
    /// # Errors
    /// `Exists` when a session runs already; what the engine answers.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a session record that other clients remove after its expiry.
    pub async fn start_session(&self, data: Arc<dyn DataStore>) -> Result<SessionId> {
        if self.session().0 != 0 {
            return Err(Error::new(
                ErrorKind::Exists,
                format!("session {} runs already", self.session()),
            ));
        }
        self.attach_data(data);
        self.tasks.reopen();
        if !self.options.read_only {
            let session = self.register().await?;
            *self.session.write() = session;
        }
        self.start_tasks();
        Ok(self.session())
    }

    /// Ends the session: stops the background tasks, removes what waits for removal, makes everything durable, and
    /// removes locks, sustained files and the session record. Does what it can without a session.
    ///
    /// # Errors
    /// The first failure. The session record then stays, and other clients clean up after its expiry.
    ///
    /// # Cancel safety
    /// As after an error when the future is dropped.
    pub async fn close_session(&self) -> Result<()> {
        self.tasks.shut_down(TASK_PATIENCE).await;
        let session = self.session();
        if session.0 == 0 {
            return Ok(());
        }
        let cleaned = self.clean_session(session, Key::Session(session)).await;
        *self.session.write() = SessionId(0);
        let removed = self.flush_deletions().await;
        let durable = self.make_durable().await;
        cleaned.and(removed).and(durable)
    }

    async fn register(&self) -> Result<SessionId> {
        for _ in 0..MAX_NUMBERS {
            let session = SessionId(self.allocate_numbers(Counter::NextSession, 1).await?);
            if self.store_session(session, false).await? {
                return Ok(session);
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!("{MAX_NUMBERS} session numbers in a row are taken"),
        )
        .with_advice("Run `moorage fsck`; the counter nextSession is damaged."))
    }

    /// Writes the session record. With `refresh` an existing one keeps its info and a missing one is made again;
    /// without, an existing one belongs to somebody else and the answer is `false`.
    pub(super) async fn store_session(&self, session: SessionId, refresh: bool) -> Result<bool> {
        self.transact("session", move |meta, txn| {
            Box::pin(async move {
                let known = txn.get_locked(&[Key::Session(session)]).await?.session()?;
                let info = match known {
                    Some(_) if !refresh => return Ok(false),
                    Some(known) => known.info,
                    None => {
                        let info = meta.session_info()?;
                        let expire = meta.session_expiry();
                        let text = crate::changelog::escape(info.as_bytes());
                        meta.log_as(txn, session, || format!("NEWSESSION({session},{expire},{text})"));
                        info
                    }
                };
                let expire = meta.session_expiry();
                txn.put(
                    Key::Session(session),
                    Record::Session(SessionRecord { expire, info }),
                );
                Ok(true)
            })
        })
        .await
    }

    /// Unix seconds at which a session refreshed now expires.
    fn session_expiry(&self) -> i64 {
        let ahead = match self.options.heartbeat {
            Duration::ZERO => NEVER_REFRESHED,
            heartbeat => heartbeat * HEARTBEATS_TO_EXPIRY,
        };
        // Rounded up: an expiry that has passed before the next refresh would hand the session to others.
        let ahead = i64::try_from(ahead.as_secs_f64().ceil() as u64).unwrap_or(i64::MAX);
        self.now().seconds.saturating_add(ahead)
    }

    fn session_info(&self) -> Result<String> {
        let now = self.now();
        let info = SessionInfo {
            version: format!(
                "{}+moorage-{}",
                VersionGate::FORMAT_LEVEL,
                env!("CARGO_PKG_VERSION")
            ),
            host_name: self.options.host_name.clone(),
            ip_addresses: self.options.ip_addresses.clone(),
            mount_point: self.options.mount_point.clone(),
            mount_time: UtcTime::from_unix(now.seconds).rfc3339(now.nanoseconds),
            process_id: std::process::id(),
        };
        serde_json::to_string(&info)
            .map_err(|error| Error::new(ErrorKind::Io, "writing the session info as JSON").with_source(error))
    }
}
