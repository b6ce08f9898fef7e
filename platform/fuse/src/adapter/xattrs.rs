//! Requests for extended attributes.

use std::ffi::OsStr;
use std::sync::Arc;

use fuser::{INodeNo, ReplyEmpty, ReplyXattr, Request};
use moorage_model::Ino;
use moorage_vfs::{Caller, Vfs};

use crate::answers::{self, or_refuse};
use crate::caller::caller;
use crate::errno::{by_number, errno};
use crate::flags::xattr_mode;

/// An attribute of a node, and who asks for it.
#[derive(Debug)]
pub(super) struct XattrOf {
    caller: Caller,
    node: Ino,
    name: Vec<u8>,
}

impl XattrOf {
    pub(super) fn of(request: &Request, node: INodeNo, name: &OsStr) -> XattrOf {
        XattrOf {
            caller: caller(request),
            node: super::ino(node),
            name: super::bytes(name),
        }
    }
}

pub(super) async fn setxattr(vfs: Arc<Vfs>, at: XattrOf, value: Vec<u8>, how: i32, reply: ReplyEmpty) {
    let how = or_refuse!("setxattr", xattr_mode(how), reply);
    let set = vfs.setxattr(&at.caller, at.node, &at.name, &value, how).await;
    answers::empty("setxattr", by_number(set), reply);
}

pub(super) async fn getxattr(vfs: Arc<Vfs>, at: XattrOf, room: u32, reply: ReplyXattr) {
    let value = vfs.getxattr(&at.caller, at.node, &at.name).await;
    answers::xattr("getxattr", by_number(value), room, reply);
}

pub(super) async fn listxattr(vfs: Arc<Vfs>, node: Ino, room: u32, reply: ReplyXattr) {
    let names = vfs.listxattr(node).await.map(answers::joined_names);
    answers::xattr("listxattr", by_number(names), room, reply);
}

pub(super) async fn removexattr(vfs: Arc<Vfs>, at: XattrOf, reply: ReplyEmpty) {
    let removed = vfs.removexattr(&at.caller, at.node, &at.name).await;
    answers::empty("removexattr", by_number(removed), reply);
}
