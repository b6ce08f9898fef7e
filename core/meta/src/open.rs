//! Opening a volume for use.

use std::sync::Arc;

use moorage_model::{Clock, Error, ErrorKind, Ino, Result, SessionId, Setting, VersionGate};
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::admin::FROM_BACKUP;
use crate::allocation::IdBatch;
use crate::barrier::Barrier;
use crate::data::SliceCounts;
use crate::jobs::{Compactions, DeletionQueue};
use crate::locks::LockWaits;
use crate::meta::Caches;
use crate::own_changes::OwnChanges;
use crate::setting_text::decode_setting;
use crate::tasks::Tasks;
use crate::usage::QuotaRecounts;
use crate::{Engine, Key, Meta, MetaOptions, TxnExt as _};

impl Meta {
    /// Opens the volume in this database: setting, version gates, usage counters, quotas, ACL rules.
    ///
    /// Adds missing tables and columns unless the client is read-only. Registers nothing; see
    /// [`Meta::start_session`].
    ///
    /// # Errors
    /// `NotFormatted` when the database holds no volume; `VersionMismatch` when a gate of spec 10-setting
    /// section 4 refuses this client; `Corrupt` for a damaged setting or a missing root; what the engine answers.
    pub async fn open(
        engine: Arc<dyn Engine>,
        options: MetaOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Meta>> {
        let setting = read_setting(&engine).await?;
        VersionGate::check(&setting)?;
        if !options.read_only {
            engine.prepare().await?;
        }
        let meta = Arc::new_cyclic(|this| Meta {
            this: this.clone(),
            engine,
            clock,
            options,
            setting: RwLock::new(Arc::new(setting)),
            session: RwLock::new(SessionId(0)),
            inode_ids: IdBatch::inodes(),
            slice_ids: IdBatch::slices(),
            open_files: Arc::default(),
            caches: Caches::default(),
            own_changes: OwnChanges::default(),
            lock_waits: LockWaits::default(),
            data: RwLock::default(),
            barrier: Barrier::default(),
            slice_counts: SliceCounts::default(),
            compactions: Compactions::default(),
            deletions: DeletionQueue::default(),
            recounts: QuotaRecounts::default(),
            tasks: Tasks::default(),
            stopped: watch::Sender::new(None),
            setting_changes: watch::Sender::new(0),
        });
        // Nothing was changed before the first reading, so no quota of it is new.
        meta.refresh_usage().await?;
        meta.check_allocation_counters().await?;
        meta.load_acls().await?;
        Ok(meta)
    }
}

async fn read_setting(engine: &Arc<dyn Engine>) -> Result<Setting> {
    let location = engine.location();
    let mut found = engine.get(&[Key::Setting, Key::Node(Ino::ROOT)]).await?;
    let Some(text) = found.setting()? else {
        return Err(Error::new(
            ErrorKind::NotFormatted,
            format!("the database {location} holds no volume"),
        )
        .with_advice("Make one with `moorage format`, or check the metadata URL."));
    };
    refuse_missing_structures(engine).await?;
    let setting = decode_setting(&text, &location)?;
    if found.node()?.is_none() {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "the root directory of volume {} is missing in {location}",
                setting.name
            ),
        )
        .with_advice(format!("No check can make it again. {FROM_BACKUP}")));
    }
    Ok(setting)
}

/// Refuses a database that has lost a part of its volume: made again empty, it would show a volume without what was in it.
///
/// # Errors
/// `Corrupt` naming what is missing; what the engine answers.
pub(crate) async fn refuse_missing_structures(engine: &Arc<dyn Engine>) -> Result<()> {
    let missing = engine.missing_structures().await?;
    if missing.is_empty() {
        return Ok(());
    }
    let location = engine.location();
    Err(Error::new(
        ErrorKind::Corrupt,
        format!(
            "the database {location} has a volume and lacks {} of it: {}",
            if missing.len() == 1 { "a table" } else { "tables" },
            missing.join(", ")
        ),
    )
    .with_advice(format!("Nothing was changed. {FROM_BACKUP}")))
}
