//! Statements that store, change and remove records.

use moorage_meta::{Key, Record};
use moorage_model::{ChunkIndex, Ino, Result, Slice, SliceId, encode_slices};

use super::{Places, Statements};
use crate::relational::{Cell, Table, address, encode_value};
use crate::sql::statement::{Statement, owned};

impl Statements {
    fn insertion(&self, key: &Key, record: &Record, places: &mut Places) -> Result<String> {
        let (table, mut cells) = address(key);
        cells.extend(encode_value(key, record)?);
        let columns: Vec<&str> = table.key().iter().chain(table.values()).copied().collect();
        let values = places.all(cells.into_iter().map(owned)).join(", ");
        Ok(format!(
            "INSERT INTO {} ({}) VALUES ({values})",
            self.table(table),
            self.dialect.list(&columns)
        ))
    }

    /// Stores a record that does not exist; fails when it does.
    ///
    /// # Errors
    /// `InvalidArgument` when the record is not of the kind that its key names; so for the next two.
    pub(crate) fn insert(&self, key: &Key, record: &Record) -> Result<Statement> {
        let mut places = Places::default();
        let text = self.insertion(key, record, &mut places)?;
        Ok(places.statement(text))
    }

    /// Stores a record, whether it exists or not.
    pub(crate) fn put(&self, key: &Key, record: &Record) -> Result<Statement> {
        let (table, _) = address(key);
        let mut places = Places::default();
        let insertion = self.insertion(key, record, &mut places)?;
        let mut changed: Vec<&str> = table.key().iter().chain(table.values()).copied().collect();
        changed.retain(|column| !table.unique().contains(column));
        if changed.is_empty() {
            // Writes what is there, for want of a way to do nothing that both know.
            changed.extend(table.unique().first());
        }
        let changes: Vec<String> = changed
            .iter()
            .map(|column| {
                format!(
                    "{} = {}",
                    self.dialect.quoted(column),
                    self.dialect.incoming(column)
                )
            })
            .collect();
        let action = self.dialect.on_duplicate(table.unique(), &changes.join(", "));
        Ok(places.statement(format!("{insertion} {action}")))
    }

    /// Changes the values of a record that exists; `None` when it has none that could change.
    pub(crate) fn update(&self, key: &Key, record: &Record) -> Result<Option<Statement>> {
        let (table, _) = address(key);
        let mut places = Places::default();
        let cells = encode_value(key, record)?;
        let changes: Vec<String> = table
            .values()
            .iter()
            .zip(cells)
            .map(|(column, cell)| format!("{} = {}", self.dialect.quoted(column), places.add(cell)))
            .collect();
        if changes.is_empty() {
            return Ok(None);
        }
        let condition = self.keyed(key, &mut places);
        Ok(Some(places.statement(format!(
            "UPDATE {} SET {} WHERE {condition}",
            self.table(table),
            changes.join(", ")
        ))))
    }

    /// Removes a record if it is there.
    pub(crate) fn delete(&self, key: &Key) -> Statement {
        let (table, _) = address(key);
        let mut places = Places::default();
        let condition = self.keyed(key, &mut places);
        places.statement(format!("DELETE FROM {} WHERE {condition}", self.table(table)))
    }

    /// Appends to a slice list, making it when absent.
    pub(crate) fn append(&self, ino: Ino, chunk: ChunkIndex, slices: &[Slice]) -> Statement {
        let table = self.table(Table::Chunk);
        let mut places = Places::default();
        let values = places
            .all([
                Cell::bits(ino.0),
                Cell::Int(chunk.0.into()),
                Cell::Blob(encode_slices(slices).into()),
            ])
            .join(", ");
        let whole = self.dialect.concatenated(
            &self.dialect.present(&table, "slices"),
            &self.dialect.incoming("slices"),
        );
        let action = self
            .dialect
            .on_duplicate(&["inode", "indx"], &format!("slices = {whole}"));
        places.statement(format!(
            "INSERT INTO {table} (inode, indx, slices) VALUES ({values}) {action}"
        ))
    }

    /// Notes one owner of a new slice.
    pub(crate) fn new_slice(&self, id: SliceId, size: u32) -> Statement {
        let mut places = Places::default();
        let values = places.all([Cell::bits(id.0), Cell::Int(size.into())]).join(", ");
        places.statement(format!(
            "INSERT INTO {} (chunkid, size, refs) VALUES ({values}, 1)",
            self.table(Table::SliceRef)
        ))
    }

    /// Changes the number of owners of a slice; one without a row has one.
    pub(crate) fn add_owners(&self, id: SliceId, size: u32, delta: i64) -> Statement {
        let table = self.table(Table::SliceRef);
        let values = [Cell::bits(id.0), Cell::Int(size.into()), Cell::Int(1 + delta)];
        let mut places = Places::default();
        let values = places.all(values).join(", ");
        let delta = places.add(Cell::Int(delta));
        let refs = self.dialect.present(&table, "refs");
        let action = self
            .dialect
            .on_duplicate(&["chunkid"], &format!("refs = {refs} + {delta}"));
        places.statement(format!(
            "INSERT INTO {table} (chunkid, size, refs) VALUES ({values}) {action}"
        ))
    }

    /// Removes the extended attributes of a node.
    pub(crate) fn delete_xattrs(&self, ino: Ino) -> Statement {
        let mut places = Places::default();
        let ino = places.add(Cell::bits(ino.0));
        places.statement(format!(
            "DELETE FROM {} WHERE inode = {ino}",
            self.table(Table::Xattr)
        ))
    }

    /// Appends a line to the changelog.
    pub(crate) fn append_changelog(&self, line: &str) -> Statement {
        let mut places = Places::default();
        let line = places.add(Cell::text(line.as_bytes()));
        places.statement(format!(
            "INSERT INTO {} (entry) VALUES ({line})",
            self.table(Table::Changelog)
        ))
    }
}
