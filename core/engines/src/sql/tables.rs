//! Tables as the original makes them (spec 40-sql sections 2 and 3).

use super::dialect::Dialect;
use super::statements::Statements;

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Numbers the rows, 64 bits.
    Serial,
    /// Numbers the rows, 32 bits.
    SmallSerial,
    /// 64 bits.
    Long,
    /// 32 bits and fewer.
    Int,
    /// Text of at most 255 characters.
    Name,
    /// Text.
    Text,
    /// At most 255 bytes.
    Bytes255,
    /// At most 4096 bytes.
    Bytes4096,
    /// Bytes.
    Blob,
}

/// What else is said of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Key,
    Required,
    Zero,
    Optional,
}

/// Its name, type and rule.
pub(super) struct Column(pub(super) &'static str, Kind, Rule);

/// Whether an index is unique, the last part of its name, its columns.
pub(super) struct Index(
    pub(super) bool,
    pub(super) &'static str,
    pub(super) &'static [&'static str],
);

/// A table.
pub(super) struct Layout {
    pub(super) table: &'static str,
    pub(super) columns: &'static [Column],
    /// Columns of a primary key that has several.
    key: &'static [&'static str],
    pub(super) indexes: &'static [Index],
}

const fn layout(table: &'static str, columns: &'static [Column], indexes: &'static [Index]) -> Layout {
    Layout {
        table,
        columns,
        key: &[],
        indexes,
    }
}

const SERIAL: Column = Column("id", Kind::Serial, Rule::Key);
const INODE: Column = long("inode");
const INODE_KEY: Column = Column("inode", Kind::Long, Rule::Key);
const SID: Column = long("sid");

const fn long(name: &'static str) -> Column {
    Column(name, Kind::Long, Rule::Required)
}

const fn int(name: &'static str) -> Column {
    Column(name, Kind::Int, Rule::Required)
}

const fn optional(name: &'static str, kind: Kind) -> Column {
    Column(name, kind, Rule::Optional)
}

const fn blob(name: &'static str) -> Column {
    Column(name, Kind::Blob, Rule::Required)
}

const fn zero(name: &'static str) -> Column {
    Column(name, Kind::Int, Rule::Zero)
}

/// All of them.
pub(super) const TABLES: &[Layout] = &[
    layout(
        "setting",
        &[
            Column("name", Kind::Name, Rule::Key),
            Column("value", Kind::Text, Rule::Required),
        ],
        &[],
    ),
    layout(
        "counter",
        &[Column("name", Kind::Name, Rule::Key), long("value")],
        &[],
    ),
    layout(
        "node",
        &[
            INODE_KEY,
            int("type"),
            int("flags"),
            int("mode"),
            int("uid"),
            int("gid"),
            long("atime"),
            long("mtime"),
            long("ctime"),
            zero("atimensec"),
            zero("mtimensec"),
            zero("ctimensec"),
            int("nlink"),
            long("length"),
            optional("rdev", Kind::Int),
            optional("parent", Kind::Long),
            optional("access_acl_id", Kind::Int),
            optional("default_acl_id", Kind::Int),
            optional("tier_id", Kind::Int),
        ],
        &[],
    ),
    layout(
        "edge",
        &[
            SERIAL,
            long("parent"),
            Column("name", Kind::Bytes255, Rule::Required),
            INODE,
            int("type"),
        ],
        &[
            Index(true, "edge", &["parent", "name"]),
            Index(false, "inode", &["inode"]),
        ],
    ),
    layout(
        "symlink",
        &[INODE_KEY, Column("target", Kind::Bytes4096, Rule::Required)],
        &[],
    ),
    layout(
        "xattr",
        &[
            SERIAL,
            INODE,
            Column("name", Kind::Name, Rule::Required),
            blob("value"),
        ],
        &[Index(true, "name", &["inode", "name"])],
    ),
    layout(
        "chunk",
        &[SERIAL, INODE, int("indx"), blob("slices")],
        &[Index(true, "chunk", &["inode", "indx"])],
    ),
    layout(
        "chunk_ref",
        &[Column("chunkid", Kind::Long, Rule::Key), int("size"), int("refs")],
        &[Index(false, "refs", &["refs"])],
    ),
    layout(
        "delslices",
        &[
            Column("chunkid", Kind::Long, Rule::Key),
            long("deleted"),
            blob("slices"),
        ],
        &[],
    ),
    layout(
        "session2",
        &[
            Column("sid", Kind::Long, Rule::Key),
            long("expire"),
            optional("info", Kind::Blob),
        ],
        &[],
    ),
    layout(
        "sustained",
        &[SERIAL, SID, INODE],
        &[Index(true, "sustained", &["sid", "inode"])],
    ),
    layout("delfile", &[INODE_KEY, long("length"), long("expire")], &[]),
    layout(
        "flock",
        &[SERIAL, INODE, SID, long("owner"), int("ltype")],
        &[Index(true, "flock", &["inode", "sid", "owner"])],
    ),
    layout(
        "plock",
        &[SERIAL, INODE, SID, long("owner"), blob("records")],
        &[Index(true, "plock", &["inode", "sid", "owner"])],
    ),
    layout(
        "dir_stats",
        &[
            INODE_KEY,
            long("data_length"),
            long("used_space"),
            long("used_inodes"),
        ],
        &[],
    ),
    layout(
        "dir_quota",
        &[
            INODE_KEY,
            long("max_space"),
            long("max_inodes"),
            long("used_space"),
            long("used_inodes"),
        ],
        &[],
    ),
    Layout {
        table: "user_group_quota",
        columns: &[
            int("qtype"),
            long("qkey"),
            long("max_space"),
            long("max_inodes"),
            long("used_space"),
            long("used_inodes"),
        ],
        key: &["qtype", "qkey"],
        indexes: &[],
    },
    layout("detached_node", &[INODE_KEY, long("added")], &[]),
    layout(
        "acl",
        &[
            Column("id", Kind::SmallSerial, Rule::Key),
            optional("owner", Kind::Int),
            optional("group", Kind::Int),
            optional("mask", Kind::Int),
            optional("other", Kind::Int),
            optional("named_users", Kind::Blob),
            optional("named_groups", Kind::Blob),
        ],
        &[],
    ),
    layout(
        "delegation_token",
        &[
            Column("id", Kind::SmallSerial, Rule::Key),
            optional("token", Kind::Blob),
        ],
        &[],
    ),
    layout(
        "change_log",
        &[SERIAL, Column("entry", Kind::Text, Rule::Required)],
        &[],
    ),
];

/// Node columns that releases before 1.4 lack; a writer adds them, a reader takes 0 for them.
pub(super) const ADDED_NODE_COLUMNS: [&str; 6] = [
    "atimensec",
    "mtimensec",
    "ctimensec",
    "access_acl_id",
    "default_acl_id",
    "tier_id",
];

impl Kind {
    fn name(self, dialect: Dialect) -> &'static str {
        match (dialect, self) {
            (Dialect::Postgres, Kind::Serial) => "BIGSERIAL",
            (Dialect::Postgres, Kind::SmallSerial) => "SERIAL",
            (Dialect::Postgres, Kind::Long) => "BIGINT",
            (Dialect::Postgres, Kind::Int) => "INTEGER",
            (Dialect::Postgres, Kind::Bytes255 | Kind::Bytes4096 | Kind::Blob) => "BYTEA",
            (Dialect::MySql, Kind::Serial) => "BIGINT(20) AUTO_INCREMENT",
            (Dialect::MySql, Kind::SmallSerial) => "INT AUTO_INCREMENT",
            (Dialect::MySql, Kind::Long) => "BIGINT(20)",
            (Dialect::MySql, Kind::Int) => "INT",
            (Dialect::MySql, Kind::Bytes255) => "VARBINARY(255)",
            (Dialect::MySql, Kind::Bytes4096) => "VARBINARY(4096)",
            (Dialect::MySql, Kind::Blob) => "BLOB",
            (_, Kind::Name) => "VARCHAR(255)",
            (_, Kind::Text) => "TEXT",
        }
    }
}

impl Column {
    pub(super) fn definition(&self, dialect: Dialect) -> String {
        let Column(name, kind, rule) = self;
        let rule = match rule {
            Rule::Key => "NOT NULL PRIMARY KEY",
            Rule::Required => "NOT NULL",
            Rule::Zero => "DEFAULT 0 NOT NULL",
            Rule::Optional => "NULL",
        };
        format!("{} {} {rule}", dialect.quoted(name), kind.name(dialect))
    }
}

impl Layout {
    pub(super) fn creation(&self, statements: &Statements) -> String {
        let dialect = statements.dialect;
        let mut parts: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.definition(dialect))
            .collect();
        if !self.key.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", dialect.list(self.key)));
        }
        format!(
            "CREATE TABLE {} ({})",
            statements.named(self.table),
            parts.join(", ")
        )
    }
}
