//! Tables of the relational layout as SQLite holds them (spec 40-sql sections 2 and 3).

use moorage_model::{Error, ErrorKind, Result};
use rusqlite::{Connection, OptionalExtension};

use super::failure::Context as _;
use crate::relational::Table;

/// Whether an index is unique, the last part of its name, its columns.
type Index = (bool, &'static str, &'static str);

/// Every table, its columns and indexes.
const TABLES: &[(&str, &str, &[Index])] = &[
    (
        "setting",
        "`name` TEXT PRIMARY KEY NOT NULL, `value` TEXT NOT NULL",
        &[],
    ),
    (
        "counter",
        "`name` TEXT PRIMARY KEY NOT NULL, `value` INTEGER NOT NULL",
        &[],
    ),
    (
        "node",
        "`inode` INTEGER PRIMARY KEY NOT NULL, `type` INTEGER NOT NULL, `flags` INTEGER NOT NULL, `mode` INTEGER NOT NULL, \
         `uid` INTEGER NOT NULL, `gid` INTEGER NOT NULL, `atime` INTEGER NOT NULL, `mtime` INTEGER NOT NULL, \
         `ctime` INTEGER NOT NULL, `atimensec` INTEGER DEFAULT 0 NOT NULL, `mtimensec` INTEGER DEFAULT 0 NOT NULL, \
         `ctimensec` INTEGER DEFAULT 0 NOT NULL, `nlink` INTEGER NOT NULL, `length` INTEGER NOT NULL, `rdev` INTEGER NULL, \
         `parent` INTEGER NULL, `access_acl_id` INTEGER NULL, `default_acl_id` INTEGER NULL, `tier_id` INTEGER NULL",
        &[],
    ),
    (
        "edge",
        "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `parent` INTEGER NOT NULL, `name` BLOB NOT NULL, \
         `inode` INTEGER NOT NULL, `type` INTEGER NOT NULL",
        &[(true, "edge", "`parent`,`name`"), (false, "inode", "`inode`")],
    ),
    (
        "symlink",
        "`inode` INTEGER PRIMARY KEY NOT NULL, `target` BLOB NOT NULL",
        &[],
    ),
    (
        "xattr",
        "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `inode` INTEGER NOT NULL, `name` TEXT NOT NULL, `value` BLOB NOT NULL",
        &[(true, "name", "`inode`,`name`")],
    ),
    (
        "chunk",
        "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `inode` INTEGER NOT NULL, `indx` INTEGER NOT NULL, `slices` BLOB NOT NULL",
        &[(true, "chunk", "`inode`,`indx`")],
    ),
    (
        "chunk_ref",
        "`chunkid` INTEGER PRIMARY KEY NOT NULL, `size` INTEGER NOT NULL, `refs` INTEGER NOT NULL",
        &[(false, "refs", "`refs`")],
    ),
    (
        "delslices",
        "`chunkid` INTEGER PRIMARY KEY NOT NULL, `deleted` INTEGER NOT NULL, `slices` BLOB NOT NULL",
        &[],
    ),
    (
        "session2",
        "`sid` INTEGER PRIMARY KEY NOT NULL, `expire` INTEGER NOT NULL, `info` BLOB NULL",
        &[],
    ),
    (
        "sustained",
        "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `sid` INTEGER NOT NULL, `inode` INTEGER NOT NULL",
        &[(true, "sustained", "`sid`,`inode`")],
    ),
    (
        "delfile",
        "`inode` INTEGER PRIMARY KEY NOT NULL, `length` INTEGER NOT NULL, `expire` INTEGER NOT NULL",
        &[],
    ),
    (
        "flock",
        "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `inode` INTEGER NOT NULL, `sid` INTEGER NOT NULL, \
         `owner` INTEGER NOT NULL, `ltype` INTEGER NOT NULL",
        &[(true, "flock", "`inode`,`sid`,`owner`")],
    ),
    (
        "plock",
        "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `inode` INTEGER NOT NULL, `sid` INTEGER NOT NULL, \
         `owner` INTEGER NOT NULL, `records` BLOB NOT NULL",
        &[(true, "plock", "`inode`,`sid`,`owner`")],
    ),
    (
        "dir_stats",
        "`inode` INTEGER PRIMARY KEY NOT NULL, `data_length` INTEGER NOT NULL, `used_space` INTEGER NOT NULL, \
         `used_inodes` INTEGER NOT NULL",
        &[],
    ),
    (
        "dir_quota",
        "`inode` INTEGER PRIMARY KEY NOT NULL, `max_space` INTEGER NOT NULL, `max_inodes` INTEGER NOT NULL, \
         `used_space` INTEGER NOT NULL, `used_inodes` INTEGER NOT NULL",
        &[],
    ),
    (
        "user_group_quota",
        "`qtype` INTEGER NOT NULL, `qkey` INTEGER NOT NULL, `max_space` INTEGER NOT NULL, `max_inodes` INTEGER NOT NULL, \
         `used_space` INTEGER NOT NULL, `used_inodes` INTEGER NOT NULL, PRIMARY KEY ( `qtype`,`qkey` )",
        &[],
    ),
    (
        "detached_node",
        "`inode` INTEGER PRIMARY KEY NOT NULL, `added` INTEGER NOT NULL",
        &[],
    ),
    (
        "acl",
        "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `owner` INTEGER NULL, `group` INTEGER NULL, `mask` INTEGER NULL, \
         `other` INTEGER NULL, `named_users` BLOB NULL, `named_groups` BLOB NULL",
        &[],
    ),
    (
        "delegation_token",
        "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `token` BLOB NULL",
        &[],
    ),
    (
        "change_log",
        "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `entry` TEXT NOT NULL",
        &[],
    ),
];

/// Columns that releases before 1.4 lack; a writer adds them, a reader takes 0 for them.
pub(super) const ADDED_NODE_COLUMNS: &[(&str, &str)] = &[
    ("atimensec", "INTEGER DEFAULT 0 NOT NULL"),
    ("mtimensec", "INTEGER DEFAULT 0 NOT NULL"),
    ("ctimensec", "INTEGER DEFAULT 0 NOT NULL"),
    ("access_acl_id", "INTEGER NULL"),
    ("default_acl_id", "INTEGER NULL"),
    ("tier_id", "INTEGER NULL"),
];

/// Makes missing tables, columns and indexes; whether there were any.
///
/// # Errors
/// `ReadOnly` when the file can not be written.
pub(super) fn prepare(connection: &Connection, prefix: &str) -> Result<bool> {
    let what = || "preparing the tables".to_owned();
    if connection.is_readonly("main").context(what)? {
        return Err(
            Error::new(ErrorKind::ReadOnly, "the file or its folder is read-only")
                .with_advice("Make both writable, or mount with --read-only."),
        );
    }
    if missing(connection, prefix)?.is_empty() {
        return Ok(false);
    }
    connection.execute_batch("BEGIN IMMEDIATE").context(what)?;
    // Another client may have made them while this one waited for the lock.
    let made = missing(connection, prefix).and_then(|statements| {
        for statement in &statements {
            connection
                .execute_batch(statement)
                .context(|| format!("running {statement}"))?;
        }
        connection.execute_batch("COMMIT").context(what)
    });
    if made.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").context(what)?;
    }
    made.map(|()| true)
}

/// Statements that make what the file lacks.
fn missing(connection: &Connection, prefix: &str) -> Result<Vec<String>> {
    let present = names(connection, "type IN ('table', 'index')")?;
    let lacks = |name: &str| !present.iter().any(|found| found.eq_ignore_ascii_case(name));
    let mut statements = Vec::new();
    for (table, columns, indexes) in TABLES {
        let table = format!("{prefix}{table}");
        if lacks(&table) {
            statements.push(format!("CREATE TABLE `{table}` ({columns})"));
        }
        for (unique, index, columns) in *indexes {
            let kind = if *unique { "UQE" } else { "IDX" };
            let name = format!("{kind}_{table}_{index}");
            if lacks(&name) {
                let unique = if *unique { "UNIQUE " } else { "" };
                statements.push(format!("CREATE {unique}INDEX `{name}` ON `{table}` ({columns})"));
            }
        }
    }
    let columns = node_columns(connection, prefix)?;
    if !columns.is_empty() {
        let added = ADDED_NODE_COLUMNS
            .iter()
            .filter(|(column, _)| !columns.iter().any(|name| name == column));
        statements.extend(added.map(|(column, definition)| {
            format!("ALTER TABLE `{prefix}node` ADD COLUMN `{column}` {definition}")
        }));
    }
    Ok(statements)
}

/// Names of the tables that every volume has and this file lacks.
pub(super) fn missing_tables(connection: &Connection, prefix: &str) -> Result<Vec<String>> {
    let present = names(connection, "type = 'table'")?;
    let expected = Table::INDISPENSABLE.map(|table| format!("{prefix}{}", table.name()));
    Ok(expected
        .into_iter()
        .filter(|table| !present.contains(table))
        .collect())
}

/// Whether the file holds no record of a volume with this prefix and, unless the volume shares its file on
/// purpose, nothing of another program.
pub(super) fn is_empty(connection: &Connection, prefix: &str, shared: bool) -> Result<bool> {
    let present = names(
        connection,
        "type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let own: Vec<String> = TABLES
        .iter()
        .map(|(table, ..)| format!("{prefix}{table}"))
        .collect();
    for table in &present {
        if !own.contains(table) {
            if shared {
                continue;
            }
            return Ok(false);
        }
        let any = connection
            .query_row(&format!("SELECT 1 FROM `{table}` LIMIT 1"), [], |_| Ok(()))
            .optional()
            .context(|| format!("reading table {table}"))?;
        if any.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes the tables of a volume.
pub(super) fn wipe(connection: &Connection, prefix: &str) -> Result<()> {
    let script: String = TABLES
        .iter()
        .map(|(table, ..)| format!("DROP TABLE IF EXISTS `{prefix}{table}`;"))
        .collect();
    let removed = connection
        .execute_batch(&format!("BEGIN IMMEDIATE; {script} COMMIT;"))
        .context(|| "removing the volume".to_owned());
    if removed.is_err() && !connection.is_autocommit() {
        connection
            .execute_batch("ROLLBACK")
            .context(|| "removing the volume".to_owned())?;
    }
    removed
}

/// Names of the columns of the node table; empty when it does not exist.
pub(super) fn node_columns(connection: &Connection, prefix: &str) -> Result<Vec<String>> {
    let mut statement = connection
        .prepare("SELECT name FROM pragma_table_info(?1)")
        .context(|| "reading the table layout".to_owned())?;
    let names = statement
        .query_map([format!("{prefix}node")], |row| row.get(0))
        .and_then(Iterator::collect)
        .context(|| "reading the table layout".to_owned())?;
    Ok(names)
}

fn names(connection: &Connection, condition: &str) -> Result<Vec<String>> {
    let what = || "listing the tables".to_owned();
    let mut statement = connection
        .prepare(&format!("SELECT name FROM sqlite_master WHERE {condition}"))
        .context(what)?;
    statement
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .context(what)
}
