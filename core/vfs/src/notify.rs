//! What a door can be asked to forget.

use std::fmt;

use moorage_model::Ino;

/// Tells the kernel behind a door that something it caches has changed behind its back. Inode numbers are those that
/// the mount shows.
///
/// The calls may block until requests on the same inode are done, so they are made on threads that serve no request.
pub trait KernelNotifier: Send + Sync + fmt::Debug {
    /// Attributes of an inode, and its cached content from `offset` on; `len` 0 means to the end, a negative `offset`
    /// means attributes only.
    fn inval_inode(&self, ino: Ino, offset: i64, len: i64);

    /// The entry of that name.
    fn inval_entry(&self, parent: Ino, name: &[u8]);
}
