//! Collected writes as commands.

use moorage_model::{Error, ErrorKind, QuotaKey, Result};

use super::commit::{Command, Guard};
use super::layout::Layout;
use super::store::{decimal, limits, push, remove, store};
use crate::collected::Change;
use crate::write::Write;

/// The commands of a change.
///
/// # Errors
/// `InvalidArgument` when a record is not of the kind that its key names.
pub(super) fn commands(layout: &Layout, change: &Change) -> Result<Vec<Command>> {
    Ok(match change {
        Change::Record(write) => return record_commands(layout, write),
        Change::Parent(ino, directory, delta) => vec![Command::new(
            "HINCRBY",
            layout.numbered("p", ino.0),
            vec![decimal(&directory), decimal(&delta)],
        )],
        Change::Attachments(ino) => ["x", "p"]
            .map(|letter| Command::new("DEL", layout.numbered(letter, ino.0), Vec::new()))
            .into(),
        Change::Line(line) => vec![
            Command::new("RPUSH", layout.key("txnLog"), vec![line.clone().into_bytes()]),
            Command::new("INCR", layout.key("txnLastLog"), Vec::new()),
        ],
    })
}

fn record_commands(layout: &Layout, write: &Write) -> Result<Vec<Command>> {
    if !write.fits() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{} can not hold that: {write:?}", write.key()),
        ));
    }
    Ok(match write {
        Write::Insert(key, record) | Write::Put(key, record) => store(layout, key, record)?,
        Write::Delete(key) => remove(layout, key),
        Write::Append(ino, chunk, slices) => push(&layout.chunk(*ino, *chunk), slices),
        // One owner is what an absent field means.
        Write::NewSlice(..) => Vec::new(),
        Write::AddOwners(id, size, delta) => vec![Command::new(
            "HINCRBY",
            layout.key("sliceRef"),
            vec![format!("k{id}_{size}").into_bytes(), decimal(&delta)],
        )],
        Write::AddCounter(counter, delta) => {
            vec![Command::new(
                "INCRBY",
                layout.counter(*counter),
                vec![decimal(&delta)],
            )]
        }
        Write::AddDirStat(ino, delta) => {
            let fields = [
                ("dirDataLength", delta.length),
                ("dirUsedSpace", delta.space),
                ("dirUsedInodes", delta.inodes),
            ];
            let exists = Guard::HasField(layout.key("dirUsedSpace"), decimal(&ino));
            fields
                .into_iter()
                .filter(|(_, delta)| *delta != 0)
                .map(|(hash, delta)| {
                    Command::new("HINCRBY", layout.key(hash), vec![decimal(&ino), decimal(&delta)])
                        .only_if(exists.clone())
                })
                .collect()
        }
        Write::AddQuota(key, space, inodes) => {
            let (kind, id) = Layout::quota(*key);
            let hash = |part: &str| layout.key(&format!("{kind}Quota{part}"));
            let exists = match key {
                QuotaKey::Directory(_) => Guard::HasField(hash("UsedInodes"), decimal(&id)),
                QuotaKey::User(_) | QuotaKey::Group(_) => Guard::Always,
            };
            let mut limits = Command::new("HSETNX", hash(""), vec![decimal(&id), limits(-1, -1)]);
            limits.guard = exists.clone();
            let add = |part, delta: i64| {
                Command::new("HINCRBY", hash(part), vec![decimal(&id), decimal(&delta)])
                    .only_if(exists.clone())
            };
            vec![limits, add("UsedSpace", *space), add("UsedInodes", *inodes)]
        }
    })
}
