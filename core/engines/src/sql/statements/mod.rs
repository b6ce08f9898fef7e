//! Every statement on records, in both dialects.

mod catalog;
mod compare;
mod numbers;
mod read;
mod tell;
mod write;

use std::sync::Arc;

pub(crate) use compare::Hold;
use moorage_meta::Key;
use parking_lot::RwLock;
pub(crate) use tell::{Heard, Listening};
use uuid::Uuid;

use super::dialect::Dialect;
use super::statement::{Statement, owned};
use crate::relational::{Cell, Part, Table, address};

/// Writes statements for the tables of one volume.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) dialect: Dialect,
    /// Schema that qualifies the tables, where the URL names one.
    pub(crate) schema: Option<String>,
    /// What the names of tables begin with.
    pub(crate) prefix: String,
    /// Node columns that an older release did not make; a literal 0 stands for them (spec 40-sql section 2).
    missing: RwLock<Arc<[String]>>,
    /// Tells what this client sends from what others do.
    origin: String,
}

/// Gives the places of a statement their numbers.
#[derive(Default)]
struct Places {
    cells: Vec<Cell<'static>>,
}

impl Places {
    fn add(&mut self, cell: Cell<'_>) -> String {
        self.cells.push(owned(cell));
        format!("${}", self.cells.len())
    }

    fn all(&mut self, cells: impl IntoIterator<Item = Cell<'static>>) -> Vec<String> {
        cells.into_iter().map(|cell| self.add(cell)).collect()
    }

    fn statement(self, text: String) -> Statement {
        Statement {
            text,
            cells: self.cells,
        }
    }
}

impl Statements {
    pub(crate) fn new(dialect: Dialect, schema: Option<String>, prefix: String) -> Statements {
        Statements {
            dialect,
            schema,
            prefix,
            missing: RwLock::new(Arc::from([])),
            origin: Uuid::new_v4().simple().to_string(),
        }
    }

    /// Notes the node columns that the database lacks.
    pub(crate) fn set_missing(&self, columns: Vec<String>) {
        *self.missing.write() = columns.into();
    }

    /// A table by its name without the prefix.
    pub(crate) fn named(&self, table: &str) -> String {
        let name = self.dialect.quoted(&format!("{}{table}", self.prefix));
        match &self.schema {
            Some(schema) => format!("{}.{name}", self.dialect.quoted(schema)),
            None => name,
        }
    }

    fn table(&self, table: Table) -> String {
        self.named(table.name())
    }

    /// Columns as a query shows them, those of a joined table behind `alias`.
    fn shown(&self, table: Table, columns: &[&str], alias: &str) -> Vec<String> {
        let missing = Arc::clone(&self.missing.read());
        columns
            .iter()
            .map(|column| {
                if table == Table::Node && missing.iter().any(|name| name == column) {
                    "0".to_owned()
                } else {
                    format!("{alias}{}", self.dialect.quoted(column))
                }
            })
            .collect()
    }

    fn values(&self, table: Table) -> Vec<String> {
        match table.values() {
            [] => vec!["1".to_owned()],
            columns => self.shown(table, columns, ""),
        }
    }

    fn keyed(&self, key: &Key, places: &mut Places) -> String {
        let (table, cells) = address(key);
        let terms: Vec<String> = table
            .key()
            .iter()
            .zip(cells)
            .map(|(column, cell)| format!("{} = {}", self.dialect.quoted(column), places.add(cell)))
            .collect();
        terms.join(" AND ")
    }

    fn fixed(&self, part: &Part, places: &mut Places) -> Vec<String> {
        let equal = part.fixed.iter();
        let mut conditions: Vec<String> = equal
            .map(|(column, cell)| format!("{} = {}", self.dialect.quoted(column), places.add(cell.clone())))
            .collect();
        conditions.extend(part.filter.map(str::to_owned));
        conditions
    }
}
