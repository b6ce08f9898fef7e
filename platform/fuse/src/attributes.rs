//! Attributes and times, to and from the kernel's form.

use std::time::{Duration, UNIX_EPOCH};

use fuser::{FileAttr, FileType, INodeNo, TimeOrNow};
use moorage_model::{Attr, Ino, NodeType};
use moorage_vfs::{PREFERRED_IO_BYTES, SetTime, shown_size};

/// Permission bits of a mode; the rest is the kind.
const PERMISSIONS: u32 = 0o7777;

pub(crate) fn file_attr(ino: Ino, attr: &Attr) -> FileAttr {
    let (size, blocks) = shown_size(attr);
    FileAttr {
        ino: INodeNo(ino.0),
        size,
        blocks,
        atime: attr.atime.into(),
        mtime: attr.mtime.into(),
        ctime: attr.ctime.into(),
        crtime: UNIX_EPOCH,
        kind: file_type(attr.kind),
        perm: attr.mode,
        nlink: attr.nlink,
        uid: attr.uid.0,
        gid: attr.gid.0,
        rdev: attr.rdev,
        blksize: PREFERRED_IO_BYTES,
        flags: 0,
    }
}

/// Stands for attributes that nobody has: of a name that does not exist (inode 0), or of an entry listed without them.
pub(crate) fn blank(ino: Ino, kind: NodeType) -> FileAttr {
    FileAttr {
        ino: INodeNo(ino.0),
        size: 0,
        blocks: 0,
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind: file_type(kind),
        perm: 0,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: PREFERRED_IO_BYTES,
        flags: 0,
    }
}

pub(crate) fn file_type(kind: NodeType) -> FileType {
    match kind {
        NodeType::File => FileType::RegularFile,
        NodeType::Directory => FileType::Directory,
        NodeType::Symlink => FileType::Symlink,
        NodeType::Fifo => FileType::NamedPipe,
        NodeType::BlockDevice => FileType::BlockDevice,
        NodeType::CharDevice => FileType::CharDevice,
        NodeType::Socket => FileType::Socket,
    }
}

/// The kind that mknod asks for; `None` for what has a request of its own.
pub(crate) fn node_type(mode: u32) -> Option<NodeType> {
    match mode & libc::S_IFMT {
        libc::S_IFREG | 0 => Some(NodeType::File),
        libc::S_IFIFO => Some(NodeType::Fifo),
        libc::S_IFBLK => Some(NodeType::BlockDevice),
        libc::S_IFCHR => Some(NodeType::CharDevice),
        libc::S_IFSOCK => Some(NodeType::Socket),
        _ => None,
    }
}

pub(crate) fn permissions(mode: u32) -> u16 {
    (mode & PERMISSIONS) as u16
}

pub(crate) fn set_time(time: TimeOrNow) -> SetTime {
    match time {
        TimeOrNow::Now => SetTime::Now,
        TimeOrNow::SpecificTime(time) => SetTime::At(time.into()),
    }
}

/// The lifetime of a listed entry: the listing has room for one that holds for name and attributes.
pub(crate) fn listed_ttl(attr_ttl: Duration, entry_ttl: Duration) -> Duration {
    attr_ttl.min(entry_ttl)
}
