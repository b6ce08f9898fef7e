//! Nodes that another client moved to the trash while a door holds the name that they had.
//!
//! Without a trash such a node is gone, and the door looks the name up once more. In the trash it is still there, so a
//! door would read a file that was replaced before, or refuse to write to it.

use moorage_model::{Attr, ErrorKind, Ino, Result};

use crate::Vfs;

impl Vfs {
    /// Notes that a door is told of an entry of this directory, in case that it is one of the trash.
    pub(crate) fn note_told(&self, directory: Ino, ino: Ino) {
        if directory.is_trash() {
            self.told_in_trash.insert(ino, ());
        }
    }

    /// Whether a node, which a door asks for by its number, has lost the name that the door knows it by. One that is open
    /// here may be asked for without a name.
    pub(crate) fn has_lost_its_name(&self, ino: Ino, attr: &Attr) -> bool {
        self.is_nameless(ino, attr) && self.files.get(ino).is_none_or(|file| !file.is_open())
    }

    /// Whether a node is one of the trash that no door was told of there.
    fn is_nameless(&self, ino: Ino, attr: &Attr) -> bool {
        attr.in_trash() && self.told_in_trash.get(&ino).is_none()
    }

    /// Says of an open or a change that was not permitted that the file lost its name before it, if so, also when others
    /// have it open here: the door's system finds what has the name now. One read then.
    pub(crate) async fn unless_replaced<T>(&self, ino: Ino, asked: Result<T>) -> Result<T> {
        match asked {
            Err(error) if error.kind() == ErrorKind::NotPermitted => match self.meta.getattr(ino).await {
                Ok(attr) if self.is_nameless(ino, &attr) => Err(ErrorKind::Stale.into()),
                _ => Err(error),
            },
            other => other,
        }
    }
}
