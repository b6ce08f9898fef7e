//! One mounted volume: paths of Windows to nodes of the volume.

use std::future::Future;
use std::sync::Arc;

use moorage_model::{Attr, ErrorKind, Ino, NodeType, Result};
use moorage_vfs::{Caller, Vfs};
use tokio::runtime::Handle;
use winfsp::U16CStr;

use crate::backend::StopMount;
use crate::names;
use crate::security::SecurityDescriptor;
use crate::status::Status;

/// Separates the parts of a path.
const SEPARATOR: u16 = b'\\' as u16;

/// The volume and what every request needs beside it.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) vfs: Arc<Vfs>,
    pub(crate) runtime: Handle,
    /// As whom everything is done and made.
    pub(crate) caller: Caller,
    pub(crate) security: SecurityDescriptor,
    /// What Windows shows beside the drive.
    pub(crate) label: String,
    /// Told when the driver ends the mount.
    pub(crate) ended: StopMount,
}

/// A node and the name that leads to it.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) ino: Ino,
    pub(crate) attr: Attr,
    pub(crate) place: Place,
}

/// A name in a folder. The root has none.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) parent: Ino,
    pub(crate) name: Vec<u8>,
}

/// Where a path led.
#[derive(Debug)]
pub(crate) enum Walk {
    /// To a node. With it the path as Windows is to know it.
    Found(Found, Vec<u16>),
    /// To a folder that has no such name. With it the path under which Windows is to know what is made there.
    Missing(Place, Vec<u16>),
    /// Into a link, behind which the path goes on elsewhere.
    Link,
}

impl Door {
    /// Runs an operation to its end on this thread, which is one of the driver's library.
    pub(crate) fn wait<T>(&self, operation: impl Future<Output = T>) -> T {
        self.runtime.block_on(operation)
    }

    /// Follows a path from the root. One look-up for each part.
    ///
    /// # Errors
    /// `OBJECT_PATH_NOT_FOUND` when a folder on the way is missing or none, and what the look-ups answer.
    pub(crate) fn walk(&self, path: &U16CStr) -> std::result::Result<Walk, Status> {
        let parts: Vec<&[u16]> = parts_of(path.as_slice()).collect();
        let mut at = self.root()?;
        let mut true_path = Vec::with_capacity(path.len());
        for (depth, part) in parts.iter().enumerate() {
            let is_last = depth + 1 == parts.len();
            match at.attr.kind {
                NodeType::Directory => {}
                NodeType::Symlink => return Ok(Walk::Link),
                _ => return Err(Status::OBJECT_PATH_NOT_FOUND),
            }
            let parent = at.ino;
            let found = self.wait(self.look_up(parent, part));
            at = match found.map_err(|error| Status::of("look-up", &error))? {
                Some(found) => found,
                None if is_last => {
                    let name = names::stored(part);
                    true_path.push(SEPARATOR);
                    true_path.extend(names::shown(&name));
                    return Ok(Walk::Missing(Place { parent, name }, true_path));
                }
                None => return Err(Status::OBJECT_PATH_NOT_FOUND),
            };
            true_path.push(SEPARATOR);
            true_path.extend(names::shown(&at.place.name));
        }
        if true_path.is_empty() {
            true_path.push(SEPARATOR);
        }
        Ok(Walk::Found(at, true_path))
    }

    /// As [`Door::walk`], for a path that has to lead to a node.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND` too.
    pub(crate) fn find(&self, path: &U16CStr) -> std::result::Result<(Found, Vec<u16>), Status> {
        match self.walk(path)? {
            Walk::Found(found, path) => Ok((found, path)),
            Walk::Missing(..) => Err(Status::OBJECT_NAME_NOT_FOUND),
            Walk::Link => Err(Status::OBJECT_PATH_NOT_FOUND),
        }
    }

    fn root(&self) -> std::result::Result<Found, Status> {
        let reply = self
            .wait(self.vfs.getattr(Ino::ROOT))
            .map_err(|error| Status::of("root", &error))?;
        Ok(Found {
            ino: reply.ino,
            attr: reply.attr,
            place: Place {
                parent: Ino::ROOT,
                name: Vec::new(),
            },
        })
    }

    /// The node behind a name of Windows.
    pub(crate) async fn look_up(&self, parent: Ino, part: &[u16]) -> Result<Option<Found>> {
        let literal = names::stored_literally(part);
        for name in [Some(names::stored(part)), literal].into_iter().flatten() {
            match self.vfs.find_entry(&self.caller, parent, &name).await {
                Ok((name, entry)) => {
                    return Ok(Some(Found {
                        ino: entry.ino,
                        attr: entry.attr,
                        place: Place {
                            parent,
                            name: name.as_bytes().to_vec(),
                        },
                    }));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// The parts of a path, which begins with a separator.
fn parts_of(path: &[u16]) -> impl Iterator<Item = &[u16]> {
    path.split(|unit| *unit == SEPARATOR)
        .filter(|part| !part.is_empty())
}
