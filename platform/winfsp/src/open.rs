//! Opening and making files and folders.

use moorage_model::{Attr, Ino, NodeType};
use moorage_vfs::{NewNode, OpenFlags, SetAttrRequest};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_APPEND_DATA, FILE_EXECUTE, FILE_READ_DATA, FILE_WRITE_DATA,
};
use winfsp::U16CStr;
use winfsp::filesystem::OpenFileInfo;

use crate::context::{DataHandle, Opened};
use crate::door::{Door, Walk};
use crate::information::{fill, with_attributes, with_read_only};
use crate::status::Status;

/// Asks for a folder (wdm.h, `FILE_DIRECTORY_FILE`).
const DIRECTORY_FILE: u32 = 0x1;
/// Rights with which content is read.
const READS: u32 = FILE_READ_DATA | FILE_EXECUTE;
/// Rights with which content is written.
const WRITES: u32 = FILE_WRITE_DATA | FILE_APPEND_DATA;
/// Mode of a new file: Windows runs programs without a bit for it.
const FILE_MODE: u16 = 0o644;
/// Mode of a new folder.
const DIRECTORY_MODE: u16 = 0o755;

impl Door {
    /// Opens what is there.
    ///
    /// # Errors
    /// That it is not there any more; of opening its content.
    pub(crate) fn open(
        &self,
        path: &U16CStr,
        granted: u32,
        info: &mut OpenFileInfo,
    ) -> Result<Opened, Status> {
        let (found, true_path) = self.find(path)?;
        let data = match found.attr.kind {
            NodeType::File if granted & (READS | WRITES) != 0 => Some(self.open_content(found.ino, granted)?),
            _ => None,
        };
        let as_folder = self.is_shown_as_folder(found.place.parent, found.ino, &found.attr);
        fill(info.as_mut(), found.ino, &found.attr, as_folder);
        tell_name(info, &true_path);
        Ok(Opened::new(found.ino, as_folder, data))
    }

    /// A handle of content. One that writes reads too: the system's cache completes pages before it writes them.
    fn open_content(&self, ino: Ino, granted: u32) -> Result<DataHandle, Status> {
        let writes = granted & WRITES != 0;
        let flags = OpenFlags {
            read: true,
            write: writes,
            ..OpenFlags::default()
        };
        let opened = self.wait(self.vfs.open(&self.caller, ino, flags));
        let handle = opened.map_err(|error| Status::of("open", &error))?.handle;
        Ok(DataHandle { handle, writes })
    }

    /// Makes a file or folder.
    ///
    /// # Errors
    /// `OBJECT_NAME_COLLISION` when it is there already; of making it.
    pub(crate) fn create(
        &self,
        path: &U16CStr,
        options: u32,
        attributes: u32,
        info: &mut OpenFileInfo,
    ) -> Result<Opened, Status> {
        let (place, true_path) = match self.walk(path)? {
            Walk::Missing(place, path) => (place, path),
            Walk::Found(..) => return Err(Status::OBJECT_NAME_COLLISION),
            Walk::Link => return Err(Status::OBJECT_PATH_NOT_FOUND),
        };
        let is_directory = options & DIRECTORY_FILE != 0;
        let (ino, mut attr, data) = if is_directory {
            let making = self
                .vfs
                .mkdir(&self.caller, place.parent, &place.name, DIRECTORY_MODE, 0);
            let made = self.wait(making).map_err(|error| Status::of("mkdir", &error))?;
            (made.ino, made.attr, None)
        } else {
            let node = NewNode {
                kind: NodeType::File,
                mode: FILE_MODE,
                umask: 0,
                rdev: 0,
            };
            let flags = OpenFlags {
                read: true,
                write: true,
                exclusive: true,
                ..OpenFlags::default()
            };
            let making = self
                .vfs
                .create(&self.caller, place.parent, &place.name, node, flags);
            let (made, opened) = self.wait(making).map_err(|error| Status::of("create", &error))?;
            let data = DataHandle {
                handle: opened.handle,
                writes: true,
            };
            (made.ino, made.attr, Some(data))
        };
        let opened = Opened::new(ino, is_directory, data);
        match self.set_attributes(ino, &attr, attributes) {
            None => {}
            Some(Ok(changed)) => attr = changed,
            Some(Err(status)) => {
                self.close(opened);
                return Err(status);
            }
        }
        fill(info.as_mut(), ino, &attr, is_directory);
        tell_name(info, &true_path);
        Ok(opened)
    }

    /// Sets the attributes of a file that are not as they are to be; `None` where nothing has to be set.
    pub(crate) fn set_attributes(
        &self,
        ino: Ino,
        attr: &Attr,
        attributes: u32,
    ) -> Option<Result<Attr, Status>> {
        let flags = with_attributes(attr.flags, attributes);
        let mode = match attr.kind {
            NodeType::File => with_read_only(attr.mode, attributes),
            _ => attr.mode,
        };
        if flags == attr.flags && mode == attr.mode {
            return None;
        }
        let request = SetAttrRequest {
            flags: (flags != attr.flags).then_some(flags),
            mode: (mode != attr.mode).then_some(mode),
            ..SetAttrRequest::default()
        };
        let changed = self.wait(self.vfs.setattr(&self.caller, ino, None, request));
        Some(
            changed
                .map(|reply| reply.attr)
                .map_err(|error| Status::of("setattr", &error)),
        )
    }
}

/// Tells the driver by which name it is to know what was opened.
fn tell_name(info: &mut OpenFileInfo, path: &[u16]) {
    if size_of_val(path) < usize::from(info.normalized_name_size()) {
        info.set_normalized_name(path, None);
    }
}
