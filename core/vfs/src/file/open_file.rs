//! One file, shared by its handles.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use moorage_model::{Attr, Ino};
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{Mutex, MutexGuard};

use super::content::Content;

/// State of a file while it is open here or has something written that is not committed; kept a while longer, so that
/// the next open can tell whether anything changed.
///
/// Locks in their order: `turn` (writes, changes of length), `commit` (commits of slices), `content` (short, never
/// held over an await).
#[derive(Debug)]
pub(crate) struct OpenFile {
    /// Its inode, as stored.
    pub(crate) ino: Ino,
    /// Handles in this client; changed under the lock of the table of files.
    pub(crate) handles: AtomicU32,
    /// A background settle is under way.
    pub(crate) settling: AtomicBool,
    /// Its part of [`super::OpenFiles::unrecorded`].
    pub(super) unrecorded: AtomicI64,
    pub(super) commit: Mutex<()>,
    turn: Mutex<()>,
    content: RwLock<Content>,
}

impl OpenFile {
    pub(super) fn new(ino: Ino, attr: Attr) -> Arc<OpenFile> {
        Arc::new(OpenFile {
            ino,
            handles: AtomicU32::new(0),
            settling: AtomicBool::new(false),
            unrecorded: AtomicI64::new(0),
            commit: Mutex::default(),
            turn: Mutex::default(),
            content: RwLock::new(Content::new(attr)),
        })
    }

    /// What is known of the content.
    pub(crate) fn content(&self) -> RwLockReadGuard<'_, Content> {
        self.content.read()
    }

    /// What is known of the content, to change it.
    pub(crate) fn content_mut(&self) -> RwLockWriteGuard<'_, Content> {
        self.content.write()
    }

    /// The turn of whoever writes or changes the length. Free locks are taken on the first poll.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Whether something is written and not committed.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.content.read().pending.is_empty()
    }

    /// Whether a handle is open.
    pub(crate) fn is_open(&self) -> bool {
        self.handles.load(Ordering::Acquire) > 0
    }
}
