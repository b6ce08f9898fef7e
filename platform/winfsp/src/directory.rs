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

/// Bytes of an entry before its name (fsctl.h, `FSP_FSCTL_DIR_INFO`).
const ENTRY_BYTES: usize = size_of::<DirInfo<0>>();
/// Where the next entry may begin.
const ENTRY_ALIGNMENT: usize = 8;

/// An entry that is to be written.
struct Item {
    name: Vec<u16>,
    ino: Ino,
    attr: Attr,
    /// The place behind it.
    behind: u64,
}

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
        let room = buffer.len();
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
        let mut items: Vec<Item> = Vec::new();
        let (mut expected, mut full) = (0, false);
        let outcome = self.wait(self.vfs.readdir(handle, cookie, true, &mut |entry| {
            let attributes = match (entry.name, &dots) {
                (b".", Some(dots)) => Some(&dots.own),
                (b"..", Some(dots)) => Some(&dots.parent),
                (b"." | b"..", None) => return true,
                _ => None,
            };
            let of_entry = entry.entry.map(|found| (found.ino, found.attr));
            // An entry whose node is damaged or gone has no attributes, and is not shown.
            let Some((ino, attr)) = attributes.cloned().or(of_entry) else {
                return true;
            };
            let name = names::shown(entry.name);
            if let Some(last) = skipped_to {
                if last == name {
                    skipped_to = None;
                }
                return true;
            }
            expected += (ENTRY_BYTES + size_of_val(name.as_slice())).next_multiple_of(ENTRY_ALIGNMENT);
            if expected > room {
                full = true;
                return false;
            }
            items.push(Item {
                name,
                ino,
                attr,
                behind: entry.next_cookie,
            });
            true
        }));
        outcome.map_err(|error| Status::of("readdir", &error))?;
        listing.given.clear();
        let mut used = 0;
        let mut written: DirInfo = DirInfo::new();
        for item in items {
            written.reset();
            let as_folder = self.is_shown_as_folder(opened.ino(), item.ino, &item.attr);
            fill(written.file_info_mut(), item.ino, &item.attr, as_folder);
            // A name has 255 bytes, so it has no more units.
            if written.set_name_raw(item.name.as_slice()).is_ok()
                && !written.append_to_buffer(buffer, &mut used)
            {
                full = true;
                break;
            }
            listing.given.push((item.name, item.behind));
        }
        if !full {
            DirInfo::<255>::finalize_buffer(buffer, &mut used);
        }
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
        let as_folder = self.is_shown_as_folder(folder.ino(), found.ino, &found.attr);
        fill(item.file_info_mut(), found.ino, &found.attr, as_folder);
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
