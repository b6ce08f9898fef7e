//! Whole records as commands.

use moorage_meta::{Key, Record};
use moorage_model::{Counter, DelayedSlice, Error, ErrorKind, RecordLocks, Result, Slice};

use super::commit::{Command, Guard};
use super::layout::Layout;

/// Elements that one command pushes; Lua can not unpack many more than 7000.
const PUSHED_AT_ONCE: usize = 1000;

/// A number as Redis keeps it.
pub(super) fn decimal<T: ToString + ?Sized>(number: &T) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// Limits of a quota as stored.
pub(super) fn limits(space: i64, inodes: i64) -> Vec<u8> {
    [space.to_be_bytes(), inodes.to_be_bytes()].concat()
}

/// The commands that append to a slice list.
pub(super) fn push(key: &[u8], slices: &[Slice]) -> Vec<Command> {
    slices
        .chunks(PUSHED_AT_ONCE)
        .map(|part| {
            let elements = part.iter().map(|slice| slice.encode().to_vec()).collect();
            Command::new("RPUSH", key.to_vec(), elements)
        })
        .collect()
}

fn set(key: Vec<u8>, value: Vec<u8>) -> Vec<Command> {
    vec![Command::new("SET", key, vec![value])]
}

/// The commands that store a record in place of the one there.
///
/// # Errors
/// `NotSupported` for records that are only appended.
pub(super) fn store(layout: &Layout, key: &Key, record: &Record) -> Result<Vec<Command>> {
    let hash = |name: &str, field: Vec<u8>, value: Vec<u8>| {
        Command::new("HSET", layout.key(name), vec![field, value])
    };
    let score =
        |key: Vec<u8>, member: Vec<u8>, score: i64| Command::new("ZADD", key, vec![decimal(&score), member]);
    Ok(match (key, record) {
        (Key::Setting, Record::Setting(text)) => set(layout.key("setting"), text.clone().into_bytes()),
        (Key::Counter(counter), Record::Counter(value)) => {
            set(layout.counter(*counter), decimal(&(stored(*counter, *value))))
        }
        (Key::Node(ino), Record::Node(attr)) => set(layout.node(*ino), attr.encode()),
        (Key::Edge(parent, name), Record::Edge(entry)) => vec![Command::new(
            "HSET",
            layout.directory(*parent),
            vec![name.as_bytes().to_vec(), entry.encode().to_vec()],
        )],
        (Key::Symlink(ino), Record::Symlink(target)) => set(layout.numbered("s", ino.0), target.clone()),
        (Key::Xattr(ino, name), Record::Xattr(value)) => vec![Command::new(
            "HSET",
            layout.numbered("x", ino.0),
            vec![name.clone(), value.clone()],
        )],
        (Key::Chunk(ino, index), Record::Chunk(slices)) => {
            let list = layout.chunk(*ino, *index);
            let mut commands = vec![Command::new("DEL", list.clone(), Vec::new())];
            commands.extend(push(&list, slices));
            commands
        }
        (Key::SliceRef(id, size), Record::Owners(owners)) => {
            vec![hash(
                "sliceRef",
                format!("k{id}_{size}").into_bytes(),
                decimal(&(owners - 1)),
            )]
        }
        (Key::DelayedSlices(id, deleted), Record::DelayedSlices(slices)) => vec![hash(
            "delSlices",
            format!("{id}_{deleted}").into_bytes(),
            DelayedSlice::encode_all(slices),
        )],
        (Key::Session(sid), Record::Session(session)) => vec![
            score(layout.key("allSessions"), decimal(&sid), session.expire),
            hash("sessionInfos", decimal(&sid), session.info.clone().into_bytes()),
        ],
        (Key::LegacySession(sid), Record::LegacySession(heartbeat)) => {
            vec![score(b"sessions".to_vec(), decimal(&sid), *heartbeat)]
        }
        (Key::Sustained(sid, ino), Record::Sustained) => vec![Command::new(
            "SADD",
            layout.numbered("session", sid.0),
            vec![decimal(&ino)],
        )],
        (Key::DeletedFile(ino, length), Record::DeletedFile(deleted)) => vec![score(
            layout.key("delfiles"),
            format!("{ino}:{length}").into_bytes(),
            *deleted,
        )],
        (Key::FileLock(ino, sid, owner), Record::FileLock(kind)) => {
            let table = layout.numbered("lockf", ino.0);
            take_lock(
                layout,
                table,
                sid.0,
                Layout::lock_owner(*sid, *owner),
                vec![kind.letter()],
            )
        }
        (Key::RecordLocks(ino, sid, owner), Record::RecordLocks(ranges)) => {
            let locks = RecordLocks {
                session: *sid,
                owner: *owner,
                ranges: ranges.clone(),
            };
            let table = layout.numbered("lockp", ino.0);
            take_lock(
                layout,
                table,
                sid.0,
                Layout::lock_owner(*sid, *owner),
                locks.encode_ranges(),
            )
        }
        (Key::DirStat(ino), Record::DirStat(stat)) => vec![
            hash("dirDataLength", decimal(&ino), decimal(&stat.length)),
            hash("dirUsedSpace", decimal(&ino), decimal(&stat.space)),
            hash("dirUsedInodes", decimal(&ino), decimal(&stat.inodes)),
        ],
        (Key::Quota(key), Record::Quota(quota)) => {
            let (kind, id) = Layout::quota(*key);
            let part = |part: &str, value| hash(&format!("{kind}Quota{part}"), decimal(&id), value);
            vec![
                part("", limits(quota.max_space, quota.max_inodes)),
                part("UsedSpace", decimal(&quota.used_space)),
                part("UsedInodes", decimal(&quota.used_inodes)),
            ]
        }
        (Key::Detached(ino), Record::Detached(added)) => {
            vec![score(layout.key("detachedNodes"), decimal(&ino), *added)]
        }
        (Key::Acl(id), Record::Acl(rule)) => vec![hash("acl", decimal(&id), rule.encode())],
        (key, _) => {
            return Err(Error::new(
                ErrorKind::NotSupported,
                format!("{key} is only appended"),
            ));
        }
    })
}

/// Both kinds of lock are listed under their session, also shared BSD locks, which the original leaves out
/// (spec 30-redis section 3).
fn take_lock(layout: &Layout, table: Vec<u8>, sid: u64, owner: Vec<u8>, value: Vec<u8>) -> Vec<Command> {
    vec![
        Command::new("HSET", table.clone(), vec![owner, value]),
        Command::new("SADD", layout.numbered("locked", sid), vec![table]),
    ]
}

fn leave_lock(layout: &Layout, table: Vec<u8>, sid: u64, owner: Vec<u8>) -> Vec<Command> {
    vec![
        Command::new("HDEL", table.clone(), vec![owner]),
        Command::new("SREM", layout.numbered("locked", sid), vec![table.clone()])
            .only_if(Guard::Absent(table)),
    ]
}

/// The commands that remove a record.
pub(super) fn remove(layout: &Layout, key: &Key) -> Vec<Command> {
    let field = |name: &str, field: Vec<u8>| Command::new("HDEL", layout.key(name), vec![field]);
    let member = |key: Vec<u8>, member: Vec<u8>| Command::new("ZREM", key, vec![member]);
    let whole = |key: Vec<u8>| vec![Command::new("DEL", key, Vec::new())];
    match key {
        Key::Setting => whole(layout.key("setting")),
        Key::Counter(counter) => whole(layout.counter(*counter)),
        Key::Node(ino) => whole(layout.node(*ino)),
        Key::Edge(parent, name) => vec![Command::new(
            "HDEL",
            layout.directory(*parent),
            vec![name.as_bytes().to_vec()],
        )],
        Key::Symlink(ino) => whole(layout.numbered("s", ino.0)),
        Key::Xattr(ino, name) => {
            vec![Command::new(
                "HDEL",
                layout.numbered("x", ino.0),
                vec![name.clone()],
            )]
        }
        Key::Chunk(ino, index) => whole(layout.chunk(*ino, *index)),
        Key::SliceRef(id, size) => vec![field("sliceRef", format!("k{id}_{size}").into_bytes())],
        Key::DelayedSlices(id, deleted) => {
            vec![field("delSlices", format!("{id}_{deleted}").into_bytes())]
        }
        Key::Session(sid) => vec![
            field("sessionInfos", decimal(&sid)),
            member(layout.key("allSessions"), decimal(&sid)),
        ],
        Key::LegacySession(_) if !layout.prefix.is_empty() => Vec::new(),
        Key::LegacySession(sid) => vec![member(b"sessions".to_vec(), decimal(&sid))],
        Key::Sustained(sid, ino) => vec![Command::new(
            "SREM",
            layout.numbered("session", sid.0),
            vec![decimal(&ino)],
        )],
        Key::DeletedFile(ino, length) => {
            vec![member(
                layout.key("delfiles"),
                format!("{ino}:{length}").into_bytes(),
            )]
        }
        Key::FileLock(ino, sid, owner) => {
            let table = layout.numbered("lockf", ino.0);
            leave_lock(layout, table, sid.0, Layout::lock_owner(*sid, *owner))
        }
        Key::RecordLocks(ino, sid, owner) => {
            let table = layout.numbered("lockp", ino.0);
            leave_lock(layout, table, sid.0, Layout::lock_owner(*sid, *owner))
        }
        Key::DirStat(ino) => ["dirDataLength", "dirUsedSpace", "dirUsedInodes"]
            .map(|name| field(name, decimal(&ino)))
            .into(),
        Key::Quota(key) => {
            let (kind, id) = Layout::quota(*key);
            ["", "UsedSpace", "UsedInodes"]
                .map(|part| field(&format!("{kind}Quota{part}"), decimal(&id)))
                .into()
        }
        Key::Detached(ino) => vec![member(layout.key("detachedNodes"), decimal(&ino))],
        Key::Acl(id) => vec![field("acl", decimal(&id))],
        // Lines go from the oldest on; one that another client removed already has another version.
        Key::ChangelogLine(version) => vec![
            Command::new("LPOP", layout.key("txnLog"), Vec::new())
                .only_if(Guard::OldestLine(layout.key("txnLastLog"), *version)),
        ],
    }
}

fn stored(counter: Counter, logical: i64) -> i64 {
    logical.saturating_sub(i64::from(counter.is_next_free()))
}
