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
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::coherence::{Coherence, follow_changes};
use crate::control::MAX_BACKGROUND_WARM_UPS;
use crate::file::OpenFiles;
use crate::handles::Handles;
use crate::journal::Journal;
use crate::letters::LetterIndex;
use crate::pins::{Pins, fill_pins, keep_pins};
use crate::prefetch::MAX_LISTS_AHEAD;
use crate::readers::Readers;
use crate::told_attributes::ToldAttributes;
use crate::verbs::RefusedOpen;
use crate::{AttrReply, EntryReply, KernelNotifier, VfsOptions, VolumeData, background, backup};

/// Callers whose open was refused a moment ago and who are about to look the name up again.
const REFUSED_OPENS: usize = 256;
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
    /// Callers whose open met a node without its name.
    pub(crate) refused_opens: Cache<u32, RefusedOpen>,
    pub(crate) journal: Journal,
    /// Names by their letters, where those that differ in them are the same.
    pub(crate) letters: LetterIndex,
    pub(crate) readers: Readers,
    /// Times of internal nodes.
    pub(crate) started: Timestamp,
    pub(crate) born: Instant,
    notifier: RwLock<Option<Arc<dyn KernelNotifier>>>,
    told_attributes: ToldAttributes,
    /// Where changes by other clients are pushed.
    pub(crate) coherence: Option<Arc<Coherence>>,
    /// Buffers run short: the flusher should not wait for its next round.
    pub(crate) relief: Notify,
    pub(crate) stopping: watch::Sender<bool>,
    /// Turns of warm-ups whose caller does not wait.
    pub(crate) warm_ups: Arc<Semaphore>,
    /// Turns of reading slice lists for what is read ahead.
    pub(crate) lists_ahead: Arc<Semaphore>,
    /// What is kept on this computer; none where nothing can be.
    pub(crate) pins: Option<Arc<Pins>>,
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
    /// What the session's start answers; `NotFound` or `NotDirectory` for the sub-directory; `NotSupported` where changes
    /// are to be pushed and the engine does not tell them.
    pub async fn open_volume(
        meta: Arc<Meta>,
        chunks: Arc<ChunkStore>,
        options: VfsOptions,
    ) -> Result<Arc<Vfs>> {
        let runtime = Handle::try_current()
            .map_err(|e| Error::new(ErrorKind::Io, "a volume is opened inside a runtime").with_source(e))?;
        let coherence = match options.push_invalidation {
            true => Some(Arc::new(Coherence::new(meta.watch().await?))),
            false => None,
        };
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
        let pins = Pins::open(&chunks);
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
            refused_opens: Cache::new(REFUSED_OPENS),
            journal: Journal::default(),
            letters: LetterIndex::default(),
            readers: Readers::default(),
            started,
            born: Instant::now(),
            notifier: RwLock::default(),
            told_attributes: ToldAttributes::default(),
            coherence,
            relief: Notify::new(),
            stopping: watch::Sender::new(false),
            warm_ups: Arc::new(Semaphore::new(MAX_BACKGROUND_WARM_UPS)),
            lists_ahead: Arc::new(Semaphore::new(MAX_LISTS_AHEAD)),
            pins,
            flusher: Mutex::default(),
        });
        let flusher = background::flush_idle_files(Weak::clone(&vfs.this), vfs.stopping.subscribe());
        *vfs.flusher.lock() = Some(vfs.runtime.spawn(flusher));
        let follower =
            background::follow_setting(Weak::clone(&vfs.this), setting_changes, vfs.stopping.subscribe());
        vfs.runtime.spawn(follower);
        if let Some(pins) = &vfs.pins {
            let (keeper, filler) = (Arc::clone(pins), Arc::clone(pins));
            let (this, stopping) = (Weak::clone(&vfs.this), vfs.stopping.subscribe());
            vfs.runtime
                .spawn(keep_pins(Weak::clone(&this), keeper, stopping.clone()));
            vfs.runtime.spawn(fill_pins(this, filler, stopping));
        }
        if let Some(coherence) = &vfs.coherence {
            let follower = follow_changes(
                Weak::clone(&vfs.this),
                Arc::clone(coherence),
                vfs.stopping.subscribe(),
            );
            vfs.runtime.spawn(follower);
        }
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

    /// Tells the kernel that another client changed a file.
    pub(crate) fn notify_content(&self, ino: Ino) {
        if let Some(notifier) = &*self.notifier.read() {
            notifier.inval_inode(self.shown(ino), 0, 0);
        }
    }

    /// Tells the kernel that a command made or removed an entry of a stored directory.
    pub(crate) fn notify_entry(&self, parent: Ino, name: &Name) {
        self.letters.forget(parent);
        self.drop_entry(parent, name);
        // Its times and link count are not what they were.
        self.drop_attributes(parent);
    }

    /// Has the kernel drop the attributes of a stored node.
    pub(crate) fn drop_attributes(&self, ino: Ino) {
        if let Some(notifier) = &*self.notifier.read() {
            notifier.inval_inode(self.shown(ino), ATTRIBUTES_ONLY, 0);
        }
    }

    /// Makes sure that whoever opened a stored file sees these attributes, and not older ones that the kernel was told before:
    /// the answer to an open has none. One call where they differ.
    pub(crate) fn show_at_open(&self, ino: Ino, attr: &Attr) {
        if !self.told_attributes.are(ino, attr) {
            self.expire_attributes(ino);
        }
    }

    /// On return the kernel has no attributes of a stored node any more.
    pub(crate) fn expire_attributes(&self, ino: Ino) {
        if let Some(notifier) = &*self.notifier.read() {
            notifier.expire_attributes(self.shown(ino));
        }
    }

    /// This client gave a file another name, which changes nothing but its time of change.
    pub(crate) fn note_new_name(&self, ino: Ino, attr: &Attr) {
        if let Some((file, _)) = self.files.known(ino) {
            file.content_mut().renamed(attr);
        }
    }

    /// Returns when the kernel has dropped attributes and content of a stored file. One change of threads.
    pub(crate) async fn content_dropped(&self, ino: Ino) {
        let Some(notifier) = self.notifier.read().clone() else {
            return;
        };
        let ino = self.shown(ino);
        // A panic in it has been reported; what the kernel caches expires.
        let _ = self
            .runtime
            .spawn_blocking(move || notifier.drop_content(ino))
            .await;
    }

    /// Has the kernel drop an entry of a stored directory.
    pub(crate) fn drop_entry(&self, parent: Ino, name: &Name) {
        if let Some(notifier) = &*self.notifier.read() {
            notifier.inval_entry(self.shown(parent), name.as_bytes());
        }
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

    /// The answer about a node that is found without its name, or is not stored.
    pub(crate) fn entry(&self, ino: Ino, attr: Attr) -> EntryReply {
        self.told(ino, attr, None)
    }

    /// The answer about a stored node found or made under a name.
    pub(crate) fn entry_at(&self, parent: Ino, name: &Name, ino: Ino, attr: Attr) -> EntryReply {
        if self.options.ignore_case {
            self.letters.added(parent, name);
        }
        self.told(ino, attr, Some((parent, name)))
    }

    fn told(&self, ino: Ino, attr: Attr, name: Option<(Ino, &Name)>) -> EntryReply {
        self.note_attributes(ino, &attr);
        self.note_handed_out(ino, &attr, name);
        let entry_ttl = if attr.is_directory() {
            self.options.dir_entry_ttl
        } else {
            self.options.entry_ttl
        };
        EntryReply {
            ino: self.shown(ino),
            attr,
            attr_ttl: self.lifetime(self.options.attr_ttl),
            entry_ttl: self.lifetime(entry_ttl),
        }
    }

    /// The door is being told these attributes.
    fn note_attributes(&self, ino: Ino, attr: &Attr) {
        self.told_attributes.note(ino, attr);
        if attr.is_directory() {
            self.meta.told_directory(ino, attr);
        }
    }

    /// The answer about a stored node's attributes.
    pub(crate) fn attributes(&self, ino: Ino, attr: Attr) -> AttrReply {
        self.note_attributes(ino, &attr);
        self.note_handed_out(ino, &attr, None);
        AttrReply {
            ino: self.shown(ino),
            attr,
            ttl: self.lifetime(self.options.attr_ttl),
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
        if matches!(component, "." | "..") {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("sub-directory {path} has {component} in it"),
            )
            .with_advice("Give --subdir as a path from the root of the volume."));
        }
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
