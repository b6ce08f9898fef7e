//! Queries: records, children, pages.

use moorage_meta::Key;
use moorage_model::{Ino, Name};

use super::{Places, Statements};
use crate::relational::{Cell, NODE_COLUMNS, Part, Table, address, first_behind};
use crate::sql::statement::{Statement, owned};

impl Statements {
    /// The values of one record.
    pub(crate) fn get(&self, key: &Key) -> Statement {
        let (table, _) = address(key);
        let mut places = Places::default();
        let condition = self.keyed(key, &mut places);
        let columns = self.values(table).join(", ");
        places.statement(format!(
            "SELECT {columns} FROM {} WHERE {condition}",
            self.table(table)
        ))
    }

    /// An entry (2 columns), its node (19), and whether it is a directory that has entries (1).
    pub(crate) fn child(&self, parent: Ino, name: &Name) -> Statement {
        let mut places = Places::default();
        let (parent, name) = (
            places.add(Cell::bits(parent.0)),
            places.add(Cell::blob(name.as_bytes())),
        );
        let (edge, node) = (self.table(Table::Edge), self.table(Table::Node));
        let columns = self.shown(Table::Node, &NODE_COLUMNS, "n.").join(", ");
        places.statement(format!(
            "SELECT e.inode, e.type, {columns}, \
             CASE WHEN e.type = 2 AND EXISTS (SELECT 1 FROM {edge} AS c WHERE c.parent = e.inode) THEN 1 ELSE 0 END \
             FROM {edge} AS e LEFT JOIN {node} AS n ON n.inode = e.inode \
             WHERE e.parent = {parent} AND e.name = {name}"
        ))
    }

    /// An entry (2 columns) and its node (19).
    pub(crate) fn lookup(&self, parent: Ino, name: &Name) -> Statement {
        let mut places = Places::default();
        let (parent, name) = (
            places.add(Cell::bits(parent.0)),
            places.add(Cell::blob(name.as_bytes())),
        );
        let (edge, node) = (self.table(Table::Edge), self.table(Table::Node));
        let columns = self.shown(Table::Node, &NODE_COLUMNS, "n.").join(", ");
        places.statement(format!(
            "SELECT e.inode, e.type, {columns} FROM {edge} AS e LEFT JOIN {node} AS n ON n.inode = e.inode \
             WHERE e.parent = {parent} AND e.name = {name}"
        ))
    }

    /// A page of a directory: name and entry (3 columns), and with `attributes` the node (19).
    pub(crate) fn list(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: i64,
        attributes: bool,
    ) -> Statement {
        let mut places = Places::default();
        let directory = places.add(Cell::bits(directory.0));
        let first = places.add(Cell::Blob(first_behind(after).into()));
        let limit = places.add(Cell::Int(limit));
        let (columns, join) = if attributes {
            let columns = self.shown(Table::Node, &NODE_COLUMNS, "n.").join(", ");
            let join = format!("LEFT JOIN {} AS n ON n.inode = e.inode", self.table(Table::Node));
            (format!(", {columns}"), join)
        } else {
            (String::new(), String::new())
        };
        let edge = self.table(Table::Edge);
        places.statement(format!(
            "SELECT e.name, e.inode, e.type{columns} FROM {edge} AS e {join} \
             WHERE e.parent = {directory} AND e.name >= {first} ORDER BY e.name LIMIT {limit}"
        ))
    }

    /// A row when the directory has an entry.
    pub(crate) fn any_entry(&self, directory: Ino) -> Statement {
        let mut places = Places::default();
        let directory = places.add(Cell::bits(directory.0));
        places.statement(format!(
            "SELECT 1 FROM {} WHERE parent = {directory} LIMIT 1",
            self.table(Table::Edge)
        ))
    }

    /// Directories that hold a node, and how many of its entries.
    pub(crate) fn parents(&self, ino: Ino) -> Statement {
        let mut places = Places::default();
        let ino = places.add(Cell::bits(ino.0));
        places.statement(format!(
            "SELECT parent, COUNT(*) FROM {} WHERE inode = {ino} GROUP BY parent",
            self.table(Table::Edge)
        ))
    }

    /// Rows of a range behind a position, with the columns of the key and the values.
    pub(crate) fn page(&self, part: &Part, start: Option<Vec<Cell<'_>>>, limit: i64) -> Statement {
        let mut places = Places::default();
        let mut conditions = self.fixed(part, &mut places);
        if let Some(start) = start {
            let position = places.all(start.into_iter().map(owned));
            conditions.push(self.dialect.behind(part.order, &position));
        }
        let condition = match conditions.join(" AND ") {
            none if none.is_empty() => String::new(),
            some => format!("WHERE {some}"),
        };
        let columns: Vec<&str> = part
            .table
            .key()
            .iter()
            .chain(part.table.values())
            .copied()
            .collect();
        let columns = self.shown(part.table, &columns, "").join(", ");
        let limit = places.add(Cell::Int(limit));
        let order = self.dialect.list(part.order);
        places.statement(format!(
            "SELECT {columns} FROM {} {condition} ORDER BY {order} LIMIT {limit}",
            self.table(part.table)
        ))
    }
}
