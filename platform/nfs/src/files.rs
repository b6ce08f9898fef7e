//! Files kept open between requests: the protocol has no open and no close.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use moorage_model::{Error, ErrorKind, Ino, Result};
use moorage_vfs::{Caller, FileHandle, OpenFlags, Vfs};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::caller::Identity;
use crate::verifier::WriteVerifier;

/// Files open at most; a file that is not among them is opened again by its next request.
const MOST_OPEN: usize = 512;
/// A file nobody asked for in this time is closed: long enough for a program that reads now and then, short enough that a
/// file removed elsewhere is let go of.
const IDLE: Duration = Duration::from_secs(30);
/// Permission bit of execution.
const MAY_EXECUTE: u8 = 1;

/// For whom and for what a file is open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    ino: Ino,
    identity: Identity,
    writes: bool,
}

/// A file that is open, and closed when the last request lets go of it.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) handle: FileHandle,
    vfs: Arc<Vfs>,
    writes: bool,
    runtime: Handle,
    verifier: Arc<WriteVerifier>,
    /// Since it was taken out of the table, until it is closed.
    leaving: Mutex<Option<Leaving>>,
    closed: AtomicBool,
}

impl OpenFile {
    /// Stores what was written and gives the handle back. When that fails, clients send what they wrote since their last
    /// commit again. `None` when that happened already.
    fn close(&self) -> Option<impl Future<Output = ()> + use<>> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return None;
        }
        let (vfs, handle, writes) = (Arc::clone(&self.vfs), self.handle, self.writes);
        let (verifier, leaving) = (Arc::clone(&self.verifier), self.leaving.lock().take());
        Some(async move {
            let flushed = match writes {
                true => vfs.flush(handle, None).await,
                false => Ok(()),
            };
            let closed = flushed.and(vfs.release(handle, None).await);
            if let Err(error) = closed
                && writes
            {
                tracing::warn!(%error, "written data could not be stored yet; clients are asked for it again");
                verifier.change();
            }
            drop(leaving);
        })
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if let Some(close) = self.close() {
            self.runtime.spawn(close);
        }
    }
}

#[derive(Debug)]
struct Kept {
    file: Arc<OpenFile>,
    used: Instant,
}

#[derive(Debug, Default)]
struct Table {
    open: HashMap<Key, Kept>,
    /// Files for writing that left `open` and are not closed yet, with how many times.
    leaving: HashMap<Ino, usize>,
}

#[derive(Debug, Default)]
struct Tables {
    table: Mutex<Table>,
    left: Notify,
}

impl Tables {
    /// Notes that a file for writing leaves the table.
    fn leave(self: &Arc<Self>, table: &mut Table, ino: Ino) -> Leaving {
        *table.leaving.entry(ino).or_default() += 1;
        Leaving {
            tables: Arc::clone(self),
            ino,
        }
    }

    async fn writing(&self, ino: Ino) -> Vec<Arc<OpenFile>> {
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            left.as_mut().enable();
            {
                let table = self.table.lock();
                if !table.leaving.contains_key(&ino) {
                    let open = table.open.iter();
                    let writing = open.filter(|(key, _)| key.ino == ino && key.writes);
                    return writing.map(|(_, kept)| Arc::clone(&kept.file)).collect();
                }
            }
            left.await;
        }
    }
}

/// A file for writing that is not closed yet: until then the write verifier may not tell yet that its data is lost.
#[derive(Debug)]
struct Leaving {
    tables: Arc<Tables>,
    ino: Ino,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut table = self.tables.table.lock();
        if let Some(files) = table.leaving.get_mut(&self.ino) {
            *files = files.saturating_sub(1);
            if *files == 0 {
                table.leaving.remove(&self.ino);
            }
        }
        drop(table);
        self.tables.left.notify_waiters();
    }
}

/// All files that are open.
#[derive(Debug)]
pub(crate) struct Files {
    vfs: Arc<Vfs>,
    runtime: Handle,
    verifier: Arc<WriteVerifier>,
    tables: Arc<Tables>,
}

impl Files {
    pub(crate) fn new(vfs: Arc<Vfs>, runtime: Handle, verifier: Arc<WriteVerifier>) -> Files {
        Files {
            vfs,
            runtime,
            verifier,
            tables: Arc::default(),
        }
    }

    /// The file, opened for reading or for writing on behalf of this user. One engine read unless it is open.
    ///
    /// # Errors
    /// As [`Vfs::open`].
    pub(crate) async fn get(&self, identity: &Identity, ino: Ino, writes: bool) -> Result<Arc<OpenFile>> {
        let key = Key {
            ino,
            identity: identity.clone(),
            writes,
        };
        if let Some(kept) = self.tables.table.lock().open.get_mut(&key) {
            kept.used = Instant::now();
            return Ok(Arc::clone(&kept.file));
        }
        let file = match self.opened(&identity.caller(), ino, writes).await {
            // Which of its rules it breaks first says less.
            Err(_) if self.is_directory(ino).await => return Err(ErrorKind::IsDirectory.into()),
            opened => opened?,
        };
        let replaced = {
            let mut table = self.tables.table.lock();
            let oldest = match table.open.len() < MOST_OPEN {
                true => None,
                false => table
                    .open
                    .iter()
                    .min_by_key(|(_, kept)| kept.used)
                    .map(|(key, _)| key.clone()),
            };
            let replaced: Vec<_> = oldest
                .iter()
                .chain([&key])
                .filter_map(|key| self.take(&mut table, key))
                .collect();
            let kept = Kept {
                file: Arc::clone(&file),
                used: Instant::now(),
            };
            table.open.insert(key, kept);
            replaced
        };
        drop(replaced);
        Ok(file)
    }

    /// Takes a file out; it is closed when whoever uses it, and who called this, lets go of it.
    fn take(&self, table: &mut Table, key: &Key) -> Option<Arc<OpenFile>> {
        let file = table.open.remove(key)?.file;
        if key.writes {
            *file.leaving.lock() = Some(self.tables.leave(table, key.ino));
        }
        Some(file)
    }

    /// Takes out the files of these keys and lets go of them.
    fn forget_all(&self, is_forgotten: impl Fn(&Key, &Kept) -> bool) {
        let forgotten: Vec<_> = {
            let mut table = self.tables.table.lock();
            let keys: Vec<Key> = table
                .open
                .iter()
                .filter(|(key, kept)| is_forgotten(key, kept))
                .map(|(key, _)| key.clone())
                .collect();
            keys.iter().filter_map(|key| self.take(&mut table, key)).collect()
        };
        drop(forgotten);
    }

    async fn is_directory(&self, ino: Ino) -> bool {
        let found = self.vfs.getattr(ino).await;
        found.is_ok_and(|found| found.attr.is_directory())
    }

    async fn opened(&self, caller: &Caller, ino: Ino, writes: bool) -> Result<Arc<OpenFile>> {
        let how = OpenFlags {
            read: !writes,
            write: writes,
            ..OpenFlags::default()
        };
        let opened = match self.vfs.open(caller, ino, how).await {
            Err(error)
                if error.kind() == ErrorKind::AccessDenied && self.has_it_open(caller, ino, writes).await =>
            {
                self.vfs.open(&Caller::root(), ino, how).await?
            }
            opened => opened?,
        };
        Ok(Arc::new(OpenFile {
            handle: opened.handle,
            vfs: Arc::clone(&self.vfs),
            writes,
            runtime: self.runtime.clone(),
            verifier: Arc::clone(&self.verifier),
            leaving: Mutex::default(),
            closed: AtomicBool::new(false),
        }))
    }

    /// Whether a user may go on with a file that the permissions now keep from him: the owner, who may have opened it before they
    /// changed, or made it without them; and whoever executes a file, which has to be read for that (RFC 1813 section 4.4).
    async fn has_it_open(&self, caller: &Caller, ino: Ino, writes: bool) -> bool {
        let Ok(found) = self.vfs.getattr(ino).await else {
            return false;
        };
        found.attr.uid == caller.uid || (!writes && self.vfs.access(caller, ino, MAY_EXECUTE).await.is_ok())
    }

    /// Every handle that writes to the file, so that each tells what it knows of lost data. Those that are being closed are
    /// waited for: what they learn is told by the write verifier.
    pub(crate) async fn writing(&self, ino: Ino) -> Vec<Arc<OpenFile>> {
        self.tables.writing(ino).await
    }

    /// A handle that writes to the file, on behalf of the server itself.
    ///
    /// # Errors
    /// As [`Vfs::open`].
    pub(crate) async fn own(&self, ino: Ino) -> Result<Arc<OpenFile>> {
        self.opened(&Caller::root(), ino, true).await
    }

    /// Whether nothing is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.table.lock().open.is_empty()
    }

    /// Lets go of a file whose name went, or whose handle is of no use any more.
    pub(crate) fn forget(&self, ino: Ino) {
        self.forget_all(|key, _| key.ino == ino);
    }

    /// As [`Files::forget`], when an error says that the handle is of no use.
    pub(crate) fn forget_useless(&self, ino: Ino, error: &Error) {
        if matches!(error.kind(), ErrorKind::BadHandle | ErrorKind::Stale) {
            self.forget(ino);
        }
    }

    /// Closes what nobody asked for in some time.
    pub(crate) fn close_idle(&self) {
        self.forget_all(|_, kept| kept.used.elapsed() > IDLE);
    }

    /// Closes all files and waits for it.
    pub(crate) async fn close_all(&self) {
        let all: Vec<Kept> = self
            .tables
            .table
            .lock()
            .open
            .drain()
            .map(|(_, kept)| kept)
            .collect();
        for kept in all {
            if let Some(close) = kept.file.close() {
                close.await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn who_asks_for_what_is_written_waits_for_files_that_are_being_closed() {
        let tables = Arc::<Tables>::default();
        let (first, second) = {
            let mut table = tables.table.lock();
            (tables.leave(&mut table, Ino(7)), tables.leave(&mut table, Ino(7)))
        };
        let mut context = Context::from_waker(Waker::noop());
        let mut asked = pin!(tables.writing(Ino(7)));
        assert!(pin!(tables.writing(Ino(8))).poll(&mut context).is_ready());
        assert!(asked.as_mut().poll(&mut context).is_pending());
        drop(first);
        assert!(asked.as_mut().poll(&mut context).is_pending());
        drop(second);
        assert!(asked.as_mut().poll(&mut context).is_ready());
    }
}
