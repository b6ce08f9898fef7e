//! The client of one volume: engine, setting, clock and what a verb needs besides its transaction.

use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;
use moorage_model::{Clock, Error, ErrorKind, Gid, Result, SessionId, Setting, Timestamp, Uid};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::acl_cache::AclCache;
use crate::allocation::IdBatch;
use crate::ancestors::ParentGuesses;
use crate::barrier::Barrier;
use crate::changelog::ChangelogLines;
use crate::data::SliceCounts;
use crate::effects::{Effects, Observed};
use crate::jobs::{Compactions, DeletionQueue};
use crate::locks::LockWaits;
use crate::open_files::OpenFiles;
use crate::own_changes::OwnChanges;
use crate::stored_directories::{ChangingDirectories, StoredDirectories};
use crate::tasks::Tasks;
use crate::trash::TrashHour;
use crate::usage::QuotaRecounts;
use crate::usage_cache::UsageCache;
use crate::{DataStore, Engine, MetaOptions, Txn, Verb, engine};

/// Who asks: identity and groups of the calling process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// User.
    pub uid: Uid,
    /// Primary group.
    pub gid: Gid,
    /// Supplementary groups; the primary one need not be among them.
    pub groups: Arc<[Gid]>,
    /// Process, for locks.
    pub pid: u32,
    /// Whether this layer checks permissions; off when the kernel did (`default_permissions`).
    pub check_permission: bool,
}

impl Context {
    /// The superuser, unchecked: background jobs and administration.
    pub fn root() -> Context {
        Context {
            uid: Uid::ROOT,
            gid: Gid(0),
            groups: Arc::from([]),
            pid: 0,
            check_permission: false,
        }
    }

    /// Whether the caller is in `group`.
    pub fn in_group(&self, group: Gid) -> bool {
        self.gid == group || self.groups.contains(&group)
    }
}

/// The client of one volume. Every operation is a method, implemented in its own file under `verbs`.
#[derive(Debug)]
pub struct Meta {
    /// Itself, so that a transaction can outlive the call that started it.
    pub(crate) this: Weak<Meta>,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: MetaOptions,
    pub(crate) setting: RwLock<Arc<Setting>>,
    pub(crate) session: RwLock<SessionId>,
    pub(crate) inode_ids: IdBatch,
    pub(crate) slice_ids: IdBatch,
    pub(crate) open_files: Arc<OpenFiles>,
    pub(crate) caches: Caches,
    pub(crate) own_changes: OwnChanges,
    pub(crate) lock_waits: LockWaits,
    /// The data layer, once it was attached.
    pub(crate) data: RwLock<Option<Arc<dyn DataStore>>>,
    pub(crate) barrier: Barrier,
    pub(crate) slice_counts: SliceCounts,
    pub(crate) compactions: Compactions,
    pub(crate) deletions: DeletionQueue,
    pub(crate) recounts: QuotaRecounts,
    pub(crate) tasks: Tasks,
    /// Why this client had to stop, once it had to.
    pub(crate) stopped: watch::Sender<Option<String>>,
    /// Counts changes of the setting.
    pub(crate) setting_changes: watch::Sender<u64>,
}

/// What verbs remember between transactions; nothing in it decides but by a rule of the format that allows it.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    pub(crate) usage: UsageCache,
    pub(crate) acls: AclCache,
    pub(crate) parents: ParentGuesses,
    pub(crate) changelog: ChangelogLines,
    pub(crate) trash: TrashHour,
    pub(crate) directories: StoredDirectories,
}

impl Meta {
    /// The setting as last read; secrets are as stored.
    pub fn setting(&self) -> Arc<Setting> {
        Arc::clone(&self.setting.read())
    }

    /// Tells of every later change of the setting, so that the data layer can follow it.
    pub fn setting_changes(&self) -> watch::Receiver<u64> {
        self.setting_changes.subscribe()
    }

    /// Takes over a setting that was read or stored.
    pub(crate) fn replace_setting(&self, setting: Setting) {
        *self.setting.write() = Arc::new(setting);
        self.setting_changes.send_modify(|changes| *changes += 1);
    }

    /// Returns, with the reason, when this client has to stop because the volume is gone or another one took its
    /// place. Until then it waits.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn stopped(&self) -> String {
        let mut stopped = self.stopped.subscribe();
        let Ok(reason) = stopped.wait_for(Option::is_some).await else {
            // The sender lives in `self`.
            return String::new();
        };
        reason.clone().unwrap_or_default()
    }

    /// The options of this client.
    pub fn options(&self) -> &MetaOptions {
        &self.options
    }

    /// The engine, for administration.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The session of this client; 0 when it has none.
    pub fn session(&self) -> SessionId {
        *self.session.read()
    }

    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.options.read_only {
            return Err(ErrorKind::ReadOnly.into());
        }
        match self.stopped.borrow().as_deref() {
            Some(reason) => Err(Error::new(ErrorKind::VersionMismatch, reason)),
            None => Ok(()),
        }
    }

    /// A handle that jobs and tasks may keep.
    pub(crate) fn shared(&self) -> Result<Arc<Meta>> {
        self.this
            .upgrade()
            .ok_or_else(|| Error::new(ErrorKind::Io, "the volume client was dropped"))
    }

    /// Runs a mutating verb: refused on a read-only client, else one atomic job of the engine.
    ///
    /// The body gets this client and the transaction, and may run several times.
    pub(crate) async fn transact<T, F>(&self, verb: impl Into<Verb>, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t Meta, &'t mut dyn Txn) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        self.check_writable()?;
        let shared = Arc::new((self.shared()?, body));
        let effects: Arc<Mutex<Option<(Effects, ChangingDirectories)>>> = Arc::default();
        let noted = Arc::clone(&effects);
        let tells = self.own_changes.are_wanted();
        let output = engine::run(self.engine.as_ref(), verb, move |txn| {
            let (shared, noted) = (Arc::clone(&shared), Arc::clone(&noted));
            Box::pin(async move {
                // What an earlier run noted ends first, or the two would count as overlapping.
                drop(noted.lock().take());
                let mut observed = Observed::new(txn, tells);
                let output = shared.1(&shared.0, &mut observed).await?;
                let mut effects = observed.into_effects();
                let directories = ChangingDirectories::begin(&shared.0, effects.take_directories());
                *noted.lock() = Some((effects, directories));
                Ok(output)
            })
        })
        .await?;
        let committed = effects.lock().take();
        if let Some((effects, directories)) = committed {
            self.apply(effects);
            directories.committed();
        }
        self.barrier.note_change();
        Ok(output)
    }
}
