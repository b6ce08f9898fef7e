//! Statements that hold rows and fail unless they are what was seen.

use moorage_meta::Key;
use moorage_model::Ino;

use super::{Places, Statements};
use crate::relational::{Cell, Part, Table, address};
use crate::sql::statement::{Row, Statement, Value};

/// How a row is held until the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nobody changes it.
    Shared,
    /// Nobody else decides on it: it is about to be changed.
    Exclusive,
}

impl Statements {
    /// Fails unless the record is what was seen; holds its row when there is one.
    pub(crate) fn require(&self, key: &Key, seen: Option<&Row>, hold: Hold) -> Statement {
        let (table, _) = address(key);
        let mut places = Places::default();
        let mut condition = self.keyed(key, &mut places);
        // A record without values is what it is by being there.
        if let Some(Row(values)) = seen.filter(|_| !table.values().is_empty()) {
            for (column, value) in self.values(table).iter().zip(values) {
                let term = match value {
                    Value::Null => format!("{column} IS NULL"),
                    Value::Int(number) => format!("{column} = {}", places.add(Cell::Int(*number))),
                    Value::Bytes(bytes) => format!("{column} = {}", places.add(Cell::blob(bytes))),
                };
                condition = format!("{condition} AND {term}");
            }
        }
        let lock = match hold {
            Hold::Shared => self.dialect.shared_lock(),
            Hold::Exclusive => "FOR UPDATE",
        };
        let rows = format!("SELECT 1 FROM {} WHERE {condition} {lock}", self.table(table));
        let count = if seen.is_some() { "1" } else { "0" };
        places.statement(self.dialect.require(&rows, count))
    }

    /// Holds a node, whatever it is, against everyone who decides on it.
    pub(crate) fn hold_node(&self, ino: Ino) -> Statement {
        let mut places = Places::default();
        let ino = places.add(Cell::bits(ino.0));
        places.statement(format!(
            "SELECT 1 FROM {} WHERE inode = {ino} FOR UPDATE",
            self.table(Table::Node)
        ))
    }

    /// Fails unless a directory is empty, respectively has an entry.
    pub(crate) fn require_empty(&self, directory: Ino, empty: bool) -> Statement {
        let mut places = Places::default();
        let directory = places.add(Cell::bits(directory.0));
        let rows = format!(
            "SELECT 1 FROM {} WHERE parent = {directory} LIMIT 1 {}",
            self.table(Table::Edge),
            self.dialect.shared_lock()
        );
        places.statement(self.dialect.require(&rows, if empty { "0" } else { "1" }))
    }

    /// Fails unless a part of a range has this many rows.
    pub(crate) fn require_count(&self, part: &Part, count: usize) -> Statement {
        let mut places = Places::default();
        let conditions = match self.fixed(part, &mut places).join(" AND ") {
            none if none.is_empty() => String::new(),
            some => format!("WHERE {some}"),
        };
        let count = places.add(Cell::Int(i64::try_from(count).unwrap_or(i64::MAX)));
        let rows = format!(
            "SELECT 1 FROM {} {conditions} {}",
            self.table(part.table),
            self.dialect.shared_lock()
        );
        places.statement(self.dialect.require(&rows, &count))
    }
}
