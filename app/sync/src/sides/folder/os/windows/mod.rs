//! Windows: handles of folders, and names opened relative to them (`NtCreateFile`), never through a link or a junction.

mod names;
mod times;

use std::ffi::c_void;
use std::fs::{File, OpenOptions};
use std::io::{self, Result};
use std::mem::offset_of;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsHandle, AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};

use moorage_model::Timestamp;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_CREATE, FILE_DIRECTORY_FILE, FILE_INFORMATION_CLASS, FILE_NON_DIRECTORY_FILE, FILE_OPEN,
    FILE_OPEN_FOR_BACKUP_INTENT, FILE_OPEN_REPARSE_POINT, FILE_RENAME_INFORMATION, FILE_RENAME_INFORMATION_0,
    FILE_RENAME_POSIX_SEMANTICS, FILE_RENAME_REPLACE_IF_EXISTS, FILE_SYNCHRONOUS_IO_NONALERT,
    FILE_WRITE_THROUGH, FileRenameInformation, FileRenameInformationEx, NTCREATEFILE_CREATE_DISPOSITION,
    NTCREATEFILE_CREATE_OPTIONS, NtCreateFile, NtSetInformationFile,
};
use windows_sys::Win32::Foundation::{
    ERROR_CANT_RESOLVE_FILENAME, ERROR_NO_MORE_FILES, NTSTATUS, OBJ_CASE_INSENSITIVE, RtlNtStatusToDosError,
    STATUS_INVALID_INFO_CLASS, STATUS_INVALID_PARAMETER, STATUS_NOT_IMPLEMENTED, STATUS_NOT_SUPPORTED,
    UNICODE_STRING,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, DELETE, FILE_ACCESS_RIGHTS, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_NORMAL,
    FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_TAG_INFO, FILE_BASIC_INFO, FILE_DISPOSITION_INFO,
    FILE_FLAG_BACKUP_SEMANTICS, FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_ID_BOTH_DIR_INFO,
    FILE_INFO_BY_HANDLE_CLASS, FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES, FILE_SHARE_DELETE, FILE_SHARE_READ,
    FILE_SHARE_WRITE, FILE_TRAVERSE, FILE_WRITE_ATTRIBUTES, FileAttributeTagInfo, FileBasicInfo,
    FileDispositionInfo, FileIdBothDirectoryInfo, FileIdBothDirectoryRestartInfo, GetFileInformationByHandle,
    GetFileInformationByHandleEx, SYNCHRONIZE, SetFileInformationByHandle,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use self::names::{known, known_path, new, stored};
use self::times::{set_time, timestamp};
use super::{Last, Node};
use crate::{Abilities, Kind, Permissions, RelativePath, Version};

/// What a folder of this system keeps. Links need a right that few users have.
pub(in super::super) const ABILITIES: Abilities = Abilities {
    folders: true,
    links: false,
    times: true,
    fine_times: false,
    permissions: false,
};
/// Rights on a folder that is stepped into and listed.
const FOLDER: FILE_ACCESS_RIGHTS = FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | SYNCHRONIZE;
/// Rights on what is only looked at.
const LOOK: FILE_ACCESS_RIGHTS = FILE_READ_ATTRIBUTES | SYNCHRONIZE;
/// Rights on what is renamed or removed.
const CHANGE: FILE_ACCESS_RIGHTS = DELETE | FILE_READ_ATTRIBUTES | SYNCHRONIZE;
/// Others may read, write and rename what is open here.
const SHARED: u32 = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
/// Of every handle: its calls wait, and it may be one of a folder.
const WAITING: NTCREATEFILE_CREATE_OPTIONS = FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT;
/// Reparse points with this bit stand for another name (winnt.h, `IsReparseTagNameSurrogate`): links and junctions. Others
/// are files that a program keeps in another form, such as those of a cloud.
const STANDS_FOR_A_NAME: u32 = 0x2000_0000;
/// Names of a folder that are asked for in one call, in bytes.
const LISTED_BYTES: usize = 64 << 10;

/// An open folder.
#[derive(Debug)]
pub(in super::super) struct OpenFolder(OwnedHandle);

impl OpenFolder {
    /// Opens a folder as it was given, over links.
    pub(in super::super) fn open(path: &Path) -> Result<OpenFolder> {
        let folder = OpenOptions::new()
            .access_mode(FOLDER)
            .share_mode(SHARED)
            .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
            .open(path)?;
        if folder.metadata()?.is_dir() {
            Ok(OpenFolder(folder.into()))
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// The same folder, opened again.
    pub(in super::super) fn again(&self) -> Result<OpenFolder> {
        let opened = self.open_at(&[], FOLDER, FILE_OPEN, FILE_DIRECTORY_FILE)?;
        Ok(OpenFolder(opened))
    }

    /// A folder in it.
    ///
    /// # Errors
    /// Such that [`super::is_no_folder`] where it is none.
    pub(in super::super) fn step(&self, name: &[u8]) -> Result<OpenFolder> {
        let options = FILE_DIRECTORY_FILE | FILE_OPEN_REPARSE_POINT;
        let opened = self.open_at(&known(name)?, FOLDER, FILE_OPEN, options)?;
        match look(&opened)?.kind {
            Kind::Folder => Ok(OpenFolder(opened)),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// A folder below it, over links.
    pub(in super::super) fn folder_over_links(&self, path: &RelativePath) -> Result<OpenFolder> {
        let opened = self.open_at(&known_path(path)?, FOLDER, FILE_OPEN, FILE_DIRECTORY_FILE)?;
        Ok(OpenFolder(opened))
    }

    /// A file below it to read, over links.
    pub(in super::super) fn file_over_links(&self, path: &RelativePath) -> Result<File> {
        let options = FILE_NON_DIRECTORY_FILE;
        Ok(self
            .open_at(&known_path(path)?, FILE_GENERIC_READ, FILE_OPEN, options)?
            .into())
    }

    /// A file in it to read.
    pub(in super::super) fn file(&self, name: &[u8]) -> Result<File> {
        let name = known(name)?;
        let options = FILE_NON_DIRECTORY_FILE | FILE_OPEN_REPARSE_POINT;
        let opened = self.open_at(&name, FILE_GENERIC_READ, FILE_OPEN, options)?;
        let found = information(&opened)?;
        if found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT != 0
            && kind_of(&opened, &found)? == Kind::File
        {
            // The program that keeps it in another form gives its content.
            let opened = self.open_at(&name, FILE_GENERIC_READ, FILE_OPEN, FILE_NON_DIRECTORY_FILE)?;
            return Ok(opened.into());
        }
        Ok(opened.into())
    }

    /// A new file in it.
    pub(in super::super) fn create(&self, name: &[u8]) -> Result<File> {
        let access = FILE_GENERIC_READ | FILE_GENERIC_WRITE;
        let options = FILE_NON_DIRECTORY_FILE | FILE_OPEN_REPARSE_POINT;
        Ok(self.open_at(&new(name)?, access, FILE_CREATE, options)?.into())
    }

    /// Makes a folder in it.
    pub(in super::super) fn make_folder(&self, name: &[u8]) -> Result<()> {
        self.open_at(&new(name)?, LOOK, FILE_CREATE, FILE_DIRECTORY_FILE)
            .map(drop)
    }

    /// The folder itself.
    pub(in super::super) fn node(&self) -> Result<Node> {
        look(&self.0)
    }

    /// What has this name.
    pub(in super::super) fn look(&self, name: &[u8], last: Last) -> Result<Node> {
        look(&self.open_name(name, LOOK, last)?)
    }

    fn open_name(&self, name: &[u8], access: FILE_ACCESS_RIGHTS, last: Last) -> Result<OwnedHandle> {
        let options = match last {
            Last::Itself => FILE_OPEN_REPARSE_POINT,
            Last::Target => 0,
        };
        self.open_at(&known(name)?, access, FILE_OPEN, options)
    }

    /// Tells every name with its kind.
    pub(in super::super) fn each_name(&self, mut tell: impl FnMut(&[u8], Option<Kind>)) -> Result<()> {
        // Words, so that the records lie as they must.
        let mut records = vec![0_u64; LISTED_BYTES / size_of::<u64>()];
        let mut class: FILE_INFO_BY_HANDLE_CLASS = FileIdBothDirectoryRestartInfo;
        loop {
            // SAFETY: the buffer has as many bytes as is said.
            let told = unsafe {
                GetFileInformationByHandleEx(
                    self.0.as_raw_handle(),
                    class,
                    records.as_mut_ptr().cast(),
                    LISTED_BYTES as u32,
                )
            };
            if told == 0 {
                let error = io::Error::last_os_error();
                return match error.raw_os_error().map(i32::cast_unsigned) {
                    Some(ERROR_NO_MORE_FILES) => Ok(()),
                    _ => Err(error),
                };
            }
            class = FileIdBothDirectoryInfo;
            let mut at = 0;
            loop {
                // SAFETY: the system wrote whole records into the buffer, each at a multiple of eight bytes, and says where
                // the next one is and how long a name is.
                let (record, name) = unsafe {
                    let record = records.as_ptr().byte_add(at).cast::<FILE_ID_BOTH_DIR_INFO>();
                    let name = record
                        .byte_add(offset_of!(FILE_ID_BOTH_DIR_INFO, FileName))
                        .cast();
                    let units = (*record).FileNameLength as usize / size_of::<u16>();
                    (&*record, std::slice::from_raw_parts::<u16>(name, units))
                };
                let name = stored(name);
                if !matches!(name.as_slice(), b"." | b"..") {
                    // Of a reparse point this member is the tag.
                    let tag = Some(record.EaSize)
                        .filter(|_| record.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT != 0);
                    tell(&name, Some(kind(record.FileAttributes, tag)));
                }
                if record.NextEntryOffset == 0 {
                    break;
                }
                at += record.NextEntryOffset as usize;
            }
        }
    }

    /// Gives a name to what has another one, in place of what has it.
    pub(in super::super) fn rename(&self, old: &[u8], new: &[u8]) -> Result<()> {
        self.rename_to(old, self, new, true)
    }

    /// Has two names change places: the system can not.
    ///
    /// # Errors
    /// `Unsupported`.
    pub(in super::super) fn exchange(&self, _one: &[u8], _other: &[u8]) -> Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Renames to a name that must be free.
    ///
    /// # Errors
    /// `AlreadyExists` when it is not.
    pub(in super::super) fn rename_to_free(&self, old: &[u8], folder: &OpenFolder, new: &[u8]) -> Result<()> {
        self.rename_to(old, folder, new, false)
    }

    /// The new name is durable on return, since the handle writes through.
    fn rename_to(&self, old: &[u8], folder: &OpenFolder, new_name: &[u8], replaces: bool) -> Result<()> {
        let options = FILE_OPEN_REPARSE_POINT | FILE_WRITE_THROUGH;
        let node = self.open_at(&known(old)?, CHANGE, FILE_OPEN, options)?;
        let target = new(new_name)?;
        // As POSIX has it, also while others have the replaced file open; then as older systems have it.
        let flags = FILE_RENAME_POSIX_SEMANTICS
            | if replaces {
                FILE_RENAME_REPLACE_IF_EXISTS
            } else {
                0
            };
        let posix = FILE_RENAME_INFORMATION_0 { Flags: flags };
        match set_name(&node, posix, folder, &target, FileRenameInformationEx) {
            STATUS_INVALID_INFO_CLASS
            | STATUS_INVALID_PARAMETER
            | STATUS_NOT_IMPLEMENTED
            | STATUS_NOT_SUPPORTED => {
                // The whole word is set: the system looks at one byte of it.
                let plain = FILE_RENAME_INFORMATION_0 {
                    Flags: u32::from(replaces),
                };
                done(set_name(&node, plain, folder, &target, FileRenameInformation))
            }
            status => done(status),
        }
    }

    /// Removes a file or a link.
    pub(in super::super) fn remove_file(&self, name: &[u8]) -> Result<()> {
        self.remove(name, FILE_NON_DIRECTORY_FILE)
    }

    /// Removes an empty folder.
    pub(in super::super) fn remove_folder(&self, name: &[u8]) -> Result<()> {
        self.remove(name, FILE_DIRECTORY_FILE)
    }

    fn remove(&self, name: &[u8], what: NTCREATEFILE_CREATE_OPTIONS) -> Result<()> {
        let options = what | FILE_OPEN_REPARSE_POINT;
        let node = self.open_at(&known(name)?, CHANGE, FILE_OPEN, options)?;
        let disposition = FILE_DISPOSITION_INFO { DeleteFile: true };
        // SAFETY: the structure is that of this class and lives until the call returns.
        answered(unsafe {
            SetFileInformationByHandle(
                node.as_raw_handle(),
                FileDispositionInfo,
                (&raw const disposition).cast::<c_void>(),
                size_of::<FILE_DISPOSITION_INFO>() as u32,
            )
        })
    }

    /// Where a link leads: not asked for here.
    ///
    /// # Errors
    /// `Unsupported`.
    pub(in super::super) fn link_target(&self, _name: &[u8]) -> Result<Vec<u8>> {
        Err(no_links())
    }

    /// Makes a link: not here.
    ///
    /// # Errors
    /// `Unsupported`.
    pub(in super::super) fn make_link(&self, _name: &[u8], _target: &[u8]) -> Result<()> {
        Err(no_links())
    }

    /// Sets owner and bits: there are none here.
    pub(in super::super) fn set_permissions(&self, _name: &[u8], _permissions: Permissions) -> Result<()> {
        Ok(())
    }

    /// Sets the time of change, of a link itself.
    pub(in super::super) fn set_modified(&self, name: &[u8], modified: Timestamp) -> Result<()> {
        let access = FILE_WRITE_ATTRIBUTES | SYNCHRONIZE;
        set_time(&File::from(self.open_name(name, access, Last::Itself)?), modified)
    }

    /// Has the system store what was written: files are synced before they get their names, and names written through.
    pub(in super::super) fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// Opens or makes what has a name relative to this folder; no units are the folder itself.
    fn open_at(
        &self,
        name: &[u16],
        access: FILE_ACCESS_RIGHTS,
        disposition: NTCREATEFILE_CREATE_DISPOSITION,
        options: NTCREATEFILE_CREATE_OPTIONS,
    ) -> Result<OwnedHandle> {
        let bytes =
            u16::try_from(size_of_val(name)).map_err(|_| io::Error::from(io::ErrorKind::InvalidFilename))?;
        let name = UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: name.as_ptr().cast_mut(),
        };
        let attributes = OBJECT_ATTRIBUTES {
            Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
            RootDirectory: self.0.as_raw_handle(),
            ObjectName: &raw const name,
            Attributes: OBJ_CASE_INSENSITIVE,
            SecurityDescriptor: null(),
            SecurityQualityOfService: null(),
        };
        let (mut handle, mut status) = (null_mut(), IO_STATUS_BLOCK::default());
        // SAFETY: the structures and the name live until the call returns, which only reads the name.
        done(unsafe {
            NtCreateFile(
                &raw mut handle,
                access,
                &raw const attributes,
                &raw mut status,
                null(),
                FILE_ATTRIBUTE_NORMAL,
                SHARED,
                disposition,
                options | WAITING,
                null(),
                0,
            )
        })?;
        // SAFETY: the handle was opened just now and is nobody else's.
        Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
    }
}

/// Gives a written file its time and stores its content, before it gets its name.
pub(in super::super) fn finish_file(
    file: &impl AsHandle,
    _permissions: Option<Permissions>,
    modified: Option<Timestamp>,
) -> Result<()> {
    let file = File::from(file.as_handle().try_clone_to_owned()?);
    file.sync_all()?;
    match modified {
        Some(modified) => set_time(&file, modified),
        None => Ok(()),
    }
}

/// An open file.
pub(in super::super) fn node_of(file: &impl AsHandle) -> Result<Node> {
    look(&file.as_handle().try_clone_to_owned()?)
}

/// Whether a path leads over too many links.
pub(in super::super) fn is_circle(error: &io::Error) -> bool {
    error.raw_os_error().map(i32::cast_unsigned) == Some(ERROR_CANT_RESOLVE_FILENAME)
}

/// A path below a folder as a person finds it.
pub(in super::super) fn joined(root: &Path, path: &RelativePath) -> PathBuf {
    root.join(String::from_utf8_lossy(path.as_bytes()).replace('/', "\\"))
}

fn set_name(
    node: &OwnedHandle,
    how: FILE_RENAME_INFORMATION_0,
    folder: &OpenFolder,
    name: &[u16],
    class: FILE_INFORMATION_CLASS,
) -> NTSTATUS {
    let name_bytes = size_of_val(name);
    let bytes = size_of::<FILE_RENAME_INFORMATION>() + name_bytes;
    let mut record = vec![0_u64; bytes.div_ceil(size_of::<u64>())];
    let mut status = IO_STATUS_BLOCK::default();
    // SAFETY: the record has room for the structure and the name behind it, and is aligned for both.
    unsafe {
        let head = record.as_mut_ptr().cast::<FILE_RENAME_INFORMATION>();
        (*head).Anonymous = how;
        (*head).RootDirectory = folder.0.as_raw_handle();
        (*head).FileNameLength = name_bytes as u32;
        let place = head
            .byte_add(offset_of!(FILE_RENAME_INFORMATION, FileName))
            .cast::<u16>();
        place.copy_from_nonoverlapping(name.as_ptr(), name.len());
        NtSetInformationFile(
            node.as_raw_handle(),
            &raw mut status,
            head.cast_const().cast(),
            bytes as u32,
            class,
        )
    }
}

fn information(node: &OwnedHandle) -> Result<BY_HANDLE_FILE_INFORMATION> {
    let mut found = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open and the structure is written to.
    answered(unsafe { GetFileInformationByHandle(node.as_raw_handle(), &raw mut found) })?;
    Ok(found)
}

fn look(node: &OwnedHandle) -> Result<Node> {
    let found = information(node)?;
    let mut basic = FILE_BASIC_INFO::default();
    ask(node, FileBasicInfo, &mut basic)?;
    let number = u64::from(found.nFileIndexHigh) << 32 | u64::from(found.nFileIndexLow);
    Ok(Node {
        kind: kind_of(node, &found)?,
        version: Version {
            size: u64::from(found.nFileSizeHigh) << 32 | u64::from(found.nFileSizeLow),
            modified: timestamp(basic.LastWriteTime),
            changed: Some(timestamp(basic.ChangeTime)),
            node: Some(number),
        },
        permissions: None,
        identity: (found.dwVolumeSerialNumber.into(), number),
    })
}

fn kind_of(node: &OwnedHandle, found: &BY_HANDLE_FILE_INFORMATION) -> Result<Kind> {
    let mut tag = FILE_ATTRIBUTE_TAG_INFO::default();
    let is_reparse_point = found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT != 0;
    if is_reparse_point {
        ask(node, FileAttributeTagInfo, &mut tag)?;
    }
    Ok(kind(
        found.dwFileAttributes,
        is_reparse_point.then_some(tag.ReparseTag),
    ))
}

fn kind(attributes: u32, tag: Option<u32>) -> Kind {
    match tag {
        Some(tag) if tag & STANDS_FOR_A_NAME != 0 => Kind::Link,
        _ if attributes & FILE_ATTRIBUTE_DIRECTORY != 0 => Kind::Folder,
        _ => Kind::File,
    }
}

/// Fills a structure that belongs to the class.
fn ask<T: Copy>(node: &OwnedHandle, class: FILE_INFO_BY_HANDLE_CLASS, answer: &mut T) -> Result<()> {
    // SAFETY: the structure, of plain numbers, has as many bytes as is said.
    answered(unsafe {
        GetFileInformationByHandleEx(
            node.as_raw_handle(),
            class,
            (&raw mut *answer).cast(),
            size_of::<T>() as u32,
        )
    })
}

fn no_links() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "symbolic links are not copied as such on Windows",
    )
}

fn done(status: NTSTATUS) -> Result<()> {
    if status >= 0 {
        return Ok(());
    }
    // SAFETY: no pointers.
    let code = unsafe { RtlNtStatusToDosError(status) };
    Err(io::Error::from_raw_os_error(code.cast_signed()))
}

fn answered(outcome: i32) -> Result<()> {
    if outcome == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_to_their_ticks_before_1970_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = OpenFolder::open(folder.path()).expect("opened");
        open.create(b"file").expect("made");
        for seconds in [1_700_000_000, -1_000_000_000] {
            let time = Timestamp::new(seconds, 123_456_700);
            open.set_modified(b"file", time).expect("set");
            assert_eq!(
                open.look(b"file", Last::Itself).expect("there").version.modified,
                time
            );
        }
    }

    #[test]
    fn a_folder_tells_each_name_once_with_its_kind() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = OpenFolder::open(folder.path()).expect("opened");
        let long = "n".repeat(200);
        // More than one answer of the system holds.
        let mut expected: Vec<(Vec<u8>, Option<Kind>)> = (0..400)
            .map(|number| (format!("{long}{number:03}").into_bytes(), Some(Kind::File)))
            .collect();
        for (name, _) in &expected {
            open.create(name).expect("made");
        }
        open.make_folder("\u{fc}ber".as_bytes()).expect("made");
        expected.push(("\u{fc}ber".into(), Some(Kind::Folder)));
        for _ in 0..2 {
            let mut told = Vec::new();
            open.again()
                .expect("opened")
                .each_name(|name, kind| told.push((name.to_vec(), kind)))
                .expect("listed");
            told.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_name_is_replaced_only_when_that_is_wanted() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = OpenFolder::open(folder.path()).expect("opened");
        open.make_folder(b"deep").expect("made");
        let deep = open.step(b"deep").expect("a folder");
        for name in [b"one", b"two"] {
            std::fs::write(folder.path().join(std::str::from_utf8(name).expect("text")), name)
                .expect("written");
        }
        let taken = open.rename_to_free(b"one", &open, b"two").expect_err("taken");
        assert!(super::super::is_taken(&taken), "{taken:?}");
        open.rename(b"one", b"two").expect("replaced");
        open.rename_to_free(b"two", &deep, b"three").expect("moved");
        assert_eq!(
            std::fs::read(folder.path().join("deep/three")).expect("read"),
            b"one"
        );
        let missing = open.look(b"two", Last::Itself).expect_err("moved away");
        assert!(super::super::is_missing(&missing), "{missing:?}");
        let full = open.remove_folder(b"deep").expect_err("not empty");
        assert_eq!(full.kind(), io::ErrorKind::DirectoryNotEmpty);
        deep.remove_file(b"three").expect("removed");
        drop(deep);
        open.remove_folder(b"deep").expect("empty");
        let no_folder = open.step(b"deep").expect_err("gone");
        assert!(super::super::is_missing(&no_folder), "{no_folder:?}");
        open.create(b"file").expect("made");
        let no_folder = open.step(b"file").expect_err("a file");
        assert!(super::super::is_no_folder(&no_folder), "{no_folder:?}");
    }
}
