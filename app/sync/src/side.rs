//! The contract of the two ends of a synchronisation.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{Error, Result, Timestamp};

use crate::{Entry, Filter, Permissions, RelativePath, Version};

/// What a side can keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Folders exist by themselves, also without a file in them.
    pub folders: bool,
    /// Symbolic links.
    pub links: bool,
    /// Times of change can be set.
    pub times: bool,
    /// Two changes never have the same time. Where the clock of a file system ticks, a change can hide in a tick.
    pub fine_times: bool,
    /// Permission bits and owners.
    pub permissions: bool,
}

/// What is done about symbolic links of a side that is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// They are entries of their own.
    #[default]
    Keep,
    /// What they point to takes their place.
    Follow,
}

/// How a side is listed.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// Symbolic links.
    pub links: Links,
    /// What is not admitted is not listed, nor anything below it.
    pub filter: Arc<Filter>,
}

/// One thing that a listing tells.
#[derive(Debug)]
pub enum Listed {
    /// An entry.
    Entry(Entry),
    /// A file that a cut-off transfer left under a temporary name.
    Leftover(Entry),
    /// A place that can not be read: what is at it, and below it, is not known.
    Unreadable {
        /// Where; for a name that is no path, the folder it stands in.
        at: RelativePath,
        /// Everything below `at` is unknown too; otherwise it is one strange name in it.
        whole: bool,
        /// Why.
        error: Error,
    },
}

/// The entries of a side in [`crate::listing_order`], without its root.
#[async_trait]
pub trait Listing: Send {
    /// The next one; `None` at the end.
    ///
    /// # Errors
    /// When the listing can not go on at all.
    async fn next(&mut self) -> Result<Option<Listed>>;
}

/// Bytes of a piece of a file at most: large enough that a call costs nothing beside it, small enough that many transfers
/// at once fit memory.
pub const PIECE_BYTES: usize = 1 << 20;

/// The content of a file, piece by piece.
#[async_trait]
pub trait Source: Send {
    /// The state of the file when it was opened.
    fn version(&self) -> Version;

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// What reading answers.
    async fn next(&mut self) -> Result<Option<Bytes>>;

    /// Whether the file is what it was when it was opened, so that the pieces are one state of it. To be asked after the
    /// last piece.
    ///
    /// # Errors
    /// What looking answers.
    async fn is_unchanged(&mut self) -> Result<bool>;
}

/// What may stand under the name that something gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaces {
    /// Any file or link.
    Anything,
    /// Nothing at all.
    Nothing,
    /// A file or link in this state.
    This(Version),
}

/// How a written file gets its name.
#[derive(Clone, Copy, Debug)]
pub struct Finish {
    /// Its time of change; now when it is `None` or the side can not set it.
    pub modified: Option<Timestamp>,
    /// Its permissions, where the side has such; those of a new file else.
    pub permissions: Option<Permissions>,
    /// What it may replace.
    pub replaces: Replaces,
}

/// A file that is being written. Nobody sees a part of it; dropped, it leaves nothing.
#[async_trait]
pub trait Sink: Send {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// What writing answers.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Gives the file its name, all at once, and tells its state.
    ///
    /// # Errors
    /// `Conflict` when something else stands there than was to be replaced; `IsDirectory` for a folder; what the side
    /// answers. Then what stands there is untouched.
    async fn finish(self: Box<Self>, how: Finish) -> Result<Entry>;
}

/// One end: a tree of files.
///
/// No method follows a symbolic link inside the tree, but reading with [`Links::Follow`]. Every method is safe to drop.
#[async_trait]
pub trait Side: Send + Sync + Debug {
    /// Where it is, in words and without secrets.
    fn describe(&self) -> String;

    /// What it can keep.
    fn abilities(&self) -> Abilities;

    /// A listing from the start.
    fn list(&self, options: ListOptions) -> Box<dyn Listing>;

    /// The state of one path; `None` when nothing is there.
    ///
    /// # Errors
    /// What looking answers.
    async fn look(&self, path: &RelativePath) -> Result<Option<Entry>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` for what is no file.
    async fn read(&self, entry: &Entry, links: Links) -> Result<Box<dyn Source>>;

    /// Begins a file of about `size` bytes; missing folders above it are made.
    ///
    /// # Errors
    /// `NotDirectory` when a name above it is no folder, a symbolic link included.
    async fn write(&self, path: &RelativePath, size: u64) -> Result<Box<dyn Sink>>;

    /// Where a link points.
    ///
    /// # Errors
    /// `NotFound`, `InvalidArgument` for another kind.
    async fn link_target(&self, path: &RelativePath) -> Result<Vec<u8>>;

    /// Makes a symbolic link, and missing folders above it.
    ///
    /// # Errors
    /// As [`Sink::finish`]; `NotSupported` where there are no links.
    async fn make_link(&self, path: &RelativePath, target: &[u8], replaces: Replaces) -> Result<Entry>;

    /// Makes a folder, unless it is there, and missing ones above it.
    ///
    /// # Errors
    /// `NotDirectory` when a file or link is in the way.
    async fn make_folder(&self, path: &RelativePath) -> Result<()>;

    /// Removes a file, a link or an empty folder; what is gone already counts as removed.
    ///
    /// # Errors
    /// `Conflict` when it is no longer as `entry` says, `NotEmpty` for a folder with entries.
    async fn remove(&self, entry: &Entry) -> Result<()>;

    /// Gives an entry another name in the same side. Nothing is ever replaced.
    ///
    /// # Errors
    /// `Exists` when the name is taken, `NotFound`.
    async fn rename(&self, from: &RelativePath, to: &RelativePath) -> Result<()>;

    /// Sets permissions or the time of change, of a file or folder.
    ///
    /// # Errors
    /// `NotFound`, `NotPermitted`.
    async fn set_attributes(
        &self,
        path: &RelativePath,
        permissions: Option<Permissions>,
        modified: Option<Timestamp>,
    ) -> Result<()>;

    /// Returns when everything that was finished before the call survives a power cut.
    ///
    /// # Errors
    /// What syncing answers: then some of it may not.
    async fn settle(&self) -> Result<()>;
}
