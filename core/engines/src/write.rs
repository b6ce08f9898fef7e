//! Collected writes and what they do to a record.

use moorage_meta::{Key, Record};
use moorage_model::{ChunkIndex, Counter, DirStat, Ino, Quota, QuotaKey, Slice, SliceId};

/// One collected write.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Insert(Key, Record),
    Put(Key, Record),
    Delete(Key),
    Append(Ino, ChunkIndex, Vec<Slice>),
    NewSlice(SliceId, u32),
    AddOwners(SliceId, u32, i64),
    AddCounter(Counter, i64),
    AddDirStat(Ino, DirStat),
    AddQuota(QuotaKey, i64, i64),
}

impl Write {
    /// The record it changes.
    pub(crate) fn key(&self) -> Key {
        match self {
            Write::Insert(key, _) | Write::Put(key, _) | Write::Delete(key) => key.clone(),
            Write::Append(ino, chunk, _) => Key::Chunk(*ino, *chunk),
            Write::NewSlice(id, size) | Write::AddOwners(id, size, _) => Key::SliceRef(*id, *size),
            Write::AddCounter(counter, _) => Key::Counter(*counter),
            Write::AddDirStat(ino, _) => Key::DirStat(*ino),
            Write::AddQuota(key, ..) => Key::Quota(*key),
        }
    }

    /// Whether the record is of the kind that its key names.
    pub(crate) fn fits(&self) -> bool {
        let (Write::Insert(key, record) | Write::Put(key, record)) = self else {
            return true;
        };
        matches!(
            (key, record),
            (Key::Setting, Record::Setting(_))
                | (Key::Counter(_), Record::Counter(_))
                | (Key::Node(_), Record::Node(_))
                | (Key::Edge(..), Record::Edge(_))
                | (Key::Symlink(_), Record::Symlink(_))
                | (Key::Xattr(..), Record::Xattr(_))
                | (Key::Chunk(..), Record::Chunk(_))
                | (Key::SliceRef(..), Record::Owners(_))
                | (Key::DelayedSlices(..), Record::DelayedSlices(_))
                | (Key::Session(_), Record::Session(_))
                | (Key::LegacySession(_), Record::LegacySession(_))
                | (Key::ChangelogLine(_), Record::ChangelogLine(_))
                | (Key::Sustained(..), Record::Sustained)
                | (Key::DeletedFile(..), Record::DeletedFile(_))
                | (Key::FileLock(..), Record::FileLock(_))
                | (Key::RecordLocks(..), Record::RecordLocks(_))
                | (Key::DirStat(_), Record::DirStat(_))
                | (Key::Quota(_), Record::Quota(_))
                | (Key::Detached(_), Record::Detached(_))
                | (Key::Acl(_), Record::Acl(_))
        )
    }

    /// The record after this write.
    pub(crate) fn apply(&self, found: Option<Record>) -> Option<Record> {
        match (self, found) {
            (Write::Insert(_, record) | Write::Put(_, record), _) => Some(record.clone()),
            (Write::Delete(_), _) => None,
            (Write::Append(_, _, slices), Some(Record::Chunk(mut list))) => {
                list.extend_from_slice(slices);
                Some(Record::Chunk(list))
            }
            (Write::Append(_, _, slices), _) => Some(Record::Chunk(slices.clone())),
            (Write::NewSlice(..), _) => Some(Record::Owners(1)),
            (Write::AddOwners(_, _, delta), Some(Record::Owners(owners))) => {
                Some(Record::Owners(owners.saturating_add(*delta)))
            }
            (Write::AddOwners(_, _, delta), _) => Some(Record::Owners(delta.saturating_add(1))),
            (Write::AddCounter(_, delta), Some(Record::Counter(value))) => {
                Some(Record::Counter(value.saturating_add(*delta)))
            }
            (Write::AddCounter(counter, delta), _) => {
                Some(Record::Counter(counter.initial().saturating_add(*delta)))
            }
            (Write::AddDirStat(_, delta), Some(Record::DirStat(mut stat))) => {
                stat += *delta;
                Some(Record::DirStat(stat))
            }
            (Write::AddDirStat(..), found) => found,
            (Write::AddQuota(_, space, inodes), Some(Record::Quota(mut quota))) => {
                quota.used_space = quota.used_space.saturating_add(*space);
                quota.used_inodes = quota.used_inodes.saturating_add(*inodes);
                Some(Record::Quota(quota))
            }
            (Write::AddQuota(QuotaKey::Directory(_), ..), found) => found,
            (Write::AddQuota(_, space, inodes), _) => Some(Record::Quota(Quota {
                used_space: *space,
                used_inodes: *inodes,
                ..Quota::default()
            })),
        }
    }
}
