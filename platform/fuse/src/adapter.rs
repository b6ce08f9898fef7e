//! The callbacks of fuser: arguments in, one future of the vfs, reply out. A trait has one implementation block, so all
//! are here; each only translates.

use std::ffi::OsStr;
use std::future::Future;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use fuser::{
    AccessFlags, BsdFileFlags, CopyFileRangeFlags, FileHandle, Filesystem, INodeNo, IoctlFlags, KernelConfig,
    LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyDirectoryPlus,
    ReplyEmpty, ReplyEntry, ReplyIoctl, ReplyLock, ReplyLseek, ReplyOpen, ReplyStatfs, ReplyWrite,
    ReplyXattr, Request, TimeOrNow, WriteFlags,
};
use moorage_model::{Error, ErrorKind, Gid, Ino, NodeType, Uid};
use moorage_vfs::{LockRange, LockWait, NewNode, SetAttrRequest, SetTime, Vfs, WriteOrigin};
use tokio::runtime::Handle;

use crate::answers::{self, GENERATION, or_refuse};
use crate::attributes::{blank, file_attr, file_type, listed_ttl, node_type, permissions, set_time};
use crate::buffers::BufferPool;
use crate::caller::caller;
use crate::errno::{by_number, errno};
use crate::locks::{LockRequest, tested, until_signal};
use crate::session::Negotiation;
use crate::{dispatch, flags, ioctl, kernel};

/// Most bytes that one copy can report: fuser answers in 32 bits, and the next copy starts aligned.
const MAX_COPY_BYTES: u64 = u32::MAX as u64 & !0xFFFF;

/// A mounted volume behind fuser.
#[derive(Debug)]
pub(crate) struct Adapter {
    pub(crate) vfs: Arc<Vfs>,
    pub(crate) runtime: Handle,
    pub(crate) negotiation: Negotiation,
    pub(crate) buffers: BufferPool,
}

impl Adapter {
    /// Runs what `operation` makes of the vfs, in place when it need not wait.
    fn answer<F: Future<Output = ()> + Send + 'static>(&self, operation: impl FnOnce(Arc<Vfs>) -> F) {
        dispatch::answer(&self.runtime, operation(Arc::clone(&self.vfs)));
    }
}

fn ino(number: INodeNo) -> Ino {
    Ino(number.0)
}

fn handle(number: FileHandle) -> moorage_vfs::FileHandle {
    moorage_vfs::FileHandle(number.0)
}

fn owner(number: LockOwner) -> moorage_model::LockOwner {
    moorage_model::LockOwner(number.0)
}

impl Filesystem for Adapter {
    fn init(&mut self, _request: &Request, config: &mut KernelConfig) -> std::io::Result<()> {
        self.negotiation.negotiate(config);
        Ok(())
    }

    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let (caller, name) = (caller(request), name.as_bytes().to_vec());
        self.answer(|vfs| async move {
            let found = vfs.lookup(&caller, ino(parent), &name).await;
            answers::looked_up(found, vfs.options().negative_ttl, reply);
        });
    }

    fn getattr(&self, _request: &Request, number: INodeNo, _handle: Option<FileHandle>, reply: ReplyAttr) {
        self.answer(|vfs| async move {
            answers::attributes("getattr", by_number(vfs.getattr(ino(number)).await), reply);
        });
    }

    fn setattr(
        &self,
        request: &Request,
        number: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        ctime: Option<SystemTime>,
        file: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let caller = caller(request);
        let change = SetAttrRequest {
            mode: mode.map(permissions),
            uid: uid.map(Uid),
            gid: gid.map(Gid),
            size,
            atime: atime.map(set_time),
            mtime: mtime.map(set_time),
            ctime: ctime.map(|time| SetTime::At(time.into())),
            flags: None,
        };
        self.answer(|vfs| async move {
            let changed = vfs.setattr(&caller, ino(number), file.map(handle), change).await;
            answers::attributes("setattr", by_number(changed), reply);
        });
    }

    fn readlink(&self, _request: &Request, number: INodeNo, reply: ReplyData) {
        self.answer(|vfs| async move {
            answers::link_target(by_number(vfs.readlink(ino(number)).await), reply);
        });
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        rdev: u32,
        reply: ReplyEntry,
    ) {
        let (caller, name) = (caller(request), name.as_bytes().to_vec());
        let kind = node_type(mode).ok_or_else(|| Error::from(ErrorKind::InvalidArgument));
        let node = NewNode {
            kind: or_refuse!("mknod", kind, reply),
            mode: permissions(mode),
            umask: permissions(umask),
            rdev,
        };
        self.answer(|vfs| async move {
            let made = vfs.mknod(&caller, ino(parent), &name, node).await;
            answers::entry("mknod", made, reply);
        });
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let (caller, name) = (caller(request), name.as_bytes().to_vec());
        self.answer(|vfs| async move {
            let (mode, umask) = (permissions(mode), permissions(umask));
            let made = vfs.mkdir(&caller, ino(parent), &name, mode, umask).await;
            answers::entry("mkdir", made, reply);
        });
    }

    fn unlink(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let (caller, name) = (caller(request), name.as_bytes().to_vec());
        self.answer(|vfs| async move {
            answers::empty("unlink", vfs.unlink(&caller, ino(parent), &name).await, reply);
        });
    }

    fn rmdir(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let (caller, name) = (caller(request), name.as_bytes().to_vec());
        self.answer(|vfs| async move {
            answers::empty("rmdir", vfs.rmdir(&caller, ino(parent), &name).await, reply);
        });
    }

    fn symlink(&self, request: &Request, parent: INodeNo, name: &OsStr, target: &Path, reply: ReplyEntry) {
        let (caller, name) = (caller(request), name.as_bytes().to_vec());
        let target = target.as_os_str().as_bytes().to_vec();
        self.answer(|vfs| async move {
            let made = vfs.symlink(&caller, ino(parent), &name, &target).await;
            answers::entry("symlink", made, reply);
        });
    }

    fn rename(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        how: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let (caller, name, newname) = (
            caller(request),
            name.as_bytes().to_vec(),
            newname.as_bytes().to_vec(),
        );
        let how = or_refuse!("rename", flags::rename_flags(how), reply);
        self.answer(|vfs| async move {
            let (source, target) = ((ino(parent), &name[..]), (ino(newparent), &newname[..]));
            answers::empty("rename", vfs.rename(&caller, source, target, how).await, reply);
        });
    }

    fn link(&self, request: &Request, number: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let (caller, name) = (caller(request), name.as_bytes().to_vec());
        self.answer(|vfs| async move {
            let linked = vfs.link(&caller, ino(number), ino(parent), &name).await;
            answers::entry("link", linked, reply);
        });
    }

    fn open(&self, request: &Request, number: INodeNo, how: OpenFlags, reply: ReplyOpen) {
        let (caller, how) = (caller(request), flags::open_flags(how.0));
        self.answer(|vfs| async move {
            answers::opened_file(by_number(vfs.open(&caller, ino(number), how).await), reply);
        });
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        how: i32,
        reply: ReplyCreate,
    ) {
        let (caller, name) = (caller(request), name.as_bytes().to_vec());
        let how = flags::open_flags(how);
        let node = NewNode {
            kind: NodeType::File,
            mode: permissions(mode),
            umask: permissions(umask),
            rdev: 0,
        };
        self.answer(|vfs| async move {
            let created = vfs.create(&caller, ino(parent), &name, node, how).await;
            answers::created(created, reply);
        });
    }

    fn read(
        &self,
        _request: &Request,
        _number: INodeNo,
        file: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let mut buffer = self.buffers.take(size as usize);
        self.answer(|vfs| async move {
            let read = vfs.read(handle(file), offset, &mut buffer).await;
            answers::read(read, &buffer, reply);
        });
    }

    fn write(
        &self,
        _request: &Request,
        _number: INodeNo,
        file: FileHandle,
        offset: u64,
        data: &[u8],
        kind: WriteFlags,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let origin = WriteOrigin {
            mapped: kind.contains(WriteFlags::FUSE_WRITE_CACHE),
            drops_set_id: kind.contains(WriteFlags::FUSE_WRITE_KILL_SUIDGID),
        };
        let at_once = || self.vfs.write_now(handle(file), offset, data, origin);
        if let Some(written) = dispatch::now(&self.runtime, at_once) {
            answers::written("write", written, reply);
            return;
        }
        // The buffer is the FUSE thread's own, so a write that has to wait needs a copy.
        let data = self.buffers.copy_of(data);
        self.answer(|vfs| async move {
            let written = vfs.write_from(handle(file), offset, &data, origin).await;
            answers::written("write", written, reply);
        });
    }

    fn flush(
        &self,
        _request: &Request,
        _number: INodeNo,
        file: FileHandle,
        by: LockOwner,
        reply: ReplyEmpty,
    ) {
        self.answer(|vfs| async move {
            answers::empty("flush", vfs.flush(handle(file), Some(owner(by))).await, reply);
        });
    }

    fn release(
        &self,
        _request: &Request,
        _number: INodeNo,
        file: FileHandle,
        _flags: OpenFlags,
        flock_by: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        self.answer(|vfs| async move {
            answers::empty(
                "release",
                vfs.release(handle(file), flock_by.map(owner)).await,
                reply,
            );
        });
    }

    fn fsync(
        &self,
        _request: &Request,
        _number: INodeNo,
        file: FileHandle,
        datasync: bool,
        reply: ReplyEmpty,
    ) {
        self.answer(|vfs| async move {
            answers::empty("fsync", vfs.fsync(handle(file), datasync).await, reply);
        });
    }

    fn opendir(&self, request: &Request, number: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        let caller = caller(request);
        self.answer(|vfs| async move {
            answers::opened_directory(by_number(vfs.opendir(&caller, ino(number)).await), reply);
        });
    }

    fn readdir(
        &self,
        _request: &Request,
        _number: INodeNo,
        directory: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        self.answer(|vfs| async move {
            let listed = vfs
                .readdir(handle(directory), offset, false, &mut |item| {
                    let name = OsStr::from_bytes(item.name);
                    !reply.add(INodeNo(item.ino.0), item.next_cookie, file_type(item.kind), name)
                })
                .await;
            or_refuse!("readdir", listed, reply);
            reply.ok();
        });
    }

    fn readdirplus(
        &self,
        _request: &Request,
        _number: INodeNo,
        directory: FileHandle,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        self.answer(|vfs| async move {
            let listed = vfs
                .readdir(handle(directory), offset, true, &mut |item| {
                    let (attr, ttl) = match &item.entry {
                        Some(entry) => (
                            file_attr(entry.ino, &entry.attr),
                            listed_ttl(entry.attr_ttl, entry.entry_ttl),
                        ),
                        None => (blank(item.ino, item.kind), std::time::Duration::ZERO),
                    };
                    let name = OsStr::from_bytes(item.name);
                    !reply.add(attr.ino, item.next_cookie, name, &ttl, &attr, GENERATION)
                })
                .await;
            or_refuse!("readdirplus", listed, reply);
            reply.ok();
        });
    }

    fn releasedir(
        &self,
        _request: &Request,
        _number: INodeNo,
        directory: FileHandle,
        _flags: OpenFlags,
        reply: ReplyEmpty,
    ) {
        self.answer(|vfs| async move {
            answers::empty("releasedir", vfs.releasedir(handle(directory)).await, reply);
        });
    }

    fn fsyncdir(
        &self,
        _request: &Request,
        _number: INodeNo,
        directory: FileHandle,
        _datasync: bool,
        reply: ReplyEmpty,
    ) {
        self.answer(|vfs| async move {
            answers::empty("fsyncdir", vfs.fsyncdir(handle(directory)).await, reply);
        });
    }

    fn statfs(&self, _request: &Request, number: INodeNo, reply: ReplyStatfs) {
        self.answer(|vfs| async move {
            answers::sizes(vfs.statfs(ino(number)).await, reply);
        });
    }

    fn setxattr(
        &self,
        request: &Request,
        number: INodeNo,
        name: &OsStr,
        value: &[u8],
        how: i32,
        _position: u32,
        reply: ReplyEmpty,
    ) {
        let (caller, name, value) = (caller(request), name.as_bytes().to_vec(), value.to_vec());
        let how = or_refuse!("setxattr", flags::xattr_mode(how), reply);
        self.answer(|vfs| async move {
            let set = vfs.setxattr(&caller, ino(number), &name, &value, how).await;
            answers::empty("setxattr", set, reply);
        });
    }

    fn getxattr(&self, request: &Request, number: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        let (caller, name) = (caller(request), name.as_bytes().to_vec());
        self.answer(|vfs| async move {
            let value = vfs.getxattr(&caller, ino(number), &name).await;
            answers::xattr("getxattr", value, size, reply);
        });
    }

    fn listxattr(&self, _request: &Request, number: INodeNo, size: u32, reply: ReplyXattr) {
        self.answer(|vfs| async move {
            let names = vfs.listxattr(ino(number)).await.map(answers::joined_names);
            answers::xattr("listxattr", names, size, reply);
        });
    }

    fn removexattr(&self, request: &Request, number: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let (caller, name) = (caller(request), name.as_bytes().to_vec());
        self.answer(|vfs| async move {
            answers::empty(
                "removexattr",
                vfs.removexattr(&caller, ino(number), &name).await,
                reply,
            );
        });
    }

    fn access(&self, request: &Request, number: INodeNo, mask: AccessFlags, reply: ReplyEmpty) {
        let caller = caller(request);
        let mask = (mask & (AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK)).bits() as u8;
        self.answer(|vfs| async move {
            answers::empty("access", vfs.access(&caller, ino(number), mask).await, reply);
        });
    }

    fn getlk(
        &self,
        _request: &Request,
        _number: INodeNo,
        file: FileHandle,
        by: LockOwner,
        start: u64,
        end: u64,
        kind: i32,
        pid: u32,
        reply: ReplyLock,
    ) {
        let asked = LockRequest {
            handle: handle(file),
            owner: owner(by),
            range: LockRange { start, end },
            kind,
            pid,
        };
        let record = or_refuse!("getlk", asked.record(), reply);
        self.answer(|vfs| async move {
            let lock = or_refuse!("getlk", vfs.getlk(asked.handle, record).await, reply);
            let (start, end, kind, pid) = tested(lock, asked);
            reply.locked(start, end, kind, pid);
        });
    }

    fn setlk(
        &self,
        request: &Request,
        _number: INodeNo,
        file: FileHandle,
        by: LockOwner,
        start: u64,
        end: u64,
        kind: i32,
        pid: u32,
        sleep: bool,
        reply: ReplyEmpty,
    ) {
        let asked = LockRequest {
            handle: handle(file),
            owner: owner(by),
            range: LockRange { start, end },
            kind,
            pid,
        };
        let flock = kernel::is_flock(request);
        let wait = if sleep {
            until_signal(request.pid())
        } else {
            LockWait::No
        };
        self.answer(|vfs| async move {
            answers::empty("setlk", asked.set(&vfs, flock, wait).await, reply);
        });
    }

    fn ioctl(
        &self,
        request: &Request,
        number: INodeNo,
        _handle: FileHandle,
        _flags: IoctlFlags,
        command: u32,
        input: &[u8],
        _room: u32,
        reply: ReplyIoctl,
    ) {
        let (caller, input) = (caller(request), input.to_vec());
        self.answer(|vfs| async move {
            let output = ioctl::run(&vfs, &caller, ino(number), command, &input).await;
            answers::ioctl(output, reply);
        });
    }

    fn fallocate(
        &self,
        _request: &Request,
        _number: INodeNo,
        file: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let mode = or_refuse!("fallocate", flags::fallocate_mode(mode), reply);
        self.answer(|vfs| async move {
            let done = vfs.fallocate(handle(file), mode, offset, length).await;
            answers::empty("fallocate", done, reply);
        });
    }

    fn lseek(
        &self,
        _request: &Request,
        _number: INodeNo,
        file: FileHandle,
        offset: i64,
        whence: i32,
        reply: ReplyLseek,
    ) {
        let target = or_refuse!("lseek", flags::seek_target(whence), reply);
        let offset = u64::try_from(offset).map_err(|_| Error::from(ErrorKind::NoSuchAddress));
        let offset = or_refuse!("lseek", offset, reply);
        self.answer(|vfs| async move {
            answers::offset(vfs.lseek(handle(file), offset, target).await, reply);
        });
    }

    fn copy_file_range(
        &self,
        _request: &Request,
        _source: INodeNo,
        source_file: FileHandle,
        source_offset: u64,
        _target: INodeNo,
        target_file: FileHandle,
        target_offset: u64,
        length: u64,
        _flags: CopyFileRangeFlags,
        reply: ReplyWrite,
    ) {
        self.answer(|vfs| async move {
            let source = (handle(source_file), source_offset);
            let target = (handle(target_file), target_offset);
            let copied = vfs
                .copy_file_range(source, target, length.min(MAX_COPY_BYTES))
                .await;
            answers::written("copy_file_range", copied, reply);
        });
    }
}
