//! The callbacks of fuser. A trait has one implementation block, so all are here; each turns its arguments into our own
//! types and hands over to the module of its concern, where the request becomes one future of the vfs and a reply.

mod data;
mod directories;
mod files;
mod locks;
mod names;
mod nodes;
mod xattrs;

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
use moorage_model::{Gid, Ino, Uid};
use moorage_vfs::{SetAttrRequest, SetTime, Vfs};
use tokio::runtime::Handle;

use crate::asker::Asker;
use crate::attributes::{permissions, set_time};
use crate::buffers::BufferPool;
use crate::caller::caller;
use crate::session::Negotiation;
use crate::{dispatch, flags};

use names::{Named, NewMode};
use xattrs::XattrOf;

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

    /// As [`Adapter::answer`], for a reply that the kernel caches: what other clients change while the request is under
    /// way is told to the kernel once more when it has the reply.
    fn answer_cached<F: Future<Output = ()> + Send + 'static>(&self, operation: impl FnOnce(Arc<Vfs>) -> F) {
        let asked = self.vfs.asked();
        if !asked.matters() {
            return self.answer(operation);
        }
        self.answer(|vfs| {
            let work = operation(Arc::clone(&vfs));
            async move {
                work.await;
                vfs.answered(asked);
            }
        });
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

fn bytes(name: &OsStr) -> Vec<u8> {
    name.as_bytes().to_vec()
}

impl Filesystem for Adapter {
    fn init(&mut self, _request: &Request, config: &mut KernelConfig) -> std::io::Result<()> {
        self.negotiation.negotiate(config);
        Ok(())
    }

    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.answer_cached(|vfs| names::lookup(vfs, Named::of(request, parent, name), reply));
    }

    fn getattr(&self, _request: &Request, number: INodeNo, _handle: Option<FileHandle>, reply: ReplyAttr) {
        self.answer_cached(|vfs| nodes::getattr(vfs, ino(number), reply));
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
        let file = file.map(handle);
        let asker = Asker::of(request);
        self.answer_cached(|vfs| {
            nodes::setattr(vfs, (caller(request), asker), ino(number), file, change, reply)
        });
    }

    fn readlink(&self, _request: &Request, number: INodeNo, reply: ReplyData) {
        self.answer(|vfs| nodes::readlink(vfs, ino(number), reply));
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
        let mode = NewMode { mode, umask };
        self.answer_cached(|vfs| names::mknod(vfs, Named::of(request, parent, name), mode, rdev, reply));
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
        let mode = NewMode { mode, umask };
        self.answer_cached(|vfs| names::mkdir(vfs, Named::of(request, parent, name), mode, reply));
    }

    fn unlink(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.answer(|vfs| names::unlink(vfs, Named::of(request, parent, name), reply));
    }

    fn rmdir(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.answer(|vfs| names::rmdir(vfs, Named::of(request, parent, name), reply));
    }

    fn symlink(&self, request: &Request, parent: INodeNo, name: &OsStr, target: &Path, reply: ReplyEntry) {
        let target = bytes(target.as_os_str());
        self.answer_cached(|vfs| names::symlink(vfs, Named::of(request, parent, name), target, reply));
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
        let source = Named::of(request, parent, name);
        let target = (ino(newparent), bytes(newname));
        self.answer(|vfs| names::rename(vfs, source, target, how, reply));
    }

    fn link(&self, request: &Request, number: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.answer_cached(|vfs| names::link(vfs, ino(number), Named::of(request, parent, name), reply));
    }

    fn open(&self, request: &Request, number: INodeNo, how: OpenFlags, reply: ReplyOpen) {
        let who = (caller(request), Asker::of(request));
        self.answer(|vfs| files::open(vfs, who, ino(number), flags::open_flags(how.0), reply));
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
        let (mode, how) = (NewMode { mode, umask }, flags::open_flags(how));
        let asker = Asker::of(request);
        self.answer_cached(|vfs| {
            files::create(vfs, asker, Named::of(request, parent, name), mode, how, reply)
        });
    }

    fn read(
        &self,
        request: &Request,
        _number: INodeNo,
        file: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let buffer = self.buffers.take(size as usize);
        let asker = Asker::of(request);
        self.answer(|vfs| data::read(vfs, asker, handle(file), offset, buffer, reply));
    }

    fn write(
        &self,
        request: &Request,
        _number: INodeNo,
        file: FileHandle,
        offset: u64,
        data: &[u8],
        kind: WriteFlags,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        data::write(
            self,
            Asker::of(request),
            (handle(file), offset),
            data,
            kind,
            reply,
        );
    }

    fn flush(&self, request: &Request, _number: INodeNo, file: FileHandle, by: LockOwner, reply: ReplyEmpty) {
        let asker = Asker::of(request);
        self.answer(|vfs| files::flush(vfs, asker, handle(file), owner(by), reply));
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
        self.answer(|vfs| files::release(vfs, handle(file), flock_by.map(owner), reply));
    }

    fn fsync(
        &self,
        request: &Request,
        _number: INodeNo,
        file: FileHandle,
        datasync: bool,
        reply: ReplyEmpty,
    ) {
        let asker = Asker::of(request);
        self.answer(|vfs| files::fsync(vfs, asker, handle(file), datasync, reply));
    }

    fn opendir(&self, request: &Request, number: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        self.answer(|vfs| directories::opendir(vfs, caller(request), ino(number), reply));
    }

    fn readdir(
        &self,
        _request: &Request,
        _number: INodeNo,
        directory: FileHandle,
        offset: u64,
        reply: ReplyDirectory,
    ) {
        self.answer(|vfs| directories::readdir(vfs, handle(directory), offset, reply));
    }

    fn readdirplus(
        &self,
        _request: &Request,
        _number: INodeNo,
        directory: FileHandle,
        offset: u64,
        reply: ReplyDirectoryPlus,
    ) {
        self.answer_cached(|vfs| directories::readdirplus(vfs, handle(directory), offset, reply));
    }

    fn releasedir(
        &self,
        _request: &Request,
        _number: INodeNo,
        directory: FileHandle,
        _flags: OpenFlags,
        reply: ReplyEmpty,
    ) {
        self.answer(|vfs| directories::releasedir(vfs, handle(directory), reply));
    }

    fn fsyncdir(
        &self,
        request: &Request,
        _number: INodeNo,
        directory: FileHandle,
        _datasync: bool,
        reply: ReplyEmpty,
    ) {
        let asker = Asker::of(request);
        self.answer(|vfs| directories::fsyncdir(vfs, asker, handle(directory), reply));
    }

    fn statfs(&self, _request: &Request, number: INodeNo, reply: ReplyStatfs) {
        self.answer(|vfs| nodes::statfs(vfs, ino(number), reply));
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
        let at = XattrOf::of(request, number, name);
        let value = value.to_vec();
        self.answer(|vfs| xattrs::setxattr(vfs, at, value, how, reply));
    }

    fn getxattr(&self, request: &Request, number: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        self.answer(|vfs| xattrs::getxattr(vfs, XattrOf::of(request, number, name), size, reply));
    }

    fn listxattr(&self, _request: &Request, number: INodeNo, size: u32, reply: ReplyXattr) {
        self.answer(|vfs| xattrs::listxattr(vfs, ino(number), size, reply));
    }

    fn removexattr(&self, request: &Request, number: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.answer(|vfs| xattrs::removexattr(vfs, XattrOf::of(request, number, name), reply));
    }

    fn access(&self, request: &Request, number: INodeNo, mask: AccessFlags, reply: ReplyEmpty) {
        self.answer(|vfs| nodes::access(vfs, caller(request), ino(number), mask, reply));
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
        let asked = locks::asked(file, by, (start, end), kind, pid);
        self.answer(|vfs| locks::getlk(vfs, asked, reply));
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
        let asked = locks::asked(file, by, (start, end), kind, pid);
        let (flock, wait) = locks::how(request, sleep);
        self.answer(|vfs| locks::setlk(vfs, asked, flock, wait, reply));
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
        let input = input.to_vec();
        self.answer(|vfs| nodes::ioctl(vfs, caller(request), ino(number), command, input, reply));
    }

    fn fallocate(
        &self,
        request: &Request,
        _number: INodeNo,
        file: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let asker = (caller(request), Asker::of(request));
        self.answer(|vfs| data::fallocate(vfs, asker, handle(file), mode, (offset, length), reply));
    }

    fn lseek(
        &self,
        request: &Request,
        _number: INodeNo,
        file: FileHandle,
        offset: i64,
        whence: i32,
        reply: ReplyLseek,
    ) {
        let asker = Asker::of(request);
        self.answer(|vfs| data::lseek(vfs, asker, handle(file), offset, whence, reply));
    }

    fn copy_file_range(
        &self,
        request: &Request,
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
        let source = (handle(source_file), source_offset);
        let target = (handle(target_file), target_offset);
        let asker = (caller(request), Asker::of(request));
        self.answer(|vfs| data::copy_file_range(vfs, asker, source, target, length, reply));
    }
}
