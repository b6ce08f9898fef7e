//! Tells the kernel what changed behind its back.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::Arc;

use fuser::{INodeNo, Notifier};
use moorage_model::Ino;
use moorage_vfs::KernelNotifier;
use parking_lot::{Condvar, Mutex};

/// Notices that may wait for the kernel, some 30 MB of them: one each for all nodes and names that a mount remembers to
/// have told the kernel of, and some more. Beyond that some are lost, and the kernel learns when its caches expire.
const MAX_WAITING: usize = 1 << 18;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Notice {
    Inode { ino: Ino, offset: i64, len: i64 },
    Entry { parent: Ino, name: OsString },
}

/// Notices in their order, each once: a node that changes faster than the kernel takes notices waits as one.
#[derive(Debug, Default)]
struct Waiting {
    order: VecDeque<Notice>,
    known: HashSet<Notice>,
    closed: bool,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Queue {
    fn put(&self, notice: Notice) {
        let mut waiting = self.waiting.lock();
        if waiting.order.len() >= MAX_WAITING {
            tracing::warn!(?notice, "the kernel does not keep up with cache notices");
        } else if waiting.known.insert(notice.clone()) {
            waiting.order.push_back(notice);
            self.changed.notify_one();
        }
    }

    /// Waits for the next one; `None` once the mount has ended.
    fn take(&self) -> Option<Notice> {
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.closed {
                return None;
            }
            if let Some(notice) = waiting.order.pop_front() {
                // What happens from here on is news: the kernel may act on this notice already.
                waiting.known.remove(&notice);
                return Some(notice);
            }
            self.changed.wait(&mut waiting);
        }
    }

    fn close(&self) {
        self.waiting.lock().closed = true;
        self.changed.notify_all();
    }
}

/// Sends notices on threads of its own, since the kernel may make the sender wait for requests: one for content, which
/// waits for pages that are being read, and one for everything else.
#[derive(Debug)]
pub(crate) struct ThreadedNotifier {
    content: Arc<Queue>,
    others: Arc<Queue>,
    direct: Notifier,
}

impl ThreadedNotifier {
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(notifier: &Notifier) -> std::io::Result<ThreadedNotifier> {
        Ok(ThreadedNotifier {
            content: delivering("fuse-pages", notifier.clone())?,
            others: delivering("fuse-notices", notifier.clone())?,
            direct: notifier.clone(),
        })
    }
}

/// A queue and the thread that empties it, until the queue is closed.
fn delivering(name: &str, notifier: Notifier) -> std::io::Result<Arc<Queue>> {
    let queue = Arc::new(Queue::default());
    let emptied = Arc::clone(&queue);
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        while let Some(notice) = emptied.take() {
            deliver(&notifier, &notice);
        }
    })?;
    Ok(queue)
}

fn deliver(notifier: &Notifier, notice: &Notice) {
    let sent = match notice {
        Notice::Inode { ino, offset, len } => notifier.inval_inode(INodeNo(ino.0), *offset, *len),
        Notice::Entry { parent, name } => notifier.inval_entry(INodeNo(parent.0), name),
    };
    if let Err(error) = sent {
        // Unmounted meanwhile, or the kernel knows nothing of it.
        tracing::debug!(?notice, %error, "the kernel refused a cache notice");
    }
}

impl KernelNotifier for ThreadedNotifier {
    fn inval_inode(&self, ino: Ino, offset: i64, len: i64) {
        let queue = if offset < 0 { &self.others } else { &self.content };
        queue.put(Notice::Inode { ino, offset, len });
    }

    fn inval_entry(&self, parent: Ino, name: &[u8]) {
        self.others.put(Notice::Entry {
            parent,
            name: OsString::from_vec(name.to_vec()),
        });
    }

    /// The kernel marks the inode and waits for nothing (Linux, `fuse_reverse_inval_inode`, without a range of pages).
    fn expire_attributes(&self, ino: Ino) {
        let (offset, len) = (-1, 0);
        deliver(&self.direct, &Notice::Inode { ino, offset, len });
    }

    fn drop_content(&self, ino: Ino) {
        let (offset, len) = (0, 0);
        deliver(&self.direct, &Notice::Inode { ino, offset, len });
    }
}

impl Drop for ThreadedNotifier {
    fn drop(&mut self) {
        self.content.close();
        self.others.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inode(number: u64) -> Notice {
        Notice::Inode {
            ino: Ino(number),
            offset: -1,
            len: 0,
        }
    }

    #[test]
    fn a_notice_waits_once_and_again_when_it_was_taken() {
        let queue = Queue::default();
        for notice in [inode(1), inode(2), inode(1)] {
            queue.put(notice);
        }
        assert_eq!(queue.take(), Some(inode(1)));
        queue.put(inode(1));
        assert_eq!([queue.take(), queue.take()], [Some(inode(2)), Some(inode(1))]);
        queue.close();
        assert_eq!(queue.take(), None);
    }
}
