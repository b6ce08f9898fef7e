//! Tables of the relational layout as SQLite holds them (spec 40-sql sections 2 and 3).

use moorage_model::Result;
use rusqlite::Connection;

use super::failure::Context as _;

/// Every table, its columns and indexes; `{p}` stands for the table prefix.
const TABLES: &[(&str, &str, &[&str])] = &[
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
        &[
            "UNIQUE INDEX `UQE_{p}edge_edge` ON `{p}edge` (`parent`,`name`)",
            "INDEX `IDX_{p}edge_inode` ON `{p}edge` (`inode`)",
        ],
    ),
    (
        "symlink",
        "`inode` INTEGER PRIMARY KEY NOT NULL, `target` BLOB NOT NULL",
        &[],
    ),
    (
        "xattr",
        "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `inode` INTEGER NOT NULL, `name` TEXT NOT NULL, `value` BLOB NOT NULL",
        &["UNIQUE INDEX `UQE_{p}xattr_name` ON `{p}xattr` (`inode`,`name`)"],
    ),
    (
        "chunk",
        "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `inode` INTEGER NOT NULL, `indx` INTEGER NOT NULL, `slices` BLOB NOT NULL",
        &["UNIQUE INDEX `UQE_{p}chunk_chunk` ON `{p}chunk` (`inode`,`indx`)"],
    ),
    (
        "chunk_ref",
        "`chunkid` INTEGER PRIMARY KEY NOT NULL, `size` INTEGER NOT NULL, `refs` INTEGER NOT NULL",
        &["INDEX `IDX_{p}chunk_ref_refs` ON `{p}chunk_ref` (`refs`)"],
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
        &["UNIQUE INDEX `UQE_{p}sustained_sustained` ON `{p}sustained` (`sid`,`inode`)"],
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
        &["UNIQUE INDEX `UQE_{p}flock_flock` ON `{p}flock` (`inode`,`sid`,`owner`)"],
    ),
    (
        "plock",
        "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `inode` INTEGER NOT NULL, `sid` INTEGER NOT NULL, \
         `owner` INTEGER NOT NULL, `records` BLOB NOT NULL",
        &["UNIQUE INDEX `UQE_{p}plock_plock` ON `{p}plock` (`inode`,`sid`,`owner`)"],
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

/// Makes missing tables, columns and indexes.
pub(super) fn prepare(connection: &Connection, prefix: &str) -> Result<()> {
    for (table, columns, indexes) in TABLES {
        let mut script = format!("CREATE TABLE IF NOT EXISTS `{prefix}{table}` ({columns});");
        for index in *indexes {
            let index = index
                .replace("{p}", prefix)
                .replace("INDEX ", "INDEX IF NOT EXISTS ");
            script.push_str(&format!("CREATE {index};"));
        }
        connection
            .execute_batch(&script)
            .context(|| format!("making table {prefix}{table}"))?;
    }
    let present = node_columns(connection, prefix)?;
    for (column, definition) in ADDED_NODE_COLUMNS {
        if !present.iter().any(|name| name == column) {
            connection
                .execute_batch(&format!(
                    "ALTER TABLE `{prefix}node` ADD COLUMN `{column}` {definition}"
                ))
                .context(|| format!("adding column {column} to {prefix}node"))?;
        }
    }
    Ok(())
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

/// Names of all tables in the file, SQLite's own left out.
pub(super) fn tables(connection: &Connection) -> Result<Vec<String>> {
    let what = || "listing the tables".to_owned();
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .context(what)?;
    statement
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .context(what)
}

/// Names of the tables of a volume, without prefix.
pub(super) fn table_names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(name, ..)| *name)
}
