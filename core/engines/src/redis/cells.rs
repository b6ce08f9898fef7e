//! Where a record is: the values it is made of, as Redis holds them (spec 30-redis section 2).

use moorage_meta::{Key, Record, SessionRecord};
use moorage_model::{
    AclRule, Attr, Counter, DelayedSlice, DirStat, Entry, Error, ErrorKind, FileLockKind, Quota, RecordLocks,
    Result, decode_slices,
};
use redis::Cmd;

use super::failure::WRONG_TYPE;
use super::layout::Layout;

/// What to do about a damaged record.
pub(super) const DAMAGE_ADVICE: &str = "Run `moorage fsck` on the volume.";

/// One value that a decision can rest on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Cell {
    /// A string.
    Text(Vec<u8>),
    /// A field of a hash.
    Field(Vec<u8>, Vec<u8>),
    /// All elements of a list, joined; they have one length each. An absent list has none.
    List(Vec<u8>),
    /// The score of a member of a sorted set.
    Score(Vec<u8>, Vec<u8>),
    /// Whether a set has a member: `1`, or absent.
    Member(Vec<u8>, Vec<u8>),
    /// The number of fields of a hash.
    Fields(Vec<u8>),
}

impl Cell {
    /// Letter of the kind in the commit script, key, and member.
    pub(super) fn parts(&self) -> (&'static str, &[u8], &[u8]) {
        match self {
            Cell::Text(key) => ("G", key, b""),
            Cell::Field(key, field) => ("H", key, field),
            Cell::List(key) => ("L", key, b""),
            Cell::Score(key, member) => ("Z", key, member),
            Cell::Member(key, member) => ("S", key, member),
            Cell::Fields(key) => ("N", key, b""),
        }
    }

    /// The command that reads it.
    pub(super) fn read(&self) -> Cmd {
        let mut command = Cmd::new();
        match self {
            Cell::Text(key) => command.arg("GET").arg(key),
            Cell::Field(key, field) => command.arg("HGET").arg(key).arg(field),
            Cell::List(key) => command.arg("LRANGE").arg(key).arg(0).arg(-1),
            Cell::Score(key, member) => command.arg("ZSCORE").arg(key).arg(member),
            Cell::Member(key, member) => command.arg("SISMEMBER").arg(key).arg(member),
            Cell::Fields(key) => command.arg("HLEN").arg(key),
        };
        command
    }

    /// Its key and member, for messages.
    pub(super) fn shown(&self) -> String {
        let (_, key, member) = self.parts();
        let text = format!(
            "{} {}",
            String::from_utf8_lossy(key),
            String::from_utf8_lossy(member)
        );
        text.trim_end().to_owned()
    }

    /// The value in an answer to [`Cell::read`].
    pub(super) fn value(&self, answer: redis::Value) -> Result<Option<Vec<u8>>> {
        use redis::Value;
        Ok(match (self, answer) {
            (_, Value::Nil) => None,
            (_, Value::ServerError(error)) if error.code() == WRONG_TYPE => {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    format!("the key {} holds another type", self.shown()),
                )
                .with_advice(DAMAGE_ADVICE));
            }
            (Cell::Member(..), Value::Int(found)) => (found == 1).then(|| b"1".to_vec()),
            (_, Value::Int(number)) => Some(number.to_string().into_bytes()),
            (_, Value::BulkString(bytes)) => Some(bytes),
            (_, Value::SimpleString(text)) => Some(text.into_bytes()),
            (_, Value::Array(items)) => {
                let mut joined = Vec::new();
                for item in items {
                    match item {
                        Value::BulkString(bytes) => joined.extend_from_slice(&bytes),
                        other => return Err(unexpected(&other)),
                    }
                }
                (!joined.is_empty()).then_some(joined)
            }
            (_, other) => return Err(unexpected(&other)),
        })
    }
}

/// An answer of a kind that the command does not have.
pub(super) fn unexpected(answer: &redis::Value) -> Error {
    let kind = match answer {
        redis::Value::ServerError(error) => format!("error {}", error.code()),
        redis::Value::Nil => "nothing".to_owned(),
        redis::Value::Int(_) => "a number".to_owned(),
        redis::Value::Array(_) => "a list".to_owned(),
        _ => "something else".to_owned(),
    };
    Error::new(
        ErrorKind::Io,
        format!("Redis answered with {kind} where a value was asked for"),
    )
}

/// The cells of a record.
pub(super) fn cells(layout: &Layout, key: &Key) -> Vec<Cell> {
    let field = |name: &str, field: String| Cell::Field(layout.key(name), field.into_bytes());
    match key {
        Key::Setting => vec![Cell::Text(layout.key("setting"))],
        Key::Counter(counter) => vec![Cell::Text(layout.counter(*counter))],
        Key::Node(ino) => vec![Cell::Text(layout.node(*ino))],
        Key::Edge(parent, name) => vec![Cell::Field(layout.directory(*parent), name.as_bytes().to_vec())],
        Key::Symlink(ino) => vec![Cell::Text(layout.numbered("s", ino.0))],
        Key::Xattr(ino, name) => vec![Cell::Field(layout.numbered("x", ino.0), name.clone())],
        Key::Chunk(ino, index) => vec![Cell::List(layout.chunk(*ino, *index))],
        Key::SliceRef(id, size) => vec![field("sliceRef", format!("k{id}_{size}"))],
        Key::DelayedSlices(id, deleted) => vec![field("delSlices", format!("{id}_{deleted}"))],
        Key::Session(sid) => vec![
            Cell::Score(layout.key("allSessions"), sid.to_string().into_bytes()),
            field("sessionInfos", sid.to_string()),
        ],
        // Clients of that age knew no clusters, and the key has no hash tag.
        Key::LegacySession(_) if !layout.prefix.is_empty() => Vec::new(),
        Key::LegacySession(sid) => vec![Cell::Score(b"sessions".to_vec(), sid.to_string().into_bytes())],
        Key::Sustained(sid, ino) => vec![Cell::Member(
            layout.numbered("session", sid.0),
            ino.to_string().into_bytes(),
        )],
        Key::DeletedFile(ino, length) => vec![Cell::Score(
            layout.key("delfiles"),
            format!("{ino}:{length}").into_bytes(),
        )],
        Key::FileLock(ino, sid, owner) => vec![Cell::Field(
            layout.numbered("lockf", ino.0),
            Layout::lock_owner(*sid, *owner),
        )],
        Key::RecordLocks(ino, sid, owner) => vec![Cell::Field(
            layout.numbered("lockp", ino.0),
            Layout::lock_owner(*sid, *owner),
        )],
        Key::DirStat(ino) => ["dirDataLength", "dirUsedSpace", "dirUsedInodes"]
            .map(|name| field(name, ino.to_string()))
            .into(),
        Key::Quota(quota) => {
            let (kind, id) = Layout::quota(*quota);
            ["", "UsedSpace", "UsedInodes"]
                .map(|part| field(&format!("{kind}Quota{part}"), id.clone()))
                .into()
        }
        Key::Detached(ino) => vec![Cell::Score(
            layout.key("detachedNodes"),
            ino.to_string().into_bytes(),
        )],
        Key::Acl(id) => vec![field("acl", id.to_string())],
        // Found by its place in the list, see `survey`.
        Key::ChangelogLine(_) => Vec::new(),
    }
}

/// The record that the values of its cells make; `None` when it does not exist.
///
/// # Errors
/// `Corrupt` naming the record.
pub(super) fn decode(key: &Key, values: &[Option<Vec<u8>>]) -> Result<Option<Record>> {
    record(key, values).map_err(|error| error.context(key).with_advice(DAMAGE_ADVICE))
}

fn record(key: &Key, values: &[Option<Vec<u8>>]) -> Result<Option<Record>> {
    let value = |place: usize| values.get(place).and_then(Option::as_deref);
    let signed = |place: usize| value(place).map(number).transpose();
    let Some(first) = value(0) else {
        return match key {
            // A list of quotas is its used inodes; limits may be missing.
            Key::Quota(_) if value(2).is_some() => quota(values).map(Some),
            Key::DirStat(_) if value(1).is_some() => Ok(Some(Record::DirStat(DirStat {
                length: 0,
                space: signed(1)?.unwrap_or(0),
                inodes: signed(2)?.unwrap_or(0),
            }))),
            _ => Ok(None),
        };
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Some(match key {
        Key::Setting => Record::Setting(text(first)),
        Key::Counter(counter) => Record::Counter(logical(*counter, number(first)?)),
        Key::Node(_) => Record::Node(Attr::decode(first)?),
        Key::Edge(..) => Record::Edge(Entry::decode(first)?),
        Key::Symlink(_) => Record::Symlink(first.to_vec()),
        Key::Xattr(..) => Record::Xattr(first.to_vec()),
        Key::Chunk(..) => Record::Chunk(decode_slices(first)?),
        Key::SliceRef(..) => Record::Owners(number(first)?.saturating_add(1)),
        Key::DelayedSlices(..) => Record::DelayedSlices(DelayedSlice::decode_all(first)?),
        Key::Session(_) => Record::Session(SessionRecord {
            expire: number(first)?,
            info: value(1).map(text).unwrap_or_default(),
        }),
        Key::LegacySession(_) => Record::LegacySession(number(first)?),
        Key::Sustained(..) => Record::Sustained,
        Key::DeletedFile(..) => Record::DeletedFile(number(first)?),
        Key::FileLock(..) => match first {
            [letter] => Record::FileLock(FileLockKind::from_letter(*letter)?),
            _ => {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    "the kind of a lock is not one letter",
                ));
            }
        },
        Key::RecordLocks(..) => Record::RecordLocks(RecordLocks::decode_ranges(first)?),
        Key::DirStat(_) => {
            let Some(space) = signed(1)? else { return Ok(None) };
            Record::DirStat(DirStat {
                length: number(first)?,
                space,
                inodes: signed(2)?.unwrap_or(0),
            })
        }
        Key::Quota(_) if value(2).is_none() => return Ok(None),
        Key::Quota(_) => quota(values)?,
        Key::Detached(_) => Record::Detached(number(first)?),
        Key::Acl(_) => Record::Acl(AclRule::decode(first)?),
        Key::ChangelogLine(_) => Record::ChangelogLine(text(first)),
    }))
}

fn quota(values: &[Option<Vec<u8>>]) -> Result<Record> {
    let value = |place: usize| values.get(place).and_then(Option::as_deref);
    let mut quota = Quota::default();
    if let Some(limits) = value(0) {
        let wrong = || Error::new(ErrorKind::Corrupt, "the limits of a quota are not 16 bytes");
        let (space, rest) = limits.split_first_chunk::<8>().ok_or_else(wrong)?;
        let inodes: [u8; 8] = rest.try_into().map_err(|_| wrong())?;
        quota.max_space = i64::from_be_bytes(*space);
        quota.max_inodes = i64::from_be_bytes(inodes);
    } else {
        quota.max_space = -1;
        quota.max_inodes = -1;
    }
    quota.used_space = value(1).map(number).transpose()?.unwrap_or(0);
    quota.used_inodes = value(2).map(number).transpose()?.unwrap_or(0);
    Ok(Record::Quota(quota))
}

/// A decimal number; scores of sorted sets are whole seconds.
pub(super) fn number(bytes: &[u8]) -> Result<i64> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.parse::<i64>()
        .ok()
        .or_else(|| {
            let score = text.parse::<f64>().ok()?;
            // Seconds are far below 2^53.
            (score.is_finite() && score.abs() < 9e15).then_some(score as i64)
        })
        .ok_or_else(|| Error::new(ErrorKind::Corrupt, format!("{text:?} is no number")))
}

/// What a stored counter means to a verb: Redis keeps the last id of an allocation counter, not the next free one
/// (spec 20-model section 2).
fn logical(counter: Counter, stored: i64) -> i64 {
    stored.saturating_add(i64::from(counter.is_next_free()))
}
