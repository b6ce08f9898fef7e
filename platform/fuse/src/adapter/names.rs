//! Requests about a name in a directory.

use std::ffi::OsStr;
use std::sync::Arc;

use fuser::{INodeNo, RenameFlags, ReplyEmpty, ReplyEntry, Request};
use moorage_model::{Error, ErrorKind, Ino};
use moorage_vfs::{Caller, NewNode, Vfs};

use crate::answers::{self, or_refuse};
use crate::attributes::{node_type, permissions};
use crate::caller::caller;
use crate::errno::errno;
use crate::flags::rename_flags;

/// A name in a directory, and who asks about it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) caller: Caller,
    pub(super) parent: Ino,
    pub(super) name: Vec<u8>,
}

impl Named {
    pub(super) fn of(request: &Request, parent: INodeNo, name: &OsStr) -> Named {
        Named {
            caller: caller(request),
            parent: super::ino(parent),
            name: super::bytes(name),
        }
    }
}

/// The mode of a new node as its creator gives it, and what the creator masks.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewMode {
    pub(super) mode: u32,
    pub(super) umask: u32,
}

pub(super) async fn lookup(vfs: Arc<Vfs>, at: Named, reply: ReplyEntry) {
    let found = vfs.lookup(&at.caller, at.parent, &at.name).await;
    answers::looked_up(found, vfs.options().negative_ttl, reply);
}

pub(super) async fn mknod(vfs: Arc<Vfs>, at: Named, mode: NewMode, rdev: u32, reply: ReplyEntry) {
    let kind = node_type(mode.mode).ok_or_else(|| Error::from(ErrorKind::InvalidArgument));
    let node = NewNode {
        kind: or_refuse!("mknod", kind, reply),
        mode: permissions(mode.mode),
        umask: permissions(mode.umask),
        rdev,
    };
    let made = vfs.mknod(&at.caller, at.parent, &at.name, node).await;
    answers::entry("mknod", made, reply);
}

pub(super) async fn mkdir(vfs: Arc<Vfs>, at: Named, mode: NewMode, reply: ReplyEntry) {
    let (mode, umask) = (permissions(mode.mode), permissions(mode.umask));
    let made = vfs.mkdir(&at.caller, at.parent, &at.name, mode, umask).await;
    answers::entry("mkdir", made, reply);
}

pub(super) async fn symlink(vfs: Arc<Vfs>, at: Named, target: Vec<u8>, reply: ReplyEntry) {
    let made = vfs.symlink(&at.caller, at.parent, &at.name, &target).await;
    answers::entry("symlink", made, reply);
}

pub(super) async fn link(vfs: Arc<Vfs>, source: Ino, at: Named, reply: ReplyEntry) {
    let linked = vfs.link(&at.caller, source, at.parent, &at.name).await;
    answers::entry("link", linked, reply);
}

pub(super) async fn unlink(vfs: Arc<Vfs>, at: Named, reply: ReplyEmpty) {
    answers::empty("unlink", vfs.unlink(&at.caller, at.parent, &at.name).await, reply);
}

pub(super) async fn rmdir(vfs: Arc<Vfs>, at: Named, reply: ReplyEmpty) {
    answers::empty("rmdir", vfs.rmdir(&at.caller, at.parent, &at.name).await, reply);
}

pub(super) async fn rename(
    vfs: Arc<Vfs>,
    source: Named,
    target: (Ino, Vec<u8>),
    how: RenameFlags,
    reply: ReplyEmpty,
) {
    let how = or_refuse!("rename", rename_flags(how), reply);
    let (from, to) = ((source.parent, &source.name[..]), (target.0, &target.1[..]));
    answers::empty("rename", vfs.rename(&source.caller, from, to, how).await, reply);
}
