//! Requests about open directories.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use fuser::{INodeNo, ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty, ReplyOpen};
use moorage_model::Ino;
use moorage_vfs::{Caller, FileHandle, Vfs};

use crate::answers::{self, GENERATION, or_refuse};
use crate::asker::Asker;
use crate::attributes::{blank, file_attr, file_type, listed_ttl};
use crate::errno::{by_number, errno};

pub(super) async fn opendir(vfs: Arc<Vfs>, caller: Caller, node: Ino, reply: ReplyOpen) {
    answers::opened_directory(by_number(vfs.opendir(&caller, node).await), reply);
}

pub(super) async fn readdir(vfs: Arc<Vfs>, directory: FileHandle, offset: u64, mut reply: ReplyDirectory) {
    let listed = vfs
        .readdir(directory, offset, false, &mut |item| {
            let name = OsStr::from_bytes(item.name);
            !reply.add(INodeNo(item.ino.0), item.next_cookie, file_type(item.kind), name)
        })
        .await;
    or_refuse!("readdir", listed, reply);
    reply.ok();
}

pub(super) async fn readdirplus(
    vfs: Arc<Vfs>,
    directory: FileHandle,
    offset: u64,
    mut reply: ReplyDirectoryPlus,
) {
    let listed = vfs
        .readdir(directory, offset, true, &mut |item| {
            let (attr, ttl) = match &item.entry {
                Some(entry) => (
                    file_attr(entry.ino, &entry.attr),
                    listed_ttl(entry.attr_ttl, entry.entry_ttl),
                ),
                None => (blank(item.ino, item.kind), Duration::ZERO),
            };
            let name = OsStr::from_bytes(item.name);
            !reply.add(attr.ino, item.next_cookie, name, &ttl, &attr, GENERATION)
        })
        .await;
    or_refuse!("readdirplus", listed, reply);
    reply.ok();
}

pub(super) async fn releasedir(vfs: Arc<Vfs>, directory: FileHandle, reply: ReplyEmpty) {
    answers::empty("releasedir", vfs.releasedir(directory).await, reply);
}

pub(super) async fn fsyncdir(vfs: Arc<Vfs>, asker: Asker, directory: FileHandle, reply: ReplyEmpty) {
    let sync = pin!(vfs.fsyncdir(directory));
    let synced = asker.unless_stopped(&vfs, sync).await;
    answers::empty("fsyncdir", synced, reply);
}
