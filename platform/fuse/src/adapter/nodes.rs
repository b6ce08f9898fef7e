//! Requests about a node by its number.

use std::sync::Arc;

use fuser::{AccessFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyIoctl, ReplyStatfs};
use moorage_model::Ino;
use moorage_vfs::{Caller, FileHandle, SetAttrRequest, Vfs};

use crate::asker::Asker;
use crate::errno::by_number;
use crate::{answers, ioctl};

pub(super) async fn getattr(vfs: Arc<Vfs>, node: Ino, reply: ReplyAttr) {
    answers::attributes("getattr", by_number(vfs.getattr(node).await), reply);
}

pub(super) async fn setattr(
    vfs: Arc<Vfs>,
    (caller, asker): (Caller, Asker),
    node: Ino,
    file: Option<FileHandle>,
    change: SetAttrRequest,
    reply: ReplyAttr,
) {
    // Only a new length or modification time waits for what was written before.
    let changed = if change.size.is_some() || change.mtime.is_some() {
        let door = Arc::clone(&vfs);
        let change = async move { door.setattr(&caller, node, file, change).await };
        asker.or_leave(&vfs, change).await
    } else {
        vfs.setattr(&caller, node, file, change).await
    };
    answers::attributes("setattr", by_number(changed), reply);
}

pub(super) async fn readlink(vfs: Arc<Vfs>, node: Ino, reply: ReplyData) {
    answers::link_target(by_number(vfs.readlink(node).await), reply);
}

pub(super) async fn access(vfs: Arc<Vfs>, caller: Caller, node: Ino, mask: AccessFlags, reply: ReplyEmpty) {
    let mask = (mask & (AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK)).bits() as u8;
    answers::empty("access", vfs.access(&caller, node, mask).await, reply);
}

pub(super) async fn statfs(vfs: Arc<Vfs>, node: Ino, reply: ReplyStatfs) {
    answers::sizes(vfs.statfs(node).await, reply);
}

pub(super) async fn ioctl(
    vfs: Arc<Vfs>,
    caller: Caller,
    node: Ino,
    command: u32,
    input: Vec<u8>,
    reply: ReplyIoctl,
) {
    let output = ioctl::run(&vfs, &caller, node, command, &input).await;
    answers::ioctl(output, reply);
}
