//! `attr`: the attributes of a node.

use moorage_model::{
    AclId, Attr, DIRECTORY_LENGTH, Error, ErrorKind, Flags, Gid, Ino, NodeType, Result, TierId, Timestamp,
    Uid, check_length,
};
use serde::{Deserialize, Serialize};

use super::is_zero;

/// The permission bits of a mode.
const MODE_BITS: u16 = 0o7777;

/// Attributes as a dump shows them: lengths of files only, and neither parent nor ACLs, which the tree tells.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::dump) struct AttrDocument {
    pub(in crate::dump) inode: u64,
    #[serde(skip_serializing_if = "is_zero")]
    flags: u8,
    #[serde(rename = "type")]
    kind: String,
    mode: u16,
    uid: u32,
    gid: u32,
    atime: i64,
    mtime: i64,
    ctime: i64,
    #[serde(skip_serializing_if = "is_zero")]
    atimensec: u32,
    #[serde(skip_serializing_if = "is_zero")]
    mtimensec: u32,
    #[serde(skip_serializing_if = "is_zero")]
    ctimensec: u32,
    nlink: u32,
    length: u64,
    #[serde(skip_serializing_if = "is_zero")]
    rdev: u32,
    #[serde(skip_serializing_if = "is_zero")]
    tier: u8,
}

impl AttrDocument {
    pub(in crate::dump) fn new(ino: Ino, attr: &Attr) -> AttrDocument {
        AttrDocument {
            inode: ino.0,
            flags: attr.flags.0,
            kind: kind_name(attr.kind).to_owned(),
            mode: attr.mode,
            uid: attr.uid.0,
            gid: attr.gid.0,
            atime: attr.atime.seconds,
            mtime: attr.mtime.seconds,
            ctime: attr.ctime.seconds,
            atimensec: attr.atime.nanoseconds,
            mtimensec: attr.mtime.nanoseconds,
            ctimensec: attr.ctime.nanoseconds,
            nlink: attr.nlink,
            length: if attr.is_file() { attr.length } else { 0 },
            rdev: attr.rdev,
            tier: attr.tier.0,
        }
    }

    /// The trash root of a volume that never had one.
    pub(in crate::dump) fn no_trash() -> AttrDocument {
        AttrDocument {
            inode: Ino::TRASH.0,
            kind: kind_name(NodeType::Directory).to_owned(),
            nlink: 2,
            ..AttrDocument::default()
        }
    }

    /// Whether this is [`AttrDocument::no_trash`].
    pub(in crate::dump) fn is_no_trash(&self) -> bool {
        self.inode == Ino::TRASH.0 && self.mode == 0 && self.ctime == 0
    }

    /// The node as it is before its content is known: without parent and ACLs, with a directory's length.
    ///
    /// # Errors
    /// `Corrupt` for an unknown type, permission bits that do not exist, and a length that no file can have.
    pub(in crate::dump) fn to_attr(&self) -> Result<Attr> {
        let kind = kind_of(&self.kind)?;
        if self.mode > MODE_BITS {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("mode {:o} has bits that are no permissions", self.mode),
            ));
        }
        check_length(self.length)?;
        Ok(Attr {
            flags: Flags(self.flags),
            kind,
            mode: self.mode,
            uid: Uid(self.uid),
            gid: Gid(self.gid),
            atime: Timestamp::new(self.atime, self.atimensec),
            mtime: Timestamp::new(self.mtime, self.mtimensec),
            ctime: Timestamp::new(self.ctime, self.ctimensec),
            nlink: self.nlink,
            length: match kind {
                NodeType::File => self.length,
                NodeType::Directory => DIRECTORY_LENGTH,
                _ => 0,
            },
            rdev: self.rdev,
            parent: Ino::NONE,
            access_acl: AclId(0),
            default_acl: AclId(0),
            tier: TierId(self.tier),
        })
    }
}

/// The name of a kind of node (spec 00-overview section 3).
fn kind_name(kind: NodeType) -> &'static str {
    match kind {
        NodeType::File => "regular",
        NodeType::Directory => "directory",
        NodeType::Symlink => "symlink",
        NodeType::Fifo => "fifo",
        NodeType::BlockDevice => "blockdev",
        NodeType::CharDevice => "chardev",
        NodeType::Socket => "socket",
    }
}

fn kind_of(name: &str) -> Result<NodeType> {
    (1..=7)
        .filter_map(|code| NodeType::from_code(code).ok())
        .find(|kind| kind_name(*kind) == name)
        .ok_or_else(|| Error::new(ErrorKind::Corrupt, format!("a node of the unknown type {name:?}")))
}
