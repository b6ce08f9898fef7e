//! Content, size and times of open files.

use moorage_model::{Attr, ErrorKind};
use moorage_vfs::{SetAttrRequest, SetTime, WriteOrigin};
use winfsp::filesystem::FileInfo;

use crate::context::{DataHandle, Opened};
use crate::door::Door;
use crate::information::{file_attributes, fill, instant};
use crate::status::Status;

/// Attributes that are to stay (winnt.h, `INVALID_FILE_ATTRIBUTES`).
const UNCHANGED: u32 = u32::MAX;

/// Times to set, in units of 100 ns since 1601; 0 leaves one as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) access: u64,
    pub(crate) write: u64,
}

impl Door {
    /// # Errors
    /// `END_OF_FILE` behind the end; of reading.
    pub(crate) fn read(&self, opened: &Opened, buffer: &mut [u8], offset: u64) -> Result<u32, Status> {
        let DataHandle { handle, .. } = content(opened)?;
        let read = self.wait(self.vfs.read(handle, offset, buffer));
        match read.map_err(|error| Status::of("read", &error))? {
            0 if !buffer.is_empty() => Err(Status::END_OF_FILE),
            bytes => Ok(counted(bytes)),
        }
    }

    /// Writes at an offset, or at the end. A write of the system's cache (`constrained`) changes nothing behind the end.
    ///
    /// # Errors
    /// Of writing.
    pub(crate) fn write(
        &self,
        opened: &Opened,
        data: &[u8],
        offset: Option<u64>,
        constrained: bool,
        info: &mut FileInfo,
    ) -> Result<u32, Status> {
        let DataHandle { handle, .. } = content(opened)?;
        let origin = WriteOrigin {
            at_end: offset.is_none(),
            ..WriteOrigin::default()
        };
        let offset = offset.unwrap_or_default();
        let mut data = data;
        if constrained {
            let length = self.known(opened)?.length;
            let room = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
            data = data.get(..data.len().min(room)).unwrap_or_default();
        }
        let mut written = 0;
        // The volume takes a part where a limit leaves room for no more; the next part gets the error.
        while let Some(rest) = data.get(written..).filter(|rest| !rest.is_empty()) {
            let writing = self.vfs.write_from(handle, offset + written as u64, rest, origin);
            match self.wait(writing) {
                Ok(0) => break,
                Ok(bytes) => written += bytes,
                Err(_) if written > 0 => break,
                Err(error) => return Err(Status::of("write", &error)),
            }
        }
        self.tell(opened, info)?;
        Ok(counted(written))
    }

    /// Has everything written survive a power cut: of one file, or of all.
    ///
    /// # Errors
    /// Of storing it.
    pub(crate) fn flush(&self, opened: Option<&Opened>, info: &mut FileInfo) -> Result<(), Status> {
        let Some(opened) = opened else {
            let synced = self.wait(self.vfs.sync_all());
            return synced.map_err(|error| Status::of("sync", &error));
        };
        if let Some(DataHandle { handle, writes: true }) = opened.data {
            let synced = self.wait(self.vfs.fsync(handle, false));
            synced.map_err(|error| Status::of("fsync", &error))?;
        }
        self.tell(opened, info)
    }

    /// Stores what was written, when the program closes the file: another computer that opens it sees it from then on.
    /// Windows takes no error here, so it is told in the log, and to whoever opens the file next.
    pub(crate) fn store(&self, opened: &Opened) {
        if let Some(DataHandle { handle, writes: true }) = opened.data
            && let Err(error) = self.wait(self.vfs.flush(handle, None))
        {
            let inode = opened.ino().0;
            tracing::error!(inode, %error, "what was written to a file that is closed now is not stored");
        }
    }

    /// Gives everything back that an open file or folder holds.
    pub(crate) fn close(&self, opened: Opened) {
        if let Some(DataHandle { handle, .. }) = opened.data
            && let Err(error) = self.wait(self.vfs.release(handle, None))
        {
            tracing::error!(inode = opened.ino().0, %error, "closing a file");
        }
        if let Some(handle) = opened.listing.into_inner().handle
            && let Err(error) = self.wait(self.vfs.releasedir(handle))
        {
            tracing::debug!(%error, "closing a folder");
        }
    }

    /// Truncates or extends. Space is not set aside, so that a new allocation only cuts what is longer.
    ///
    /// # Errors
    /// Of changing the length.
    pub(crate) fn set_size(
        &self,
        opened: &Opened,
        size: u64,
        is_allocation: bool,
        info: &mut FileInfo,
    ) -> Result<(), Status> {
        if !is_allocation || size < self.known(opened)?.length {
            self.change(
                opened,
                SetAttrRequest {
                    size: Some(size),
                    ..SetAttrRequest::default()
                },
            )?;
        }
        self.tell(opened, info)
    }

    /// Empties a file that is written anew, and gives it attributes: these alone, or these too.
    ///
    /// # Errors
    /// Of changing it.
    pub(crate) fn overwrite(
        &self,
        opened: &Opened,
        attributes: u32,
        alone: bool,
        info: &mut FileInfo,
    ) -> Result<(), Status> {
        let attr = self.change(
            opened,
            SetAttrRequest {
                size: Some(0),
                ..SetAttrRequest::default()
            },
        )?;
        let wanted = match alone {
            true => attributes,
            false => attributes | file_attributes(&attr, false),
        };
        self.set_attributes(opened.ino(), &attr, wanted).transpose()?;
        self.tell(opened, info)
    }

    /// # Errors
    /// Of changing the node.
    pub(crate) fn set_basic_info(
        &self,
        opened: &Opened,
        attributes: u32,
        times: Times,
        info: &mut FileInfo,
    ) -> Result<(), Status> {
        if attributes != UNCHANGED {
            let attr = self.known(opened)?;
            self.set_attributes(opened.ino(), &attr, attributes).transpose()?;
        }
        let time = |ticks: u64| (ticks != 0).then(|| SetTime::At(instant(ticks)));
        let request = SetAttrRequest {
            atime: time(times.access),
            mtime: time(times.write),
            ..SetAttrRequest::default()
        };
        if request != SetAttrRequest::default() {
            self.change(opened, request)?;
        }
        self.tell(opened, info)
    }

    fn change(&self, opened: &Opened, request: SetAttrRequest) -> Result<Attr, Status> {
        let handle = opened
            .content()
            .filter(|data| data.writes)
            .map(|data| data.handle);
        let changing = self.vfs.setattr(&self.caller, opened.ino(), handle, request);
        let changed = self
            .wait(changing)
            .map_err(|error| Status::of("setattr", &error))?;
        Ok(changed.attr)
    }

    /// The attributes of what is open: for content as this client knows it, else as the volume has it.
    pub(crate) fn known(&self, opened: &Opened) -> Result<Attr, Status> {
        if let Some(DataHandle { handle, .. }) = opened.content() {
            match self.vfs.open_attributes(handle) {
                Ok(reply) => return Ok(reply.attr),
                // One of the mount's own files.
                Err(error) if error.kind() == ErrorKind::BadHandle => {}
                Err(error) => return Err(Status::of("getattr", &error)),
            }
        }
        let asked = self.wait(self.vfs.getattr(opened.ino()));
        asked
            .map(|reply| reply.attr)
            .map_err(|error| Status::of("getattr", &error))
    }

    /// Tells Windows what is known of what is open.
    ///
    /// # Errors
    /// Of reading the attributes.
    pub(crate) fn tell(&self, opened: &Opened, info: &mut FileInfo) -> Result<(), Status> {
        fill(info, opened.ino(), &self.known(opened)?, opened.is_folder);
        Ok(())
    }
}

fn content(opened: &Opened) -> Result<DataHandle, Status> {
    opened.content().ok_or(Status::INVALID_DEVICE_REQUEST)
}

fn counted(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
