//! Every statement on records, in both dialects.

use std::sync::Arc;

use moorage_meta::{Key, Record};
use moorage_model::{
    ChunkIndex, Counter, DirStat, Ino, Name, QuotaKey, Result, Slice, SliceId, encode_slices,
};
use parking_lot::RwLock;

use super::dialect::Dialect;
use super::statement::{Row, Statement, Value, owned};
use crate::relational::{Cell, NODE_COLUMNS, Part, Table, address, encode_value, owner_quota_key};

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
}

/// How a row is held until the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nobody changes it.
    Shared,
    /// Nobody else decides on it: it is about to be changed.
    Exclusive,
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
    pub(crate) fn list(&self, directory: Ino, after: &[u8], limit: i64, attributes: bool) -> Statement {
        let mut places = Places::default();
        let directory = places.add(Cell::bits(directory.0));
        let after = places.add(Cell::blob(after));
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
             WHERE e.parent = {directory} AND e.name > {after} ORDER BY e.name LIMIT {limit}"
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

    fn fixed(&self, part: &Part, places: &mut Places) -> Vec<String> {
        let equal = part.fixed.iter();
        let mut conditions: Vec<String> = equal
            .map(|(column, cell)| format!("{} = {}", self.dialect.quoted(column), places.add(cell.clone())))
            .collect();
        conditions.extend(part.filter.map(str::to_owned));
        conditions
    }

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

    /// Changes a counter, making it when absent. With `answer`, tells the value afterwards; the last statement's
    /// first column holds it.
    pub(crate) fn add_counter(&self, counter: Counter, delta: i64, answer: bool) -> Vec<Statement> {
        let table = self.table(Table::Counter);
        let mut places = Places::default();
        let name = places.add(Cell::text(counter.name().as_bytes()));
        let first = places.add(Cell::Int(counter.initial().saturating_add(delta)));
        let delta = places.add(Cell::Int(delta));
        let value = self.dialect.quoted("value");
        let after = format!("{} + {delta}", self.dialect.present(&table, "value"));
        // The number that MySQL remembers per connection carries the answer.
        let remembered = |expression: &str| match (self.dialect, answer) {
            (Dialect::MySql, true) => format!("LAST_INSERT_ID({expression})"),
            _ => expression.to_owned(),
        };
        let action = self
            .dialect
            .on_duplicate(&["name"], &format!("{value} = {}", remembered(&after)));
        let mut text = format!(
            "INSERT INTO {table} (name, {value}) VALUES ({name}, {}) {action}",
            remembered(&first)
        );
        let mut more = Vec::new();
        match (self.dialect, answer) {
            (Dialect::Postgres, true) => text.push_str(" RETURNING \"value\""),
            (Dialect::MySql, true) => more.push(Statement::plain("SELECT LAST_INSERT_ID()")),
            (_, false) => {}
        }
        more.insert(0, places.statement(text));
        more
    }

    /// Changes directory statistics that exist.
    pub(crate) fn add_dir_stat(&self, directory: Ino, delta: DirStat) -> Statement {
        let mut places = Places::default();
        let changes = [
            ("data_length", delta.length),
            ("used_space", delta.space),
            ("used_inodes", delta.inodes),
        ]
        .map(|(column, delta)| format!("{column} = {column} + {}", places.add(Cell::Int(delta))));
        let directory = places.add(Cell::bits(directory.0));
        places.statement(format!(
            "UPDATE {} SET {} WHERE inode = {directory}",
            self.table(Table::DirStat),
            changes.join(", ")
        ))
    }

    /// Changes the usage of a quota: of a directory if it has one; an owner gets a row without limits
    /// (spec 70-semantics section 8).
    pub(crate) fn add_quota(&self, quota: QuotaKey, space: i64, inodes: i64) -> Statement {
        let (kind, id) = owner_quota_key(quota);
        let mut places = Places::default();
        if matches!(quota, QuotaKey::Directory(_)) {
            let (space, inodes) = (places.add(Cell::Int(space)), places.add(Cell::Int(inodes)));
            let id = places.add(Cell::Int(id));
            return places.statement(format!(
                "UPDATE {} SET used_space = used_space + {space}, used_inodes = used_inodes + {inodes} \
                 WHERE inode = {id}",
                self.table(Table::DirectoryQuota)
            ));
        }
        let table = self.table(Table::OwnerQuota);
        let (kind, id) = (places.add(Cell::Int(kind)), places.add(Cell::Int(id)));
        let (space, inodes) = (places.add(Cell::Int(space)), places.add(Cell::Int(inodes)));
        let changes = ["used_space", "used_inodes"].map(|column| {
            format!(
                "{column} = {} + {}",
                self.dialect.present(&table, column),
                self.dialect.incoming(column)
            )
        });
        let action = self.dialect.on_duplicate(&["qtype", "qkey"], &changes.join(", "));
        places.statement(format!(
            "INSERT INTO {table} (qtype, qkey, max_space, max_inodes, used_space, used_inodes) \
             VALUES ({kind}, {id}, -1, -1, {space}, {inodes}) {action}"
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

    /// Names of the tables, of the indexes, and of the columns of the node table.
    pub(crate) fn catalog(&self) -> [Statement; 3] {
        let node = format!("{}node", self.prefix);
        match self.dialect {
            Dialect::Postgres => {
                let schema = |places: &mut Places| match &self.schema {
                    Some(schema) => places.add(Cell::text(schema.as_bytes())),
                    None => "current_schema()".to_owned(),
                };
                let listed = |view: &str, column: &str| {
                    let mut places = Places::default();
                    let schema = schema(&mut places);
                    places.statement(format!(
                        "SELECT {column}::text FROM pg_catalog.{view} WHERE schemaname = {schema}"
                    ))
                };
                let mut places = Places::default();
                let (schema, node) = (schema(&mut places), places.add(Cell::text(node.as_bytes())));
                [
                    listed("pg_tables", "tablename"),
                    listed("pg_indexes", "indexname"),
                    places.statement(format!(
                        "SELECT a.attname::text FROM pg_catalog.pg_attribute AS a \
                         JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid \
                         JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace \
                         WHERE s.nspname = {schema} AND c.relname = {node} AND a.attnum > 0 AND NOT a.attisdropped"
                    )),
                ]
            }
            Dialect::MySql => {
                let listed = |view: &str, column: &str| {
                    Statement::plain(format!(
                        "SELECT {column} FROM information_schema.{view} WHERE table_schema = DATABASE()"
                    ))
                };
                let mut places = Places::default();
                let node = places.add(Cell::text(node.as_bytes()));
                [
                    listed("tables", "table_name"),
                    listed("statistics", "index_name"),
                    places.statement(format!(
                        "SELECT column_name FROM information_schema.columns \
                         WHERE table_schema = DATABASE() AND table_name = {node}"
                    )),
                ]
            }
        }
    }

    /// Takes a number for an ACL rule as the table numbers its rows; the last statement's first column holds it.
    pub(crate) fn next_acl_id(&self) -> Vec<Statement> {
        let table = self.table(Table::Acl);
        match self.dialect {
            Dialect::Postgres => {
                let mut places = Places::default();
                let name = places.add(Cell::text(table.as_bytes()));
                vec![places.statement(format!("SELECT nextval(pg_get_serial_sequence({name}, 'id'))"))]
            }
            // Numbers are given to rows only; the row goes at once and its number does not come back.
            Dialect::MySql => vec![
                Statement::plain("START TRANSACTION"),
                Statement::plain(format!("INSERT INTO {table} () VALUES ()")),
                Statement::plain("ROLLBACK"),
                Statement::plain("SELECT LAST_INSERT_ID()"),
            ],
        }
    }
}
