//! The callbacks of the driver's library, each of which is one call of the door.

use std::ffi::c_void;

use winfsp::filesystem::{
    DirInfo, DirMarker, FileInfo, FileSecurity, FileSystemContext, ModificationDescriptor, OpenFileInfo,
    VolumeInfo,
};
use winfsp::{Result, U16CStr};

use crate::context::Opened;
use crate::data::Times;
use crate::door::{Door, Walk};
use crate::information::file_attributes;
use crate::status::Status;

/// A cleanup that is to delete (winfsp.h, `FspCleanupDelete`).
const CLEANUP_DELETE: u32 = 0x01;

impl FileSystemContext for Door {
    type FileContext = Opened;

    fn get_security_by_name(
        &self,
        path: &U16CStr,
        descriptor: Option<&mut [c_void]>,
        find_link: impl FnOnce(&U16CStr) -> Option<FileSecurity>,
    ) -> Result<FileSecurity> {
        match self.walk(path)? {
            Walk::Found(found, _) => {
                self.security.copy_to(descriptor);
                Ok(FileSecurity {
                    reparse: false,
                    sz_security_descriptor: self.security.len() as u64,
                    attributes: file_attributes(
                        &found.attr,
                        self.is_shown_as_folder(found.place.parent, found.ino, &found.attr),
                    ),
                })
            }
            Walk::Missing(..) => Err(Status::OBJECT_NAME_NOT_FOUND.into()),
            Walk::Link => find_link(path).ok_or_else(|| Status::OBJECT_PATH_NOT_FOUND.into()),
        }
    }

    fn open(&self, path: &U16CStr, _: u32, granted: u32, info: &mut OpenFileInfo) -> Result<Opened> {
        Ok(Door::open(self, path, granted, info)?)
    }

    fn create(
        &self,
        path: &U16CStr,
        options: u32,
        _granted: u32,
        attributes: u32,
        _descriptor: Option<&[c_void]>,
        _allocation: u64,
        _extra: Option<&[u8]>,
        _extra_is_link: bool,
        info: &mut OpenFileInfo,
    ) -> Result<Opened> {
        Ok(Door::create(self, path, options, attributes, info)?)
    }

    fn overwrite(
        &self,
        opened: &Opened,
        attributes: u32,
        replace_attributes: bool,
        _allocation: u64,
        _extra: Option<&[u8]>,
        info: &mut FileInfo,
    ) -> Result<()> {
        Ok(Door::overwrite(
            self,
            opened,
            attributes,
            replace_attributes,
            info,
        )?)
    }

    fn cleanup(&self, opened: &Opened, path: Option<&U16CStr>, flags: u32) {
        match path {
            Some(path) if flags & CLEANUP_DELETE != 0 => self.delete(opened, path),
            _ => self.store(opened),
        }
    }

    fn close(&self, opened: Opened) {
        Door::close(self, opened);
    }

    fn flush(&self, opened: Option<&Opened>, info: &mut FileInfo) -> Result<()> {
        Ok(Door::flush(self, opened, info)?)
    }

    fn read(&self, opened: &Opened, buffer: &mut [u8], offset: u64) -> Result<u32> {
        Ok(Door::read(self, opened, buffer, offset)?)
    }

    fn write(
        &self,
        opened: &Opened,
        buffer: &[u8],
        offset: u64,
        at_end: bool,
        constrained: bool,
        info: &mut FileInfo,
    ) -> Result<u32> {
        let offset = (!at_end).then_some(offset);
        Ok(Door::write(self, opened, buffer, offset, constrained, info)?)
    }

    fn get_file_info(&self, opened: &Opened, info: &mut FileInfo) -> Result<()> {
        Ok(self.tell(opened, info)?)
    }

    fn set_basic_info(
        &self,
        opened: &Opened,
        attributes: u32,
        _creation: u64,
        access: u64,
        write: u64,
        _change: u64,
        info: &mut FileInfo,
    ) -> Result<()> {
        let times = Times { access, write };
        Ok(Door::set_basic_info(self, opened, attributes, times, info)?)
    }

    fn set_file_size(
        &self,
        opened: &Opened,
        size: u64,
        is_allocation: bool,
        info: &mut FileInfo,
    ) -> Result<()> {
        Ok(self.set_size(opened, size, is_allocation, info)?)
    }

    fn set_delete(&self, opened: &Opened, _path: &U16CStr, delete: bool) -> Result<()> {
        if delete {
            self.check_deletable(opened)?;
        }
        Ok(())
    }

    fn rename(&self, opened: &Opened, from: &U16CStr, to: &U16CStr, replace: bool) -> Result<()> {
        Ok(Door::rename(self, opened, from, to, replace)?)
    }

    fn get_security(&self, _: &Opened, descriptor: Option<&mut [c_void]>) -> Result<u64> {
        self.security.copy_to(descriptor);
        Ok(self.security.len() as u64)
    }

    /// Everything belongs to one user, who may do everything: a list of rights is taken, since programs copy lists along
    /// with files, and changes nothing.
    fn set_security(&self, _: &Opened, information: u32, change: ModificationDescriptor) -> Result<()> {
        Ok(self.security.check_owner(information, change.as_mut_ptr())?)
    }

    fn read_directory(
        &self,
        opened: &Opened,
        _pattern: Option<&U16CStr>,
        behind: DirMarker<'_>,
        buffer: &mut [u8],
    ) -> Result<u32> {
        Ok(self.list(opened, behind.inner(), buffer)?)
    }

    fn get_dir_info_by_name(&self, folder: &Opened, name: &U16CStr, item: &mut DirInfo) -> Result<()> {
        Ok(self.entry(folder, name, item)?)
    }

    fn get_reparse_point_by_name(&self, path: &U16CStr, _is_folder: bool, buffer: &mut [u8]) -> Result<u64> {
        Ok(self.link_at(path, buffer)?)
    }

    fn get_reparse_point(&self, opened: &Opened, _path: &U16CStr, buffer: &mut [u8]) -> Result<u64> {
        Ok(self.link(opened, buffer)?)
    }

    fn set_reparse_point(&self, opened: &Opened, path: &U16CStr, data: &[u8]) -> Result<()> {
        Ok(self.make_link(opened, path, data)?)
    }

    fn get_volume_info(&self, info: &mut VolumeInfo) -> Result<()> {
        let space = self.wait(self.vfs.statfs(moorage_model::Ino::ROOT));
        let space = space.map_err(|error| Status::of("statfs", &error))?;
        let block = u64::from(space.block_size);
        info.total_size = space.blocks.saturating_mul(block);
        info.free_size = space.blocks_free.saturating_mul(block);
        info.set_volume_label(&self.label);
        Ok(())
    }

    fn dispatcher_stopped(&self, normally: bool) {
        self.ended.told(normally);
    }
}
