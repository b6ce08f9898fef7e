//! The decoders of what a Redis server holds, for their fuzz targets alone: nothing else builds with `--cfg fuzzing`.

use moorage_meta::{Key, Scan};
use moorage_model::{
    AclId, ChunkIndex, Counter, Ino, LockOwner, Name, QuotaKey, Result, SessionId, SliceId, Uid,
};

use super::cells::{cells, decode};
use super::layout::Layout;
use super::names::{
    acl_key, chunk_key, delayed_key, deleted_file, field_key, lock_range, quota_key, slice_key,
};

/// One key of every kind.
fn keys() -> Result<Vec<Key>> {
    let (ino, sid, owner, slice) = (Ino(7), SessionId(3), LockOwner(0xAB), SliceId(33));
    Ok(vec![
        Key::Setting,
        Key::Counter(Counter::NextInode),
        Key::Counter(Counter::UsedSpace),
        Key::Node(ino),
        Key::Edge(ino, Name::new(b"name")?),
        Key::Symlink(ino),
        Key::Xattr(ino, b"user.a".to_vec()),
        Key::Chunk(ino, ChunkIndex(1)),
        Key::SliceRef(slice, 4096),
        Key::DelayedSlices(slice, 1_700_000_000),
        Key::Session(sid),
        Key::LegacySession(sid),
        Key::Sustained(sid, ino),
        Key::DeletedFile(ino, 5),
        Key::FileLock(ino, sid, owner),
        Key::RecordLocks(ino, sid, owner),
        Key::DirStat(ino),
        Key::Quota(QuotaKey::Directory(ino)),
        Key::Quota(QuotaKey::User(Uid(1000))),
        Key::Detached(ino),
        Key::Acl(AclId(2)),
    ])
}

/// Decodes a record of the kind with this number from as many values as it has, in turn; `None` when there is no such
/// kind. Whatever they hold, the answer is a record or an error.
pub fn decode_values(kind: usize, values: &[Option<Vec<u8>>]) -> Option<Result<()>> {
    let key = keys().ok()?.into_iter().nth(kind)?;
    let count = cells(&Layout::default(), &key).len();
    let values: Vec<_> = (0..count)
        .map(|place| values.get(place).cloned().flatten())
        .collect();
    Some(decode(&key, &values).map(drop))
}

/// What a field, member or key stands for wherever it may occur. A key that is found leads to cells with that name.
pub fn decode_name(name: &[u8]) -> usize {
    let ino = Ino(7);
    let ranges = [
        Scan::Edges(ino),
        Scan::Xattrs(ino),
        Scan::FileLocks(ino),
        Scan::RecordLocks(ino),
    ];
    let mut found: Vec<Key> = ranges.iter().filter_map(|range| field_key(range, name)).collect();
    found.extend(
        [slice_key, delayed_key, acl_key, chunk_key, deleted_file]
            .iter()
            .filter_map(|key| key(name)),
    );
    found.extend(
        ["dir", "user", "group"]
            .iter()
            .filter_map(|kind| quota_key(kind, name)),
    );
    let layout = Layout::default();
    let mut cells_found = usize::from(lock_range(name).is_some());
    for key in found {
        cells_found += cells(&layout, &key).len();
    }
    cells_found
}
