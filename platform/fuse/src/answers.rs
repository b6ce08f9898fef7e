//! Sends results as replies.

use std::time::Duration;

use fuser::{
    Errno, FileHandle, Generation, ReplyAttr, ReplyCreate, ReplyData, ReplyEmpty, ReplyEntry, ReplyIoctl,
    ReplyLseek, ReplyOpen, ReplyStatfs, ReplyWrite, ReplyXattr,
};
use moorage_model::{ErrorKind, Ino, NodeType, Result};
use moorage_vfs::{AttrReply, EntryReply, OpenReply, StatFsReply};

use crate::attributes::{blank, file_attr};
use crate::errno::errno;
use crate::flags::{directory_reply_flags, file_reply_flags};

/// Inode numbers are never used again, so one generation serves.
pub(crate) const GENERATION: Generation = Generation(0);

/// Gives the reply of a failed request its errno.
macro_rules! or_refuse {
    ($request:expr, $result:expr, $reply:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return $reply.error(errno($request, &error)),
        }
    };
}
pub(crate) use or_refuse;

pub(crate) fn empty(request: &'static str, result: Result<()>, reply: ReplyEmpty) {
    or_refuse!(request, result, reply);
    reply.ok();
}

pub(crate) fn entry(request: &'static str, result: Result<EntryReply>, reply: ReplyEntry) {
    let entry = or_refuse!(request, result, reply);
    reply.entry_with_ttls(
        &entry.attr_ttl,
        &entry.entry_ttl,
        &file_attr(entry.ino, &entry.attr),
        GENERATION,
    );
}

/// As [`entry`]; the kernel may remember for `negative_ttl` that a name does not exist.
pub(crate) fn looked_up(result: Result<EntryReply>, negative_ttl: Duration, reply: ReplyEntry) {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound && !negative_ttl.is_zero() => {
            let nothing = blank(Ino(0), NodeType::File);
            reply.entry_with_ttls(&Duration::ZERO, &negative_ttl, &nothing, GENERATION);
        }
        result => entry("lookup", result, reply),
    }
}

pub(crate) fn attributes(request: &'static str, result: Result<AttrReply>, reply: ReplyAttr) {
    let found = or_refuse!(request, result, reply);
    reply.attr(&found.ttl, &file_attr(found.ino, &found.attr));
}

pub(crate) fn link_target(result: Result<Vec<u8>>, reply: ReplyData) {
    let target = or_refuse!("readlink", result, reply);
    reply.data(&target);
}

/// Sends what a read left at the start of its buffer.
pub(crate) fn read(result: Result<usize>, buffer: &[u8], reply: ReplyData) {
    let length = or_refuse!("read", result, reply);
    reply.data(buffer.get(..length).unwrap_or(buffer));
}

pub(crate) fn opened_file(result: Result<OpenReply>, reply: ReplyOpen) {
    let opened = or_refuse!("open", result, reply);
    reply.opened(FileHandle(opened.handle.0), file_reply_flags(opened));
}

pub(crate) fn opened_directory(result: Result<OpenReply>, reply: ReplyOpen) {
    let opened = or_refuse!("opendir", result, reply);
    reply.opened(FileHandle(opened.handle.0), directory_reply_flags(opened));
}

/// fuser knows one lifetime for a created entry, so the shorter one holds for both.
pub(crate) fn created(result: Result<(EntryReply, OpenReply)>, reply: ReplyCreate) {
    let (entry, opened) = or_refuse!("create", result, reply);
    reply.created(
        &entry.attr_ttl.min(entry.entry_ttl),
        &file_attr(entry.ino, &entry.attr),
        GENERATION,
        FileHandle(opened.handle.0),
        file_reply_flags(opened),
    );
}

/// How many bytes were taken; a request never has more than the kernel's 32 bits can say.
pub(crate) fn written<N: TryInto<u32>>(request: &'static str, result: Result<N>, reply: ReplyWrite) {
    let count = or_refuse!(request, result, reply);
    match count.try_into() {
        Ok(count) => reply.written(count),
        Err(_) => reply.error(Errno::EOVERFLOW),
    }
}

pub(crate) fn sizes(result: Result<StatFsReply>, reply: ReplyStatfs) {
    let sizes = or_refuse!("statfs", result, reply);
    reply.statfs(
        sizes.blocks,
        sizes.blocks_free,
        sizes.blocks_free,
        sizes.files,
        sizes.files_free,
        sizes.block_size,
        sizes.name_max,
        sizes.block_size,
    );
}

/// A caller without room asks for the length only.
pub(crate) fn xattr(request: &'static str, result: Result<Vec<u8>>, room: u32, reply: ReplyXattr) {
    let value = or_refuse!(request, result, reply);
    match u32::try_from(value.len()) {
        Ok(length) if room == 0 => reply.size(length),
        Ok(length) if length <= room => reply.data(&value),
        _ => reply.error(Errno::ERANGE),
    }
}

/// Names as listxattr(2) returns them: each ends with a zero byte.
pub(crate) fn joined_names(names: Vec<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(names.iter().map(|name| name.len() + 1).sum());
    for name in names {
        out.extend(name);
        out.push(0);
    }
    out
}

pub(crate) fn offset(result: Result<u64>, reply: ReplyLseek) {
    let offset = or_refuse!("lseek", result, reply);
    match i64::try_from(offset) {
        Ok(offset) => reply.offset(offset),
        Err(_) => reply.error(Errno::EOVERFLOW),
    }
}

pub(crate) fn ioctl(result: Result<Vec<u8>>, reply: ReplyIoctl) {
    let bytes = or_refuse!("ioctl", result, reply);
    reply.ioctl(0, &bytes);
}
