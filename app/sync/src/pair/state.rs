//! What is known of a pair: the last state in which both sides were the same, per path.

use std::path::Path;

use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::End;
use super::conflict::Conflict;
use super::schema::{failed, prepare};
use super::settling::of_nanoseconds;
use crate::copy::Digest;
use crate::{RelativePath, Version};

/// Rows read at once.
const PAGE: i64 = 1000;

/// Conflicts that are told of: more than a person settles in one sitting.
const MOST_CONFLICTS: i64 = 100;

/// The database of one pair.
#[derive(Debug)]
pub struct State {
    db: Mutex<Connection>,
}

/// What a side said about a path, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    size: i64,
    modified: i64,
    changed: Option<i64>,
    node: Option<i64>,
}

impl From<Version> for Seen {
    fn from(version: Version) -> Seen {
        Seen {
            size: version.size.cast_signed(),
            modified: version.modified.clamped_nanos(),
            changed: version.changed.map(|time| time.clamped_nanos()),
            node: version.node.map(u64::cast_signed),
        }
    }
}

/// What is known of one side of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Its state.
    pub(super) seen: Seen,
    /// No change can hide behind the same times: the content was read once more after the clock had moved on.
    pub(super) settled: bool,
}

/// A row: both sides had the same content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// Of the content of a file, or the target of a link; `None` for a folder.
    pub(super) digest: Option<Digest>,
    /// When it was noted, nanoseconds since 1970 by the clock of the pair.
    pub(super) seen_at: i64,
    /// The left side.
    pub(super) left: Known,
    /// The right side.
    pub(super) right: Known,
}

impl Base {
    pub(super) fn of(&self, end: End) -> &Known {
        match end {
            End::Left => &self.left,
            End::Right => &self.right,
        }
    }

    pub(super) fn of_mut(&mut self, end: End) -> &mut Known {
        match end {
            End::Left => &mut self.left,
            End::Right => &mut self.right,
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<(Vec<u8>, Base)> {
        let known = |at: usize| {
            Ok::<_, rusqlite::Error>(Known {
                seen: Seen {
                    size: row.get(at)?,
                    modified: row.get(at + 1)?,
                    changed: row.get(at + 2)?,
                    node: row.get(at + 3)?,
                },
                settled: row.get(at + 4)?,
            })
        };
        let base = Base {
            digest: row.get(1)?,
            seen_at: row.get(2)?,
            left: known(3)?,
            right: known(8)?,
        };
        Ok((row.get(0)?, base))
    }
}

/// A path of a listing, as rows are ordered: with `/` at its end when it is a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(Vec<u8>);

impl Key {
    pub(super) fn new(path: &RelativePath, folder: bool) -> Key {
        let mut key = path.as_bytes().to_vec();
        if folder {
            key.push(b'/');
        }
        Key(key)
    }

    fn stored(bytes: Vec<u8>) -> Key {
        Key(bytes)
    }

    pub(super) fn is_folder(&self) -> bool {
        self.0.ends_with(b"/")
    }

    /// The path.
    ///
    /// # Errors
    /// `Corrupt` when the row holds none.
    pub(super) fn path(&self) -> Result<RelativePath> {
        let bytes = self.0.strip_suffix(b"/").unwrap_or(&self.0);
        RelativePath::new(bytes).map_err(|error| {
            Error::new(ErrorKind::Corrupt, "the state of the pair holds what is no path").with_source(error)
        })
    }
}

/// The part of a round that deals with a path; they are done in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Files and links are removed, which makes room for what has their names now.
    RemoveFiles = 1,
    /// Folders are removed, the deepest first.
    RemoveFolders = 2,
    /// Folders are made.
    MakeFolders = 3,
    /// Everything else.
    Files = 4,
}

/// One path of a round.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) key: Key,
    pub(super) phase: Phase,
    /// The person knows that something may be removed for it.
    pub(super) removes: bool,
}

const COLUMNS: &str = "key, digest, seen, left_size, left_modified, left_changed, left_node, left_settled, \
                       right_size, right_modified, right_changed, right_node, right_settled";

impl State {
    /// Opens the state in a file, which is made when it is missing. `left` and `right` name the sides: a state is of use
    /// for the same two only.
    ///
    /// # Errors
    /// `Busy` when another process has it; `InvalidArgument` for another pair's; `VersionMismatch`, `Corrupt`.
    pub fn open(file: &Path, left: &str, right: &str) -> Result<State> {
        let named = |error: Error| error.context(file.display());
        let mut db = Connection::open(file).map_err(|error| named(failed(error)))?;
        prepare(&mut db, left, right).map_err(named)?;
        Ok(State { db: Mutex::new(db) })
    }

    pub(super) fn find(&self, key: &Key) -> Result<Option<Base>> {
        let db = self.db.lock();
        let mut query = db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM synced WHERE key = ?1"))
            .map_err(failed)?;
        let row = query.query_row([&key.0], Base::read).optional().map_err(failed)?;
        Ok(row.map(|(_, base)| base))
    }

    /// A page of rows behind a key.
    pub(super) fn page(&self, after: Option<&Key>) -> Result<Vec<(Key, Base)>> {
        let db = self.db.lock();
        let mut query = db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM synced WHERE key > ?1 ORDER BY key LIMIT {PAGE}"
            ))
            .map_err(failed)?;
        // No key is empty: the root has no row.
        let after = after.map(|key| key.0.as_slice()).unwrap_or_default();
        let rows = query.query_map([after], Base::read).map_err(failed)?;
        rows.map(|row| row.map(|(key, base)| (Key::stored(key), base)).map_err(failed))
            .collect()
    }

    /// How many files and links are known.
    pub(super) fn files(&self) -> Result<u64> {
        let db = self.db.lock();
        let count: i64 = db
            .query_row(
                "SELECT count(*) FROM synced WHERE digest IS NOT NULL",
                [],
                |row| row.get(0),
            )
            .map_err(failed)?;
        Ok(count.unsigned_abs())
    }

    /// Notes rows and forgets others, all together.
    pub(super) fn note(&self, changes: &[(Key, Option<Base>)]) -> Result<()> {
        let mut db = self.db.lock();
        let change = db.transaction().map_err(failed)?;
        {
            let mut put = change
                .prepare_cached(&format!(
                    "INSERT OR REPLACE INTO synced ({COLUMNS}) VALUES \
                     (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
                ))
                .map_err(failed)?;
            let mut remove = change
                .prepare_cached("DELETE FROM synced WHERE key = ?1")
                .map_err(failed)?;
            for (key, base) in changes {
                match base {
                    None => remove.execute([&key.0]).map_err(failed)?,
                    Some(Base {
                        digest,
                        seen_at,
                        left,
                        right,
                    }) => put
                        .execute(params![
                            key.0,
                            digest,
                            seen_at,
                            left.seen.size,
                            left.seen.modified,
                            left.seen.changed,
                            left.seen.node,
                            left.settled,
                            right.seen.size,
                            right.seen.modified,
                            right.seen.changed,
                            right.seen.node,
                            right.settled,
                        ])
                        .map_err(failed)?,
                };
            }
        }
        change.commit().map_err(failed)
    }

    /// Forgets the rows of what the list of work would remove.
    pub(super) fn forget_removals(&self) -> Result<()> {
        let statement = "DELETE FROM synced WHERE key IN (SELECT key FROM work WHERE removes)";
        let db = self.db.lock();
        db.execute(statement, []).map(drop).map_err(failed)
    }

    pub(super) fn note_conflict(&self, conflict: &Conflict) -> Result<()> {
        let Conflict {
            path,
            copy,
            end,
            time,
        } = conflict;
        let row = params![
            copy.as_bytes(),
            *end == End::Left,
            path.as_bytes(),
            time.clamped_nanos()
        ];
        let statement =
            "INSERT OR REPLACE INTO conflicts (copy, on_left, path, noted) VALUES (?1, ?2, ?3, ?4)";
        let db = self.db.lock();
        db.execute(statement, row).map(drop).map_err(failed)
    }

    pub(super) fn forget_conflict(&self, conflict: &Conflict) -> Result<()> {
        let row = params![conflict.copy.as_bytes(), conflict.end == End::Left];
        let db = self.db.lock();
        db.execute("DELETE FROM conflicts WHERE copy = ?1 AND on_left = ?2", row)
            .map(drop)
            .map_err(failed)
    }

    /// The newest conflicts, the last one first.
    pub(super) fn conflicts(&self) -> Result<Vec<Conflict>> {
        let db = self.db.lock();
        let mut query = db
            .prepare_cached("SELECT path, copy, on_left, noted FROM conflicts ORDER BY noted DESC LIMIT ?1")
            .map_err(failed)?;
        let rows = query
            .query_map([MOST_CONFLICTS], |row| {
                Ok((
                    row.get::<_, Vec<u8>>(0)?,
                    row.get::<_, Vec<u8>>(1)?,
                    row.get::<_, bool>(2)?,
                    row.get::<_, i64>(3)?,
                ))
            })
            .map_err(failed)?;
        rows.map(|row| {
            let (path, copy, on_left, noted) = row.map_err(failed)?;
            Ok(Conflict {
                path: RelativePath::new(&path)?,
                copy: RelativePath::new(&copy)?,
                end: if on_left { End::Left } else { End::Right },
                time: of_nanoseconds(noted),
            })
        })
        .collect()
    }

    /// Begins a new list of work.
    pub(super) fn clear_work(&self) -> Result<()> {
        self.db
            .lock()
            .execute("DELETE FROM work", [])
            .map(drop)
            .map_err(failed)
    }

    pub(super) fn add_work(&self, work: &[Work]) -> Result<()> {
        let mut db = self.db.lock();
        let change = db.transaction().map_err(failed)?;
        {
            let mut put = change
                .prepare_cached("INSERT OR REPLACE INTO work (key, phase, removes) VALUES (?1, ?2, ?3)")
                .map_err(failed)?;
            for Work { key, phase, removes } in work {
                put.execute(params![key.0, *phase as i64, removes])
                    .map_err(failed)?;
            }
        }
        change.commit().map_err(failed)
    }

    /// A page of the work of a phase behind a key, in the order in which it is done.
    pub(super) fn work(&self, phase: Phase, after: Option<&Key>) -> Result<Vec<Work>> {
        let (order, behind) = match phase {
            Phase::RemoveFolders => ("DESC", "<"),
            _ => ("ASC", ">"),
        };
        let db = self.db.lock();
        let mut query = db
            .prepare_cached(&format!(
                "SELECT key, removes FROM work WHERE phase = ?1 AND (?2 IS NULL OR key {behind} ?2) \
                 ORDER BY key {order} LIMIT {PAGE}"
            ))
            .map_err(failed)?;
        let rows = query
            .query_map(params![phase as i64, after.map(|key| &key.0)], |row| {
                Ok(Work {
                    key: Key::stored(row.get(0)?),
                    phase,
                    removes: row.get(1)?,
                })
            })
            .map_err(failed)?;
        rows.map(|row| row.map_err(failed)).collect()
    }
}
