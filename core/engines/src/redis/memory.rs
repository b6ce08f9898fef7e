//! Values that this client read or wrote lately, on which a transaction may decide without reading them again.
//!
//! A commit compares everything that was decided on, so a value that has changed since costs a round trip and nothing
//! else: the transaction runs again on what the server says. So does one that is refused, or that changes nothing, since
//! no commit would compare what it decided on.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::time::Instant;

use super::cells::Cell;
use super::commit::{Commit, Guard};

/// Values that are kept: those of the files and directories that a user works on.
const CAPACITY: usize = 16_384;
/// Contested cells that are kept apart.
const MOST_CONTESTED: usize = 1024;
/// Longest value that is kept, bytes: attributes and entries are far shorter, slice lists may be longer.
const LONGEST_VALUE: usize = 4096;
/// How long a value is believed: as long as attributes by default, several times over.
const BELIEVED: Duration = Duration::from_secs(5);
/// How long a value that another client changed is read anew.
const CONTESTED: Duration = Duration::from_secs(1);

/// The value of a cell at a time.
#[derive(Clone, Debug)]
struct Known {
    value: Option<Arc<[u8]>>,
    at: Instant,
}

/// What this client knows of the volume.
#[derive(Debug)]
pub(super) struct Memory {
    values: Cache<Cell, Known>,
    /// When another client's change of a cell was met last.
    contested: Cache<Cell, Instant>,
}

impl Memory {
    pub(super) fn new() -> Memory {
        Memory {
            values: Cache::new(CAPACITY),
            contested: Cache::new(MOST_CONTESTED),
        }
    }

    /// Keeps what the server said of a cell, or what it was made. In the path of every lookup: one insertion and one
    /// copy, unless somebody contests a cell.
    pub(super) fn note(&self, cell: Cell, value: Option<&[u8]>) {
        let short = value.is_none_or(|value| value.len() <= LONGEST_VALUE);
        // Numbers of fields and scores change by commands that do not tell the outcome.
        let kept = short && matches!(cell, Cell::Text(_) | Cell::Field(..) | Cell::List(_));
        if kept && !self.is_contested(&cell) {
            let (value, at) = (value.map(Arc::from), Instant::now());
            self.values.insert(cell, Known { value, at });
        } else {
            self.forget(&cell);
        }
    }

    fn is_contested(&self, cell: &Cell) -> bool {
        !self.contested.is_empty()
            && self
                .contested
                .get(cell)
                .is_some_and(|at| at.elapsed() < CONTESTED)
    }

    /// Another client has changed this cell.
    pub(super) fn contest(&self, cell: &Cell) {
        self.contested.insert(cell.clone(), Instant::now());
        self.forget(cell);
    }

    /// Keeps what a commit has compared and then written.
    pub(super) fn applied(&self, commit: &Commit) {
        for (cell, value) in &commit.seen {
            self.note(cell.clone(), value.as_deref());
        }
        for command in &commit.commands {
            let key = &command.key;
            let always = matches!(command.guard, Guard::Always);
            match (command.name, command.arguments.as_slice()) {
                ("SET", [value]) if always => self.note(Cell::Text(key.clone()), Some(value)),
                ("HSET", [field, value]) if always => {
                    self.note(Cell::Field(key.clone(), field.clone()), Some(value));
                }
                ("HDEL", [field]) if always => self.note(Cell::Field(key.clone(), field.clone()), None),
                ("DEL", []) if always => {
                    self.note(Cell::Text(key.clone()), None);
                    self.note(Cell::List(key.clone()), None);
                }
                ("RPUSH", elements) if always => self.append(Cell::List(key.clone()), elements),
                (_, [field, ..]) => {
                    self.forget(&Cell::Field(key.clone(), field.clone()));
                    self.forget(&Cell::Text(key.clone()));
                }
                (_, []) => self.forget(&Cell::Text(key.clone())),
            }
        }
    }

    fn append(&self, list: Cell, elements: &[Vec<u8>]) {
        match self.values.get(&list) {
            Some(known) => {
                let mut joined = known.value.as_deref().unwrap_or_default().to_vec();
                joined.extend(elements.iter().flatten());
                self.note(list, Some(&joined));
            }
            None => self.forget(&list),
        }
    }

    fn forget(&self, cell: &Cell) {
        self.values.remove(cell);
    }

    /// What a cell held lately; `None` when that is not known.
    pub(super) fn value(&self, cell: &Cell) -> Option<Option<Vec<u8>>> {
        let known = self.values.get(cell)?;
        (known.at.elapsed() < BELIEVED).then(|| known.value.as_deref().map(<[u8]>::to_vec))
    }
}

#[cfg(test)]
mod tests {
    use super::super::commit::Command;
    use super::*;

    fn text(name: &str) -> Cell {
        Cell::Text(name.into())
    }

    fn field(name: &str) -> Cell {
        Cell::Field(b"d1".to_vec(), name.into())
    }

    fn hash(name: &'static str, arguments: &[&str]) -> Command {
        let arguments = arguments.iter().map(|text| (*text).into()).collect();
        Command::new(name, b"d1".to_vec(), arguments)
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_believed_for_a_while() {
        let memory = Memory::new();
        memory.note(text("i2"), Some(b"old"));
        assert_eq!(memory.value(&text("i2")), Some(Some(b"old".to_vec())));
        assert_eq!(memory.value(&text("i3")), None);
        tokio::time::advance(BELIEVED).await;
        assert_eq!(memory.value(&text("i2")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_another_client_changes_is_not_kept_until_it_is_left_alone() {
        let memory = Memory::new();
        memory.note(text("i2"), Some(b"old"));
        memory.contest(&text("i2"));
        memory.note(text("i2"), Some(b"new"));
        assert_eq!(memory.value(&text("i2")), None);
        tokio::time::advance(CONTESTED).await;
        memory.note(text("i2"), Some(b"newer"));
        assert_eq!(memory.value(&text("i2")), Some(Some(b"newer".to_vec())));
    }

    #[tokio::test]
    async fn a_commit_leaves_what_it_wrote() {
        let memory = Memory::new();
        let list = Cell::List(b"c2_0".to_vec());
        memory.applied(&Commit {
            seen: vec![
                (field("gone"), Some(b"e".to_vec())),
                (field("made"), None),
                (field("counted"), Some(b"1".to_vec())),
                (list.clone(), Some(b"aa".to_vec())),
                (text("i2"), Some(b"v".to_vec())),
            ],
            commands: vec![
                hash("HDEL", &["gone"]),
                hash("HSET", &["made", "entry"]),
                hash("HINCRBY", &["counted", "1"]),
                Command::new("RPUSH", b"c2_0".to_vec(), vec![b"bb".to_vec(), b"cc".to_vec()]),
            ],
        });
        assert_eq!(memory.value(&field("gone")), Some(None));
        assert_eq!(memory.value(&field("made")), Some(Some(b"entry".to_vec())));
        assert_eq!(memory.value(&field("counted")), None);
        assert_eq!(memory.value(&list), Some(Some(b"aabbcc".to_vec())));
        assert_eq!(memory.value(&text("i2")), Some(Some(b"v".to_vec())));
    }

    #[tokio::test]
    async fn what_runs_under_a_condition_only_is_not_known_afterwards() {
        let memory = Memory::new();
        let guarded = hash("HSET", &["made", "entry"]).only_if(Guard::Absent(b"other".to_vec()));
        memory.applied(&Commit {
            seen: vec![(field("made"), None)],
            commands: vec![guarded],
        });
        assert_eq!(memory.value(&field("made")), None);
    }
}
