//! Symbolic links, which Windows knows as reparse points.

use std::collections::VecDeque;

use moorage_model::{Attr, ErrorKind, Ino, NodeType, Result as VolumeResult};
use winfsp::U16CStr;

use crate::context::Opened;
use crate::door::{Door, Found};
use crate::names;
use crate::status::Status;

/// Says that the data of a reparse point are those of a symbolic link (winnt.h, `IO_REPARSE_TAG_SYMLINK`).
pub(crate) const SYMLINK_TAG: u32 = 0xA000_000C;
/// The target begins where the link is, or, with a backslash, at the root of the volume (ntifs.h, `SYMLINK_FLAG_RELATIVE`).
const RELATIVE: u32 = 1;
/// Bytes before the data of a reparse point: tag, length, reserved (ntifs.h, `REPARSE_DATA_BUFFER`).
const HEADER_BYTES: usize = 8;
/// Bytes before the texts of a link: four places and the flags.
const PLACES_BYTES: usize = 12;
/// Links that are followed to see whether one leads to a folder, as many as Linux follows.
const MOST_LINKS: usize = 40;
/// Parts of paths that are followed for that.
const MOST_PARTS: usize = 1024;

/// The data that describe a link with this target, as Windows reads them.
pub(crate) fn reparse_data(target: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = shown_target(target)
        .into_iter()
        .flat_map(u16::to_le_bytes)
        .collect();
    let number = |bytes: usize| u16::try_from(bytes).unwrap_or(u16::MAX).to_le_bytes();
    let mut data = SYMLINK_TAG.to_le_bytes().to_vec();
    data.extend(number(PLACES_BYTES + 2 * text.len()));
    data.extend([0; 2]);
    // The target, and the same for people to read.
    for (offset, length) in [(0, text.len()), (text.len(), text.len())] {
        data.extend(number(offset));
        data.extend(number(length));
    }
    data.extend(RELATIVE.to_le_bytes());
    data.extend_from_slice(&text);
    data.extend_from_slice(&text);
    data
}

/// The target that such data describe.
///
/// # Errors
/// `IO_REPARSE_TAG_NOT_HANDLED` for other reparse points, `IO_REPARSE_DATA_INVALID`, and `NOT_SUPPORTED` for a target on
/// another drive, which clients of other systems could not follow.
pub(crate) fn target_of(data: &[u8]) -> Result<Vec<u8>, Status> {
    let half = |at: usize| -> Result<usize, Status> {
        let bytes = data.get(at..at + 2).and_then(|bytes| bytes.try_into().ok());
        let bytes: [u8; 2] = bytes.ok_or(Status::IO_REPARSE_DATA_INVALID)?;
        Ok(usize::from(u16::from_le_bytes(bytes)))
    };
    let word = |at: usize| -> Result<u32, Status> {
        let bytes = data.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        Ok(u32::from_le_bytes(bytes.ok_or(Status::IO_REPARSE_DATA_INVALID)?))
    };
    if word(0)? != SYMLINK_TAG {
        return Err(Status::IO_REPARSE_TAG_NOT_HANDLED);
    }
    let (offset, length) = (half(HEADER_BYTES)?, half(HEADER_BYTES + 2)?);
    let flags = word(HEADER_BYTES + 8)?;
    let start = HEADER_BYTES + PLACES_BYTES + offset;
    let text = data
        .get(start..start + length)
        .ok_or(Status::IO_REPARSE_DATA_INVALID)?;
    let units: Vec<u16> = text
        .as_chunks::<2>()
        .0
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
        .collect();
    let is_on_volume = flags & RELATIVE != 0;
    if units.is_empty() || !is_on_volume || units.get(1) == Some(&u16::from(b':')) {
        return Err(Status::NOT_SUPPORTED);
    }
    Ok(stored_target(&units))
}

/// A target as Windows writes it.
fn shown_target(target: &[u8]) -> Vec<u16> {
    let parts: Vec<Vec<u16>> = target.split(|byte| *byte == b'/').map(names::shown).collect();
    parts.join(&u16::from(b'\\'))
}

/// A target as the volume has it.
fn stored_target(target: &[u16]) -> Vec<u8> {
    let is_separator = |unit: &u16| *unit == u16::from(b'\\') || *unit == u16::from(b'/');
    let parts: Vec<Vec<u8>> = target.split(is_separator).map(names::stored).collect();
    parts.join(&b'/')
}

impl Door {
    /// Whether Windows is to know a node as a folder: a link to a folder is one. Some look-ups for a link.
    pub(crate) fn is_shown_as_folder(&self, parent: Ino, ino: Ino, attr: &Attr) -> bool {
        match attr.kind {
            NodeType::Directory => true,
            NodeType::Symlink => self.wait(self.leads_to_folder(parent, ino)).unwrap_or(false),
            _ => false,
        }
    }

    async fn leads_to_folder(&self, parent: Ino, link: Ino) -> VolumeResult<bool> {
        let mut at = parent;
        let mut parts: VecDeque<Vec<u8>> = VecDeque::new();
        let (mut links, mut left) = (0, MOST_PARTS);
        let mut next = Some(link);
        loop {
            if let Some(link) = next.take() {
                links += 1;
                if links > MOST_LINKS {
                    return Ok(false);
                }
                let target = self.vfs.readlink(link).await?;
                if target.starts_with(b"/") {
                    at = Ino::ROOT;
                }
                for part in target
                    .rsplit(|byte| *byte == b'/')
                    .filter(|part| !part.is_empty())
                {
                    parts.push_front(part.to_vec());
                }
            }
            let Some(part) = parts.pop_front() else {
                return Ok(true);
            };
            if left == 0 {
                return Ok(false);
            }
            left -= 1;
            let (_, entry) = self.vfs.find_entry(&self.caller, at, &part).await?;
            match entry.attr.kind {
                NodeType::Directory => at = entry.ino,
                NodeType::Symlink => next = Some(entry.ino),
                _ => return Ok(false),
            }
        }
    }

    /// The data of a link at a path.
    ///
    /// # Errors
    /// `NOT_A_REPARSE_POINT` for everything else.
    pub(crate) fn link_at(&self, path: &U16CStr, buffer: &mut [u8]) -> Result<u64, Status> {
        let (found, _) = self.find(path)?;
        self.read_link(found.ino, found.attr.kind, buffer)
    }

    /// The data of a link that is open.
    ///
    /// # Errors
    /// As [`Door::link_at`].
    pub(crate) fn link(&self, opened: &Opened, buffer: &mut [u8]) -> Result<u64, Status> {
        let kind = self.known(opened)?.kind;
        self.read_link(opened.ino(), kind, buffer)
    }

    fn read_link(&self, ino: Ino, kind: NodeType, buffer: &mut [u8]) -> Result<u64, Status> {
        if kind != NodeType::Symlink {
            return Err(Status::NOT_A_REPARSE_POINT);
        }
        let target = self.wait(self.vfs.readlink(ino));
        let data = reparse_data(&target.map_err(|error| Status::of("readlink", &error))?);
        let room = buffer.get_mut(..data.len()).ok_or(Status::BUFFER_TOO_SMALL)?;
        room.copy_from_slice(&data);
        Ok(data.len() as u64)
    }

    /// Makes a link of a new file or folder: Windows makes a link in these two steps.
    ///
    /// # Errors
    /// Of [`target_of`]; `DIRECTORY_NOT_EMPTY`, `IO_REPARSE_DATA_INVALID` for a file that holds something.
    pub(crate) fn make_link(&self, opened: &Opened, path: &U16CStr, data: &[u8]) -> Result<(), Status> {
        let target = target_of(data)?;
        let (Found { ino, attr, place }, _) = self.find(path)?;
        if ino != opened.ino() || attr.kind == NodeType::File && self.known(opened)?.length > 0 {
            return Err(Status::IO_REPARSE_DATA_INVALID);
        }
        let made = self.wait(async {
            if attr.is_directory() {
                self.vfs.rmdir(&self.caller, place.parent, &place.name).await?;
            } else {
                self.vfs.unlink(&self.caller, place.parent, &place.name).await?;
            }
            self.vfs
                .symlink(&self.caller, place.parent, &place.name, &target)
                .await
        });
        let made = made.map_err(|error| match error.kind() {
            ErrorKind::NotEmpty => Status::DIRECTORY_NOT_EMPTY,
            _ => Status::of("symlink", &error),
        })?;
        opened.replaced_by(made.ino);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_come_back_as_they_were() {
        for target in ["file", "../a/b", "/from/the/root", "a:b/c.", ".", "dir/"] {
            let data = reparse_data(target.as_bytes());
            assert_eq!(target_of(&data), Ok(target.as_bytes().to_vec()), "{target}");
        }
        let text: Vec<u16> = "..\\a\\b\u{f03a}".encode_utf16().collect();
        assert_eq!(shown_target(b"../a/b:"), text);
    }

    #[test]
    fn other_reparse_points_and_broken_data_are_refused() {
        let mut mount_point = reparse_data(b"x");
        if let Some(first) = mount_point.first_mut() {
            *first = 3;
        }
        assert_eq!(target_of(&mount_point), Err(Status::IO_REPARSE_TAG_NOT_HANDLED));
        let data = reparse_data(b"target");
        for length in 0..data.len() - 2 * "target".len() {
            let cut = data.get(..length).unwrap_or_default();
            assert_eq!(target_of(cut), Err(Status::IO_REPARSE_DATA_INVALID), "{length}");
        }
        let mut absolute = reparse_data(b"x");
        if let Some(flags) = absolute.get_mut(HEADER_BYTES + 8) {
            *flags = 0;
        }
        assert_eq!(target_of(&absolute), Err(Status::NOT_SUPPORTED));
        assert_eq!(
            target_of(&reparse_data(b"C:/x")),
            Ok(b"C:/x".to_vec()),
            "a name with a colon is one"
        );
    }
}
