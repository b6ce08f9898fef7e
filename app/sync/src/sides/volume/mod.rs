//! A volume, used directly by its database and its objects.

mod listing;
mod open_file;
mod read;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use moorage_model::{Attr, Error, ErrorKind, Ino, NodeType, Result, Timestamp};
use moorage_vfs::{Caller, RenameFlags, SetAttrRequest, SetTime, Vfs};

use super::MissingRoot;
use crate::{
    Abilities, Entry, Kind, Links, ListOptions, Listing, Permissions, RelativePath, Replaces, Side, Sink,
    Source, Tag, Version,
};

/// Bits of a new folder.
const FOLDER_MODE: u16 = 0o755;

/// A folder of a volume as a side. The volume is the caller's to open and to shut down.
#[derive(Clone, Debug)]
pub struct VolumeSide {
    vfs: Arc<Vfs>,
    root: RelativePath,
    caller: Caller,
    tag: Tag,
    missing: MissingRoot,
}

impl VolumeSide {
    /// The folder `root` of a volume. `caller` owns what is made; `tag` marks temporary files.
    ///
    /// # Errors
    /// What making the root answers.
    pub async fn open(
        vfs: Arc<Vfs>,
        root: RelativePath,
        missing: MissingRoot,
        caller: Caller,
        tag: Tag,
    ) -> Result<VolumeSide> {
        let side = VolumeSide {
            vfs,
            root,
            caller,
            tag,
            missing,
        };
        if missing == MissingRoot::Make {
            side.make_folder(&RelativePath::root()).await?;
        }
        Ok(side)
    }

    fn named(&self, doing: &str, path: &RelativePath, error: Error) -> Error {
        error.context(format!("{doing} {path} in {}", self.describe()))
    }

    /// The node of a path; links on the way are not followed.
    async fn node(&self, path: &RelativePath) -> Result<(Ino, Attr)> {
        let mut ino = Ino::ROOT;
        let mut attr = self.vfs.getattr(ino).await?.attr;
        for name in self.root.names().chain(path.names()) {
            if !attr.is_directory() {
                return Err(ErrorKind::NotDirectory.into());
            }
            let found = self.vfs.lookup(&self.caller, ino, name).await?;
            (ino, attr) = (found.ino, found.attr);
        }
        Ok((ino, attr))
    }

    async fn folder(&self, path: &RelativePath) -> Result<Ino> {
        let (ino, attr) = self.node(path).await?;
        if attr.is_directory() {
            Ok(ino)
        } else {
            Err(ErrorKind::NotDirectory.into())
        }
    }

    /// The folder of a path and the name in it.
    async fn parent<'p>(&self, path: &'p RelativePath) -> Result<(Ino, &'p [u8])> {
        let (folder, name) = path.split_last().ok_or_else(no_name)?;
        Ok((self.folder(&folder).await?, name))
    }

    /// As [`VolumeSide::parent`], making folders that are missing.
    async fn made_parent<'p>(&self, path: &'p RelativePath) -> Result<(Ino, &'p [u8])> {
        let (folder, name) = path.split_last().ok_or_else(no_name)?;
        match self.folder(&folder).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok((self.made_folder(&folder).await?, name)),
            found => Ok((found?, name)),
        }
    }

    async fn made_folder(&self, path: &RelativePath) -> Result<Ino> {
        let mut at = Ino::ROOT;
        for name in self.root.names().chain(path.names()) {
            let found = match self.vfs.lookup(&self.caller, at, name).await {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    match self.vfs.mkdir(&self.caller, at, name, FOLDER_MODE, 0).await {
                        // Another transfer was quicker.
                        Err(error) if error.kind() == ErrorKind::Exists => {
                            self.vfs.lookup(&self.caller, at, name).await?
                        }
                        made => made?,
                    }
                }
                found => found?,
            };
            if !found.attr.is_directory() {
                return Err(ErrorKind::NotDirectory.into());
            }
            at = found.ino;
        }
        Ok(at)
    }
}

fn no_name() -> Error {
    Error::new(ErrorKind::InvalidArgument, "the root has no name of its own")
}

fn entry_of(path: RelativePath, ino: Ino, attr: &Attr) -> Entry {
    let kind = match attr.kind {
        NodeType::File => Kind::File,
        NodeType::Directory => Kind::Folder,
        NodeType::Symlink => Kind::Link,
        NodeType::Fifo | NodeType::BlockDevice | NodeType::CharDevice | NodeType::Socket => Kind::Special,
    };
    Entry {
        path,
        kind,
        version: version_of(ino, attr),
        permissions: Some(Permissions {
            mode: attr.mode,
            uid: attr.uid,
            gid: attr.gid,
        }),
    }
}

fn version_of(ino: Ino, attr: &Attr) -> Version {
    Version {
        size: attr.length,
        modified: attr.mtime,
        changed: Some(attr.ctime),
        node: Some(ino.0),
    }
}

/// Whether two states are those of the same content in the same node; a rename changes the time of attributes.
fn same_content(one: &Version, other: &Version) -> bool {
    (one.size, one.modified, one.node) == (other.size, other.modified, other.node)
}

fn conflict(path: &RelativePath) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("{path} was changed by somebody else meanwhile"),
    )
    .with_advice("Run the command again; it is left as it is.")
}

fn attributes(permissions: Option<Permissions>, modified: Option<Timestamp>) -> SetAttrRequest {
    SetAttrRequest {
        mode: permissions.map(|permissions| permissions.mode),
        uid: permissions.map(|permissions| permissions.uid),
        gid: permissions.map(|permissions| permissions.gid),
        mtime: modified.map(SetTime::At),
        ..SetAttrRequest::default()
    }
}

#[async_trait]
impl Side for VolumeSide {
    fn describe(&self) -> String {
        let name = &self.vfs.meta().setting().name;
        if self.root.is_root() {
            format!("volume {name}")
        } else {
            format!("folder {} of volume {name}", self.root)
        }
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            folders: true,
            links: true,
            times: true,
            fine_times: true,
            permissions: true,
        }
    }

    fn list(&self, options: ListOptions) -> Box<dyn Listing> {
        Box::new(listing::VolumeListing::new(self.clone(), options))
    }

    async fn look(&self, path: &RelativePath) -> Result<Option<Entry>> {
        match self.node(path).await {
            Ok((ino, attr)) => Ok(Some(entry_of(path.clone(), ino, &attr))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotDirectory) => Ok(None),
            Err(error) => Err(self.named("looking at", path, error)),
        }
    }

    async fn read(&self, entry: &Entry, _links: Links) -> Result<Box<dyn Source>> {
        let opened = read::VolumeSource::open(self, &entry.path).await;
        Ok(Box::new(
            opened.map_err(|error| self.named("reading", &entry.path, error))?,
        ))
    }

    async fn write(&self, path: &RelativePath, _size: u64) -> Result<Box<dyn Sink>> {
        let created = write::VolumeSink::create(self.clone(), path).await;
        Ok(Box::new(
            created.map_err(|error| self.named("writing", path, error))?,
        ))
    }

    async fn link_target(&self, path: &RelativePath) -> Result<Vec<u8>> {
        let read = async { self.vfs.readlink(self.node(path).await?.0).await };
        read.await
            .map_err(|error| self.named("reading the link", path, error))
    }

    async fn make_link(&self, path: &RelativePath, target: &[u8], replaces: Replaces) -> Result<Entry> {
        let made = write::make_link(self, path, target, replaces).await;
        made.map_err(|error| self.named("making the link", path, error))
    }

    async fn make_folder(&self, path: &RelativePath) -> Result<()> {
        let made = self.made_folder(path).await;
        made.map(drop)
            .map_err(|error| self.named("making the folder", path, error))
    }

    async fn remove(&self, entry: &Entry) -> Result<()> {
        let removed = write::remove(self, entry).await;
        removed.map_err(|error| self.named("removing", &entry.path, error))
    }

    async fn rename(&self, from: &RelativePath, to: &RelativePath) -> Result<()> {
        let rename = async {
            let (source, target) = (self.parent(from).await?, self.parent(to).await?);
            let free = RenameFlags {
                no_replace: true,
                exchange: false,
            };
            self.vfs.rename(&self.caller, source, target, free).await
        };
        rename.await.map_err(|error| self.named("renaming", from, error))
    }

    async fn set_attributes(
        &self,
        path: &RelativePath,
        permissions: Option<Permissions>,
        modified: Option<Timestamp>,
    ) -> Result<()> {
        let set = async {
            let (ino, _) = self.node(path).await?;
            let request = attributes(permissions, modified);
            self.vfs.setattr(&self.caller, ino, None, request).await.map(drop)
        };
        set.await
            .map_err(|error| self.named("setting attributes of", path, error))
    }

    async fn settle(&self) -> Result<()> {
        self.vfs.meta().make_durable().await
    }
}
