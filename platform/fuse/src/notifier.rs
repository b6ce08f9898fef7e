//! Tells the kernel what changed behind its back.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use fuser::{INodeNo, Notifier};
use moorage_model::Ino;
use moorage_vfs::KernelNotifier;

/// Notices that may wait for the kernel. Beyond that some are lost, and the kernel learns when its caches expire.
const QUEUE_NOTICES: usize = 4096;

#[derive(Debug)]
enum Notice {
    Inode { ino: Ino, offset: i64, len: i64 },
    Entry { parent: Ino, name: OsString },
}

/// Sends notices on a thread of its own: the kernel may make the sender wait for requests on the same inode.
#[derive(Debug)]
pub(crate) struct ThreadedNotifier {
    queue: SyncSender<Notice>,
}

impl ThreadedNotifier {
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(notifier: Notifier) -> std::io::Result<ThreadedNotifier> {
        let (queue, notices) = sync_channel(QUEUE_NOTICES);
        std::thread::Builder::new()
            .name("fuse-notices".to_owned())
            .spawn(move || deliver(&notifier, &notices))?;
        Ok(ThreadedNotifier { queue })
    }

    fn send(&self, notice: Notice) {
        if let Err(TrySendError::Full(notice)) = self.queue.try_send(notice) {
            tracing::warn!(?notice, "the kernel does not keep up with cache notices");
        }
    }
}

/// Ends when the sender is dropped.
fn deliver(notifier: &Notifier, notices: &Receiver<Notice>) {
    for notice in notices {
        let sent = match &notice {
            Notice::Inode { ino, offset, len } => notifier.inval_inode(INodeNo(ino.0), *offset, *len),
            Notice::Entry { parent, name } => notifier.inval_entry(INodeNo(parent.0), name),
        };
        if let Err(error) = sent {
            // Unmounted meanwhile, or the kernel knows better: its caches expire in any case.
            tracing::debug!(?notice, %error, "the kernel refused a cache notice");
        }
    }
}

impl KernelNotifier for ThreadedNotifier {
    fn inval_inode(&self, ino: Ino, offset: i64, len: i64) {
        self.send(Notice::Inode { ino, offset, len });
    }

    fn inval_entry(&self, parent: Ino, name: &[u8]) {
        self.send(Notice::Entry {
            parent,
            name: OsString::from_vec(name.to_vec()),
        });
    }
}
