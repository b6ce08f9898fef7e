//! Writing, replacing and removing names of a volume.

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Ino, NodeType, Result};
use moorage_vfs::{NewNode, OpenFlags, RenameFlags};

use super::open_file::OpenFile;
use super::{VolumeSide, attributes, conflict, entry_of, same_content, version_of};
use crate::{Entry, Finish, RelativePath, Replaces, Sink, Version};

/// Bits of a new file.
const FILE_MODE: u16 = 0o644;

const FREE: RenameFlags = RenameFlags {
    no_replace: true,
    exchange: false,
};
const EXCHANGE: RenameFlags = RenameFlags {
    no_replace: false,
    exchange: true,
};

/// A name that disappears unless it is kept.
struct Temporary {
    side: VolumeSide,
    parent: Ino,
    name: Vec<u8>,
    kept: bool,
}

impl Temporary {
    async fn remove(mut self) -> Result<()> {
        self.kept = true;
        let (vfs, caller) = (&self.side.vfs, &self.side.caller);
        vfs.unlink(caller, self.parent, &self.name).await
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (side, parent, name) = (self.side.clone(), self.parent, std::mem::take(&mut self.name));
            runtime.spawn(async move {
                // What can not be removed now is found as a leftover.
                let _ = side.vfs.unlink(&side.caller, parent, &name).await;
            });
        }
    }
}

/// A file under a temporary name, beside the one that it will have.
pub(super) struct VolumeSink {
    file: OpenFile,
    temporary: Temporary,
    ino: Ino,
    path: RelativePath,
    at: u64,
}

impl VolumeSink {
    pub(super) async fn create(side: VolumeSide, path: &RelativePath) -> Result<VolumeSink> {
        let (parent, _) = side.made_parent(path).await?;
        let name = side.tag.name();
        let node = NewNode {
            kind: NodeType::File,
            mode: FILE_MODE,
            umask: 0,
            rdev: 0,
        };
        let writing = OpenFlags {
            write: true,
            exclusive: true,
            ..OpenFlags::default()
        };
        let (entry, opened) = side
            .vfs
            .create(&side.caller, parent, &name, node, writing)
            .await?;
        Ok(VolumeSink {
            file: OpenFile::new(&side.vfs, opened.handle),
            temporary: Temporary {
                side,
                parent,
                name,
                kept: false,
            },
            ino: entry.ino,
            path: path.clone(),
            at: 0,
        })
    }

    async fn add(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            let vfs = &self.temporary.side.vfs;
            let taken = vfs.write(self.file.handle(), self.at, &bytes).await?;
            if taken == 0 {
                return Err(ErrorKind::NoSpace.into());
            }
            self.at += taken as u64;
            bytes = bytes.split_off(taken.min(bytes.len()));
        }
        Ok(())
    }

    async fn name_file(mut self, how: Finish) -> Result<Entry> {
        self.file.close().await?;
        let VolumeSink {
            file: _,
            temporary,
            ino,
            path,
            at: _,
        } = self;
        let side = temporary.side.clone();
        let request = attributes(how.permissions, how.modified);
        let before = side.vfs.setattr(&side.caller, ino, None, request).await?.attr;
        replace(temporary, &path, how.replaces).await?;
        let after = side.vfs.getattr(ino).await?.attr;
        // A file that somebody changed since it has its name is not the one that was written.
        let is_same = same_content(&version_of(ino, &before), &version_of(ino, &after));
        Ok(entry_of(path, ino, if is_same { &after } else { &before }))
    }
}

#[async_trait]
impl Sink for VolumeSink {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let added = self.add(bytes).await;
        added.map_err(|error| self.temporary.side.named("writing", &self.path, error))
    }

    async fn finish(self: Box<Self>, how: Finish) -> Result<Entry> {
        let (side, path) = (self.temporary.side.clone(), self.path.clone());
        let named = self.name_file(how).await;
        named.map_err(|error| side.named("writing", &path, error))
    }
}

/// The state of a name; `None` when nothing is there.
async fn state(side: &VolumeSide, parent: Ino, name: &[u8]) -> Result<Option<(Version, bool)>> {
    match side.vfs.lookup(&side.caller, parent, name).await {
        Ok(found) => Ok(Some((
            version_of(found.ino, &found.attr),
            found.attr.is_directory(),
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts what is under a temporary name in the place of `path`.
async fn replace(mut temporary: Temporary, path: &RelativePath, replaces: Replaces) -> Result<()> {
    let side = temporary.side.clone();
    let parent = temporary.parent;
    let name = path.split_last().map(|(_, name)| name).unwrap_or_default();
    let own = temporary.name.clone();
    let rename = |flags| {
        side.vfs
            .rename(&side.caller, (parent, &own), (parent, name), flags)
    };
    match replaces {
        Replaces::Anything => rename(RenameFlags::default()).await?,
        Replaces::Nothing => match rename(FREE).await {
            Err(error) if error.kind() == ErrorKind::Exists => return Err(conflict(path)),
            renamed => renamed?,
        },
        Replaces::This(expected) => {
            let is_expected = |found: Option<(Version, bool)>| {
                found.is_some_and(|(version, folder)| !folder && same_content(&version, &expected))
            };
            if !is_expected(state(&side, parent, name).await?) {
                return Err(conflict(path));
            }
            rename(EXCHANGE).await?;
            // What is under the temporary name now is what was replaced: a change of the last moment goes back.
            if !is_expected(state(&side, parent, &own).await?) {
                rename(EXCHANGE).await?;
                return Err(conflict(path));
            }
            return temporary.remove().await;
        }
    }
    temporary.kept = true;
    Ok(())
}

/// Makes a symbolic link under a temporary name and puts it in its place.
pub(super) async fn make_link(
    side: &VolumeSide,
    path: &RelativePath,
    target: &[u8],
    replaces: Replaces,
) -> Result<Entry> {
    let (parent, _) = side.made_parent(path).await?;
    let name = side.tag.name();
    let made = side.vfs.symlink(&side.caller, parent, &name, target).await?;
    let temporary = Temporary {
        side: side.clone(),
        parent,
        name,
        kept: false,
    };
    replace(temporary, path, replaces).await?;
    Ok(entry_of(
        path.clone(),
        made.ino,
        &side.vfs.getattr(made.ino).await?.attr,
    ))
}

/// Removes an entry that is still what it was. A file goes under a temporary name first, so that a change of the last
/// moment is seen and goes back.
pub(super) async fn remove(side: &VolumeSide, entry: &Entry) -> Result<()> {
    let (parent, name) = match side.parent(&entry.path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    let (vfs, caller) = (&side.vfs, &side.caller);
    if entry.is_folder() {
        return match vfs.rmdir(caller, parent, name).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
    }
    let is_same = |found: &(Version, bool)| same_content(&found.0, &entry.version);
    match state(side, parent, name).await? {
        None => return Ok(()),
        Some(found) if !is_same(&found) => return Err(conflict(&entry.path)),
        Some(_) => {}
    }
    let aside = side.tag.name();
    match vfs.rename(caller, (parent, name), (parent, &aside), FREE).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        renamed => renamed?,
    }
    if state(side, parent, &aside)
        .await?
        .is_some_and(|found| !is_same(&found))
    {
        let back = vfs.rename(caller, (parent, &aside), (parent, name), FREE).await;
        back.map_err(|error| {
            Error::new(
                ErrorKind::Conflict,
                format!("{} was changed while it was removed", entry.path),
            )
            .with_source(error)
            .with_advice(format!(
                "Its content is in the same folder, under the name {}.",
                String::from_utf8_lossy(&aside)
            ))
        })?;
        return Err(conflict(&entry.path));
    }
    vfs.unlink(caller, parent, &aside).await
}
