//! Files kept open between requests: the protocol has no open and no close.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use moorage_model::{Error, ErrorKind, Ino, Result};
use moorage_vfs::{Caller, FileHandle, OpenFlags, Vfs};
use parking_lot::Mutex;
use tokio::runtime::Handle;

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
    closed: AtomicBool,
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        let close = close(
            Arc::clone(&self.vfs),
            self.handle,
            self.writes,
            Arc::clone(&self.verifier),
        );
        self.runtime.spawn(close);
    }
}

/// Stores what was written and gives the handle back. When that fails, clients send what they wrote since their last commit again.
async fn close(vfs: Arc<Vfs>, handle: FileHandle, writes: bool, verifier: Arc<WriteVerifier>) {
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
}

#[derive(Debug)]
struct Kept {
    file: Arc<OpenFile>,
    used: Instant,
}

/// All files that are open.
#[derive(Debug)]
pub(crate) struct Files {
    vfs: Arc<Vfs>,
    runtime: Handle,
    verifier: Arc<WriteVerifier>,
    open: Mutex<HashMap<Key, Kept>>,
}

impl Files {
    pub(crate) fn new(vfs: Arc<Vfs>, runtime: Handle, verifier: Arc<WriteVerifier>) -> Files {
        Files {
            vfs,
            runtime,
            verifier,
            open: Mutex::default(),
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
        if let Some(kept) = self.open.lock().get_mut(&key) {
            kept.used = Instant::now();
            return Ok(Arc::clone(&kept.file));
        }
        let file = match self.opened(&identity.caller(), ino, writes).await {
            // Which of its rules it breaks first says less.
            Err(_) if self.is_directory(ino).await => return Err(ErrorKind::IsDirectory.into()),
            opened => opened?,
        };
        let replaced = {
            let mut open = self.open.lock();
            let oldest = match open.len() < MOST_OPEN {
                true => None,
                false => open
                    .iter()
                    .min_by_key(|(_, kept)| kept.used)
                    .map(|(key, _)| key.clone()),
            };
            let oldest = oldest.and_then(|oldest| open.remove(&oldest));
            let kept = Kept {
                file: Arc::clone(&file),
                used: Instant::now(),
            };
            (oldest, open.insert(key, kept))
        };
        drop(replaced);
        Ok(file)
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

    /// Every handle that writes to the file, so that each tells what it knows of lost data.
    pub(crate) fn writing(&self, ino: Ino) -> Vec<Arc<OpenFile>> {
        let open = self.open.lock();
        open.iter()
            .filter(|(key, _)| key.ino == ino && key.writes)
            .map(|(_, kept)| Arc::clone(&kept.file))
            .collect()
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
        self.open.lock().is_empty()
    }

    /// Lets go of a file whose name went, or whose handle is of no use any more.
    pub(crate) fn forget(&self, ino: Ino) {
        let forgotten: Vec<Kept> = {
            let mut open = self.open.lock();
            let keys: Vec<Key> = open.keys().filter(|key| key.ino == ino).cloned().collect();
            keys.iter().filter_map(|key| open.remove(key)).collect()
        };
        drop(forgotten);
    }

    /// As [`Files::forget`], when an error says that the handle is of no use.
    pub(crate) fn forget_useless(&self, ino: Ino, error: &Error) {
        if matches!(error.kind(), ErrorKind::BadHandle | ErrorKind::Stale) {
            self.forget(ino);
        }
    }

    /// Closes what nobody asked for in some time.
    pub(crate) fn close_idle(&self) {
        let idle: Vec<Kept> = {
            let mut open = self.open.lock();
            let keys: Vec<Key> = open
                .iter()
                .filter(|(_, kept)| kept.used.elapsed() > IDLE)
                .map(|(key, _)| key.clone())
                .collect();
            keys.iter().filter_map(|key| open.remove(key)).collect()
        };
        drop(idle);
    }

    /// Closes all files and waits for it.
    pub(crate) async fn close_all(&self) {
        let all: Vec<Kept> = self.open.lock().drain().map(|(_, kept)| kept).collect();
        for Kept { file, .. } in all {
            if file.closed.swap(true, Ordering::AcqRel) {
                continue;
            }
            let verifier = Arc::clone(&self.verifier);
            close(Arc::clone(&self.vfs), file.handle, file.writes, verifier).await;
        }
    }
}
