//! What a session does at every heartbeat, and the tasks that run beside it.

use std::sync::Weak;
use std::time::Duration;

use moorage_model::{Counter, Error, ErrorKind, META_VERSION, Result, Setting};

use crate::setting_text::decode_setting;
use crate::tasks::{Stop, jittered};
use crate::{Durability, Key, Meta, TxnExt as _};

/// Share of the heartbeat that has to pass between two reapings, in tenths.
const REAP_TENTHS: u32 = 9;

/// What stands in the database instead of a setting for this client.
struct Foreign {
    kind: ErrorKind,
    what: String,
}

impl Meta {
    /// One heartbeat: puts the expiry of the session ahead (making its record again when it is gone), reads setting,
    /// usage and quotas anew and has new quotas counted in the background, releases locks whose release failed before,
    /// and cleans up after dead sessions when it is this client's turn.
    ///
    /// # Errors
    /// What the engine answers, after the other steps were tried; see [`Meta::reload_setting`].
    pub async fn refresh_session(&self) -> Result<()> {
        let session = self.session();
        let refreshed = if session.0 == 0 {
            Ok(())
        } else {
            self.store_session(session, true).await.map(drop)
        };
        let reloaded = self.reload_setting().await;
        let counted = self.refresh_usage().await;
        let counted = counted.map(|appeared| self.recount_later(&appeared));
        refreshed.and(reloaded).and(counted)?;
        self.release_left_locks().await?;
        let interval = self.options.heartbeat * REAP_TENTHS / 10;
        let shares_jobs = session.0 != 0 && self.options.background_jobs;
        if shares_jobs && self.win_guard(Counter::LastCleanupSessions, interval).await? {
            self.reap_sessions().await?;
        }
        Ok(())
    }

    /// Reads the setting anew, without the version gates (spec 10-setting section 4).
    ///
    /// # Errors
    /// `NotFormatted` when the volume is gone, `VersionMismatch` when its metadata version is too new or another volume
    /// has taken its place: every later change is then refused, and [`Meta::stopped`] tells. `Corrupt` for a damaged
    /// record; the old setting stays in force.
    pub async fn reload_setting(&self) -> Result<()> {
        match self.stored_setting().await? {
            Ok(setting) => {
                if setting != *self.setting() {
                    self.replace_setting(setting);
                }
                Ok(())
            }
            Err(Foreign { kind, what }) => {
                self.stopped.send_replace(Some(what.clone()));
                Err(Error::new(kind, what).with_advice("Unmount it; mount the volume anew."))
            }
        }
    }

    /// Whether the database still holds this volume. When it does not, a verb that finds no record tells nothing of the
    /// file; ask before data is given up for it.
    ///
    /// Round trips: one.
    ///
    /// # Errors
    /// `DatabaseMissing` when the volume is gone or another one has taken its place; what the engine answers.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn check_presence(&self) -> Result<()> {
        let gone = |foreign: Foreign| Error::new(ErrorKind::DatabaseMissing, foreign.what);
        let present = self.stored_setting().await?.map(drop).map_err(gone);
        present.map_err(Error::of_service)
    }

    /// The setting as it is stored now, if it is one of this volume that this client can work with.
    async fn stored_setting(&self) -> Result<std::result::Result<Setting, Foreign>> {
        let location = self.engine.location();
        let text = self.engine.get(&[Key::Setting]).await?.setting()?;
        let known = self.setting();
        let foreign = |kind, what| Ok(Err(Foreign { kind, what }));
        let Some(text) = text else {
            let what = format!("volume {} is gone from the database {location}", known.name);
            return foreign(ErrorKind::NotFormatted, what);
        };
        let setting = decode_setting(&text, &location)?;
        if setting.uuid != known.uuid {
            let what = format!(
                "another volume has taken the place of {} in {location}",
                known.name
            );
            return foreign(ErrorKind::VersionMismatch, what);
        }
        if setting.meta_version > META_VERSION {
            let version = setting.meta_version;
            let what = format!("volume {} now has metadata version {version}", known.name);
            return foreign(ErrorKind::VersionMismatch, what);
        }
        Ok(Ok(setting))
    }

    /// Starts the loops of a session.
    pub(super) fn start_tasks(&self) {
        let weak = || Weak::clone(&self.this);
        let heartbeat = self.options.heartbeat;
        if !heartbeat.is_zero() {
            let meta = weak();
            self.tasks.spawn(|stop| heartbeats(meta, stop, heartbeat));
        }
        if self.options.read_only {
            return;
        }
        let meta = weak();
        self.tasks.spawn(|stop| Meta::work_on_deletions(meta, stop));
        let interval = self.options.sync_interval;
        if !interval.is_zero() && self.engine.durability() == Durability::AfterBarrier {
            let meta = weak();
            self.tasks.spawn(|stop| barriers(meta, stop, interval));
        }
        if self.options.background_jobs {
            self.start_shared_jobs();
        }
    }
}

async fn heartbeats(meta: Weak<Meta>, mut stop: Stop, period: Duration) {
    while stop.sleep(jittered(period)).await {
        let Some(meta) = meta.upgrade() else { return };
        if let Err(error) = meta.refresh_session().await {
            tracing::warn!(%error, "session heartbeat");
        }
    }
}

/// Bounds what a power cut may take from files that nobody synced (DESIGN, "Durability", rule 3).
async fn barriers(meta: Weak<Meta>, mut stop: Stop, period: Duration) {
    while stop.sleep(period).await {
        let Some(meta) = meta.upgrade() else { return };
        if let Err(error) = meta.make_durable_if_changed().await {
            tracing::warn!(%error, "periodic durability barrier");
        }
    }
}
