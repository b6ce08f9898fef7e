//! Ranges as queries.

use moorage_meta::{Key, Scan};
use moorage_model::Name;

use super::{Cell, Table, address};

/// The rows of one table that belong to a range.
#[derive(Debug)]
pub(crate) struct Part {
    /// Where they are.
    pub(crate) table: Table,
    /// Columns that have one value in the whole range.
    pub(crate) fixed: Vec<(&'static str, Cell<'static>)>,
    /// A condition without parameters.
    pub(crate) filter: Option<&'static str>,
    /// What they are ordered by; together with `fixed` it is unique.
    pub(crate) order: &'static [&'static str],
}

impl Part {
    fn whole(table: Table, order: &'static [&'static str]) -> Part {
        Part {
            table,
            fixed: Vec::new(),
            filter: None,
            order,
        }
    }

    fn of(table: Table, column: &'static str, value: u64, order: &'static [&'static str]) -> Part {
        Part {
            fixed: vec![(column, Cell::bits(value))],
            ..Part::whole(table, order)
        }
    }

    /// The values of `order` in a key of this part; `None` when the key is of another table.
    pub(crate) fn position<'k>(&self, key: &'k Key) -> Option<Vec<Cell<'k>>> {
        let (table, cells) = address(key);
        if table != self.table {
            return None;
        }
        let columns = table.key().iter().zip(cells);
        let named: Vec<(&str, Cell<'k>)> = columns.map(|(column, cell)| (*column, cell)).collect();
        self.order
            .iter()
            .map(|wanted| {
                let found = named.iter().find(|(column, _)| column == wanted);
                found.map(|(_, cell)| cell.clone())
            })
            .collect()
    }
}

/// The parts of a range, in the order in which its pages follow.
pub(crate) fn parts(range: &Scan) -> Vec<Part> {
    let one = match range {
        Scan::Edges(directory) => Part::of(Table::Edge, "parent", directory.0, &["name"]),
        Scan::AllEdges => Part::whole(Table::Edge, &["parent", "name"]),
        Scan::AllNodes => Part::whole(Table::Node, &["inode"]),
        Scan::Xattrs(ino) => Part::of(Table::Xattr, "inode", ino.0, &["name"]),
        Scan::AllXattrs => Part::whole(Table::Xattr, &["inode", "name"]),
        Scan::Chunks(ino) | Scan::DeletedChunks(ino, _) => Part::of(Table::Chunk, "inode", ino.0, &["indx"]),
        Scan::AllChunks => Part::whole(Table::Chunk, &["inode", "indx"]),
        Scan::SliceRefs => Part::whole(Table::SliceRef, &["chunkid"]),
        Scan::DeadSlices => Part {
            filter: Some("refs <= 0"),
            ..Part::whole(Table::SliceRef, &["chunkid"])
        },
        Scan::DelayedSlices => Part::whole(Table::DelayedSlices, &["deleted", "chunkid"]),
        Scan::Sessions => Part::whole(Table::Session, &["sid"]),
        Scan::LegacySessions => Part::whole(Table::LegacySession, &["sid"]),
        Scan::Sustained(sid) => Part::of(Table::Sustained, "sid", sid.0, &["inode"]),
        Scan::AllSustained => Part::whole(Table::Sustained, &["sid", "inode"]),
        Scan::DeletedFiles => Part::whole(Table::DeletedFile, &["inode"]),
        Scan::FileLocks(ino) => Part::of(Table::FileLock, "inode", ino.0, &["sid", "owner"]),
        Scan::RecordLocks(ino) => Part::of(Table::RecordLocks, "inode", ino.0, &["sid", "owner"]),
        Scan::SessionLocks(sid) => {
            let locks = |table| Part::of(table, "sid", sid.0, &["inode", "owner"]);
            return vec![locks(Table::FileLock), locks(Table::RecordLocks)];
        }
        Scan::DirStats => Part::whole(Table::DirStat, &["inode"]),
        Scan::Quotas => {
            return vec![
                Part::whole(Table::DirectoryQuota, &["inode"]),
                Part::whole(Table::OwnerQuota, &["qtype", "qkey"]),
            ];
        }
        Scan::Detached => Part::whole(Table::Detached, &["inode"]),
        Scan::Acls => Part::whole(Table::Acl, &["id"]),
        Scan::Changelog => Part::whole(Table::Changelog, &["id"]),
    };
    vec![one]
}

/// The least name that a listing behind `after` can hold. Without one it is the empty name: an entry that has it is
/// damaged, and a listing that passed over it would hide that.
pub(crate) fn first_behind(after: Option<&Name>) -> Vec<u8> {
    after.map_or_else(Vec::new, |name| [name.as_bytes(), &[0]].concat())
}
