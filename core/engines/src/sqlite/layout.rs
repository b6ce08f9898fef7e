//! Rows and columns of the relational layout: the only place that knows them (spec 40-sql section 3).

use moorage_model::{
    AclId, Attr, Error, ErrorKind, Flags, Gid, Ino, NodeType, Result, TierId, Timestamp, Uid,
};
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::schema::ADDED_NODE_COLUMNS;

/// Columns of a node in the order of [`decode_node`] and [`NodeRow`], the inode first.
const NODE_COLUMNS: [&str; 19] = [
    "inode",
    "type",
    "flags",
    "mode",
    "uid",
    "gid",
    "atime",
    "mtime",
    "ctime",
    "atimensec",
    "mtimensec",
    "ctimensec",
    "nlink",
    "length",
    "rdev",
    "parent",
    "access_acl_id",
    "default_acl_id",
    "tier_id",
];

/// The statements that are used over and over, with the table prefix filled in once.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) prefix: String,
    /// `n.inode, n.type, ...`, with 0 for columns that the file lacks.
    pub(super) node_columns: String,
    pub(super) get_node: String,
    pub(super) put_node: String,
    pub(super) insert_node: String,
    pub(super) get_edge: String,
    pub(super) lookup: String,
    pub(super) list: String,
    pub(super) list_attributes: String,
    pub(super) insert_edge: String,
    pub(super) put_edge: String,
    pub(super) delete_edge: String,
    pub(super) any_edge: String,
    pub(super) get_chunk: String,
    pub(super) put_chunk: String,
    pub(super) append_chunk: String,
    pub(super) insert_ref: String,
    pub(super) add_ref: String,
    pub(super) get_counter: String,
    pub(super) add_counter: String,
    pub(super) put_counter: String,
    pub(super) add_dir_stat: String,
}

impl Statements {
    /// Fills in the prefix; `present` names the node columns of this file, empty for a new one.
    pub(super) fn new(prefix: &str, present: &[String]) -> Statements {
        let missing = |column: &str| {
            !present.is_empty()
                && ADDED_NODE_COLUMNS.iter().any(|(name, _)| *name == column)
                && !present.iter().any(|name| name == column)
        };
        let node_columns = NODE_COLUMNS
            .map(|column| {
                if missing(column) {
                    "0".to_owned()
                } else {
                    format!("n.`{column}`")
                }
            })
            .join(", ");
        let names = NODE_COLUMNS.map(|column| format!("`{column}`")).join(", ");
        let places = (1..=NODE_COLUMNS.len())
            .map(|n| format!("?{n}"))
            .collect::<Vec<_>>()
            .join(", ");
        let insert_node = format!("INSERT INTO `{prefix}node` ({names}) VALUES ({places})");
        let updates = NODE_COLUMNS
            .iter()
            .enumerate()
            .skip(1)
            .map(|(index, column)| format!("`{column}` = ?{}", index + 1))
            .collect::<Vec<_>>()
            .join(", ");
        let list = |columns: &str, join: &str| {
            format!(
                "SELECT e.name, e.inode, e.type{columns} FROM `{prefix}edge` e {join} \
                 WHERE e.parent = ?1 AND e.name > ?2 ORDER BY e.name LIMIT ?3"
            )
        };
        let join = format!("LEFT JOIN `{prefix}node` n ON n.inode = e.inode");
        Statements {
            get_node: format!("SELECT {node_columns} FROM `{prefix}node` n WHERE n.inode = ?1"),
            put_node: format!("{insert_node} ON CONFLICT (inode) DO UPDATE SET {updates}"),
            insert_node,
            get_edge: format!("SELECT inode, type FROM `{prefix}edge` WHERE parent = ?1 AND name = ?2"),
            lookup: format!(
                "SELECT e.name, e.inode, e.type, {node_columns} FROM `{prefix}edge` e {join} WHERE e.parent = ?1 AND e.name = ?2"
            ),
            list: list("", ""),
            list_attributes: list(&format!(", {node_columns}"), &join),
            insert_edge: format!(
                "INSERT INTO `{prefix}edge` (parent, name, inode, type) VALUES (?1, ?2, ?3, ?4)"
            ),
            put_edge: format!(
                "INSERT INTO `{prefix}edge` (parent, name, inode, type) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (parent, name) DO UPDATE SET inode = ?3, type = ?4"
            ),
            delete_edge: format!("DELETE FROM `{prefix}edge` WHERE parent = ?1 AND name = ?2"),
            any_edge: format!("SELECT 1 FROM `{prefix}edge` WHERE parent = ?1 LIMIT 1"),
            get_chunk: format!("SELECT slices FROM `{prefix}chunk` WHERE inode = ?1 AND indx = ?2"),
            put_chunk: format!(
                "INSERT INTO `{prefix}chunk` (inode, indx, slices) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (inode, indx) DO UPDATE SET slices = ?3"
            ),
            append_chunk: format!(
                "INSERT INTO `{prefix}chunk` (inode, indx, slices) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (inode, indx) DO UPDATE SET slices = CAST(slices || ?3 AS BLOB)"
            ),
            insert_ref: format!("INSERT INTO `{prefix}chunk_ref` (chunkid, size, refs) VALUES (?1, ?2, 1)"),
            add_ref: format!(
                "INSERT INTO `{prefix}chunk_ref` (chunkid, size, refs) VALUES (?1, ?2, 1 + ?3) \
                 ON CONFLICT (chunkid) DO UPDATE SET refs = refs + ?3"
            ),
            get_counter: format!("SELECT value FROM `{prefix}counter` WHERE name = ?1"),
            add_counter: format!(
                "INSERT INTO `{prefix}counter` (name, value) VALUES (?1, ?3) \
                 ON CONFLICT (name) DO UPDATE SET value = value + ?2"
            ),
            put_counter: format!(
                "INSERT INTO `{prefix}counter` (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2"
            ),
            add_dir_stat: format!(
                "UPDATE `{prefix}dir_stats` SET data_length = data_length + ?2, used_space = used_space + ?3, \
                 used_inodes = used_inodes + ?4 WHERE inode = ?1"
            ),
            node_columns,
            prefix: prefix.to_owned(),
        }
    }
}

/// Raw bytes of a column of any storage class: appended slice lists are TEXT (spec 40-sql section 2).
pub(super) fn bytes<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<&'r [u8]> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        _ => &[],
    })
}

/// An unsigned 64-bit number stored as its signed bits; NULL is 0.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(signed(row, column)?.cast_unsigned())
}

/// A signed number; NULL is 0.
pub(super) fn signed(row: &Row<'_>, column: usize) -> rusqlite::Result<i64> {
    Ok(row.get::<_, Option<i64>>(column)?.unwrap_or(0))
}

/// An inode column.
pub(super) fn ino(row: &Row<'_>, column: usize) -> rusqlite::Result<Ino> {
    unsigned(row, column).map(Ino)
}

fn small<T: TryFrom<i64>>(row: &Row<'_>, column: usize, ino: Ino, what: &str) -> Result<T> {
    let value = signed(row, column).map_err(|error| damaged(ino, what).with_source(error))?;
    T::try_from(value).map_err(|_| damaged(ino, &format!("{what} {value}")))
}

fn damaged(ino: Ino, what: &str) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("attributes of inode {ino}: {what} is out of range"),
    )
    .with_advice("Run `moorage fsck` on the volume.")
}

/// Seconds and nanoseconds from microseconds and the remaining nanoseconds (spec 20-model section 3).
pub(super) fn timestamp(micros: i64, rest: i64) -> Timestamp {
    // The original lets times after 2262 wrap to negative numbers; the kernel caps their nanoseconds likewise.
    let nanoseconds = ((micros % 1_000_000).wrapping_mul(1000).wrapping_add(rest)) as u32;
    Timestamp::new(micros / 1_000_000, nanoseconds.min(999_999_999))
}

/// Reads a node whose columns start at `first`; `None` when the joined row is missing.
pub(super) fn decode_node(row: &Row<'_>, first: usize) -> Result<Option<(Ino, Attr)>> {
    let column = |offset: usize| first + offset;
    let read = |offset: usize| signed(row, column(offset));
    let corrupt = |error: rusqlite::Error| Error::new(ErrorKind::Corrupt, "a node row").with_source(error);
    if row.get_ref(column(0)).map_err(corrupt)? == ValueRef::Null {
        return Ok(None);
    }
    let number = ino(row, column(0)).map_err(corrupt)?;
    let time = |micros: usize, rest: usize| Ok(timestamp(read(micros)?, read(rest)?));
    let kind: u8 = small(row, column(1), number, "type")?;
    let attr = Attr {
        flags: Flags(small(row, column(2), number, "flags")?),
        kind: NodeType::from_code(kind).map_err(|error| error.context(format!("inode {number}")))?,
        mode: small::<u16>(row, column(3), number, "mode")? & 0o7777,
        uid: Uid(small(row, column(4), number, "uid")?),
        gid: Gid(small(row, column(5), number, "gid")?),
        atime: time(6, 9).map_err(corrupt)?,
        mtime: time(7, 10).map_err(corrupt)?,
        ctime: time(8, 11).map_err(corrupt)?,
        nlink: small(row, column(12), number, "nlink")?,
        length: unsigned(row, column(13)).map_err(corrupt)?,
        rdev: small(row, column(14), number, "rdev")?,
        parent: ino(row, column(15)).map_err(corrupt)?,
        access_acl: AclId(small(row, column(16), number, "access_acl_id")?),
        default_acl: AclId(small(row, column(17), number, "default_acl_id")?),
        tier: TierId(small(row, column(18), number, "tier_id")?),
    };
    Ok(Some((number, attr)))
}

/// The columns of a node, in the order of the statements.
pub(super) fn encode_node(ino: Ino, attr: &Attr) -> [i64; 19] {
    let times = [attr.atime, attr.mtime, attr.ctime].map(Timestamp::clamped_nanos);
    let [atime, mtime, ctime] = times.map(|nanos| (nanos / 1000, nanos % 1000));
    [
        ino.0.cast_signed(),
        i64::from(attr.kind.code()),
        i64::from(attr.flags.0),
        i64::from(attr.mode & 0o7777),
        i64::from(attr.uid.0),
        i64::from(attr.gid.0),
        atime.0,
        mtime.0,
        ctime.0,
        atime.1,
        mtime.1,
        ctime.1,
        i64::from(attr.nlink),
        attr.length.cast_signed(),
        i64::from(attr.rdev),
        attr.parent.0.cast_signed(),
        i64::from(attr.access_acl.0),
        i64::from(attr.default_acl.0),
        i64::from(attr.tier.0),
    ]
}
