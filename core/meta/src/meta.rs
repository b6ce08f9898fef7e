//! The client of one volume: engine, setting, clock and what a verb needs besides its transaction.

use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;
use moorage_model::{Clock, Error, ErrorKind, Gid, Result, SessionId, Setting, Timestamp, Uid};
use parking_lot::{Mutex, RwLock};

use crate::acl_cache::AclCache;
use crate::allocation::IdBatch;
use crate::ancestors::ParentGuesses;
use crate::changelog::ChangelogLines;
use crate::effects::{Effects, Observed};
use crate::open_files::OpenFiles;
use crate::usage_cache::UsageCache;
use crate::{Engine, MetaOptions, Txn, engine};

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
    pub(crate) open_files: OpenFiles,
    pub(crate) caches: Caches,
}

/// What verbs remember between transactions; nothing in it decides but by a rule of the format that allows it.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    pub(crate) usage: UsageCache,
    pub(crate) acls: AclCache,
    pub(crate) parents: ParentGuesses,
    pub(crate) changelog: ChangelogLines,
}

impl Meta {
    /// The setting as last read; secrets are as stored.
    pub fn setting(&self) -> Arc<Setting> {
        Arc::clone(&self.setting.read())
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
            Err(ErrorKind::ReadOnly.into())
        } else {
            Ok(())
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
    pub(crate) async fn transact<T, F>(&self, verb: &'static str, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t Meta, &'t mut dyn Txn) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        self.check_writable()?;
        let shared = Arc::new((self.shared()?, body));
        let effects: Arc<Mutex<Effects>> = Arc::default();
        let noted = Arc::clone(&effects);
        let output = engine::run(self.engine.as_ref(), verb, move |txn| {
            let (shared, noted) = (Arc::clone(&shared), Arc::clone(&noted));
            Box::pin(async move {
                let mut observed = Observed::new(txn);
                let output = shared.1(&shared.0, &mut observed).await?;
                *noted.lock() = observed.into_effects();
                Ok(output)
            })
        })
        .await?;
        let committed = std::mem::take(&mut *effects.lock());
        self.apply(committed);
        Ok(output)
    }
}
