//! Requests about the bytes of an open file.

use std::pin::pin;
use std::sync::Arc;

use fuser::{ReplyData, ReplyEmpty, ReplyLseek, ReplyWrite, WriteFlags};
use moorage_model::{Error, ErrorKind};
use moorage_vfs::{Caller, FileHandle, Vfs, WriteOrigin};

use super::Adapter;
use crate::answers::{self, or_refuse};
use crate::asker::Asker;
use crate::buffers::Buffer;
use crate::errno::errno;
use crate::{dispatch, flags};

/// Most bytes that one copy can report: fuser answers in 32 bits, and the next copy starts aligned.
const MAX_COPY_BYTES: u64 = u32::MAX as u64 & !0xFFFF;

pub(super) async fn read(
    vfs: Arc<Vfs>,
    asker: Asker,
    file: FileHandle,
    offset: u64,
    mut buffer: Buffer,
    reply: ReplyData,
) {
    let read = {
        let read = pin!(vfs.read(file, offset, &mut buffer));
        asker.unless_stopped(&vfs, read).await
    };
    answers::read(read, &buffer, reply);
}

/// Not a future: `data` is the FUSE thread's own buffer, so that only a write that has to wait needs a copy.
pub(super) fn write(
    adapter: &Adapter,
    asker: Asker,
    (file, offset): (FileHandle, u64),
    data: &[u8],
    kind: WriteFlags,
    reply: ReplyWrite,
) {
    let origin = WriteOrigin {
        mapped: kind.contains(WriteFlags::FUSE_WRITE_CACHE),
        drops_set_id: kind.contains(WriteFlags::FUSE_WRITE_KILL_SUIDGID),
        at_end: false,
    };
    let at_once = || adapter.vfs.write_now(file, offset, data, origin);
    if let Some(written) = dispatch::now(&adapter.runtime, at_once) {
        answers::written("write", written, reply);
        return;
    }
    let data = adapter.buffers.copy_of(data);
    adapter.answer(|vfs| async move {
        let write = pin!(vfs.write_from(file, offset, &data, origin));
        let written = asker.unless_killed(&vfs, write).await;
        answers::written("write", written, reply);
    });
}

/// `range` is an offset and a length.
pub(super) async fn fallocate(
    vfs: Arc<Vfs>,
    (caller, asker): (Caller, Asker),
    file: FileHandle,
    mode: i32,
    range: (u64, u64),
    reply: ReplyEmpty,
) {
    let mode = or_refuse!("fallocate", flags::fallocate_mode(mode), reply);
    let door = Arc::clone(&vfs);
    let change = async move { door.fallocate(&caller, file, mode, range.0, range.1).await };
    let done = asker.or_leave(&vfs, change).await;
    answers::empty("fallocate", done, reply);
}

pub(super) async fn lseek(
    vfs: Arc<Vfs>,
    asker: Asker,
    file: FileHandle,
    offset: i64,
    whence: i32,
    reply: ReplyLseek,
) {
    let target = or_refuse!("lseek", flags::seek_target(whence), reply);
    let offset = u64::try_from(offset).map_err(|_| Error::from(ErrorKind::NoSuchAddress));
    let offset = or_refuse!("lseek", offset, reply);
    let seek = pin!(vfs.lseek(file, offset, target));
    let found = asker.unless_stopped(&vfs, seek).await;
    answers::offset(found, reply);
}

pub(super) async fn copy_file_range(
    vfs: Arc<Vfs>,
    (caller, asker): (Caller, Asker),
    source: (FileHandle, u64),
    target: (FileHandle, u64),
    length: u64,
    reply: ReplyWrite,
) {
    let length = length.min(MAX_COPY_BYTES);
    let door = Arc::clone(&vfs);
    let copy = async move { door.copy_file_range(&caller, source, target, length).await };
    let copied = asker.or_leave(&vfs, copy).await;
    answers::written("copy_file_range", copied, reply);
}
