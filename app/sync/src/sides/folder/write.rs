//! Writing, replacing and removing names of a folder.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result};
use tokio::io::AsyncWriteExt as _;

use super::os::{Last, OpenFolder, finish_file, is_missing, is_taken, node_of};
use super::place::Root;
use super::{conflict, same_content};
use crate::disk::{blocking, failed};
use crate::side::PIECE_BYTES;
use crate::{Entry, Finish, RelativePath, Replaces, Sink, Tag};

/// A name that disappears unless it is kept.
struct Temporary {
    parent: OpenFolder,
    name: Vec<u8>,
    kept: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // What can not be removed now is found as a leftover.
            let _ = self.parent.remove_file(&self.name);
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
        let mut file = tokio::fs::File::from_std(parent.create(&name)?);
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
    let wrong = |error: io::Error| failed(format!("writing {}", shown.display()), error);
    finish_file(&file, how.permissions, how.modified).map_err(wrong)?;
    let before = node_of(&file).map_err(wrong)?;
    let name = path
        .split_last()
        .map(|(_, name)| name.to_vec())
        .unwrap_or_default();
    replace(&root, &mut temporary, &path, &name, how.replaces)?;
    let after = node_of(&file).map_err(wrong)?;
    // A file that somebody changed since it has its name is not the one that was written.
    let is_same = same_content(&before.version, &after.version);
    Ok(if is_same { after } else { before }.entry(path))
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
    let wrong = |error: io::Error| failed(format!("writing {}", shown.display()), error);
    let rename = || parent.rename(&temporary.name, name);
    let renamed = match replaces {
        Replaces::Anything => rename().map_err(wrong),
        Replaces::Nothing => match parent.rename_to_free(&temporary.name, parent, name) {
            Err(error) if is_taken(&error) => Err(conflict(&shown, "was made by somebody else meanwhile")),
            other => other.map_err(wrong),
        },
        Replaces::This(expected) => {
            let is_expected = |at: &[u8]| match parent.look(at, Last::Itself) {
                Ok(node) => Ok(same_content(&node.version, &expected)),
                Err(error) if is_missing(&error) => Ok(false),
                Err(error) => Err(wrong(error)),
            };
            let changed = || conflict(&shown, "was changed by somebody else meanwhile");
            if !is_expected(name)? {
                return Err(changed());
            }
            let exchange = || parent.exchange(&temporary.name, name);
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
                Err(error) if error.kind() == io::ErrorKind::Unsupported => rename().map_err(wrong),
                Err(error) => Err(wrong(error)),
            }
        }
    };
    temporary.kept = renamed.is_ok();
    renamed
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
    let wrong = |error: io::Error| failed(format!("making the link {}", shown.display()), error);
    let (parent, name) = root.made_parent(path).map_err(wrong)?;
    let mut temporary = Temporary {
        parent,
        name: tag.name(),
        kept: true,
    };
    temporary
        .parent
        .make_link(&temporary.name, target)
        .map_err(wrong)?;
    temporary.kept = false;
    replace(root, &mut temporary, path, &name, replaces)?;
    let made = temporary.parent.look(&name, Last::Itself).map_err(wrong)?;
    Ok(made.entry(path.clone()))
}

/// Removes an entry that is still what it was. A file goes under a temporary name first, so that a change of the last
/// moment is seen and goes back.
pub(super) fn remove(root: &Root, entry: &Entry, tag: &Tag) -> Result<()> {
    let shown = root.full(&entry.path);
    let wrong = |error: io::Error| failed(format!("removing {}", shown.display()), error);
    let (parent, name) = match root.parent(&entry.path) {
        Err(error) if is_missing(&error) => return Ok(()),
        other => other.map_err(wrong)?,
    };
    if entry.is_folder() {
        return match parent.remove_folder(&name) {
            Err(error) if is_missing(&error) => Ok(()),
            other => other.map_err(wrong),
        };
    }
    let is_same = |at: &[u8]| match parent.look(at, Last::Itself) {
        Ok(node) => Ok(Some(same_content(&node.version, &entry.version))),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(wrong(error)),
    };
    let changed = || conflict(&shown, "was changed by somebody else meanwhile");
    match is_same(&name)? {
        None => return Ok(()),
        Some(false) => return Err(changed()),
        Some(true) => {}
    }
    let aside = tag.name();
    match parent.rename_to_free(&name, &parent, &aside) {
        Err(error) if is_missing(&error) => return Ok(()),
        other => other.map_err(wrong)?,
    }
    if is_same(&aside)? == Some(false) {
        parent.rename_to_free(&aside, &parent, &name).map_err(|error| {
            Error::new(
                ErrorKind::Conflict,
                format!("{} was changed while it was removed", shown.display()),
            )
            .with_source(error)
            .with_advice(format!(
                "Its content is in the same folder, under the name {}.",
                String::from_utf8_lossy(&aside)
            ))
        })?;
        return Err(changed());
    }
    parent.remove_file(&aside).map_err(wrong)
}
