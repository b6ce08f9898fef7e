//! What the driver does with a program's calls: requests to the library, and the answers.

mod message;

use std::ptr::null_mut;
use std::sync::OnceLock;

use windows_sys::Win32::Security::{
    DuplicateTokenEx, SecurityImpersonation, TOKEN_DUPLICATE, TOKEN_QUERY, TokenImpersonation,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use winfsp_sys::*;

use self::message::{Request, Response};

/// Bytes that the driver asks for when it lists a folder.
const LISTING_BYTES: usize = 16 << 10;

/// Everything may be done to what is opened (winnt.h, `FILE_ALL_ACCESS`).
pub(crate) const ALL: u32 = 0x001F_01FF;
/// Reading content (winnt.h, `FILE_GENERIC_READ`).
pub(crate) const READ: u32 = 0x0012_0089;
/// Nothing but the attributes (winnt.h, `FILE_READ_ATTRIBUTES`).
pub(crate) const ATTRIBUTES: u32 = 0x80;

/// What is to happen when the name exists, and when it does not (winternl.h).
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(crate) enum Disposition {
    Supersede = 0,
    Open = 1,
    Create = 2,
    OpenIf = 3,
    Overwrite = 4,
    OverwriteIf = 5,
}

/// Asks for a folder (winternl.h, `FILE_DIRECTORY_FILE`).
pub(crate) const FOLDER: u32 = 0x1;
/// Asks for a file (winternl.h, `FILE_NON_DIRECTORY_FILE`).
pub(crate) const FILE: u32 = 0x40;

/// Asks for a link itself, not for what it leads to (winternl.h, `FILE_OPEN_REPARSE_POINT`).
pub(crate) const LINK: u32 = 0x0020_0000;

/// The answer that the path leads elsewhere (ntstatus.h, `STATUS_REPARSE`).
const REPARSE: u32 = 0x104;
/// Links that the system follows for one path.
const MOST_LINKS: usize = 32;
/// `STATUS_STOPPED_ON_SYMLINK`
const STOPPED_ON_SYMLINK: u32 = 0x8000_002D;
/// Makes a link of what is open (winioctl.h, `FSCTL_SET_REPARSE_POINT`).
const SET_LINK: u32 = 0x0009_00A4;
/// Reads a link (winioctl.h, `FSCTL_GET_REPARSE_POINT`).
const GET_LINK: u32 = 0x0009_00A8;

/// A status as the library answers.
pub(crate) type Answer<T> = Result<T, u32>;

/// What is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handle {
    contexts: (u64, u64),
    pub(crate) info: FSP_FSCTL_FILE_INFO,
}

/// An entry of a listing.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) info: FSP_FSCTL_FILE_INFO,
}

/// The driver of one file system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Driver(*mut FSP_FILE_SYSTEM);

// SAFETY: the library's operations may be called from any thread, as the driver's threads do.
unsafe impl Send for Driver {}
// SAFETY: as above.
unsafe impl Sync for Driver {}

impl Driver {
    pub(crate) fn of(file_system: *mut FSP_FILE_SYSTEM) -> Driver {
        Driver(file_system)
    }

    fn call(self, mut request: Request) -> Answer<Response> {
        request.head().Size = request.size() as u16;
        let kind = request.head().Kind as usize;
        let mut response = Response::empty();
        // SAFETY: both are whole messages that live until the calls return, and the file system is the one that was made.
        let status = unsafe {
            let head = request.head() as *mut FSP_FSCTL_TRANSACT_REQ;
            let answer = response.head_mut();
            (*answer).Size = size_of::<FSP_FSCTL_TRANSACT_RSP>() as u16;
            (*answer).Kind = (*head).Kind;
            let operation = (*self.0).Operations[kind].expect("an operation of the library");
            FspFileSystemOpEnter(self.0, head, answer);
            let status = operation(self.0, head, answer);
            FspFileSystemOpLeave(self.0, head, answer);
            status
        };
        match status.cast_unsigned() {
            status @ (0 | REPARSE) => {
                response.note(status);
                Ok(response)
            }
            status => Err(status),
        }
    }

    /// As `NtCreateFile` with attributes for what is made.
    pub(crate) fn create_with(
        self,
        path: &str,
        disposition: Disposition,
        options: u32,
        access: u32,
        attributes: u32,
    ) -> Answer<Handle> {
        let answer = self.ask_to_create(path, disposition, options, access, attributes)?;
        // SAFETY: the part of this kind of answer.
        let opened = unsafe { answer.head().Rsp.Create.Opened };
        let mut handle = Handle {
            contexts: (opened.UserContext, opened.UserContext2),
            info: opened.FileInfo,
        };
        // FILE_SUPERSEDED and FILE_OVERWRITTEN: the driver empties it once nobody else objects.
        if matches!(answer.information(), 0 | 3) {
            handle.info = self.overwrite(handle, attributes, answer.information() == 0)?;
        }
        Ok(handle)
    }

    /// Asks, and asks again for where a link leads.
    fn ask_to_create(
        self,
        path: &str,
        disposition: Disposition,
        options: u32,
        access: u32,
        attributes: u32,
    ) -> Answer<Response> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let answer = self.ask_once(&path, disposition, options, access, attributes)?;
            if answer.head().IoStatus.Status != REPARSE {
                return Ok(answer);
            }
            // SAFETY: the part of this kind of answer, with this status.
            let place = unsafe { answer.head().Rsp.Create.Reparse.Buffer };
            path = target_of(&answer.text(place));
        }
        Err(STOPPED_ON_SYMLINK)
    }

    fn ask_once(
        self,
        path: &str,
        disposition: Disposition,
        options: u32,
        access: u32,
        attributes: u32,
    ) -> Answer<Response> {
        let mut request = Request::named(FspFsctlTransactCreateKind, path);
        // SAFETY: the part of this kind of request; all are plain numbers.
        let create = unsafe { &mut request.head().Req.Create };
        create.CreateOptions = (disposition as u32) << 24 | options;
        create.FileAttributes = attributes;
        create.DesiredAccess = access;
        create.ShareAccess = 7;
        create.AccessToken = token();
        create.set_UserMode(1);
        create.set_HasTraversePrivilege(1);
        create.set_AcceptsSecurityDescriptor(1);
        self.call(request)
    }

    /// The name under which the driver is to know what is at a path.
    pub(crate) fn true_name(self, path: &str) -> Answer<String> {
        let answer = self.ask_to_create(path, Disposition::Open, 0, ATTRIBUTES, 0)?;
        // SAFETY: the part of this kind of answer.
        let opened = unsafe { answer.head().Rsp.Create.Opened };
        self.close(Handle {
            contexts: (opened.UserContext, opened.UserContext2),
            info: opened.FileInfo,
        });
        Ok(text_of(&answer.text(opened.FileName)))
    }

    pub(crate) fn create(self, path: &str, disposition: Disposition, options: u32) -> Answer<Handle> {
        self.create_with(path, disposition, options, ALL, 0)
    }

    pub(crate) fn open(self, path: &str) -> Answer<Handle> {
        self.create(path, Disposition::Open, 0)
    }

    fn overwrite(self, handle: Handle, attributes: u32, supersede: bool) -> Answer<FSP_FSCTL_FILE_INFO> {
        let mut request = Request::new(FspFsctlTransactOverwriteKind);
        // SAFETY: the part of this kind of request.
        let overwrite = unsafe { &mut request.head().Req.Overwrite };
        (overwrite.UserContext, overwrite.UserContext2) = handle.contexts;
        overwrite.FileAttributes = attributes;
        overwrite.set_Supersede(u32::from(supersede));
        let answer = self.call(request)?;
        // SAFETY: the part of this kind of answer.
        Ok(unsafe { answer.head().Rsp.Overwrite.FileInfo })
    }

    pub(crate) fn read(self, handle: Handle, offset: u64, length: u32) -> Answer<Vec<u8>> {
        let mut buffer = vec![0_u8; length as usize];
        let mut request = Request::new(FspFsctlTransactReadKind);
        // SAFETY: the part of this kind of request.
        let read = unsafe { &mut request.head().Req.Read };
        (read.UserContext, read.UserContext2) = handle.contexts;
        read.Address = buffer.as_mut_ptr() as u64;
        read.Offset = offset;
        read.Length = length;
        let answer = self.call(request)?;
        buffer.truncate(answer.information() as usize);
        Ok(buffer)
    }

    /// Everything, in pieces of an odd size.
    pub(crate) fn content(self, handle: Handle) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            match self.read(handle, all.len() as u64, 10_007) {
                Ok(part) => all.extend(part),
                Err(0xC000_0011) => return all,
                Err(status) => panic!("reading answers {status:#x}"),
            }
        }
    }

    /// Writes at an offset; `u64::MAX` is the end.
    pub(crate) fn write(self, handle: Handle, offset: u64, data: &[u8]) -> Answer<u64> {
        self.write_as(handle, offset, data, false)
    }

    pub(crate) fn write_as(self, handle: Handle, offset: u64, data: &[u8], constrained: bool) -> Answer<u64> {
        let mut request = Request::new(FspFsctlTransactWriteKind);
        // SAFETY: the part of this kind of request.
        let write = unsafe { &mut request.head().Req.Write };
        (write.UserContext, write.UserContext2) = handle.contexts;
        write.Address = data.as_ptr() as u64;
        write.Offset = offset;
        write.Length = data.len() as u32;
        write.set_ConstrainedIo(u32::from(constrained));
        let answer = self.call(request)?;
        // SAFETY: the part of this kind of answer.
        Ok(unsafe { answer.head().Rsp.Write.FileInfo.FileSize })
    }

    pub(crate) fn flush(self, handle: Option<Handle>) -> Answer<()> {
        let mut request = Request::new(FspFsctlTransactFlushBuffersKind);
        if let Some(handle) = handle {
            // SAFETY: the part of this kind of request.
            let flush = unsafe { &mut request.head().Req.FlushBuffers };
            (flush.UserContext, flush.UserContext2) = handle.contexts;
        }
        self.call(request).map(drop)
    }

    pub(crate) fn info(self, handle: Handle) -> Answer<FSP_FSCTL_FILE_INFO> {
        let mut request = Request::new(FspFsctlTransactQueryInformationKind);
        // SAFETY: the part of this kind of request.
        let query = unsafe { &mut request.head().Req.QueryInformation };
        (query.UserContext, query.UserContext2) = handle.contexts;
        let answer = self.call(request)?;
        // SAFETY: the part of this kind of answer.
        Ok(unsafe { answer.head().Rsp.QueryInformation.FileInfo })
    }

    fn set_information(
        self,
        handle: Handle,
        name: Option<&str>,
        class: u32,
        fill: impl FnOnce(&mut Request),
    ) -> Answer<FSP_FSCTL_FILE_INFO> {
        let mut request = match name {
            Some(name) => Request::named(FspFsctlTransactSetInformationKind, name),
            None => Request::new(FspFsctlTransactSetInformationKind),
        };
        // SAFETY: the part of this kind of request.
        let set = unsafe { &mut request.head().Req.SetInformation };
        (set.UserContext, set.UserContext2) = handle.contexts;
        set.FileInformationClass = class;
        fill(&mut request);
        let answer = self.call(request)?;
        // SAFETY: the part of this kind of answer.
        Ok(unsafe { answer.head().Rsp.SetInformation.FileInfo })
    }

    /// `FileBasicInformation`: attributes, and the times of the last access and write; 0 leaves a time.
    pub(crate) fn set_basic(
        self,
        handle: Handle,
        attributes: u32,
        access: u64,
        write: u64,
    ) -> Answer<FSP_FSCTL_FILE_INFO> {
        self.set_information(handle, None, 4, |request| {
            // SAFETY: the part of this class.
            let basic = unsafe { &mut request.head().Req.SetInformation.Info.Basic };
            basic.FileAttributes = attributes;
            basic.LastAccessTime = access;
            basic.LastWriteTime = write;
        })
    }

    /// `FileEndOfFileInformation`
    pub(crate) fn set_size(self, handle: Handle, size: u64) -> Answer<FSP_FSCTL_FILE_INFO> {
        self.set_information(handle, None, 20, |request| {
            request.head().Req.SetInformation.Info.EndOfFile.FileSize = size;
        })
    }

    /// `FileAllocationInformation`
    pub(crate) fn set_allocation(self, handle: Handle, size: u64) -> Answer<FSP_FSCTL_FILE_INFO> {
        self.set_information(handle, None, 19, |request| {
            request.head().Req.SetInformation.Info.Allocation.AllocationSize = size;
        })
    }

    /// `FileRenameInformation`
    pub(crate) fn rename(self, handle: Handle, from: &str, to: &str, replace: bool) -> Answer<()> {
        let set = self.set_information(handle, Some(from), 10, |request| {
            let to = request.text(to);
            // SAFETY: the part of this class.
            let rename = unsafe { &mut request.head().Req.SetInformation.Info.Rename };
            rename.NewFileName = to;
            // Without a token the library looks for no rights, and replaces; with one it asks whether that may be.
            rename.AccessToken = if replace { token() } else { 0 };
        });
        set.map(drop)
    }

    /// `FileDispositionInformation`: it is to be deleted when it is closed.
    pub(crate) fn mark_deleted(self, handle: Handle, path: &str) -> Answer<()> {
        let set = self.set_information(handle, Some(path), 13, |request| {
            // SAFETY: the part of this class.
            unsafe { request.head().Req.SetInformation.Info.Disposition.set_Delete(1) };
        });
        set.map(drop)
    }

    /// The program closes its handle; the driver lets go of it.
    pub(crate) fn close(self, handle: Handle) {
        self.clean_up(handle, None);
        self.let_go(handle);
    }

    /// The program closes its handle, with which the name is deleted.
    pub(crate) fn close_deleting(self, handle: Handle, path: &str) {
        self.clean_up(handle, Some(path));
        self.let_go(handle);
    }

    /// What happens when the last copy of a handle is closed; reads and writes of the cache may follow.
    pub(crate) fn clean_up(self, handle: Handle, deleted: Option<&str>) {
        let mut request = match deleted {
            Some(path) => Request::named(FspFsctlTransactCleanupKind, path),
            None => Request::new(FspFsctlTransactCleanupKind),
        };
        // SAFETY: the part of this kind of request.
        let cleanup = unsafe { &mut request.head().Req.Cleanup };
        (cleanup.UserContext, cleanup.UserContext2) = handle.contexts;
        cleanup.set_Delete(u32::from(deleted.is_some()));
        self.call(request).expect("a cleanup has no error");
    }

    pub(crate) fn let_go(self, handle: Handle) {
        let mut request = Request::new(FspFsctlTransactCloseKind);
        // SAFETY: the part of this kind of request.
        let close = unsafe { &mut request.head().Req.Close };
        (close.UserContext, close.UserContext2) = handle.contexts;
        self.call(request).expect("a close has no error");
    }

    /// Everything that a folder lists.
    pub(crate) fn list(self, folder: Handle) -> Vec<Entry> {
        let mut all: Vec<Entry> = Vec::new();
        loop {
            let behind = all.last().map(|entry| entry.name.clone());
            let (part, ended) = self.list_part(folder, behind.as_deref()).expect("a listing");
            let progressed = !part.is_empty();
            all.extend(part);
            if ended || !progressed {
                assert!(ended, "a listing stops before its end");
                return all;
            }
        }
    }

    pub(crate) fn names(self, path: &str) -> Vec<String> {
        let folder = self.create(path, Disposition::Open, FOLDER).expect("a folder");
        let mut names: Vec<String> = self.list(folder).into_iter().map(|entry| entry.name).collect();
        self.close(folder);
        names.retain(|name| name != "." && name != "..");
        names.sort();
        names
    }

    /// One buffer of a listing behind a name, and whether it is the last.
    pub(crate) fn list_part(self, folder: Handle, behind: Option<&str>) -> Answer<(Vec<Entry>, bool)> {
        let mut buffer = vec![0_u64; LISTING_BYTES / 8];
        let mut request = Request::new(FspFsctlTransactQueryDirectoryKind);
        let marker = behind.map(|name| request.text(name));
        // SAFETY: the part of this kind of request.
        let query = unsafe { &mut request.head().Req.QueryDirectory };
        (query.UserContext, query.UserContext2) = folder.contexts;
        query.Address = buffer.as_mut_ptr() as u64;
        query.Length = LISTING_BYTES as u32;
        if let Some(marker) = marker {
            query.Marker = marker;
        }
        let answer = self.call(request)?;
        Ok(entries(&buffer, answer.information() as usize))
    }

    /// What a folder has under one name, as the system asks for a pattern without wildcards.
    pub(crate) fn entry(self, folder: Handle, name: &str) -> Answer<Vec<Entry>> {
        let mut buffer = vec![0_u64; LISTING_BYTES / 8];
        let mut request = Request::new(FspFsctlTransactQueryDirectoryKind);
        let pattern = request.text(name);
        // SAFETY: the part of this kind of request.
        let query = unsafe { &mut request.head().Req.QueryDirectory };
        (query.UserContext, query.UserContext2) = folder.contexts;
        query.Address = buffer.as_mut_ptr() as u64;
        query.Length = LISTING_BYTES as u32;
        query.Pattern = pattern;
        query.set_PatternIsFileName(1);
        let answer = self.call(request)?;
        Ok(entries(&buffer, answer.information() as usize).0)
    }

    /// Makes a link of a new file or folder that is open.
    pub(crate) fn set_link(self, handle: Handle, path: &str, data: &[u8]) -> Answer<()> {
        self.control(handle, path, SET_LINK, data).map(drop)
    }

    /// The data of a link that is open.
    pub(crate) fn link(self, handle: Handle, path: &str) -> Answer<Vec<u8>> {
        let answer = self.control(handle, path, GET_LINK, &[])?;
        // SAFETY: the part of this kind of answer.
        Ok(answer.text(unsafe { answer.head().Rsp.FileSystemControl.Buffer }))
    }

    fn control(self, handle: Handle, path: &str, code: u32, data: &[u8]) -> Answer<Response> {
        let mut request = Request::named(FspFsctlTransactFileSystemControlKind, path);
        let data = request.put(data);
        // SAFETY: the part of this kind of request.
        let control = unsafe { &mut request.head().Req.FileSystemControl };
        (control.UserContext, control.UserContext2) = handle.contexts;
        control.FsControlCode = code;
        control.Buffer = data;
        self.call(request)
    }

    pub(crate) fn volume(self) -> FSP_FSCTL_VOLUME_INFO {
        let request = Request::new(FspFsctlTransactQueryVolumeInformationKind);
        let answer = self.call(request).expect("sizes");
        // SAFETY: the part of this kind of answer.
        unsafe { answer.head().Rsp.QueryVolumeInformation.VolumeInfo }
    }

    /// The rights of what is open, self-relative.
    pub(crate) fn security(self, handle: Handle) -> Vec<u8> {
        let mut request = Request::new(FspFsctlTransactQuerySecurityKind);
        // SAFETY: the part of this kind of request.
        let query = unsafe { &mut request.head().Req.QuerySecurity };
        (query.UserContext, query.UserContext2) = handle.contexts;
        let answer = self.call(request).expect("rights");
        // SAFETY: the part of this kind of answer.
        let place = unsafe { answer.head().Rsp.QuerySecurity.SecurityDescriptor };
        answer.text(place)
    }
}

/// Where a link leads, from the root of the volume: the first text behind the places of both.
fn target_of(data: &[u8]) -> String {
    let half = |at: usize| usize::from(u16::from_le_bytes([data[at], data[at + 1]]));
    let start = 20 + half(8);
    text_of(&data[start..start + half(10)])
}

fn text_of(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .take_while(|unit| *unit != 0)
        .collect();
    String::from_utf16_lossy(&units)
}

fn entries(buffer: &[u64], used: usize) -> (Vec<Entry>, bool) {
    let bytes: Vec<u8> = buffer.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at + 2 <= used {
        let size = usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        if size == 0 {
            return (found, true);
        }
        let name: Vec<u16> = bytes[at + size_of::<FSP_FSCTL_DIR_INFO>()..at + size]
            .chunks_exact(2)
            .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
            .collect();
        // SAFETY: an entry begins here, and the buffer is of words.
        let info = unsafe { (*buffer.as_ptr().cast::<u8>().add(at).cast::<FSP_FSCTL_DIR_INFO>()).FileInfo };
        found.push(Entry {
            name: String::from_utf16(&name).expect("whole characters"),
            info,
        });
        at += size.next_multiple_of(8);
    }
    (found, false)
}

/// Who asks: this process, as the driver says it to the library.
fn token() -> u64 {
    static TOKEN: OnceLock<usize> = OnceLock::new();
    let token = TOKEN.get_or_init(|| {
        let (mut own, mut copy) = (null_mut(), null_mut());
        // SAFETY: results are written to; the handles live as long as the process.
        unsafe {
            assert_ne!(
                OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE | TOKEN_QUERY, &raw mut own),
                0
            );
            let duplicated = DuplicateTokenEx(
                own,
                0,
                std::ptr::null(),
                SecurityImpersonation,
                TokenImpersonation,
                &raw mut copy,
            );
            assert_ne!(duplicated, 0);
        }
        copy as usize
    });
    u64::from(std::process::id()) << 32 | *token as u64
}
