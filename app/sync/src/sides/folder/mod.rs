//! A folder of this computer, which may lie in a mounted volume.

mod listing;
mod place;
mod read;
mod write;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use moorage_model::{Error, ErrorKind, Gid, Result, Timestamp, Uid};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::MissingRoot;
use crate::disk::{blocking, failed};
use crate::{
    Abilities, Entry, Kind, Links, ListOptions, Listing, Permissions, RelativePath, Replaces, Side, Sink,
    Source, Tag, Version,
};
use place::Root;

/// A folder of this computer as a side.
///
/// Every name is reached from the root step by step, and no step follows a symbolic link, so that a link inside the tree
/// leads nowhere, whoever puts it there and when. Files are written beside their place and renamed.
#[derive(Debug)]
pub struct FolderSide {
    root: Arc<Root>,
    tag: Tag,
}

impl FolderSide {
    /// Opens the folder. `tag` marks temporary files.
    ///
    /// # Errors
    /// `NotFound` and `NotDirectory`, naming it; what making it answers.
    pub fn open(path: &Path, missing: MissingRoot, tag: Tag) -> Result<FolderSide> {
        if missing == MissingRoot::Make {
            std::fs::create_dir_all(path)
                .map_err(|error| failed(format!("making the folder {}", path.display()), error))?;
        }
        let opened = rustix::fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let fd = match opened {
            Err(Errno::NOENT) if missing == MissingRoot::TakeAsEmpty => None,
            Err(error) => {
                return Err(failed(
                    format!("opening the folder {}", path.display()),
                    error.into(),
                ));
            }
            Ok(fd) => Some(fd),
        };
        Ok(FolderSide {
            root: Arc::new(Root::new(fd, path.to_owned())),
            tag,
        })
    }

    /// The folder, as it was given.
    pub fn path(&self) -> &Path {
        self.root.shown()
    }

    /// Runs `work` on the root and a path; a failure says what was being done to which path.
    async fn at<T: Send + 'static>(
        &self,
        doing: &'static str,
        path: &RelativePath,
        work: impl FnOnce(&Root, &RelativePath) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (root, path) = (Arc::clone(&self.root), path.clone());
        blocking(move || {
            work(&root, &path)
                .map_err(|error| failed(format!("{doing} {}", root.full(&path).display()), error))
        })
        .await
    }
}

/// The entry of a node.
fn entry_of(path: RelativePath, stat: &Stat) -> Entry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        _ => Kind::Special,
    };
    Entry {
        path,
        kind,
        version: version_of(stat),
        permissions: Some(Permissions {
            mode: (stat.st_mode & 0o7777) as u16,
            uid: Uid(stat.st_uid),
            gid: Gid(stat.st_gid),
        }),
    }
}

#[expect(
    clippy::unnecessary_cast,
    reason = "the types of these fields are those of the platform"
)]
fn version_of(stat: &Stat) -> Version {
    let time =
        |seconds: i64, nanoseconds: u64| Timestamp::new(seconds, u32::try_from(nanoseconds).unwrap_or(0));
    Version {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: time(stat.st_mtime as i64, stat.st_mtime_nsec as u64),
        changed: Some(time(stat.st_ctime as i64, stat.st_ctime_nsec as u64)),
        node: Some(stat.st_ino as u64),
    }
}

/// Whether two states are those of the same content in the same node; a rename changes the time of attributes.
fn same_content(one: &Version, other: &Version) -> bool {
    (one.size, one.modified, one.node) == (other.size, other.modified, other.node)
}

fn conflict(what: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("{} {why}", what.display()))
        .with_advice("Run the command again; it is left as it is.")
}

#[async_trait]
impl Side for FolderSide {
    fn describe(&self) -> String {
        format!("folder {}", self.root.shown().display())
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            folders: true,
            links: true,
            times: true,
            fine_times: false,
            permissions: true,
        }
    }

    fn list(&self, options: ListOptions) -> Box<dyn Listing> {
        Box::new(listing::FolderListing::new(Arc::clone(&self.root), options))
    }

    async fn look(&self, path: &RelativePath) -> Result<Option<Entry>> {
        self.at("looking at", path, |root, path| match root.stat(path) {
            Ok(stat) => Ok(Some(entry_of(path.clone(), &stat))),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(error.into()),
        })
        .await
    }

    async fn read(&self, entry: &Entry, links: Links) -> Result<Box<dyn Source>> {
        let source = self
            .at("reading", &entry.path, move |root, path| {
                read::FolderSource::open(root, path, links)
            })
            .await?;
        Ok(Box::new(source))
    }

    async fn write(&self, path: &RelativePath, _size: u64) -> Result<Box<dyn Sink>> {
        let (root, tag) = (Arc::clone(&self.root), self.tag.clone());
        let sink = self
            .at("writing", path, move |_, path| {
                write::FolderSink::create(root, path, &tag)
            })
            .await?;
        Ok(Box::new(sink))
    }

    async fn link_target(&self, path: &RelativePath) -> Result<Vec<u8>> {
        self.at("reading the link", path, |root, path| {
            let (parent, name) = root.parent(path)?;
            let target = rustix::fs::readlinkat(&parent, OsStr::from_bytes(&name), Vec::new())?;
            Ok(target.into_bytes())
        })
        .await
    }

    async fn make_link(&self, path: &RelativePath, target: &[u8], replaces: Replaces) -> Result<Entry> {
        let (target, tag) = (target.to_vec(), self.tag.clone());
        let (root, path) = (Arc::clone(&self.root), path.clone());
        blocking(move || write::make_link(&root, &path, &target, replaces, &tag)).await
    }

    async fn make_folder(&self, path: &RelativePath) -> Result<()> {
        self.at("making the folder", path, |root, path| {
            root.make_folder(path)?;
            Ok(())
        })
        .await
    }

    async fn remove(&self, entry: &Entry) -> Result<()> {
        let (root, tag, entry) = (Arc::clone(&self.root), self.tag.clone(), entry.clone());
        blocking(move || write::remove(&root, &entry, &tag)).await
    }

    async fn rename(&self, from: &RelativePath, to: &RelativePath) -> Result<()> {
        let to = to.clone();
        self.at("renaming", from, move |root, from| {
            let (parent, name) = root.parent(from)?;
            let (new_parent, new_name) = root.parent(&to)?;
            write::rename_to_free((&parent, &name), (&new_parent, &new_name))?;
            Ok(())
        })
        .await
    }

    async fn set_attributes(
        &self,
        path: &RelativePath,
        permissions: Option<Permissions>,
        modified: Option<Timestamp>,
    ) -> Result<()> {
        self.at("setting attributes of", path, move |root, path| {
            let (parent, name) = root.parent(path)?;
            let name = OsStr::from_bytes(&name);
            if let Some(permissions) = permissions {
                write::set_owner_at(&parent, name, permissions)?;
                let kind = rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
                if FileType::from_raw_mode(kind.st_mode) != FileType::Symlink {
                    // Opened without following, since changing the mode follows links.
                    let node = rustix::fs::openat(
                        &parent,
                        name,
                        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
                        Mode::empty(),
                    )?;
                    rustix::fs::fchmod(&node, Mode::from_bits_truncate(permissions.mode.into()))?;
                }
            }
            if let Some(modified) = modified {
                let times = write::times(modified);
                rustix::fs::utimensat(&parent, name, &times, AtFlags::SYMLINK_NOFOLLOW)?;
            }
            Ok(())
        })
        .await
    }

    async fn settle(&self) -> Result<()> {
        self.at("syncing", &RelativePath::root(), |root, _| {
            root.sync()?;
            Ok(())
        })
        .await
    }
}

fn joined(root: &Path, path: &RelativePath) -> PathBuf {
    if path.is_root() {
        root.to_owned()
    } else {
        root.join(OsStr::from_bytes(path.as_bytes()))
    }
}
