//! Writing, replacing and removing names of a folder.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result, Timestamp};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Timespec, Timestamps, UTIME_OMIT, Uid};
use rustix::io::Errno;
use tokio::io::AsyncWriteExt as _;

use super::place::Root;
use super::{conflict, entry_of, same_content, version_of};
use crate::disk::{blocking, failed};
use crate::side::PIECE_BYTES;
use crate::{Entry, Finish, Permissions, RelativePath, Replaces, Sink, Tag};

/// Bits of a new file before the umask.
const FILE_MODE: Mode = Mode::from_raw_mode(0o666);

/// A name in an open folder.
type Place<'a> = (&'a OwnedFd, &'a [u8]);

/// A name that disappears unless it is kept.
struct Temporary {
    parent: OwnedFd,
    name: Vec<u8>,
    kept: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // What can not be removed now is found as a leftover.
            let _ = rustix::fs::unlinkat(&self.parent, OsStr::from_bytes(&self.name), AtFlags::empty());
        }
    }
}

/// A file under a temporary name, beside the one that it will have.
pub(super) struct FolderSink {
    file: tokio::fs::File,
    temporary: Temporary,
    root: Arc<Root>,
    path: RelativePath,
}

impl FolderSink {
    pub(super) fn create(root: Arc<Root>, path: &RelativePath, tag: &Tag) -> io::Result<FolderSink> {
        let (parent, _) = root.made_parent(path)?;
        let name = tag.name();
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&parent, OsStr::from_bytes(&name), flags, FILE_MODE)?;
        let mut file = tokio::fs::File::from_std(File::from(fd));
        file.set_max_buf_size(PIECE_BYTES);
        Ok(FolderSink {
            file,
            temporary: Temporary {
                parent,
                name,
                kept: false,
            },
            root,
            path: path.clone(),
        })
    }

    fn shown(&self) -> PathBuf {
        self.root.full(&self.path)
    }
}

#[async_trait]
impl Sink for FolderSink {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let written = self.file.write_all(&bytes).await;
        written.map_err(|error| failed(format!("writing {}", self.shown().display()), error))
    }

    async fn finish(mut self: Box<Self>, how: Finish) -> Result<Entry> {
        let flushed = self.file.flush().await;
        flushed.map_err(|error| failed(format!("writing {}", self.shown().display()), error))?;
        blocking(move || name_file(*self, how)).await
    }
}

fn name_file(sink: FolderSink, how: Finish) -> Result<Entry> {
    let FolderSink {
        file,
        mut temporary,
        root,
        path,
    } = sink;
    let shown = root.full(&path);
    let wrong = |error: Errno| failed(format!("writing {}", shown.display()), error.into());
    if let Some(permissions) = how.permissions {
        set_owner(&file, permissions).map_err(wrong)?;
        let mode = Mode::from_bits_truncate(permissions.mode.into());
        rustix::fs::fchmod(&file, mode).map_err(wrong)?;
    }
    if let Some(modified) = how.modified {
        rustix::fs::futimens(&file, &times(modified)).map_err(wrong)?;
    }
    let before = rustix::fs::fstat(&file).map_err(wrong)?;
    let name = path
        .split_last()
        .map(|(_, name)| name.to_vec())
        .unwrap_or_default();
    replace(&root, &mut temporary, &path, &name, how.replaces)?;
    let after = rustix::fs::fstat(&file).map_err(wrong)?;
    // A file that somebody changed since it has its name is not the one that was written.
    let is_same = same_content(&version_of(&before), &version_of(&after));
    Ok(entry_of(path, if is_same { &after } else { &before }))
}

/// Puts what is under a temporary name in the place of `path`.
fn replace(
    root: &Root,
    temporary: &mut Temporary,
    path: &RelativePath,
    name: &[u8],
    replaces: Replaces,
) -> Result<()> {
    let shown = root.full(path);
    let parent = &temporary.parent;
    let wrong = |error: Errno| failed(format!("writing {}", shown.display()), error.into());
    let rename = || rustix::fs::renameat(parent, os(&temporary.name), parent, os(name));
    let renamed = match replaces {
        Replaces::Anything => rename().map_err(wrong),
        Replaces::Nothing => match rename_to_free((parent, &temporary.name), (parent, name)) {
            Err(Errno::EXIST) => Err(conflict(&shown, "was made by somebody else meanwhile")),
            other => other.map_err(wrong),
        },
        Replaces::This(expected) => {
            let is_expected = |at: &[u8]| match rustix::fs::statat(parent, os(at), AtFlags::SYMLINK_NOFOLLOW)
            {
                Ok(stat) => Ok(same_content(&version_of(&stat), &expected)),
                Err(Errno::NOENT) => Ok(false),
                Err(error) => Err(wrong(error)),
            };
            let changed = || conflict(&shown, "was changed by somebody else meanwhile");
            if !is_expected(name)? {
                return Err(changed());
            }
            let exchange = || {
                rustix::fs::renameat_with(
                    parent,
                    os(&temporary.name),
                    parent,
                    os(name),
                    RenameFlags::EXCHANGE,
                )
            };
            match exchange() {
                Ok(()) => {
                    // What is under the temporary name now is what was replaced: a change of the last moment goes back.
                    if !is_expected(&temporary.name)? {
                        exchange().map_err(wrong)?;
                        return Err(changed());
                    }
                    // It goes when the temporary name does.
                    return Ok(());
                }
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => rename().map_err(wrong),
                Err(error) => Err(wrong(error)),
            }
        }
    };
    temporary.kept = renamed.is_ok();
    renamed
}

/// Renames to a name that must be free.
///
/// # Errors
/// `EXIST` when it is not.
pub(super) fn rename_to_free(from: Place<'_>, to: Place<'_>) -> rustix::io::Result<()> {
    let (old, new) = (os(from.1), os(to.1));
    match rustix::fs::renameat_with(from.0, old, to.0, new, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
        other => return other,
    }
    let stat = rustix::fs::statat(from.0, old, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        return match rustix::fs::statat(to.0, new, AtFlags::SYMLINK_NOFOLLOW) {
            // Only an empty folder would be replaced by a folder that came in between.
            Err(Errno::NOENT) => rustix::fs::renameat(from.0, old, to.0, new),
            Ok(_) => Err(Errno::EXIST),
            Err(error) => Err(error),
        };
    }
    rustix::fs::linkat(from.0, old, to.0, new, AtFlags::empty())?;
    rustix::fs::unlinkat(from.0, old, AtFlags::empty())
}

/// Makes a symbolic link under a temporary name and puts it in its place.
pub(super) fn make_link(
    root: &Root,
    path: &RelativePath,
    target: &[u8],
    replaces: Replaces,
    tag: &Tag,
) -> Result<Entry> {
    let shown = root.full(path);
    let wrong = |error: Errno| failed(format!("making the link {}", shown.display()), error.into());
    let (parent, name) = root.made_parent(path).map_err(wrong)?;
    let mut temporary = Temporary {
        parent,
        name: tag.name(),
        kept: true,
    };
    rustix::fs::symlinkat(os(target), &temporary.parent, os(&temporary.name)).map_err(wrong)?;
    temporary.kept = false;
    replace(root, &mut temporary, path, &name, replaces)?;
    let made = rustix::fs::statat(&temporary.parent, os(&name), AtFlags::SYMLINK_NOFOLLOW);
    Ok(entry_of(path.clone(), &made.map_err(wrong)?))
}

/// Removes an entry that is still what it was. A file goes under a temporary name first, so that a change of the last
/// moment is seen and goes back.
pub(super) fn remove(root: &Root, entry: &Entry, tag: &Tag) -> Result<()> {
    let shown = root.full(&entry.path);
    let wrong = |error: Errno| failed(format!("removing {}", shown.display()), error.into());
    let (parent, name) = match root.parent(&entry.path) {
        Err(Errno::NOENT) => return Ok(()),
        other => other.map_err(wrong)?,
    };
    if entry.is_folder() {
        return match rustix::fs::unlinkat(&parent, os(&name), AtFlags::REMOVEDIR) {
            Err(Errno::NOENT) => Ok(()),
            other => other.map_err(wrong),
        };
    }
    let is_same = |at: &[u8]| match rustix::fs::statat(&parent, os(at), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(same_content(&version_of(&stat), &entry.version))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(wrong(error)),
    };
    let changed = || conflict(&shown, "was changed by somebody else meanwhile");
    match is_same(&name)? {
        None => return Ok(()),
        Some(false) => return Err(changed()),
        Some(true) => {}
    }
    let aside = tag.name();
    match rename_to_free((&parent, &name), (&parent, &aside)) {
        Err(Errno::NOENT) => return Ok(()),
        other => other.map_err(wrong)?,
    }
    if is_same(&aside)? == Some(false) {
        rename_to_free((&parent, &aside), (&parent, &name)).map_err(|error| {
            Error::new(
                ErrorKind::Conflict,
                format!("{} was changed while it was removed", shown.display()),
            )
            .with_source(io::Error::from(error))
            .with_advice(format!(
                "Its content is in the same folder, under the name {}.",
                String::from_utf8_lossy(&aside)
            ))
        })?;
        return Err(changed());
    }
    rustix::fs::unlinkat(&parent, os(&aside), AtFlags::empty()).map_err(wrong)
}

/// The times of a file that was changed at an instant; when it was read stays as it is.
pub(super) fn times(modified: Timestamp) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: modified.seconds,
            tv_nsec: modified.nanoseconds.into(),
        },
    }
}

fn owner(permissions: Permissions) -> (Option<Uid>, Option<Gid>) {
    (
        Some(Uid::from_raw(permissions.uid.0)),
        Some(Gid::from_raw(permissions.gid.0)),
    )
}

/// Sets the owner; whoever may not give files away keeps them, as `cp --preserve` does.
fn set_owner(file: impl AsFd, permissions: Permissions) -> rustix::io::Result<()> {
    let (uid, gid) = owner(permissions);
    allowed(rustix::fs::fchown(file, uid, gid))
}

/// As [`set_owner`], of a name; of a link itself.
pub(super) fn set_owner_at(
    folder: &OwnedFd,
    name: &OsStr,
    permissions: Permissions,
) -> rustix::io::Result<()> {
    let (uid, gid) = owner(permissions);
    allowed(rustix::fs::chownat(
        folder,
        name,
        uid,
        gid,
        AtFlags::SYMLINK_NOFOLLOW,
    ))
}

fn allowed(changed: rustix::io::Result<()>) -> rustix::io::Result<()> {
    match changed {
        Err(Errno::PERM) => Ok(()),
        other => other,
    }
}

fn os(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}
