//! Folders of a mounted volume, a page at a time.

use serde::{Deserialize, Serialize};

/// A part of a folder, in the order of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FilePage {
    /// The entries.
    pub entries: Vec<FileEntry>,
    /// Where the next page begins; absent on the last one.
    pub next: Option<String>,
    /// Whether something can be kept on this computer.
    pub pins: PinOffer,
}

/// Whether files can be kept on this computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PinOffer {
    /// They can.
    Offered,
    /// All are here anyway: the objects lie in a folder of this computer.
    Needless,
    /// The mount has no cache on disk.
    NoCache,
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Bytes of a file.
    pub size: u64,
    /// When its content was changed, in milliseconds since 1970.
    pub modified: i64,
    /// Where its content is; files alone have some.
    pub state: Option<FileState>,
    /// Whether it is kept on this computer.
    pub pinned: FilePin,
    /// Why it is not here although it is pinned.
    pub problem: Option<String>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A folder.
    Folder,
    /// A file.
    File,
    /// A link or a special file.
    Other,
}

/// Where the content of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Something of it exists on this computer only, and waits for its upload.
    OnlyHere,
    /// It is pinned, and the rest of it is still to be fetched.
    Waiting,
    /// All of it is on this disk, and in the store.
    Local,
    /// A part of it is on this disk.
    Partly,
    /// It is in the store.
    Remote,
}

/// Whether something is kept on this computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FilePin {
    /// No.
    No,
    /// It was pinned.
    Own,
    /// A folder above it was.
    Above,
}
