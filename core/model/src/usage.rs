//! Usage numbers: directory statistics and quotas (spec 20-model section 11).

use std::fmt;

use crate::{Gid, Ino, Uid};

/// Bytes that content of `length` counts: 4096 when empty, else rounded up to 4096.
pub fn align4k(length: u64) -> i64 {
    let units = length.div_ceil(4096).max(1);
    i64::try_from(units.saturating_mul(4096)).unwrap_or(i64::MAX)
}

/// Statistics of a directory's direct children; also the difference one operation makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DirStat {
    /// Sum of the lengths of regular files, bytes.
    pub length: i64,
    /// Sum of the space that entries count, bytes.
    pub space: i64,
    /// Number of entries.
    pub inodes: i64,
}

impl DirStat {
    /// Whether nothing would change.
    pub fn is_zero(&self) -> bool {
        *self == DirStat::default()
    }
}

impl std::ops::AddAssign for DirStat {
    fn add_assign(&mut self, other: DirStat) {
        self.length = self.length.saturating_add(other.length);
        self.space = self.space.saturating_add(other.space);
        self.inodes = self.inodes.saturating_add(other.inodes);
    }
}

impl std::ops::Neg for DirStat {
    type Output = DirStat;
    fn neg(self) -> DirStat {
        DirStat {
            length: -self.length,
            space: -self.space,
            inodes: -self.inodes,
        }
    }
}

/// Whom a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QuotaKey {
    /// Everything below a directory.
    Directory(Ino),
    /// Everything a user owns.
    User(Uid),
    /// Everything a group owns.
    Group(Gid),
}

impl QuotaKey {
    /// The number of its kind in the format: 0 directory, 1 user, 2 group.
    pub fn code(self) -> u8 {
        match self {
            QuotaKey::Directory(_) => 0,
            QuotaKey::User(_) => 1,
            QuotaKey::Group(_) => 2,
        }
    }

    /// The inode, uid or gid.
    pub fn id(self) -> u64 {
        match self {
            QuotaKey::Directory(ino) => ino.0,
            QuotaKey::User(uid) => u64::from(uid.0),
            QuotaKey::Group(gid) => u64::from(gid.0),
        }
    }
}

impl fmt::Display for QuotaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QuotaKey::Directory(ino) => write!(f, "directory {ino}"),
            QuotaKey::User(uid) => write!(f, "user {uid}"),
            QuotaKey::Group(gid) => write!(f, "group {gid}"),
        }
    }
}

/// Limits and usage; a limit of 0 or less is none (-1 is written).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Largest space in bytes.
    pub max_space: i64,
    /// Largest number of inodes.
    pub max_inodes: i64,
    /// Space in use, bytes.
    pub used_space: i64,
    /// Inodes in use.
    pub used_inodes: i64,
}

impl Default for Quota {
    fn default() -> Self {
        Quota {
            max_space: -1,
            max_inodes: -1,
            used_space: 0,
            used_inodes: 0,
        }
    }
}

impl Quota {
    /// Whether anything is limited.
    pub fn has_limits(&self) -> bool {
        self.max_space > 0 || self.max_inodes > 0
    }

    /// Whether growing by these amounts would pass a limit. Shrinking never does. A figure below zero, which clients
    /// that died or missed something leave behind, makes no room beyond the limit.
    pub fn exceeded_by(&self, space: i64, inodes: i64) -> bool {
        let over =
            |max: i64, used: i64, delta: i64| max > 0 && delta > 0 && used.max(0).saturating_add(delta) > max;
        over(self.max_space, self.used_space, space) || over(self.max_inodes, self.used_inodes, inodes)
    }
}
