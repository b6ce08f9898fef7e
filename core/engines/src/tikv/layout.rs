//! Names of keys (spec 50-tkv section 2). Inodes are little-endian in keys, every other number is big-endian.

use moorage_meta::{Key, Scan};
use moorage_model::{AclId, ChunkIndex, Counter, Gid, Ino, Name, QuotaKey, SessionId, SliceId, Uid};

/// Key and value bytes of one volume.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// In front of every key.
    pub(super) prefix: Vec<u8>,
}

/// What a key of the volume stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A record of its own, or the first key of one.
    Record(Key),
    /// The BSD locks of an inode.
    FileLocks(Ino),
    /// The POSIX locks of an inode.
    RecordLocks(Ino),
    /// The number of entries of a hard-linked file in a directory.
    Parent(Ino, Ino),
    /// Described together with another key.
    Companion,
}

/// A range of keys: from the first one up to the second one, which is not in it.
pub(super) type Span = (Vec<u8>, Vec<u8>);

impl Layout {
    fn key(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut key = self.prefix.clone();
        for part in parts {
            key.extend_from_slice(part);
        }
        key
    }

    /// A key that belongs to an inode: `A`, the inode, a letter, and what follows it.
    pub(super) fn of_inode(&self, ino: Ino, letter: u8, rest: &[u8]) -> Vec<u8> {
        self.key(&[b"A", &ino.0.to_le_bytes(), &[letter], rest])
    }

    pub(super) fn node(&self, ino: Ino) -> Vec<u8> {
        self.of_inode(ino, b'I', b"")
    }

    pub(super) fn parent(&self, ino: Ino, directory: Ino) -> Vec<u8> {
        self.of_inode(ino, b'P', &directory.0.to_le_bytes())
    }

    /// Where a line of the changelog is, behind the number of its shard.
    pub(super) fn changelog(&self, shard: u8, version: u64) -> Vec<u8> {
        self.key(&[b"XLOG", &[shard], &version.to_be_bytes()])
    }

    /// The keys of a record: the first one decides whether it exists. None for lines of the changelog, which are found
    /// by their range.
    pub(super) fn keys(&self, key: &Key) -> Vec<Vec<u8>> {
        let le = |ino: &Ino| ino.0.to_le_bytes();
        let session = |letters: &[u8], sid: &SessionId| self.key(&[letters, &sid.0.to_be_bytes()]);
        let one = match key {
            Key::Setting => self.key(&[b"setting"]),
            Key::Counter(counter) => self.key(&[b"C", counter.name().as_bytes()]),
            Key::Node(ino) => self.node(*ino),
            Key::Edge(parent, name) => self.of_inode(*parent, b'D', name.as_bytes()),
            Key::Symlink(ino) => self.of_inode(*ino, b'S', b""),
            Key::Xattr(ino, name) => self.of_inode(*ino, b'X', name),
            Key::Chunk(ino, index) => self.of_inode(*ino, b'C', &index.0.to_be_bytes()),
            Key::SliceRef(id, size) => self.key(&[b"K", &id.0.to_be_bytes(), &size.to_be_bytes()]),
            Key::DelayedSlices(id, deleted) => self.key(&[b"L", &deleted.to_be_bytes(), &id.0.to_be_bytes()]),
            Key::Session(sid) => return vec![session(b"SE", sid), session(b"SI", sid)],
            Key::LegacySession(sid) => session(b"SH", sid),
            Key::Sustained(sid, ino) => self.key(&[b"SS", &sid.0.to_be_bytes(), &le(ino)]),
            Key::DeletedFile(ino, length) => self.key(&[b"D", &le(ino), &length.to_be_bytes()]),
            Key::FileLock(ino, ..) => self.key(&[b"F", &le(ino)]),
            Key::RecordLocks(ino, ..) => self.key(&[b"P", &le(ino)]),
            Key::DirStat(ino) => self.key(&[b"U", &le(ino)]),
            Key::Quota(QuotaKey::Directory(ino)) => self.key(&[b"QD", &le(ino)]),
            Key::Quota(QuotaKey::User(uid)) => self.key(&[b"QU", &u64::from(uid.0).to_be_bytes()]),
            Key::Quota(QuotaKey::Group(gid)) => self.key(&[b"QG", &u64::from(gid.0).to_be_bytes()]),
            Key::Detached(ino) => self.key(&[b"N", &le(ino)]),
            Key::Acl(id) => self.key(&[b"R", &id.0.to_be_bytes()]),
            Key::ChangelogLine(_) => return Vec::new(),
        };
        vec![one]
    }

    /// Every key of the volume.
    pub(super) fn everything(&self) -> Span {
        span(self.prefix.clone())
    }

    /// The keys among which the records of a range are, in their order.
    pub(super) fn spans(&self, range: &Scan) -> Vec<Span> {
        let letters = |letters: &[u8]| vec![span(self.key(&[letters]))];
        let of = |ino: &Ino, letter: u8| vec![span(self.of_inode(*ino, letter, b""))];
        match range {
            Scan::Edges(ino) => of(ino, b'D'),
            Scan::Xattrs(ino) => of(ino, b'X'),
            Scan::Chunks(ino) | Scan::DeletedChunks(ino, _) => of(ino, b'C'),
            Scan::AllEdges | Scan::AllNodes | Scan::AllXattrs | Scan::AllChunks => letters(b"A"),
            Scan::SliceRefs | Scan::DeadSlices => letters(b"K"),
            Scan::DelayedSlices => letters(b"L"),
            Scan::Sessions => letters(b"SE"),
            Scan::LegacySessions => letters(b"SH"),
            Scan::Sustained(sid) => vec![span(self.key(&[b"SS", &sid.0.to_be_bytes()]))],
            Scan::AllSustained => letters(b"SS"),
            Scan::DeletedFiles => letters(b"D"),
            Scan::FileLocks(ino) => vec![span(self.key(&[b"F", &ino.0.to_le_bytes()]))],
            Scan::RecordLocks(ino) => vec![span(self.key(&[b"P", &ino.0.to_le_bytes()]))],
            Scan::SessionLocks(_) => vec![span(self.key(&[b"F"])), span(self.key(&[b"P"]))],
            Scan::DirStats => letters(b"U"),
            Scan::Quotas => letters(b"Q"),
            Scan::Detached => letters(b"N"),
            Scan::Acls => letters(b"R"),
            Scan::Changelog => letters(b"XLOG"),
        }
    }

    /// Numbers of entries per directory of a hard-linked file.
    pub(super) fn parents(&self, ino: Ino) -> Span {
        span(self.of_inode(ino, b'P', b""))
    }

    /// Attributes, parents, symlinks and extended attributes of an inode.
    pub(super) fn attachments(&self, ino: Ino) -> Span {
        (self.of_inode(ino, b'P', b""), self.of_inode(ino, b'X' + 1, b""))
    }

    /// What a key stands for; `None` when it is no key of a volume.
    pub(super) fn named(&self, key: &[u8]) -> Option<Named> {
        let key = key.strip_prefix(self.prefix.as_slice())?;
        let (letter, rest) = key.split_first()?;
        let record = match letter {
            b's' if key == b"setting" => Key::Setting,
            b'C' => Key::Counter(counter(rest)?),
            b'A' => return of_inode(rest),
            b'K' => {
                let (id, size) = rest.split_first_chunk::<8>()?;
                let size = u32::from_be_bytes(size.try_into().ok()?);
                Key::SliceRef(SliceId(u64::from_be_bytes(*id)), size)
            }
            b'L' => {
                let (deleted, id) = rest.split_first_chunk::<8>()?;
                Key::DelayedSlices(SliceId(be(id)?), i64::from_be_bytes(*deleted))
            }
            b'S' => return of_session(rest),
            b'D' => {
                let (ino, length) = rest.split_first_chunk::<8>()?;
                Key::DeletedFile(Ino(u64::from_le_bytes(*ino)), be(length)?)
            }
            b'F' => return Some(Named::FileLocks(le(rest)?)),
            b'P' => return Some(Named::RecordLocks(le(rest)?)),
            b'U' => Key::DirStat(le(rest)?),
            b'Q' => {
                let (kind, id) = rest.split_first()?;
                let number = || u32::try_from(be(id)?).ok();
                Key::Quota(match kind {
                    b'D' => QuotaKey::Directory(le(id)?),
                    b'U' => QuotaKey::User(Uid(number()?)),
                    b'G' => QuotaKey::Group(Gid(number()?)),
                    _ => return None,
                })
            }
            b'N' => Key::Detached(le(rest)?),
            b'R' => Key::Acl(AclId(u32::from_be_bytes(rest.try_into().ok()?))),
            b'X' => {
                let (_, version) = rest.strip_prefix(b"LOG")?.split_first()?;
                Key::ChangelogLine(be(version)?)
            }
            _ => return None,
        };
        Some(Named::Record(record))
    }

    /// A key for messages.
    pub(super) fn shown(&self, key: &[u8]) -> String {
        match self.named(key) {
            Some(Named::Record(record)) => record.to_string(),
            Some(Named::FileLocks(ino)) => format!("the BSD locks of inode {ino}"),
            Some(Named::RecordLocks(ino)) => format!("the POSIX locks of inode {ino}"),
            Some(Named::Parent(ino, directory)) => {
                format!("the number of entries of inode {ino} in directory {directory}")
            }
            Some(Named::Companion) | None => {
                let bytes = key.strip_prefix(self.prefix.as_slice()).unwrap_or(key);
                format!("the key {}", bytes.escape_ascii())
            }
        }
    }
}

/// The key right behind another one.
pub(super) fn behind(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

/// Everything that begins with these bytes.
fn span(first: Vec<u8>) -> Span {
    let mut end = first.clone();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            break;
        }
    }
    (first, end)
}

fn of_inode(rest: &[u8]) -> Option<Named> {
    let (ino, rest) = rest.split_first_chunk::<8>()?;
    let ino = Ino(u64::from_le_bytes(*ino));
    let (letter, rest) = rest.split_first()?;
    Some(Named::Record(match letter {
        b'I' if rest.is_empty() => Key::Node(ino),
        b'D' => Key::Edge(ino, Name::as_stored(rest)),
        b'P' => return Some(Named::Parent(ino, le(rest)?)),
        b'C' => Key::Chunk(ino, ChunkIndex(u32::from_be_bytes(rest.try_into().ok()?))),
        b'S' if rest.is_empty() => Key::Symlink(ino),
        b'X' if !rest.is_empty() => Key::Xattr(ino, rest.to_vec()),
        _ => return None,
    }))
}

fn of_session(rest: &[u8]) -> Option<Named> {
    let (letter, rest) = rest.split_first()?;
    Some(Named::Record(match letter {
        b'E' => Key::Session(SessionId(be(rest)?)),
        b'H' => Key::LegacySession(SessionId(be(rest)?)),
        b'I' => return be(rest).map(|_| Named::Companion),
        b'S' => {
            let (sid, ino) = rest.split_first_chunk::<8>()?;
            Key::Sustained(SessionId(u64::from_be_bytes(*sid)), le(ino)?)
        }
        _ => return None,
    }))
}

fn counter(name: &[u8]) -> Option<Counter> {
    let mut all = Counter::ALL.into_iter();
    all.find(|counter| counter.name().as_bytes() == name)
}

fn le(bytes: &[u8]) -> Option<Ino> {
    Some(Ino(u64::from_le_bytes(bytes.try_into().ok()?)))
}

fn be(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use moorage_model::LockOwner;

    use super::*;

    fn plain() -> Layout {
        Layout { prefix: Vec::new() }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The vectors of spec 50-tkv section 2.
    #[test]
    fn keys_are_those_of_the_format() {
        let ino = Ino(1025);
        let name = Name::new(b"hello").unwrap();
        for (key, expected) in [
            (Key::Node(ino), "41010400000000000049"),
            (Key::Edge(ino, name), "4101040000000000004468656c6c6f"),
            (Key::Chunk(ino, ChunkIndex(3)), "4101040000000000004300000003"),
            (
                Key::SliceRef(SliceId(0x1234), 131_072),
                "4b000000000000123400020000",
            ),
            (
                Key::DeletedFile(ino, 12_345),
                "4401040000000000000000000000003039",
            ),
            (
                Key::DelayedSlices(SliceId(0x1235), 0x6553_f100),
                "4c000000006553f1000000000000001235",
            ),
            (
                Key::Sustained(SessionId(7), ino),
                "535300000000000000070104000000000000",
            ),
            (Key::Quota(QuotaKey::User(Uid(1000))), "515500000000000003e8"),
            (Key::Counter(Counter::NextInode), "436e657874496e6f6465"),
            (Key::Setting, "73657474696e67"),
        ] {
            let first = plain().keys(&key).remove(0);
            assert_eq!(hex(&first), expected, "{key}");
            assert_eq!(plain().named(&first), Some(Named::Record(key)));
        }
        assert_eq!(
            hex(&plain().parent(ino, Ino(1))),
            "410104000000000000500100000000000000"
        );
        assert_eq!(hex(&plain().changelog(5, 9)), "584c4f47050000000000000009");
    }

    #[test]
    fn locks_of_one_inode_share_a_key() {
        let keys = |owner| plain().keys(&Key::FileLock(Ino(7), SessionId(1), LockOwner(owner)));
        assert_eq!(keys(1), keys(2));
        assert_eq!(plain().named(&keys(1)[0]), Some(Named::FileLocks(Ino(7))));
    }

    #[test]
    fn a_span_holds_what_begins_with_its_bytes() {
        assert_eq!(span(b"ab".to_vec()), (b"ab".to_vec(), b"ac".to_vec()));
        assert_eq!(span(vec![1, 0xFF]), (vec![1, 0xFF], vec![2]));
        assert_eq!(span(vec![0xFF]), (vec![0xFF], Vec::new()));
    }

    #[test]
    fn what_no_volume_has_is_no_record() {
        for key in [
            &b""[..],
            b"Z",
            b"A",
            b"A12345678I!",
            b"Kshort",
            b"QX12345678",
            b"SI",
            b"CnoSuch",
        ] {
            assert_eq!(plain().named(key), None, "{}", key.escape_ascii());
        }
    }
}
