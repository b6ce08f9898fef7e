//! Requests that open, sync and close files.

use std::pin::pin;
use std::sync::Arc;

use fuser::{ReplyCreate, ReplyEmpty, ReplyOpen};
use moorage_model::{Ino, LockOwner, NodeType};
use moorage_vfs::{Caller, FileHandle, NewNode, OpenFlags, Vfs};

use super::names::{Named, NewMode};
use crate::answers;
use crate::asker::Asker;
use crate::attributes::permissions;
use crate::errno::by_number;

pub(super) async fn open(
    vfs: Arc<Vfs>,
    (caller, asker): (Caller, Asker),
    node: Ino,
    how: OpenFlags,
    reply: ReplyOpen,
) {
    let open = pin!(vfs.open(&caller, node, how));
    let opened = asker.unless_killed(&vfs, open).await;
    answers::opened_file(by_number(opened), reply);
}

pub(super) async fn create(
    vfs: Arc<Vfs>,
    asker: Asker,
    at: Named,
    mode: NewMode,
    how: OpenFlags,
    reply: ReplyCreate,
) {
    let node = NewNode {
        kind: NodeType::File,
        mode: permissions(mode.mode),
        umask: permissions(mode.umask),
        rdev: 0,
    };
    let create = pin!(vfs.create(&at.caller, at.parent, &at.name, node, how));
    let created = asker.unless_killed(&vfs, create).await;
    answers::created(created, reply);
}

pub(super) async fn flush(vfs: Arc<Vfs>, asker: Asker, file: FileHandle, by: LockOwner, reply: ReplyEmpty) {
    let flush = pin!(vfs.flush(file, Some(by)));
    let flushed = asker.unless_stopped(&vfs, flush).await;
    answers::empty("flush", flushed, reply);
}

pub(super) async fn release(vfs: Arc<Vfs>, file: FileHandle, flock_by: Option<LockOwner>, reply: ReplyEmpty) {
    answers::empty("release", vfs.release(file, flock_by).await, reply);
}

pub(super) async fn fsync(vfs: Arc<Vfs>, asker: Asker, file: FileHandle, data_only: bool, reply: ReplyEmpty) {
    let sync = pin!(vfs.fsync(file, data_only));
    let synced = asker.unless_stopped(&vfs, sync).await;
    answers::empty("fsync", synced, reply);
}
