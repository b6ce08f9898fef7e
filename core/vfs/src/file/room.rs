//! Refusing what a full volume or an exhausted quota would refuse later.

use moorage_meta::Unrecorded;
use moorage_model::{Attr, Error, Result, align4k};

use super::OpenFile;
use crate::Vfs;

impl OpenFile {
    /// The part of a write that there is room for, as far as this client can tell: all of it without limits or far from
    /// them. Other clients, and files of this one that wait for their commit under another quota, can still take the
    /// room: then the commit says so.
    ///
    /// No read unless the write is about to be refused, when the stored numbers decide.
    ///
    /// # Errors
    /// `NoSpace` or `QuotaExceeded` when there is room for none of it.
    pub(crate) async fn with_room<'d>(&self, vfs: &Vfs, offset: u64, data: &'d [u8]) -> Result<&'d [u8]> {
        let Some(end) = offset.checked_add(data.len() as u64) else {
            return Ok(data);
        };
        let attr = {
            let content = self.content();
            let counted = align4k(content.length()).unsigned_abs();
            if end <= counted {
                return Ok(data);
            }
            let space = align4k(end).saturating_sub(align4k(content.attr.length));
            let others = vfs.files.note_unrecorded(self, space);
            let at_most = Unrecorded {
                volume: others,
                user: others,
                group: others,
                directory: others,
            };
            let near = vfs.meta().known_length_limit(&content.attr, end, &at_most);
            if near.is_none() {
                return Ok(data);
            }
            content.attr.clone()
        };
        let unrecorded = vfs.unrecorded_beside(self, &attr);
        let known = vfs.meta().known_length_limit(&attr, end, &unrecorded);
        if known.is_none_or(|limit| end <= limit.length) {
            return Ok(data);
        }
        let limit = match vfs.meta().length_limit(self.ino, &unrecorded).await {
            Ok(Some(limit)) if limit.length < end => limit,
            // The commit finds out what else is the matter.
            Ok(_) | Err(_) => return Ok(data),
        };
        let room = limit.length.max(self.content().length()).saturating_sub(offset);
        match data.split_at_checked(usize::try_from(room).unwrap_or(usize::MAX)) {
            Some(([], _)) => Err(Error::new(
                limit.refusal,
                format!("inode {}: no room behind {} bytes", self.ino, limit.length),
            )),
            Some((fits, _)) => Ok(fits),
            None => Ok(data),
        }
    }
}

impl Vfs {
    /// What other files will count once their content is committed.
    fn unrecorded_beside(&self, file: &OpenFile, attr: &Attr) -> Unrecorded {
        let mut sum = Unrecorded::default();
        for other in self.files.dirty() {
            if other.ino == file.ino {
                continue;
            }
            let content = other.content();
            let space = content.unrecorded();
            sum.volume += space;
            sum.user += if content.attr.uid == attr.uid { space } else { 0 };
            sum.group += if content.attr.gid == attr.gid { space } else { 0 };
            sum.directory += if content.attr.parent == attr.parent {
                space
            } else {
                0
            };
        }
        sum
    }
}
