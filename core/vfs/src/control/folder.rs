//! The entries of a folder with where their content is, which JuiceFS has no command for.

use futures_util::StreamExt as _;
use moorage_chunk::BlockPlace;
use moorage_meta::{Context, DirectoryEntry, MAY_EXECUTE, MAY_READ};
use moorage_model::{Attr, ErrorKind, Ino, Name, Result};
use serde::{Deserialize, Serialize};

use super::codec::Answer;
use super::own_requests::FolderRequest;
use super::summary::json;
use crate::Vfs;

/// Files looked into at the same time.
const CONCURRENCY: usize = 10;

/// A part of a folder, in the order of names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FolderReport {
    /// The entries.
    pub entries: Vec<FolderItem>,
    /// The last name, when there are more.
    pub next: Option<Vec<u8>>,
    /// Where blocks are kept of what is read.
    pub cache: FolderCache,
}

/// Where blocks are kept of what is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FolderCache {
    /// On disk, where they can be pinned.
    #[default]
    Disk,
    /// In memory alone.
    Memory,
    /// Nowhere: objects lie in a folder of this computer.
    Needless,
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FolderItem {
    /// Its name.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: FolderItemKind,
    /// Bytes; of a folder those of its own.
    pub length: u64,
    /// Milliseconds since 1970.
    pub modified: i64,
    /// Where its content is; files alone have some.
    pub content: Option<ContentPlace>,
    /// Whether it is pinned itself.
    pub is_pinned: bool,
    /// Whether a folder above it is.
    pub is_covered: bool,
    /// Why blocks of it could not be fetched, though it is pinned.
    pub unfetched: Option<String>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FolderItemKind {
    /// A folder.
    Folder,
    /// A file.
    File,
    /// A link or a special file, which has no content.
    Other,
}

/// Where the content of a file is, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContentPlace {
    /// Written here and in no store yet.
    pub only_here: u64,
    /// On the disk of this computer, those among them.
    pub local: u64,
    /// All that are stored or staged; holes have none.
    pub stored: u64,
}

impl Vfs {
    /// A page of a folder that the caller may read. One read of the engine for the page, and one or more for each file.
    ///
    /// # Errors
    /// `NotFound`, `AccessDenied`, `NotDirectory`; what the engine answers.
    pub(super) async fn folder_by_command(
        &self,
        identity: &Context,
        request: &FolderRequest,
    ) -> Result<Answer> {
        let (folder, attr) = self.find(identity, &request.path).await?;
        if !attr.is_directory() {
            return Err(ErrorKind::NotDirectory.into());
        }
        self.meta
            .check_access(identity, &attr, MAY_READ | MAY_EXECUTE)
            .await?;
        let after = match request.after.as_slice() {
            [] => None,
            name => Some(Name::new(name)?),
        };
        self.chunks.settle_cache().await;
        let engine = self.meta.engine();
        let page = engine
            .read_directory(folder, after.as_ref(), request.limit, true)
            .await?;
        let next = (page.len() == request.limit)
            .then(|| page.last().map(|item| item.name.as_bytes().to_vec()))
            .flatten();
        let entries = futures_util::stream::iter(page)
            .map(|item| self.folder_item(item))
            .buffered(CONCURRENCY)
            .filter_map(|item| async { item })
            .collect()
            .await;
        let cache = match self.chunks.cache_place() {
            _ if self.chunks.store().features().local => FolderCache::Needless,
            BlockPlace::Cache => FolderCache::Disk,
            _ => FolderCache::Memory,
        };
        json(&FolderReport { entries, next, cache })
    }

    /// `None` for an entry that is gone or damaged.
    async fn folder_item(&self, item: DirectoryEntry) -> Option<FolderItem> {
        let (ino, mut attr) = (item.entry.ino, item.attr?);
        if let Some(file) = self.files.get(ino) {
            file.content().overlay(&mut attr);
        }
        let kind = match (attr.is_directory(), attr.is_file()) {
            (true, _) => FolderItemKind::Folder,
            (_, true) => FolderItemKind::File,
            _ => FolderItemKind::Other,
        };
        let content = match kind {
            FolderItemKind::File => Some(self.content_place(ino, &attr).await.ok()?),
            _ => None,
        };
        let pins = self.pins.as_ref();
        let is_pinned = pins.is_some_and(|pins| pins.is_pinned(ino));
        Some(FolderItem {
            name: item.name.as_bytes().to_vec(),
            kind,
            length: attr.length,
            modified: attr.mtime.seconds * 1000 + i64::from(attr.mtime.nanoseconds / 1_000_000),
            content,
            is_pinned,
            is_covered: !is_pinned && pins.is_some_and(|pins| pins.covers(ino)),
            unfetched: pins.and_then(|pins| pins.failure_of(ino)),
        })
    }

    async fn content_place(&self, ino: Ino, attr: &Attr) -> Result<ContentPlace> {
        let mut place = ContentPlace::default();
        for (block, bytes) in self.file_cover(ino, attr).await?.blocks {
            place.stored += bytes;
            match self.chunks.place_of(&block) {
                BlockPlace::Store | BlockPlace::Memory => {}
                BlockPlace::Cache | BlockPlace::Local => place.local += bytes,
                BlockPlace::Staged => {
                    place.local += bytes;
                    place.only_here += bytes;
                }
            }
        }
        if let Some(file) = self.files.get(ino) {
            let pending = &file.content().pending;
            place.only_here += pending.iter().map(|part| u64::from(part.len)).sum::<u64>();
        }
        Ok(place)
    }
}
