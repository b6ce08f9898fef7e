//! Listing folders.

use moorage_model::{Attr, Ino, Result as VolumeResult};
use moorage_vfs::FileHandle;
use winfsp::U16CStr;
use winfsp::filesystem::{DirInfo, WideNameInfo as _};

use crate::context::Opened;
use crate::door::Door;
use crate::information::fill;
use crate::names;
use crate::status::Status;

/// Attributes of a folder and of the one that it is in, which stand first in its listing.
struct Dots {
    own: (Ino, Attr),
    parent: (Ino, Attr),
}

impl Door {
    /// Writes entries behind a name, or from the start, into a buffer, as many as fit, and returns the bytes that were
    /// written. One read of the database for each thousand entries.
    ///
    /// # Errors
    /// Of reading the folder.
    pub(crate) fn list(
        &self,
        opened: &Opened,
        behind: Option<&[u16]>,
        buffer: &mut [u8],
    ) -> Result<u32, Status> {
        let mut listing = opened.listing.lock();
        let handle = match listing.handle {
            Some(handle) => handle,
            None => {
                let opening = self.vfs.opendir(&self.caller, opened.ino());
                let handle = self
                    .wait(opening)
                    .map_err(|error| Status::of("opendir", &error))?
                    .handle;
                listing.handle = Some(handle);
                handle
            }
        };
        // Behind a name that is not known any more the folder is read from its start up to that name.
        let (cookie, mut skipped_to) = match behind {
            None => (0, None),
            Some(name) => match listing.given.iter().rev().find(|(given, _)| given == name) {
                Some((_, cookie)) => (*cookie, None),
                None => (0, Some(name)),
            },
        };
        let dots = match opened.ino() {
            Ino::ROOT => None,
            ino => Some(
                self.wait(self.dots(ino))
                    .map_err(|error| Status::of("getattr", &error))?,
            ),
        };
        let mut given = Vec::new();
        let mut used = 0;
        let mut full = false;
        let mut item: DirInfo = DirInfo::new();
        let outcome = self.wait(self.vfs.readdir(handle, cookie, true, &mut |entry| {
            let attributes = match (entry.name, &dots) {
                (b".", Some(dots)) => Some(&dots.own),
                (b"..", Some(dots)) => Some(&dots.parent),
                (b"." | b"..", None) => return true,
                _ => None,
            };
            let of_entry = entry.entry.map(|found| (found.ino, found.attr));
            // An entry whose node is damaged or gone has no attributes, and is not shown.
            let Some((ino, attr)) = attributes.or(of_entry.as_ref()) else {
                return true;
            };
            let name = names::shown(entry.name);
            if let Some(last) = skipped_to {
                if last == name {
                    skipped_to = None;
                }
                return true;
            }
            item.reset();
            fill(item.file_info_mut(), *ino, attr);
            // A name has 255 bytes, so it has no more units.
            if item.set_name_raw(name.as_slice()).is_err() {
                return true;
            }
            if !item.append_to_buffer(buffer, &mut used) {
                full = true;
                return false;
            }
            given.push((name, entry.next_cookie));
            true
        }));
        outcome.map_err(|error| Status::of("readdir", &error))?;
        if !full {
            DirInfo::<255>::finalize_buffer(buffer, &mut used);
        }
        listing.given = given;
        Ok(used)
    }

    async fn dots(&self, ino: Ino) -> VolumeResult<Dots> {
        let own = self.vfs.getattr(ino).await?;
        let parent = self.vfs.lookup(&self.caller, ino, b"..").await?;
        Ok(Dots {
            own: (own.ino, own.attr),
            parent: (parent.ino, parent.attr),
        })
    }

    /// What a folder has under one name.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`; of looking it up.
    pub(crate) fn entry(&self, folder: &Opened, name: &U16CStr, item: &mut DirInfo) -> Result<(), Status> {
        let found = self.wait(self.look_up(folder.ino(), name.as_slice()));
        let found = found
            .map_err(|error| Status::of("look-up", &error))?
            .ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        item.reset();
        fill(item.file_info_mut(), found.ino, &found.attr);
        item.set_name_raw(names::shown(&found.place.name).as_slice())
            .map_err(|_| Status::OBJECT_NAME_NOT_FOUND)
    }

    /// Whether a folder has no entries.
    ///
    /// # Errors
    /// Of reading it.
    pub(crate) fn is_empty(&self, ino: Ino) -> Result<bool, Status> {
        let looked = self.wait(async {
            let handle = self.vfs.opendir(&self.caller, ino).await?.handle;
            let found = self.first_entry(handle).await;
            self.vfs.releasedir(handle).await?;
            found
        });
        looked
            .map(|found| !found)
            .map_err(|error| Status::of("readdir", &error))
    }

    async fn first_entry(&self, handle: FileHandle) -> VolumeResult<bool> {
        let mut found = false;
        self.vfs
            .readdir(handle, 0, false, &mut |entry| {
                found = !matches!(entry.name, b"." | b"..");
                !found
            })
            .await?;
        Ok(found)
    }
}
