//! A transaction as the statements of one round trip: hold and compare what was decided on, in one order for all
//! clients, then write.

use std::collections::{BTreeMap, BTreeSet};

use moorage_meta::{Key, Scan};
use moorage_model::{Error, ErrorKind, Result};

use super::statement::Statement;
use super::statements::{Hold, Statements};
use super::txn::Seen;
use crate::collected::{Change, Collected};
use crate::relational::parts;
use crate::sums::{Sums, is_summed};
use crate::write::Write;

/// What a commit sends.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) statements: Vec<Statement>,
    /// What each statement is about, for the message of a conflict.
    subjects: Vec<String>,
    /// Relative changes that follow a moment later.
    pub(super) sums: Sums,
    /// Records of sums that this commit stores or removes.
    pub(super) replaced: Vec<Key>,
}

impl Batch {
    /// For what was seen and written.
    ///
    /// # Errors
    /// `InvalidArgument` when a record is not of the kind that its key names.
    pub(super) fn new(statements: &Statements, seen: &Seen, collected: &Collected) -> Result<Batch> {
        let mut batch = Batch::default();
        let written: BTreeSet<Key> = collected.changes.iter().filter_map(written_key).collect();
        batch.compare(statements, seen, collected, &written);
        batch.write(statements, seen, collected)?;
        if let Some(statement) = statements.tell(collected) {
            batch.push(statement, "who listens");
        }
        Ok(batch)
    }

    /// What a failed statement is about.
    pub(super) fn subject(&self, statement: Option<usize>) -> &str {
        statement
            .and_then(|at| self.subjects.get(at))
            .map_or("a record", String::as_str)
    }

    fn push(&mut self, statement: Statement, subject: &(impl ToString + ?Sized)) {
        self.statements.push(statement);
        self.subjects.push(subject.to_string());
    }

    /// Nodes first, in the order of their numbers: they stand for what belongs to them. What is written is held
    /// exclusively from the start, since two that share a row could not both go on to write it.
    fn compare(
        &mut self,
        statements: &Statements,
        seen: &Seen,
        collected: &Collected,
        written: &BTreeSet<Key>,
    ) {
        let nodes: BTreeSet<Key> = seen
            .records
            .keys()
            .filter(|key| matches!(key, Key::Node(_)))
            .cloned()
            .chain(seen.held.iter().map(|ino| Key::Node(*ino)))
            .collect();
        let others = seen.records.keys().filter(|key| !matches!(key, Key::Node(_)));
        for key in nodes.iter().chain(others) {
            let held = matches!(key, Key::Node(ino) if seen.held.contains(ino));
            let Some(row) = seen.records.get(key) else {
                if let Key::Node(ino) = key {
                    self.push(statements.hold_node(*ino), key);
                }
                continue;
            };
            // An insertion of a record that was absent fails by itself when it is there by now.
            if row.is_none() && is_first_an_insertion(collected, key) {
                continue;
            }
            let hold = if held || written.contains(key) {
                Hold::Exclusive
            } else {
                Hold::Shared
            };
            self.push(statements.require(key, row.as_ref(), hold), key);
        }
        for (directory, empty) in &seen.empty {
            self.push(
                statements.require_empty(*directory, *empty),
                &format!("the entries of directory {directory}"),
            );
        }
        for (range, count) in &seen.ranges {
            for part in one_part(range) {
                self.push(
                    statements.require_count(&part, *count),
                    &format!("the range {range:?}"),
                );
            }
        }
    }

    fn write(&mut self, statements: &Statements, seen: &Seen, collected: &Collected) -> Result<()> {
        // Whether records are there, as far as it is known.
        let mut there: BTreeMap<Key, bool> = seen
            .records
            .iter()
            .map(|(key, row)| (key.clone(), row.is_some()))
            .collect();
        for change in &collected.changes {
            match change {
                Change::Record(write) => self.write_record(statements, &mut there, write)?,
                Change::Attachments(ino) => self.push(
                    statements.delete_xattrs(*ino),
                    &format!("the extended attributes of inode {ino}"),
                ),
                Change::Line(line) => self.push(statements.append_changelog(line), "the changelog"),
                // Parents are found through the index of the entries.
                Change::Parent(..) => {}
            }
        }
        Ok(())
    }

    fn write_record(
        &mut self,
        statements: &Statements,
        there: &mut BTreeMap<Key, bool>,
        write: &Write,
    ) -> Result<()> {
        let key = write.key();
        if !write.fits() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("{key} can not hold that: {write:?}"),
            ));
        }
        if is_summed(&key) && matches!(write, Write::Insert(..) | Write::Put(..) | Write::Delete(_)) {
            self.sums.forget(&key);
            self.replaced.push(key.clone());
        }
        let statement = match write {
            Write::Insert(key, record) => statements.insert(key, record)?,
            Write::Put(key, record) => match there.get(key) {
                Some(true) => match statements.update(key, record)? {
                    Some(update) => update,
                    None => return Ok(()),
                },
                Some(false) => statements.insert(key, record)?,
                None => statements.put(key, record)?,
            },
            Write::Delete(key) => {
                if there.get(key) == Some(&false) {
                    return Ok(());
                }
                statements.delete(key)
            }
            Write::Append(ino, chunk, slices) => statements.append(*ino, *chunk, slices),
            Write::NewSlice(id, size) => statements.new_slice(*id, *size),
            Write::AddOwners(id, size, delta) => statements.add_owners(*id, *size, *delta),
            Write::AddCounter(..) | Write::AddDirStat(..) | Write::AddQuota(..) if is_summed(&key) => {
                self.sums.add(write);
                return Ok(());
            }
            Write::AddCounter(counter, delta) => {
                for statement in statements.add_counter(*counter, *delta, false) {
                    self.push(statement, &key);
                }
                return Ok(());
            }
            Write::AddDirStat(..) | Write::AddQuota(..) => return Ok(()),
        };
        there.insert(key.clone(), !matches!(write, Write::Delete(_)));
        self.push(statement, &key);
        Ok(())
    }
}

fn written_key(change: &Change) -> Option<Key> {
    match change {
        Change::Record(write) => Some(write.key()),
        _ => None,
    }
}

/// Whether the first write to a record, absent before, is an insertion.
fn is_first_an_insertion(collected: &Collected, key: &Key) -> bool {
    let first = collected.changes.iter().find_map(|change| match change {
        Change::Record(write) if write.key() == *key => Some(write),
        _ => None,
    });
    matches!(first, Some(Write::Insert(..) | Write::Put(..)))
}

/// The table of a range of locks; others of several tables are not decided on.
fn one_part(range: &Scan) -> Vec<crate::relational::Part> {
    let mut parts = parts(range);
    parts.truncate(1);
    parts
}

/// Statements that write sums.
pub(super) fn sum_statements(sums: &Sums, statements: &Statements) -> Vec<Statement> {
    let mut all = Vec::new();
    for change in sums.changes() {
        match change {
            Write::AddCounter(counter, delta) => all.extend(statements.add_counter(*counter, *delta, false)),
            Write::AddDirStat(ino, delta) => all.push(statements.add_dir_stat(*ino, *delta)),
            Write::AddQuota(quota, space, inodes) => all.push(statements.add_quota(*quota, *space, *inodes)),
            _ => {}
        }
    }
    all
}
