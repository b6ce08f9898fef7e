//! Entries and nodes that contradict each other in what kind of node it is: everything else on record decides.

use moorage_model::{Attr, DIRECTORY_LENGTH, Entry, Ino, Name, NodeType, Result};

use super::CheckScope;
use super::namespace::{Namespace, Repaired};
use super::report::{Defect, Severity};
use crate::admin::{FROM_BACKUP, readable};
use crate::{DirectoryEntry, Key, Meta, Read, Record, Scan};

/// What is on record of a node beside the kind that it says and the kinds that its entries say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KindEvidence {
    /// It has entries.
    has_entries: bool,
    /// It has statistics, as directories have.
    has_statistics: bool,
    /// It has slices, as files have.
    has_slices: bool,
    /// It has a target, as symlinks have.
    has_target: bool,
    /// Its names are counted apart, as those of hard links are.
    has_hard_links: bool,
    links: u32,
    length: u64,
    has_device: bool,
}

impl KindEvidence {
    /// Collects it. A record that is there and can not be read is evidence too.
    pub(super) async fn read(reader: &(impl Read + ?Sized), ino: Ino, attr: &Attr) -> Result<KindEvidence> {
        Ok(KindEvidence {
            has_entries: has_any(reader, Scan::Edges(ino)).await?,
            has_statistics: has(reader, Key::DirStat(ino)).await?,
            has_slices: has_any(reader, Scan::Chunks(ino)).await?,
            has_target: has(reader, Key::Symlink(ino)).await?,
            has_hard_links: attr.parent == Ino::NONE,
            links: attr.nlink,
            length: attr.length,
            has_device: attr.rdev != 0,
        })
    }

    /// How much of it a node of this kind would not have.
    fn against(&self, kind: NodeType) -> usize {
        let (directory, file) = (kind == NodeType::Directory, kind == NodeType::File);
        let device = matches!(kind, NodeType::BlockDevice | NodeType::CharDevice);
        let wrong_length = match kind {
            NodeType::File => false,
            NodeType::Directory => self.length != DIRECTORY_LENGTH,
            NodeType::Symlink => self.length == 0,
            _ => self.length != 0,
        };
        let wrong_links = if directory {
            self.links < 2
        } else {
            self.links > 1 && !self.has_hard_links
        };
        [
            self.has_entries && !directory,
            self.has_statistics && !directory,
            self.has_slices && !file,
            self.has_target != (kind == NodeType::Symlink),
            self.has_hard_links && directory,
            wrong_links,
            wrong_length,
            self.has_device && !device,
        ]
        .into_iter()
        .filter(|contradicts| *contradicts)
        .count()
    }

    /// Which of two kinds it is; `None` when as much speaks against one as against the other.
    pub(super) fn decide(&self, one: NodeType, other: NodeType) -> Option<NodeType> {
        match self.against(one).cmp(&self.against(other)) {
            std::cmp::Ordering::Less => Some(one),
            std::cmp::Ordering::Greater => Some(other),
            std::cmp::Ordering::Equal => None,
        }
    }
}

/// Whether a range holds anything, readable or not.
pub(super) async fn has_any(reader: &(impl Read + ?Sized), range: Scan) -> Result<bool> {
    let page = reader.survey(&range, None, 1).await?;
    Ok(!page.items.is_empty() || !page.damaged.is_empty())
}

async fn has(reader: &(impl Read + ?Sized), key: Key) -> Result<bool> {
    let found = readable(reader.read(&[key]).await)?;
    Ok(found.is_none_or(|records| records.iter().any(Option::is_some)))
}

impl Namespace<'_> {
    /// Reports an entry that says another kind than its node. The node as it is known to be, for the checks that follow;
    /// `None` when nothing more can be said of it.
    pub(super) async fn check_kind(
        &mut self,
        directory: Ino,
        item: &DirectoryEntry,
        attr: &Attr,
        waiting: &mut Vec<Ino>,
    ) -> Result<Option<Attr>> {
        if !self.still_there(directory, item).await? {
            return Ok(None);
        }
        let (ino, said) = (item.entry.ino, item.entry.kind);
        let evidence = KindEvidence::read(self.meta.engine.as_ref(), ino, attr).await?;
        let decided = evidence.decide(said, attr.kind);
        let repair = match decided {
            Some(_) => {
                self.repair(self.meta.repair_kind(directory, item.name.clone()))
                    .await
            }
            None => None,
        };
        if !matches!(repair, Some(Ok(true))) {
            // Numbers that follow from the kinds of both would be counted wrong.
            self.disputed.extend([ino, directory]);
        }
        let is_directory = decided == Some(NodeType::Directory);
        if is_directory || decided.is_none() && evidence.has_entries {
            // What lies in it is there all the same.
            let unlisted = match self.options.scope {
                CheckScope::Volume => self.directories.insert(ino, attr.parent).is_none(),
                CheckScope::Tree(_) => said != NodeType::Directory,
            };
            if unlisted {
                waiting.push(ino);
            }
        } else {
            self.directories.remove(&ino);
        }
        let advice = match decided {
            Some(kind) if kind == said => {
                "`fsck --repair` corrects the node: what else is on record agrees with the entry."
            }
            Some(_) => "`fsck --repair` corrects the entry: what else is on record agrees with the node.",
            None => "Nothing else on record tells which of them is right, so neither is touched.",
        };
        self.add(
            Defect::WrongKind,
            Severity::Error,
            format!(
                "entry {:?} of directory {directory} says {said:?}, its node {ino} is a {:?}",
                item.name, attr.kind
            ),
            &match decided {
                Some(_) => advice.to_owned(),
                None => format!("{advice} {FROM_BACKUP}"),
            },
            decided.map(|_| repair),
        );
        Ok(decided.map(|kind| Attr { kind, ..attr.clone() }))
    }
}

impl Meta {
    /// Gives an entry the kind of its node, or the node that of its entry: to the one that less else on record agrees
    /// with.
    async fn repair_kind(&self, directory: Ino, name: Name) -> Repaired {
        self.transact("repair", move |_, txn| {
            let name = name.clone();
            Box::pin(async move {
                let Some((entry, Some(mut attr))) = txn.lock_child(directory, &name).await? else {
                    return Ok(false);
                };
                if entry.kind == attr.kind {
                    return Ok(false);
                }
                // Entries, slices and targets come and go together with a change of the node, which is locked.
                let evidence = KindEvidence::read(&*txn, entry.ino, &attr).await?;
                let Some(kind) = evidence.decide(entry.kind, attr.kind) else {
                    return Ok(false);
                };
                if kind == attr.kind {
                    txn.put(Key::Edge(directory, name), Record::Edge(Entry { kind, ..entry }));
                } else {
                    attr.kind = kind;
                    if kind == NodeType::Directory {
                        attr.length = DIRECTORY_LENGTH;
                    }
                    txn.put(Key::Node(entry.ino), Record::Node(attr));
                }
                Ok(true)
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTORY: KindEvidence = KindEvidence {
        has_entries: true,
        has_statistics: true,
        has_slices: false,
        has_target: false,
        has_hard_links: false,
        links: 2,
        length: DIRECTORY_LENGTH,
        has_device: false,
    };
    const FILE: KindEvidence = KindEvidence {
        has_entries: false,
        has_statistics: false,
        has_slices: true,
        links: 1,
        length: 100,
        ..DIRECTORY
    };

    #[test]
    fn the_kind_that_less_speaks_against_is_right() {
        use NodeType::{CharDevice, Directory, Fifo, File, Symlink};
        let empty = KindEvidence {
            has_entries: false,
            ..DIRECTORY
        };
        let symlink = KindEvidence {
            has_slices: false,
            has_target: true,
            ..FILE
        };
        let hard_linked = KindEvidence {
            has_hard_links: true,
            links: 3,
            ..FILE
        };
        let device = KindEvidence {
            has_slices: false,
            length: 0,
            has_device: true,
            ..FILE
        };
        for (evidence, right, wrong) in [
            (DIRECTORY, Directory, File),
            (DIRECTORY, Directory, Symlink),
            (empty, Directory, File),
            (empty, Directory, Fifo),
            (FILE, File, Directory),
            (FILE, File, Symlink),
            (hard_linked, File, Directory),
            (symlink, Symlink, File),
            (symlink, Symlink, Directory),
            (device, CharDevice, File),
        ] {
            assert_eq!(evidence.decide(right, wrong), Some(right), "{evidence:?}");
            assert_eq!(evidence.decide(wrong, right), Some(right), "{evidence:?}");
        }
    }

    #[test]
    fn a_balance_decides_nothing() {
        let nothing = KindEvidence {
            has_slices: false,
            length: 0,
            ..FILE
        };
        assert_eq!(nothing.decide(NodeType::File, NodeType::Fifo), None);
        // Its entries and links speak against a file, its content and length against a directory.
        let both = KindEvidence {
            has_entries: true,
            links: 2,
            ..FILE
        };
        assert_eq!(both.decide(NodeType::File, NodeType::Directory), None);
    }
}
