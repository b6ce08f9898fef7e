//! The attribute record of a node (spec 20-model section 3).

use crate::{AclId, Error, ErrorKind, Gid, Ino, Result, TierId, Timestamp, Uid};

/// Kind of a node; the numbers are the format's type codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum NodeType {
    /// Regular file.
    File = 1,
    /// Directory.
    Directory = 2,
    /// Symbolic link.
    Symlink = 3,
    /// Named pipe.
    Fifo = 4,
    /// Block device.
    BlockDevice = 5,
    /// Character device.
    CharDevice = 6,
    /// Unix socket.
    Socket = 7,
}

impl NodeType {
    /// From the format's type code.
    ///
    /// # Errors
    /// `Corrupt` for a code outside 1 to 7.
    pub fn from_code(code: u8) -> Result<Self> {
        Ok(match code {
            1 => NodeType::File,
            2 => NodeType::Directory,
            3 => NodeType::Symlink,
            4 => NodeType::Fifo,
            5 => NodeType::BlockDevice,
            6 => NodeType::CharDevice,
            7 => NodeType::Socket,
            _ => {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    format!("node type {code} is unknown"),
                ));
            }
        })
    }

    /// The format's type code.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// Flag bits of a node; unknown bits are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// No change of content, entries or name.
    pub const IMMUTABLE: Flags = Flags(0x01);
    /// Only appending writes and new entries.
    pub const APPEND: Flags = Flags(0x02);
    /// Hidden on Windows.
    pub const WINDOWS_HIDDEN: Flags = Flags(0x04);
    /// System file on Windows.
    pub const WINDOWS_SYSTEM: Flags = Flags(0x08);
    /// Archive bit on Windows.
    pub const WINDOWS_ARCHIVE: Flags = Flags(0x10);
    /// Removal bypasses the trash.
    pub const SKIP_TRASH: Flags = Flags(0x20);

    /// Whether all bits of `other` are set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any bit of `other` is set.
    pub fn intersects(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }
}

impl std::ops::BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// Attributes of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attr {
    /// Flag bits.
    pub flags: Flags,
    /// Kind of the node.
    pub kind: NodeType,
    /// The 12 permission bits.
    pub mode: u16,
    /// Owner.
    pub uid: Uid,
    /// Group.
    pub gid: Gid,
    /// Last access.
    pub atime: Timestamp,
    /// Last change of content.
    pub mtime: Timestamp,
    /// Last change of attributes.
    pub ctime: Timestamp,
    /// Number of links; 2 + sub-directories for a directory.
    pub nlink: u32,
    /// Bytes: content of a file, target of a symlink, 4096 for a directory, else 0.
    pub length: u64,
    /// Device number as the kernel delivers it.
    pub rdev: u32,
    /// Parent directory; [`Ino::NONE`] when the file is or was hard-linked.
    pub parent: Ino,
    /// Access ACL rule.
    pub access_acl: AclId,
    /// Default ACL rule of a directory.
    pub default_acl: AclId,
    /// Storage tier of its data.
    pub tier: TierId,
}

/// Bytes up to and including `rdev`; the shortest record of old releases.
const SHORTEST: usize = 63;

impl Attr {
    /// A new node with all times `now`, one link (two for a directory) and the length its kind starts with.
    pub fn new(kind: NodeType, mode: u16, uid: Uid, gid: Gid, now: Timestamp, parent: Ino) -> Self {
        let directory = kind == NodeType::Directory;
        Attr {
            flags: Flags::default(),
            kind,
            mode: mode & 0o7777,
            uid,
            gid,
            atime: now,
            mtime: now,
            ctime: now,
            nlink: if directory { 2 } else { 1 },
            length: if directory { crate::DIRECTORY_LENGTH } else { 0 },
            rdev: 0,
            parent,
            access_acl: AclId(0),
            default_acl: AclId(0),
            tier: TierId(0),
        }
    }

    /// Whether this is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind == NodeType::Directory
    }

    /// Whether this is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == NodeType::File
    }

    /// Whether the node lies in an hourly trash directory.
    pub fn in_trash(&self) -> bool {
        self.parent > Ino::TRASH
    }

    /// Bytes that the node counts in usage (spec 70-semantics section 8).
    pub fn used_space(&self) -> i64 {
        crate::align4k(if self.is_file() { self.length } else { 0 })
    }

    /// The record as Redis and TKV store it: 72, 73, 80 or 81 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(81);
        out.push(self.flags.0);
        out.extend((u16::from(self.kind.code()) << 12 | self.mode & 0xFFF).to_be_bytes());
        out.extend(self.uid.0.to_be_bytes());
        out.extend(self.gid.0.to_be_bytes());
        for time in [self.atime, self.mtime, self.ctime] {
            out.extend(time.seconds.to_be_bytes());
            out.extend(time.nanoseconds.to_be_bytes());
        }
        out.extend(self.nlink.to_be_bytes());
        out.extend(self.length.to_be_bytes());
        out.extend(self.rdev.to_be_bytes());
        out.extend(self.parent.0.to_be_bytes());
        if self.access_acl.0 != 0 || self.default_acl.0 != 0 {
            out.extend(self.access_acl.0.to_be_bytes());
            out.extend(self.default_acl.0.to_be_bytes());
        }
        if self.tier.0 != 0 {
            out.push(self.tier.0);
        }
        out.push(0);
        out
    }

    /// Reads a record of any release.
    ///
    /// # Errors
    /// `Corrupt` when it is too short or names an unknown type.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        if bytes.len() < SHORTEST {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "attribute record of {} bytes, at least {SHORTEST} needed",
                    bytes.len()
                ),
            ));
        }
        let short = || Error::new(ErrorKind::Corrupt, "attribute record ends early");
        let input = &mut bytes;
        let flags = Flags(u8::from_be_bytes(take(input).ok_or_else(short)?));
        let kind_and_mode = u16::from_be_bytes(take(input).ok_or_else(short)?);
        let uid = Uid(u32::from_be_bytes(take(input).ok_or_else(short)?));
        let gid = Gid(u32::from_be_bytes(take(input).ok_or_else(short)?));
        let mut times = [Timestamp::default(); 3];
        for time in &mut times {
            time.seconds = i64::from_be_bytes(take(input).ok_or_else(short)?);
            time.nanoseconds = u32::from_be_bytes(take(input).ok_or_else(short)?);
        }
        let [atime, mtime, ctime] = times;
        let nlink = u32::from_be_bytes(take(input).ok_or_else(short)?);
        let length = u64::from_be_bytes(take(input).ok_or_else(short)?);
        let rdev = u32::from_be_bytes(take(input).ok_or_else(short)?);
        let parent = take(input).map_or(Ino::NONE, |b| Ino(u64::from_be_bytes(b)));
        let acl = take::<8>(input).map_or(0, u64::from_be_bytes);
        let tier = take::<1>(input).map_or(0, u8::from_be_bytes);
        let kind = NodeType::from_code((kind_and_mode >> 12) as u8)?;
        check_length(length)?;
        Ok(Attr {
            flags,
            kind,
            mode: kind_and_mode & 0xFFF,
            uid,
            gid,
            atime,
            mtime,
            ctime,
            nlink,
            length,
            rdev,
            parent,
            access_acl: AclId((acl >> 32) as u32),
            default_acl: AclId(acl as u32),
            tier: TierId(tier),
        })
    }
}

/// Refuses a length that no file can have: sums of such would leave the numbers that records hold.
///
/// # Errors
/// `Corrupt`.
pub fn check_length(length: u64) -> Result<()> {
    if length < crate::MAX_FILE_LENGTH {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Corrupt,
        format!("a length of {length} bytes, which no file can have"),
    ))
}

/// Cuts `N` bytes off the front; `None` and unchanged when fewer remain.
pub(crate) fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = input.split_first_chunk::<N>()?;
    *input = rest;
    Some(*head)
}
