//! The text of every statement, with the table prefix filled in once per connection.

use super::schema::ADDED_NODE_COLUMNS;
use crate::relational::{NODE_COLUMNS, Part, Table};

/// Statements on one row.
#[derive(Debug)]
pub(super) struct RowStatements {
    table: Table,
    /// The values by key.
    pub(super) get: String,
    /// Key and values; fails when the row exists.
    pub(super) insert: String,
    /// Key and values; replaces the values of an existing row.
    pub(super) put: String,
    /// By key.
    pub(super) delete: String,
}

/// Statements of one database file.
#[derive(Debug)]
pub(super) struct Statements {
    prefix: String,
    rows: Vec<RowStatements>,
    /// Node columns of this file: a literal 0 stands for one that an older release did not make.
    node_values: Vec<String>,
    /// Whether a row of this file holds all that a node is.
    pub(super) holds_whole_nodes: bool,
    pub(super) lookup: String,
    pub(super) list: String,
    pub(super) list_attributes: String,
    pub(super) any_edge: String,
    pub(super) parents: String,
    pub(super) append_chunk: String,
    pub(super) insert_owner: String,
    pub(super) add_owners: String,
    pub(super) add_counter: String,
    pub(super) add_dir_stat: String,
    pub(super) add_directory_quota: String,
    pub(super) add_owner_quota: String,
    pub(super) delete_xattrs: String,
    pub(super) insert_acl: String,
    pub(super) append_changelog: String,
}

impl Statements {
    /// Fills in the prefix; `present` names the node columns of this file, empty for a new one.
    pub(super) fn new(prefix: &str, present: &[String]) -> Statements {
        let missing = |column: &str| {
            !present.is_empty()
                && ADDED_NODE_COLUMNS.iter().any(|(name, _)| *name == column)
                && !present.iter().any(|name| name == column)
        };
        let column = |name: &&str| {
            if missing(name) {
                "0".to_owned()
            } else {
                format!("`{name}`")
            }
        };
        let joined = |name: &&str| {
            if missing(name) {
                "0".to_owned()
            } else {
                format!("n.`{name}`")
            }
        };
        let node_values: Vec<String> = Table::Node.values().iter().map(column).collect();
        let joined = NODE_COLUMNS.iter().map(joined).collect::<Vec<_>>().join(", ");
        let join = format!("LEFT JOIN `{prefix}node` n ON n.inode = e.inode");
        let list = |columns: &str, join: &str| {
            format!(
                "SELECT e.name, e.inode, e.type{columns} FROM `{prefix}edge` e {join} \
                 WHERE e.parent = ?1 AND e.name >= ?2 ORDER BY e.name LIMIT ?3"
            )
        };
        Statements {
            rows: Table::ALL
                .map(|table| RowStatements::new(prefix, table, &node_values))
                .into(),
            lookup: format!(
                "SELECT e.inode, e.type, {joined} FROM `{prefix}edge` e {join} WHERE e.parent = ?1 AND e.name = ?2"
            ),
            list: list("", ""),
            list_attributes: list(&format!(", {joined}"), &join),
            any_edge: format!("SELECT 1 FROM `{prefix}edge` WHERE parent = ?1 LIMIT 1"),
            parents: format!("SELECT parent, COUNT(*) FROM `{prefix}edge` WHERE inode = ?1 GROUP BY parent"),
            append_chunk: format!(
                "INSERT INTO `{prefix}chunk` (inode, indx, slices) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (inode, indx) DO UPDATE SET slices = CAST(slices || ?3 AS BLOB)"
            ),
            insert_owner: format!("INSERT INTO `{prefix}chunk_ref` (chunkid, size, refs) VALUES (?1, ?2, 1)"),
            add_owners: format!(
                "INSERT INTO `{prefix}chunk_ref` (chunkid, size, refs) VALUES (?1, ?2, 1 + ?3) \
                 ON CONFLICT (chunkid) DO UPDATE SET refs = refs + ?3 WHERE {}",
                is_number("refs")
            ),
            add_counter: format!(
                "INSERT INTO `{prefix}counter` (name, value) VALUES (?1, ?3) \
                 ON CONFLICT (name) DO UPDATE SET value = {} WHERE {}",
                sum("value", "?2"),
                is_number("value")
            ),
            add_dir_stat: format!(
                "UPDATE `{prefix}dir_stats` SET {}, {}, {} WHERE inode = ?1",
                moved("data_length", "?2"),
                moved("used_space", "?3"),
                moved("used_inodes", "?4")
            ),
            add_directory_quota: format!(
                "UPDATE `{prefix}dir_quota` SET {}, {} WHERE inode = ?1",
                moved("used_space", "?2"),
                moved("used_inodes", "?3")
            ),
            add_owner_quota: format!(
                "INSERT INTO `{prefix}user_group_quota` (qtype, qkey, max_space, max_inodes, used_space, used_inodes) \
                 VALUES (?1, ?2, -1, -1, ?3, ?4) ON CONFLICT (qtype, qkey) DO UPDATE SET {}, {}",
                moved("used_space", "?3"),
                moved("used_inodes", "?4")
            ),
            delete_xattrs: format!("DELETE FROM `{prefix}xattr` WHERE inode = ?1"),
            insert_acl: format!(
                "INSERT INTO `{prefix}acl` (owner, `group`, mask, other, named_users, named_groups) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            ),
            append_changelog: format!("INSERT INTO `{prefix}change_log` (entry) VALUES (?1)"),
            prefix: prefix.to_owned(),
            holds_whole_nodes: !NODE_COLUMNS.iter().any(|name| missing(name)),
            node_values,
        }
    }

    /// The statements on rows of one table.
    pub(super) fn of(&self, table: Table) -> Option<&RowStatements> {
        self.rows.iter().find(|statements| statements.table == table)
    }

    /// A page of a range: the fixed columns, the position when `resumed`, and the limit are its parameters.
    pub(super) fn page(&self, part: &Part, resumed: bool) -> String {
        let mut places = 1..;
        let mut place = || format!("?{}", places.next().unwrap_or_default());
        let mut conditions: Vec<String> = part
            .fixed
            .iter()
            .map(|(column, _)| format!("`{column}` = {}", place()))
            .collect();
        conditions.extend(part.filter.map(str::to_owned));
        let order = quoted(part.order);
        if resumed {
            let position = part.order.iter().map(|_| place()).collect::<Vec<_>>().join(", ");
            conditions.push(format!("({order}) > ({position})"));
        }
        let condition = if conditions.is_empty() {
            "1".to_owned()
        } else {
            conditions.join(" AND ")
        };
        format!(
            "SELECT {} FROM `{}{}` WHERE {condition} ORDER BY {order} LIMIT {}",
            columns(part.table, &self.node_values),
            self.prefix,
            part.table.name(),
            place(),
        )
    }
}

impl RowStatements {
    fn new(prefix: &str, table: Table, node_values: &[String]) -> RowStatements {
        let name = format!("`{prefix}{}`", table.name());
        let mut places = 1..;
        let condition = table
            .key()
            .iter()
            .map(|column| format!("`{column}` = ?{}", places.next().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(" AND ");
        let all: Vec<&str> = table.key().iter().chain(table.values()).copied().collect();
        let values = (1..=all.len())
            .map(|n| format!("?{n}"))
            .collect::<Vec<_>>()
            .join(", ");
        let insert = format!("INSERT INTO {name} ({}) VALUES ({values})", quoted(&all));
        let changed = all
            .iter()
            .filter(|column| !table.unique().contains(column))
            .map(|column| format!("`{column}` = excluded.`{column}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let action = if changed.is_empty() {
            "NOTHING".to_owned()
        } else {
            format!("UPDATE SET {changed}")
        };
        let shown = match table {
            Table::Node => node_values.join(", "),
            _ if table.values().is_empty() => "1".to_owned(),
            _ => quoted(table.values()),
        };
        RowStatements {
            table,
            get: format!("SELECT {shown} FROM {name} WHERE {condition}"),
            put: format!("{insert} ON CONFLICT ({}) DO {action}", quoted(table.unique())),
            delete: format!("DELETE FROM {name} WHERE {condition}"),
            insert,
        }
    }
}

/// A condition that no damaged value meets: SQLite adds to a text as if it were 0, and the damage would look sound.
fn is_number(column: &str) -> String {
    format!("typeof({column}) = 'integer'")
}

/// A sum that stays within 64 bits: SQLite would go on with a floating-point number, which no client reads.
fn sum(column: &str, delta: &str) -> String {
    format!(
        "CASE WHEN {delta} > 0 AND {column} > {most} - {delta} THEN {most} \
         WHEN {delta} < 0 AND {column} < {least} - {delta} THEN {least} ELSE {column} + {delta} END",
        most = i64::MAX,
        // The least number itself is no literal that SQLite reads as a whole one.
        least = i64::MIN + 1
    )
}

/// Moves a number that is allowed to drift; a damaged one stays, to be found.
fn moved(column: &str, delta: &str) -> String {
    format!(
        "{column} = CASE WHEN {} THEN {} ELSE {column} END",
        is_number(column),
        sum(column, delta)
    )
}

fn quoted(columns: &[&str]) -> String {
    columns
        .iter()
        .map(|column| format!("`{column}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Key and values of a table, as a page shows them.
fn columns(table: Table, node_values: &[String]) -> String {
    match table {
        Table::Node => format!("{}, {}", quoted(table.key()), node_values.join(", ")),
        _ => quoted(
            &table
                .key()
                .iter()
                .chain(table.values())
                .copied()
                .collect::<Vec<_>>(),
        ),
    }
}
