//! Tables as the original makes them (spec 40-sql sections 2 and 3).

use moorage_model::{Error, ErrorKind, Result};

use super::SqlEngine;
use super::dialect::Dialect;
use super::statement::{Statement, Value};
use super::statements::Statements;

/// Tries to make tables that another client makes at the same time.
const MAX_TRIES: u32 = 10;

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

struct Column(&'static str, Kind, Rule);

/// Whether an index is unique, the last part of its name, its columns.
struct Index(bool, &'static str, &'static [&'static str]);

struct Layout {
    table: &'static str,
    columns: &'static [Column],
    /// Columns of a primary key that has several.
    key: &'static [&'static str],
    indexes: &'static [Index],
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

const TABLES: &[Layout] = &[
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
const ADDED_NODE_COLUMNS: [&str; 6] = [
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
    fn definition(&self, dialect: Dialect) -> String {
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
    fn creation(&self, statements: &Statements) -> String {
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

/// A database's own account of the tables of a volume.
#[derive(Debug, Default)]
struct Catalog {
    tables: Vec<String>,
    indexes: Vec<String>,
    node_columns: Vec<String>,
}

impl Catalog {
    fn lacks(names: &[String], name: &str) -> bool {
        !names.iter().any(|found| found.eq_ignore_ascii_case(name))
    }
}

impl SqlEngine {
    /// Makes missing tables, columns and indexes.
    pub(super) async fn make_tables(&self) -> Result<()> {
        let mut tries = 0;
        loop {
            let missing = self.missing().await?;
            if missing.is_empty() {
                self.statements().set_missing(Vec::new());
                return Ok(());
            }
            let made = self.shared.driver.run(&missing).await;
            tries += 1;
            match made {
                // Another client made some of them meanwhile: look again.
                Err(failure) if tries >= MAX_TRIES => {
                    return Err(failure.error.context("preparing the tables"));
                }
                Err(failure) if failure.error.kind() != ErrorKind::Conflict && tries > 1 => {
                    return Err(failure.error.context("preparing the tables"));
                }
                _ => {}
            }
        }
    }

    /// Whether no table of the volume has a row.
    pub(super) async fn has_no_rows(&self) -> Result<bool> {
        let queries: Vec<Statement> = TABLES
            .iter()
            .map(|layout| {
                Statement::plain(format!(
                    "SELECT 1 FROM {} LIMIT 1",
                    self.statements().named(layout.table)
                ))
            })
            .collect();
        let answers = self.shared.driver.query(&queries).await;
        let answers = answers.map_err(|failure| failure.error.context("looking for a volume"))?;
        Ok(answers.iter().all(Vec::is_empty))
    }

    /// Removes the tables of the volume.
    pub(super) async fn drop_tables(&self) -> Result<()> {
        let drops: Vec<Statement> = TABLES
            .iter()
            .map(|layout| {
                Statement::plain(format!(
                    "DROP TABLE IF EXISTS {}",
                    self.statements().named(layout.table)
                ))
            })
            .collect();
        let dropped = self.shared.driver.run(&drops).await;
        dropped
            .map(drop)
            .map_err(|failure| failure.error.context("removing the volume"))
    }

    /// Learns which node columns the database lacks.
    pub(super) async fn learn_columns(&self) -> Result<()> {
        let present = self.catalog().await?.node_columns;
        let missing = ADDED_NODE_COLUMNS
            .iter()
            .filter(|column| Catalog::lacks(&present, column))
            .map(|column| (*column).to_owned());
        self.statements().set_missing(missing.collect());
        Ok(())
    }

    /// Statements that make what the database lacks.
    async fn missing(&self) -> Result<Vec<Statement>> {
        let statements = self.statements();
        let dialect = statements.dialect;
        let catalog = self.catalog().await?;
        let mut missing = Vec::new();
        for layout in TABLES {
            let table = format!("{}{}", statements.prefix, layout.table);
            if Catalog::lacks(&catalog.tables, &table) {
                missing.push(layout.creation(statements));
            }
            for Index(unique, name, columns) in layout.indexes {
                let kind = if *unique { "UQE" } else { "IDX" };
                let index = format!("{kind}_{table}_{name}");
                if Catalog::lacks(&catalog.indexes, &index) {
                    let unique = if *unique { "UNIQUE " } else { "" };
                    missing.push(format!(
                        "CREATE {unique}INDEX {} ON {} ({})",
                        dialect.quoted(&index),
                        statements.named(layout.table),
                        dialect.list(columns)
                    ));
                }
            }
        }
        let node = TABLES.iter().filter(|layout| layout.table == "node");
        if !catalog.node_columns.is_empty() {
            let added = node.flat_map(|layout| layout.columns).filter(|Column(name, ..)| {
                ADDED_NODE_COLUMNS.contains(name) && Catalog::lacks(&catalog.node_columns, name)
            });
            missing.extend(added.map(|column| {
                format!(
                    "ALTER TABLE {} ADD COLUMN {}",
                    statements.named("node"),
                    column.definition(dialect)
                )
            }));
        }
        Ok(missing.into_iter().map(Statement::plain).collect())
    }

    async fn catalog(&self) -> Result<Catalog> {
        let answers = self.shared.driver.query(&self.statements().catalog()).await;
        let answers = answers.map_err(|failure| failure.error.context("listing the tables"))?;
        let mut names = answers.into_iter().map(|rows| {
            let firsts = rows.into_iter().filter_map(|row| row.0.into_iter().next());
            firsts
                .filter_map(|value| match value {
                    Value::Bytes(bytes) => String::from_utf8(bytes).ok(),
                    _ => None,
                })
                .collect::<Vec<String>>()
        });
        match (names.next(), names.next(), names.next()) {
            (Some(tables), Some(indexes), Some(node_columns)) => Ok(Catalog {
                tables,
                indexes,
                node_columns,
            }),
            _ => Err(Error::new(ErrorKind::Io, "the server did not list its tables")),
        }
    }
}
