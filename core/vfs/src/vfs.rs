//! The door.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use moorage_chunk::ChunkStore;
use moorage_meta::{Context, Meta};
use moorage_model::{Attr, Error, ErrorKind, Ino, Name, Result, Timestamp};
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::file::OpenFiles;
use crate::handles::Handles;
use crate::journal::Journal;
use crate::{AttrReply, EntryReply, KernelNotifier, VfsOptions, VolumeData, background, backup};

/// Nodes of the trash remembered as such: for one that is forgotten, opening it to write says "stale" instead of "not
/// permitted".
const TOLD_IN_TRASH: usize = 10_000;
/// Offset of a notice that leaves cached content alone.
const ATTRIBUTES_ONLY: i64 = -1;

/// One mounted volume: open files, buffered writes, and every operation a door needs.
///
/// Shared behind an `Arc` by all threads. An operation is a future that is ready on its first poll when nothing has to
/// be waited for. Inode numbers are those that the mount shows: below a sub-directory mount that directory is number 1.
///
/// Futures have to be run to their end unless their documentation says that they are safe to drop: a dropped one may
/// have done its work or not.
pub struct Vfs {
    pub(crate) this: Weak<Vfs>,
    pub(crate) meta: Arc<Meta>,
    pub(crate) chunks: Arc<ChunkStore>,
    pub(crate) options: VfsOptions,
    /// The stored inode shown as the root.
    pub(crate) root: Ino,
    pub(crate) runtime: Handle,
    pub(crate) files: OpenFiles,
    pub(crate) handles: Handles,
    /// Nodes that the door was told of as entries of the trash.
    pub(crate) told_in_trash: Cache<Ino, ()>,
    pub(crate) journal: Journal,
    /// Times of internal nodes.
    pub(crate) started: Timestamp,
    pub(crate) born: Instant,
    notifier: RwLock<Option<Arc<dyn KernelNotifier>>>,
    /// Buffers run short: the flusher should not wait for its next round.
    pub(crate) relief: Notify,
    stopping: watch::Sender<bool>,
    flusher: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Vfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vfs")
            .field("root", &self.root)
            .field("files", &self.files.len())
            .field("handles", &self.handles.len())
            .finish_non_exhaustive()
    }
}

impl Vfs {
    /// Opens a volume for use: registers the session, starts its background jobs with the periodic durability barrier,
    /// and the flushing of idle files. Has to be called inside a Tokio runtime, which then runs them.
    ///
    /// A sub-directory that does not exist is made, unless the mount is read-only.
    ///
    /// # Errors
    /// What the session's start answers; `NotFound` or `NotDirectory` for the sub-directory.
    pub async fn open_volume(
        meta: Arc<Meta>,
        chunks: Arc<ChunkStore>,
        options: VfsOptions,
    ) -> Result<Arc<Vfs>> {
        let runtime = Handle::try_current()
            .map_err(|e| Error::new(ErrorKind::Io, "a volume is opened inside a runtime").with_source(e))?;
        // Before the session's heartbeats, so that no change is missed.
        let setting_changes = meta.setting_changes();
        meta.start_session(Arc::new(VolumeData::new(Arc::clone(&chunks))))
            .await?;
        let root = match shown_root(&meta, &options).await {
            Ok(root) => root,
            Err(error) => {
                // The first error is the one to report.
                let _ = meta.close_session().await;
                return Err(error);
            }
        };
        let started = options.clock.now();
        let vfs = Arc::new_cyclic(|this| Vfs {
            this: Weak::clone(this),
            meta,
            chunks,
            options,
            root,
            runtime,
            files: OpenFiles::new(),
            handles: Handles::default(),
            told_in_trash: Cache::new(TOLD_IN_TRASH),
            journal: Journal::default(),
            started,
            born: Instant::now(),
            notifier: RwLock::default(),
            relief: Notify::new(),
            stopping: watch::Sender::new(false),
            flusher: Mutex::default(),
        });
        let flusher = background::flush_idle_files(Weak::clone(&vfs.this), vfs.stopping.subscribe());
        *vfs.flusher.lock() = Some(vfs.runtime.spawn(flusher));
        let follower =
            background::follow_setting(Weak::clone(&vfs.this), setting_changes, vfs.stopping.subscribe());
        vfs.runtime.spawn(follower);
        let takes_part = !vfs.options.read_only && vfs.meta.options().background_jobs;
        if let Some(options) = vfs.options.backup.filter(|_| takes_part) {
            let job = backup::back_up(Weak::clone(&vfs.this), options, vfs.stopping.subscribe());
            vfs.runtime.spawn(job);
        }
        Ok(vfs)
    }

    /// Ends the flushing of idle files.
    pub(crate) async fn stop_flusher(&self) {
        self.stopping.send_replace(true);
        let flusher = self.flusher.lock().take();
        if let Some(flusher) = flusher {
            // A panic in it has been reported, and a shutdown does its work.
            let _ = flusher.await;
        }
    }

    /// Sets what is told about changes that the kernel cannot know of.
    pub fn set_notifier(&self, notifier: Arc<dyn KernelNotifier>) {
        *self.notifier.write() = Some(notifier);
    }

    /// Tells the kernel that another client changed a file, on a thread of its own, since it may have to wait for
    /// requests.
    pub(crate) fn notify_content(&self, ino: Ino) {
        let Some(notifier) = self.notifier.read().clone() else {
            return;
        };
        let ino = self.shown(ino);
        drop(
            self.runtime
                .spawn_blocking(move || notifier.inval_inode(ino, 0, 0)),
        );
    }

    /// Tells the kernel that a command made or removed an entry of a stored directory.
    pub(crate) fn notify_entry(&self, parent: Ino, name: &Name) {
        let Some(notifier) = self.notifier.read().clone() else {
            return;
        };
        let (parent, name) = (self.shown(parent), name.clone());
        drop(self.runtime.spawn_blocking(move || {
            notifier.inval_entry(parent, name.as_bytes());
            // Its times and link count are not what they were.
            notifier.inval_inode(parent, ATTRIBUTES_ONLY, 0);
        }));
    }

    /// The options it was opened with.
    pub fn options(&self) -> &VfsOptions {
        &self.options
    }

    /// The stored inode that the mount shows as number 1: that of its sub-directory, or the root of the volume.
    pub fn root(&self) -> Ino {
        self.root
    }

    /// The namespace underneath, for administration.
    pub fn meta(&self) -> &Arc<Meta> {
        &self.meta
    }

    /// The data underneath, for administration.
    pub fn chunks(&self) -> &Arc<ChunkStore> {
        &self.chunks
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// A wait that may be polled on any thread.
    pub(crate) fn sleep(&self, period: Duration) -> tokio::time::Sleep {
        let _inside = self.runtime.enter();
        tokio::time::sleep(period)
    }

    /// The stored inode of a shown one.
    pub(crate) fn stored(&self, ino: Ino) -> Ino {
        self.swapped(ino)
    }

    /// The shown inode of a stored one.
    pub(crate) fn shown(&self, ino: Ino) -> Ino {
        self.swapped(ino)
    }

    /// The root of the mount and the root of the volume change places, so that a mount's root is always number 1.
    fn swapped(&self, ino: Ino) -> Ino {
        match ino {
            Ino::ROOT => self.root,
            ino if ino == self.root => Ino::ROOT,
            ino => ino,
        }
    }

    /// The answer about a stored node.
    pub(crate) fn entry(&self, ino: Ino, attr: Attr) -> EntryReply {
        let entry_ttl = if attr.is_directory() {
            self.options.dir_entry_ttl
        } else {
            self.options.entry_ttl
        };
        EntryReply {
            ino: self.shown(ino),
            attr,
            attr_ttl: self.options.attr_ttl,
            entry_ttl,
        }
    }

    /// The answer about a stored node's attributes.
    pub(crate) fn attributes(&self, ino: Ino, attr: Attr) -> AttrReply {
        AttrReply {
            ino: self.shown(ino),
            attr,
            ttl: self.options.attr_ttl,
        }
    }

    /// Attributes read afresh, with what is written here and not committed.
    pub(crate) async fn fresh_attr(&self, ino: Ino) -> Result<Attr> {
        let Some(file) = self.files.get(ino) else {
            return self.meta.getattr(ino).await;
        };
        let generation = file.content().generation;
        let attr = self.meta.getattr(ino).await?;
        if file.content_mut().refreshed(&attr, generation) {
            self.notify_content(ino);
        }
        Ok(file.content().shown())
    }

    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.options.read_only {
            Err(ErrorKind::ReadOnly.into())
        } else {
            Ok(())
        }
    }
}

/// The stored inode that a mount shows as its root; a missing sub-directory is made (spec 70-semantics section 13).
async fn shown_root(meta: &Meta, options: &VfsOptions) -> Result<Ino> {
    /// Mode of a sub-directory made for a mount.
    const SUBDIR_MODE: u16 = 0o777;
    let root = Context::root();
    let mut at = Ino::ROOT;
    let path = options.subdir.as_deref().unwrap_or_default();
    for component in path.split('/').filter(|part| !part.is_empty()) {
        let name = Name::new(component.as_bytes()).map_err(|error| error.context(path))?;
        let found = match meta.lookup(&root, at, &name).await {
            Err(error) if error.kind() == ErrorKind::NotFound && !options.read_only => {
                let made = meta.mkdir(&root, at, &name, SUBDIR_MODE, 0).await;
                made.map(|made| (made.ino, made.attr))
            }
            found => found,
        };
        let (ino, attr) = found.map_err(|error| error.context(format!("sub-directory {path}")))?;
        if !attr.is_directory() {
            return Err(Error::new(
                ErrorKind::NotDirectory,
                format!("sub-directory {path}: {name} is a file"),
            )
            .with_advice("Name a folder of the volume with --subdir."));
        }
        at = ino;
    }
    Ok(at)
}
