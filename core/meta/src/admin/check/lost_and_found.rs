//! `/lost+found`: the directory in the root that takes nodes without a name.

use moorage_model::{DirStat, Entry, Error, ErrorKind, Ino, Name, NodeType, Result};

use super::loops::locked_lies_in;
use super::namespace::{Namespace, Repaired};
use crate::accounting::entry_stat;
use crate::verbs::CreateNode;
use crate::{Context, Key, Meta, Record, Txn};

/// Its name.
const LOST_AND_FOUND: &[u8] = b"lost+found";
/// Permission bits that it is made with: what lies in it may have been out of the reach of others.
const MODE: u16 = 0o700;

impl Namespace<'_> {
    /// The directory, made when it is not there; `None` unless repairs are asked for.
    pub(super) async fn home(&mut self) -> Option<Result<Ino>> {
        if self.options.repair {
            Some(self.lost_and_found().await)
        } else {
            None
        }
    }

    async fn lost_and_found(&mut self) -> Result<Ino> {
        let name = Name::new(LOST_AND_FOUND)?;
        let context = Context::root();
        match self.meta.lookup(&context, Ino::ROOT, &name).await {
            Ok((ino, attr)) if attr.is_directory() => Ok(ino),
            Ok(_) => Err(Error::new(
                ErrorKind::NotDirectory,
                "/lost+found is in the way: it is no directory",
            )
            .with_advice("Give it another name, then repair again.")),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let node = CreateNode {
                    kind: NodeType::Directory,
                    mode: MODE,
                    umask: 0,
                    rdev: 0,
                    symlink_target: None,
                };
                let made = self.meta.mknod(&context, Ino::ROOT, &name, node).await?;
                // The usage counters changed by it, and by no other client.
                self.made.insert(made.ino, made.attr.used_space());
                Ok(made.ino)
            }
            Err(error) => Err(error),
        }
    }
}

/// Gives a node without a name one in `/lost+found`; `false` when it can have none there.
pub(super) async fn adopt(meta: &Meta, txn: &mut dyn Txn, ino: Ino, home: Ino, name: Name) -> Repaired {
    let edge = Key::Edge(home, name);
    let mut found = txn
        .get_locked(&[Key::Node(ino), Key::Node(home), edge.clone()])
        .await?;
    let (Some(mut attr), Some(directory), None) = (found.node()?, found.node()?, found.edge()?) else {
        return Ok(false);
    };
    if attr.is_directory() && locked_lies_in(txn, home, ino).await? {
        return Ok(false);
    }
    txn.insert(edge, Record::Edge(Entry { kind: attr.kind, ino }));
    if attr.parent == Ino::NONE {
        txn.add_parent(ino, home, 1);
    } else {
        attr.parent = home;
    }
    if !attr.is_directory() {
        attr.nlink = 1;
    }
    let stat: DirStat = entry_stat(&attr);
    meta.account_entry(txn, home, stat).await?;
    meta.touch_directory(txn, home, directory, attr.kind);
    txn.put(Key::Node(ino), Record::Node(attr));
    Ok(true)
}
