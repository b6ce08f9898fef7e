//! Records to store.

use moorage_meta::{Key, Record, SessionRecord};
use moorage_model::{
    AclEntry, AclId, AclRule, Attr, ChunkIndex, Counter, DelayedSlice, DirStat, Entry, FileLockKind, Flags,
    Gid, Ino, LockOwner, MAX_FILE_LENGTH, Name, NodeType, Quota, QuotaKey, RecordLock, RecordLockKind,
    SessionId, Slice, SliceId, TierId, Timestamp, Uid,
};

pub(crate) fn name(bytes: impl AsRef<[u8]>) -> Name {
    Name::new(bytes.as_ref()).unwrap()
}

pub(crate) fn file(parent: Ino) -> Attr {
    Attr::new(
        NodeType::File,
        0o644,
        Uid(1000),
        Gid(100),
        Timestamp::new(1_700_000_000, 123_456_789),
        parent,
    )
}

pub(crate) fn directory(parent: Ino) -> Attr {
    Attr::new(
        NodeType::Directory,
        0o755,
        Uid(0),
        Gid(0),
        Timestamp::new(1_700_000_001, 0),
        parent,
    )
}

pub(crate) fn entry(kind: NodeType, ino: u64) -> Record {
    Record::Edge(Entry { kind, ino: Ino(ino) })
}

pub(crate) fn slice(id: u64, pos: u32, len: u32) -> Slice {
    Slice {
        pos,
        id: SliceId(id),
        size: len,
        off: 0,
        len,
    }
}

/// Attributes with every field at an end of its range that all engines can hold.
pub(crate) fn extreme_attributes() -> Attr {
    Attr {
        flags: Flags(0xFF),
        kind: NodeType::CharDevice,
        mode: 0o7777,
        uid: Uid(0x7FFF_FFFF),
        gid: Gid(0x7FFF_FFFF),
        atime: Timestamp::new(0, 0),
        mtime: Timestamp::new(9_223_372_036, 854_775_807),
        ctime: Timestamp::new(1_700_000_000, 999_999_999),
        nlink: 0x7FFF_FFFF,
        length: MAX_FILE_LENGTH - 1,
        rdev: 0x7FFF_FFFF,
        parent: Ino(0x7FFF_FFFF_1000_0001),
        access_acl: AclId(7),
        default_acl: AclId(9),
        tier: TierId(3),
    }
}

pub(crate) fn rule() -> AclRule {
    AclRule {
        owner: 6,
        group: 4,
        mask: 7,
        other: 4,
        users: vec![
            AclEntry {
                id: 1001,
                permissions: 7,
            },
            AclEntry {
                id: 3,
                permissions: 0,
            },
        ],
        groups: vec![AclEntry {
            id: 100,
            permissions: 5,
        }],
    }
}

/// A record of every kind and another value for it. The names hold bytes that are no UTF-8.
pub(crate) fn of_every_kind() -> Vec<(Key, Record, Record)> {
    let attr = file(Ino::ROOT);
    let usage = |used| Quota {
        max_space: 1 << 40,
        max_inodes: -1,
        used_space: used,
        used_inodes: 3,
    };
    let session = |expire, info: &str| {
        Record::Session(SessionRecord {
            expire,
            info: info.to_owned(),
        })
    };
    let range = |kind, end| {
        Record::RecordLocks(vec![RecordLock {
            kind,
            pid: 4321,
            start: 0,
            end,
        }])
    };
    let delayed = |id| {
        Record::DelayedSlices(vec![
            DelayedSlice {
                id: SliceId(id),
                size: 5
            };
            2
        ])
    };
    let stat = |length| {
        Record::DirStat(DirStat {
            length,
            space: 8192,
            inodes: 2,
        })
    };
    let owner = LockOwner(0xFEDC_BA98_7654_3210);
    vec![
        (
            Key::Setting,
            Record::Setting("{\"Name\": \"\u{e4}\"}".to_owned()),
            Record::Setting("{}".to_owned()),
        ),
        (
            Key::Counter(Counter::NextCleanupSlices),
            Record::Counter(1_700_000_000),
            Record::Counter(5),
        ),
        (
            Key::Node(Ino(7)),
            Record::Node(attr.clone()),
            Record::Node(extreme_attributes()),
        ),
        (
            Key::Edge(Ino(1), name(b"\xFF\x01 not UTF-8")),
            entry(NodeType::File, 7),
            entry(NodeType::Directory, 8),
        ),
        (
            Key::Symlink(Ino(9)),
            Record::Symlink(b"../\xFE".to_vec()),
            Record::Symlink(vec![b'x'; 4095]),
        ),
        (
            Key::Xattr(Ino(7), b"user.key".to_vec()),
            Record::Xattr(vec![0]),
            Record::Xattr(vec![0; 65_535]),
        ),
        (
            Key::Chunk(Ino(7), ChunkIndex(3)),
            Record::Chunk(vec![slice(1, 0, 4096), Slice::hole(100, 1000)]),
            Record::Chunk(vec![slice(0x1234_5678_9ABC, 4096, 8192)]),
        ),
        (
            Key::SliceRef(SliceId(77), 4096),
            Record::Owners(2),
            Record::Owners(0),
        ),
        (
            Key::DelayedSlices(SliceId(78), 1_700_000_000),
            delayed(5),
            delayed(6),
        ),
        (
            Key::Session(SessionId(4)),
            session(1_700_000_300, "{\"Version\":\"1\"}"),
            session(1, ""),
        ),
        (
            Key::Sustained(SessionId(4), Ino(7)),
            Record::Sustained,
            Record::Sustained,
        ),
        (
            Key::DeletedFile(Ino(11), 1 << 40),
            Record::DeletedFile(1_700_000_000),
            Record::DeletedFile(1),
        ),
        (
            Key::FileLock(Ino(7), SessionId(4), owner),
            Record::FileLock(FileLockKind::Shared),
            Record::FileLock(FileLockKind::Exclusive),
        ),
        (
            Key::RecordLocks(Ino(7), SessionId(4), owner),
            range(RecordLockKind::Write, 99),
            range(RecordLockKind::Read, RecordLock::TO_END),
        ),
        (Key::DirStat(Ino(1)), stat(-5), stat(1 << 50)),
        (
            Key::Quota(QuotaKey::Directory(Ino(1))),
            Record::Quota(usage(-4096)),
            Record::Quota(usage(1)),
        ),
        (
            Key::Quota(QuotaKey::User(Uid(5))),
            Record::Quota(usage(0)),
            Record::Quota(usage(2)),
        ),
        (
            Key::Quota(QuotaKey::Group(Gid(5))),
            Record::Quota(usage(0)),
            Record::Quota(usage(3)),
        ),
        (
            Key::Detached(Ino(12)),
            Record::Detached(1_700_000_000),
            Record::Detached(2),
        ),
        (
            Key::Acl(AclId(3)),
            Record::Acl(rule()),
            Record::Acl(AclRule::default()),
        ),
    ]
}
