//! Giving names and taking them away.

use moorage_model::Ino;
use moorage_vfs::RenameFlags;
use winfsp::U16CStr;

use crate::context::Opened;
use crate::door::{Door, Found, Place, Walk};
use crate::names;
use crate::status::Status;

impl Door {
    /// Gives an open file or folder another name, over a file that has it already where `replace` says so. A name that
    /// only differs in its letters is a name as any other.
    ///
    /// # Errors
    /// `OBJECT_NAME_COLLISION`; `ACCESS_DENIED` over a folder; of renaming.
    pub(crate) fn rename(
        &self,
        opened: &Opened,
        from: &U16CStr,
        to: &U16CStr,
        replace: bool,
    ) -> Result<(), Status> {
        let (source, _) = self.find(from)?;
        if opened.ino() == Ino::ROOT {
            return Err(Status::ACCESS_DENIED);
        }
        let (target, over) = match self.walk(to)? {
            Walk::Missing(place, _) => (place, None),
            Walk::Link => return Err(Status::OBJECT_PATH_NOT_FOUND),
            Walk::Found(found, _) => {
                let wanted = Place {
                    parent: found.place.parent,
                    name: last_part(to),
                };
                (wanted, Some(found))
            }
        };
        match over {
            Some(over) if over.ino != source.ino => {
                check_replaceable(&over, replace)?;
                self.move_to(&source.place, &over.place, false)?;
                match over.place.name == target.name {
                    true => Ok(()),
                    // The letters are those of the new name.
                    false => self.move_to(&over.place, &target, true),
                }
            }
            Some(same) if same.place.name == target.name && same.place.parent == source.place.parent => {
                Ok(())
            }
            _ => self.move_to(&source.place, &target, true),
        }
    }

    fn move_to(&self, from: &Place, to: &Place, no_replace: bool) -> Result<(), Status> {
        let flags = RenameFlags {
            no_replace,
            exchange: false,
        };
        let moving = self.vfs.rename(
            &self.caller,
            (from.parent, &from.name),
            (to.parent, &to.name),
            flags,
        );
        self.wait(moving).map_err(|error| Status::of("rename", &error))
    }

    /// Whether something can be deleted once it is closed; nothing is deleted yet.
    ///
    /// # Errors
    /// `DIRECTORY_NOT_EMPTY`, `CANNOT_DELETE` for the root.
    pub(crate) fn check_deletable(&self, opened: &Opened) -> Result<(), Status> {
        if opened.ino() == Ino::ROOT {
            return Err(Status::CANNOT_DELETE);
        }
        if self.known(opened)?.is_directory() && !self.is_empty(opened.ino())? {
            return Err(Status::DIRECTORY_NOT_EMPTY);
        }
        Ok(())
    }

    /// Takes the name away from what is open. Who else has it open keeps its content until he closes it. Windows takes
    /// no error here, so it is told in the log.
    pub(crate) fn delete(&self, opened: &Opened, path: &U16CStr) {
        let found = match self.find(path) {
            Ok((found, _)) if found.ino == opened.ino() => found,
            // Somebody else was faster.
            Ok(_) | Err(Status::OBJECT_NAME_NOT_FOUND) => return,
            Err(status) => {
                tracing::error!(?status, path = %path.to_string_lossy(), "what is to be deleted is not found");
                return;
            }
        };
        let Place { parent, name } = &found.place;
        let deleted = self.wait(async {
            match found.attr.is_directory() {
                true => self.vfs.rmdir(&self.caller, *parent, name).await,
                false => self.vfs.unlink(&self.caller, *parent, name).await,
            }
        });
        if let Err(error) = deleted {
            tracing::error!(%error, path = %path.to_string_lossy(), "deleting");
        }
    }
}

/// A file is replaced where that was asked for, a folder never.
fn check_replaceable(over: &Found, replace: bool) -> Result<(), Status> {
    match (replace, over.attr.is_directory()) {
        (false, _) => Err(Status::OBJECT_NAME_COLLISION),
        (true, true) => Err(Status::ACCESS_DENIED),
        (true, false) => Ok(()),
    }
}

/// The bytes of the name at the end of a path.
fn last_part(path: &U16CStr) -> Vec<u8> {
    let last = path.as_slice().rsplit(|unit| *unit == u16::from(b'\\')).next();
    names::stored(last.unwrap_or_default())
}
