//! What a door can be asked to forget.

use std::fmt;

use moorage_model::Ino;

/// Tells the kernel behind a door that something it caches has changed behind its back. Inode numbers are those that
/// the mount shows.
///
/// The calls are made on threads that serve requests, so they return at once, where nothing else is said: a kernel may make
/// whoever tells it wait for requests on the same inode. What is told is not lost as long as the kernel is there: caches may live for hours.
pub trait KernelNotifier: Send + Sync + fmt::Debug {
    /// Attributes of an inode, and its cached content from `offset` on; `len` 0 means to the end, a negative `offset`
    /// means attributes only.
    fn inval_inode(&self, ino: Ino, offset: i64, len: i64);

    /// The entry of that name.
    fn inval_entry(&self, parent: Ino, name: &[u8]);

    /// On return the attributes of an inode are no longer cached. It waits for no request.
    fn expire_attributes(&self, ino: Ino);

    /// On return neither attributes nor content of an inode are cached. Not for threads that serve requests, since it may
    /// wait for requests on the same inode.
    fn drop_content(&self, ino: Ino);
}
