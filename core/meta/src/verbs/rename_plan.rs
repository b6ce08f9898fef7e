//! The transaction of a rename: checks first, then the writes of one of its three outcomes.

use moorage_model::{Attr, Entry, ErrorKind, Flags, Ino, Name, Result, Timestamp};

use super::create::missing_node;
use super::parent::Parent;
use super::removal::{Fate, Removal};
use super::rename::RenameFlags;
use crate::accounting::entry_stat;
use crate::changelog::escape;
use crate::permission::{check_sticky, directory, living_directory, refuse_flags};
use crate::usage::SubtreeUsage;
use crate::{Context, Key, MAY_WRITE, Meta, ReadSet, Record, Txn};

/// An entry by its directory and name.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) parent: Ino,
    pub(super) name: Name,
}

impl Place {
    fn edge(&self) -> Key {
        Key::Edge(self.parent, self.name.clone())
    }

    fn child(&self) -> (Ino, &Name) {
        (self.parent, &self.name)
    }
}

/// Arguments of the transaction.
#[derive(Debug)]
pub(super) struct Move {
    pub(super) context: Context,
    pub(super) source: Place,
    pub(super) target: Place,
    pub(super) flags: RenameFlags,
    pub(super) trash: Option<Ino>,
    pub(super) subtrees: Vec<SubtreeUsage>,
}

/// What was done.
#[derive(Debug)]
pub(super) struct Moved {
    pub(super) ino: Ino,
    pub(super) attr: Attr,
    pub(super) replaced: Option<Fate>,
}

/// An entry with the attributes of its node.
#[derive(Clone, Debug)]
struct Child {
    entry: Entry,
    attr: Attr,
}

/// The one or two directories whose entries change.
struct Parents {
    source: Parent,
    /// `None` when both are the same.
    target: Option<Parent>,
}

impl Parents {
    fn target(&mut self) -> &mut Parent {
        self.target.as_mut().unwrap_or(&mut self.source)
    }

    fn target_attr(&self) -> &Attr {
        self.target
            .as_ref()
            .map_or(&self.source.attr, |parent| &parent.attr)
    }

    /// Writes them in inode order, so that two renames can not wait for each other's rows.
    fn store(self, meta: &Meta, txn: &mut dyn Txn, now: Timestamp) {
        let mut parents: Vec<Parent> = [Some(self.source), self.target].into_iter().flatten().collect();
        parents.sort_by_key(|parent| parent.ino);
        for parent in parents {
            parent.store(meta, txn, now);
        }
    }
}

impl Move {
    pub(super) async fn run(&self, meta: &Meta, txn: &mut dyn Txn) -> Result<Moved> {
        let across = self.source.parent != self.target.parent;
        let mut found = txn
            .lock_set(ReadSet {
                keys: &[Key::Node(self.source.parent), Key::Node(self.target.parent)],
                children: &[self.source.child(), self.target.child()],
                range: None,
            })
            .await?;
        let source_parent = directory(found.records.node()?)?;
        let target_parent = self.target_parent(found.records.node()?)?;
        meta.check_directory_change(&*txn, &self.context, &source_parent)
            .await?;
        meta.check_directory_change(&*txn, &self.context, &target_parent)
            .await?;
        refuse_flags(&source_parent, Flags::IMMUTABLE | Flags::APPEND)?;
        refuse_flags(&target_parent, Flags::IMMUTABLE)?;
        let (source_entry, source_attr) = found.child().ok_or(ErrorKind::NotFound)?;
        let target = found.child();
        let attr = source_attr.ok_or_else(|| self.missing(&self.source, source_entry))?;
        let source = Child {
            entry: source_entry,
            attr,
        };
        let parents = Parents {
            source: Parent::new(self.source.parent, source_parent),
            target: across.then(|| Parent::new(self.target.parent, target_parent)),
        };
        self.check_moved(meta, txn, &parents.source.attr, &source).await?;
        if source.attr.is_directory() && across {
            self.check_loop(meta, txn, self.target.parent, source.entry.ino)
                .await?;
        }
        match target {
            None if self.flags.exchange => Err(ErrorKind::NotFound.into()),
            None => self.move_to(meta, txn, parents, source, None).await,
            Some(_) if self.flags.no_replace => Err(ErrorKind::Exists.into()),
            Some((entry, _)) if entry.ino == source.entry.ino => Ok(Moved {
                ino: entry.ino,
                attr: source.attr,
                replaced: None,
            }),
            Some((entry, attr)) if self.flags.exchange => {
                let attr = attr.ok_or_else(|| self.missing(&self.target, entry))?;
                self.exchange(meta, txn, parents, source, Child { entry, attr })
                    .await
            }
            Some((entry, attr)) => {
                self.check_replaced(txn, parents.target_attr(), &source, entry, attr.as_ref())
                    .await?;
                self.move_to(meta, txn, parents, source, Some((entry, attr)))
                    .await
            }
        }
    }

    fn target_parent(&self, attr: Option<Attr>) -> Result<Attr> {
        if self.flags.restore {
            directory(attr)
        } else {
            living_directory(attr)
        }
    }

    fn missing(&self, place: &Place, entry: Entry) -> moorage_model::Error {
        missing_node(place.parent, &place.name, entry.ino)
    }

    /// Whether the caller may take this node out of its directory.
    async fn check_moved(
        &self,
        meta: &Meta,
        txn: &mut dyn Txn,
        directory: &Attr,
        child: &Child,
    ) -> Result<()> {
        let context = &self.context;
        refuse_flags(&child.attr, Flags::IMMUTABLE | Flags::APPEND)?;
        check_sticky(context, directory, &child.attr)?;
        if !child.attr.is_directory() || self.source.parent == self.target.parent {
            return Ok(());
        }
        // A directory that changes its parent is changed itself: its `..`.
        meta.check_access_in(&*txn, context, &child.attr, MAY_WRITE)
            .await?;
        let foreign = context.uid.0 != 0 && context.uid != child.attr.uid;
        if directory.mode & 0o1000 != 0 && foreign {
            Err(ErrorKind::AccessDenied.into())
        } else {
            Ok(())
        }
    }

    /// A directory can not move below itself.
    async fn check_loop(&self, meta: &Meta, txn: &mut dyn Txn, destination: Ino, moved: Ino) -> Result<()> {
        let chain = meta.lock_ancestors(txn, destination).await?;
        if chain.contains(&moved) {
            Err(ErrorKind::NotPermitted.into())
        } else {
            Ok(())
        }
    }

    async fn check_replaced(
        &self,
        txn: &mut dyn Txn,
        directory: &Attr,
        source: &Child,
        target: Entry,
        attr: Option<&Attr>,
    ) -> Result<()> {
        let target_is_directory = target.kind == moorage_model::NodeType::Directory;
        match (source.attr.is_directory(), target_is_directory) {
            (true, false) => return Err(ErrorKind::NotDirectory.into()),
            (false, true) => return Err(ErrorKind::IsDirectory.into()),
            _ => {}
        }
        if let Some(attr) = attr {
            refuse_flags(attr, Flags::IMMUTABLE | Flags::APPEND)?;
            check_sticky(&self.context, directory, attr)?;
        }
        if target_is_directory && !txn.lock_is_empty(target.ino).await? {
            return Err(ErrorKind::NotEmpty.into());
        }
        Ok(())
    }

    async fn move_to(
        &self,
        meta: &Meta,
        txn: &mut dyn Txn,
        mut parents: Parents,
        mut source: Child,
        replaced: Option<(Entry, Option<Attr>)>,
    ) -> Result<Moved> {
        let now = meta.now();
        let kind = source.entry.kind;
        let replaced_ino = replaced.as_ref().map_or(Ino::NONE, |(entry, _)| entry.ino);
        let mut fate = None;
        if let Some((entry, attr)) = replaced {
            parents.target().lose(entry.kind);
            let limited = meta.quota_directories(&*txn, self.target.parent).await?;
            let removal = Removal {
                parent: self.target.parent,
                name: &self.target.name,
                limited: &limited,
                entry,
                attr,
                trash: self.trash,
                replaced: true,
            };
            fate = Some(removal.run(meta, txn, now).await?);
        }
        self.account(meta, txn, &source, true).await?;
        txn.delete(self.source.edge());
        if fate.is_some() {
            txn.put(self.target.edge(), Record::Edge(source.entry));
        } else {
            txn.insert(self.target.edge(), Record::Edge(source.entry));
        }
        self.rehome(txn, &mut source, &self.source, &self.target, now);
        parents.source.lose(kind);
        parents.target().gain(kind);
        parents.store(meta, txn, now);
        self.log(meta, txn, source.entry.ino, replaced_ino);
        Ok(Moved {
            ino: source.entry.ino,
            attr: source.attr,
            replaced: fate,
        })
    }

    async fn exchange(
        &self,
        meta: &Meta,
        txn: &mut dyn Txn,
        mut parents: Parents,
        mut source: Child,
        mut target: Child,
    ) -> Result<Moved> {
        refuse_flags(parents.target_attr(), Flags::APPEND)?;
        self.check_moved(meta, txn, parents.target_attr(), &target)
            .await?;
        if target.attr.is_directory() && parents.target.is_some() {
            self.check_loop(meta, txn, self.source.parent, target.entry.ino)
                .await?;
        }
        self.account(meta, txn, &source, true).await?;
        self.account(meta, txn, &target, false).await?;
        let now = meta.now();
        txn.put(self.source.edge(), Record::Edge(target.entry));
        txn.put(self.target.edge(), Record::Edge(source.entry));
        self.rehome(txn, &mut source, &self.source, &self.target, now);
        self.rehome(txn, &mut target, &self.target, &self.source, now);
        parents.source.lose(source.entry.kind);
        parents.source.gain(target.entry.kind);
        parents.target().lose(target.entry.kind);
        parents.target().gain(source.entry.kind);
        parents.store(meta, txn, now);
        self.log(meta, txn, source.entry.ino, target.entry.ino);
        Ok(Moved {
            ino: source.entry.ino,
            attr: source.attr,
            replaced: None,
        })
    }

    /// Counts a node over to its new directory: `forward` from source to target, else the other way.
    async fn account(&self, meta: &Meta, txn: &mut dyn Txn, child: &Child, forward: bool) -> Result<()> {
        let (from, to) = (self.source.parent, self.target.parent);
        let (from, to) = if forward { (from, to) } else { (to, from) };
        let subtree = self
            .subtrees
            .iter()
            .find(|subtree| subtree.directory == child.entry.ino);
        meta.account_move(
            txn,
            from,
            to,
            child.entry.ino,
            entry_stat(&child.attr),
            child.attr.is_directory(),
            subtree,
        )
        .await
    }

    /// Gives a node its new place: ctime, and its parent or parent counts.
    fn rehome(&self, txn: &mut dyn Txn, child: &mut Child, from: &Place, to: &Place, now: Timestamp) {
        child.attr.ctime = now;
        if from.parent != to.parent {
            if child.attr.parent == Ino::NONE {
                txn.add_parent(child.entry.ino, to.parent, 1);
                txn.add_parent(child.entry.ino, from.parent, -1);
            } else {
                child.attr.parent = to.parent;
            }
        }
        txn.put(Key::Node(child.entry.ino), Record::Node(child.attr.clone()));
    }

    fn log(&self, meta: &Meta, txn: &mut dyn Txn, ino: Ino, replaced: Ino) {
        meta.log(txn, || {
            format!(
                "MOVE({},{},{},{},{},{replaced},{}):{ino}",
                self.source.parent,
                escape(self.source.name.as_bytes()),
                self.target.parent,
                escape(self.target.name.as_bytes()),
                self.flags.bits(),
                self.trash.unwrap_or(Ino::NONE),
            )
        });
    }
}
