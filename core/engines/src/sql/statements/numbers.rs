//! Counters, ids and usage: numbers that are changed by a difference.

use moorage_model::{Counter, DirStat, Ino, QuotaKey};

use super::{Places, Statements};
use crate::relational::{Cell, Table, owner_quota_key};
use crate::sql::dialect::Dialect;
use crate::sql::statement::Statement;

impl Statements {
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
