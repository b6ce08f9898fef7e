//! Making a node: what mknod, create, mkdir and symlink share (spec 70-semantics section 6).

use std::sync::Arc;

use moorage_model::{
    AclId, Attr, DirStat, Entry, Error, ErrorKind, Flags, Gid, Ino, MAX_SYMLINK_BYTES, Name, NodeType,
    Result, Timestamp, Uid,
};

use super::parent::{Parent, check_reserved};
use crate::accounting::entry_stat;
use crate::acl_rules::inherited;
use crate::changelog::escape;
use crate::data::Opening;
use crate::permission::{living_directory, refuse_flags};
use crate::{Context, Key, MAY_EXECUTE, Meta, Record, Txn, TxnExt as _};

/// Set-group-id bit of a mode.
const SETGID: u16 = 0o2000;
/// Execute bit of the group.
const GROUP_EXECUTE: u16 = 0o010;
/// Mode of every symlink.
const SYMLINK_MODE: u16 = 0o777;

/// A node to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateNode {
    /// Its kind.
    pub kind: NodeType,
    /// The 12 permission bits asked for; a symlink always gets 0777.
    pub mode: u16,
    /// Bits that the mode loses unless a default ACL decides.
    pub umask: u16,
    /// Device number as the kernel delivers it; 0 for other kinds.
    pub rdev: u32,
    /// Target of a symlink.
    pub symlink_target: Option<Vec<u8>>,
}

/// A node that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its inode number.
    pub ino: Ino,
    /// Its attributes.
    pub attr: Attr,
}

/// Answer of [`Meta::create_or_open`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Inode number of the node of that name.
    pub ino: Ino,
    /// Its attributes.
    pub attr: Attr,
    /// Whether this call made it.
    pub created: bool,
}

/// Arguments of the transaction.
#[derive(Debug)]
struct Creation {
    context: Context,
    parent: Ino,
    name: Name,
    node: CreateNode,
    ino: Ino,
    /// An existing node is an answer, not an error.
    accept_existing: bool,
}

impl Meta {
    /// Makes a node of any kind.
    ///
    /// Read set: parent, entry; the default ACL rule when it is not known. Write set: node, entry, symlink target,
    /// statistics of a new directory, parent (times at most every 100 ms, link count of a new directory), usage.
    /// Round trips: one read, one commit; one more per 1024 inode numbers.
    ///
    /// # Errors
    /// `NotFound` when the parent is gone or in the trash, `NotDirectory`, `AccessDenied`, `NotPermitted` (parent
    /// immutable or a trash directory, or `.trash` in the root), `Exists`, `NoSpace`, `QuotaExceeded`,
    /// `InvalidArgument` or `NameTooLong` for a bad symlink target, `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the node made or not.
    pub async fn mknod(
        &self,
        context: &Context,
        parent: Ino,
        name: &Name,
        node: CreateNode,
    ) -> Result<Created> {
        self.check_place(parent, name)?;
        node.check_target()?;
        let ino = self.allocate_inode().await?;
        let opened = self.make(context, parent, name, node, ino, false).await?;
        Ok(Created {
            ino: opened.ino,
            attr: opened.attr,
        })
    }

    /// Makes a regular file; see [`Meta::mknod`].
    ///
    /// # Errors
    /// See [`Meta::mknod`].
    pub async fn create(
        &self,
        context: &Context,
        parent: Ino,
        name: &Name,
        mode: u16,
        umask: u16,
    ) -> Result<Created> {
        self.mknod(context, parent, name, CreateNode::file(mode, umask))
            .await
    }

    /// Makes a regular file, or answers with whatever node has that name already unless `exclusive`. The caller
    /// judges whether it can be opened. A file that was made has a handle counted from before others could see it, so that
    /// an unlink in this client keeps its data: it needs one [`Meta::close_file`].
    ///
    /// Read set and write set as [`Meta::mknod`]; one round trip more for an existing node.
    ///
    /// # Errors
    /// See [`Meta::mknod`]; `Exists` only when `exclusive`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the file made or not, and leaves no handle counted.
    pub async fn create_or_open(
        &self,
        context: &Context,
        parent: Ino,
        name: &Name,
        mode: u16,
        umask: u16,
        exclusive: bool,
    ) -> Result<Opened> {
        self.check_place(parent, name)?;
        let ino = self.allocate_inode().await?;
        let opening = Opening::begin(self, ino).await?;
        let node = CreateNode::file(mode, umask);
        let opened = self.make(context, parent, name, node, ino, !exclusive).await?;
        if opened.created {
            opening.succeed();
        }
        Ok(opened)
    }

    /// Refuses names that nobody can make, before a number is used up for them.
    fn check_place(&self, parent: Ino, name: &Name) -> Result<()> {
        self.check_writable()?;
        if name.is_dots() {
            return Err(ErrorKind::Exists.into());
        }
        check_reserved(parent, name)?;
        if parent.is_trash() {
            return Err(ErrorKind::NotPermitted.into());
        }
        Ok(())
    }

    async fn make(
        &self,
        context: &Context,
        parent: Ino,
        name: &Name,
        node: CreateNode,
        ino: Ino,
        accept_existing: bool,
    ) -> Result<Opened> {
        let creation = Arc::new(Creation {
            context: context.clone(),
            parent,
            name: name.clone(),
            node,
            ino,
            accept_existing,
        });
        self.transact("create", move |meta, txn| {
            let creation = Arc::clone(&creation);
            Box::pin(async move { creation.run(meta, txn).await })
        })
        .await
    }
}

impl CreateNode {
    /// A regular file.
    pub fn file(mode: u16, umask: u16) -> CreateNode {
        CreateNode {
            kind: NodeType::File,
            mode,
            umask,
            rdev: 0,
            symlink_target: None,
        }
    }

    fn check_target(&self) -> Result<()> {
        match (&self.symlink_target, self.kind) {
            (Some(target), NodeType::Symlink) if target.len() > MAX_SYMLINK_BYTES => {
                Err(ErrorKind::NameTooLong.into())
            }
            (Some(target), NodeType::Symlink) if !target.is_empty() && !target.contains(&0) => Ok(()),
            (None, kind) if kind != NodeType::Symlink => Ok(()),
            _ => Err(ErrorKind::InvalidArgument.into()),
        }
    }
}

impl Creation {
    async fn run(&self, meta: &Meta, txn: &mut dyn Txn) -> Result<Opened> {
        let edge = Key::Edge(self.parent, self.name.clone());
        let mut found = txn.get_locked(&[Key::Node(self.parent), edge.clone()]).await?;
        let directory = living_directory(found.node()?)?;
        let existing = found.edge()?;
        if let (Some(entry), true) = (existing, self.accept_existing) {
            meta.check_access_in(&*txn, &self.context, &directory, MAY_EXECUTE)
                .await?;
            return self.answer_existing(txn, entry).await;
        }
        meta.check_directory_change(&*txn, &self.context, &directory)
            .await?;
        refuse_flags(&directory, Flags::IMMUTABLE)?;
        if existing.is_some() {
            return Err(ErrorKind::Exists.into());
        }
        let now = meta.now();
        let attr = self.attributes(meta, txn, &directory, now).await?;
        let stat = entry_stat(&attr);
        meta.check_growth(txn, attr.uid, attr.gid, self.parent, stat.space, 1)
            .await?;
        self.write(meta, txn, edge, &attr);
        meta.account_node(txn, attr.uid, attr.gid, stat.space, 1);
        meta.account_entry(txn, self.parent, stat).await?;
        let mut parent = Parent::new(self.parent, directory);
        parent.gain(attr.kind);
        let updated = parent.store(meta, txn, now);
        meta.log(txn, || self.changelog_line(meta, updated));
        Ok(Opened {
            ino: self.ino,
            attr,
            created: true,
        })
    }

    async fn answer_existing(&self, txn: &mut dyn Txn, entry: Entry) -> Result<Opened> {
        let attr = txn.get(&[Key::Node(entry.ino)]).await?.node()?;
        let attr = attr.ok_or_else(|| missing_node(self.parent, &self.name, entry.ino))?;
        Ok(Opened {
            ino: entry.ino,
            attr,
            created: false,
        })
    }

    async fn attributes(
        &self,
        meta: &Meta,
        txn: &mut dyn Txn,
        directory: &Attr,
        now: Timestamp,
    ) -> Result<Attr> {
        let kind = self.node.kind;
        let gid = if directory.mode & SETGID != 0 || meta.options.inherit_group {
            directory.gid
        } else {
            self.context.gid
        };
        let mut attr = Attr::new(kind, 0, self.context.uid, gid, now, self.parent);
        attr.mode = self.inherit_acl(meta, txn, directory, &mut attr).await?;
        if directory.mode & SETGID != 0 {
            attr.mode = with_setgid_rule(&self.context, kind, attr.mode, gid);
        }
        attr.rdev = if matches!(kind, NodeType::BlockDevice | NodeType::CharDevice) {
            self.node.rdev
        } else {
            0
        };
        if let Some(target) = &self.node.symlink_target {
            attr.length = target.len() as u64;
        }
        attr.tier = directory.tier;
        attr.flags = Flags(directory.flags.0 & Flags::SKIP_TRASH.0);
        Ok(attr)
    }

    /// Sets the ACL ids that the directory's default rule gives and returns the mode before the setgid rule.
    async fn inherit_acl(
        &self,
        meta: &Meta,
        txn: &mut dyn Txn,
        directory: &Attr,
        attr: &mut Attr,
    ) -> Result<u16> {
        if attr.kind == NodeType::Symlink {
            return Ok(SYMLINK_MODE);
        }
        let asked = self.node.mode & 0o7777;
        if directory.default_acl == AclId(0) || !meta.setting.read().enable_acl {
            return Ok(asked & !self.node.umask);
        }
        let rule = meta.acl_rule(&*txn, directory.default_acl).await?;
        if attr.is_directory() {
            attr.default_acl = directory.default_acl;
        }
        let inherited = inherited(&rule, asked);
        if let Some(access) = &inherited.access {
            attr.access_acl = meta.acl_id(txn, access).await?;
        }
        Ok(inherited.mode)
    }

    fn write(&self, meta: &Meta, txn: &mut dyn Txn, edge: Key, attr: &Attr) {
        txn.insert(
            edge,
            Record::Edge(Entry {
                kind: attr.kind,
                ino: self.ino,
            }),
        );
        txn.insert(Key::Node(self.ino), Record::Node(attr.clone()));
        if let Some(target) = &self.node.symlink_target {
            txn.insert(Key::Symlink(self.ino), Record::Symlink(target.clone()));
        }
        if attr.is_directory() && meta.setting.read().dir_stats {
            txn.insert(Key::DirStat(self.ino), Record::DirStat(DirStat::default()));
        }
    }

    fn changelog_line(&self, meta: &Meta, parent_updated: bool) -> String {
        let node = &self.node;
        format!(
            "CREATE({},{},{},{},{},{},{},{},{},{parent_updated}):{}",
            self.parent,
            escape(self.name.as_bytes()),
            self.context.uid,
            self.context.gid,
            node.kind.code(),
            node.mode,
            node.umask,
            escape(node.symlink_target.as_deref().unwrap_or_default()),
            // Tells a consumer which rule gave the group.
            if meta.options.inherit_group {
                "darwin"
            } else {
                "linux"
            },
            self.ino
        )
    }
}

/// The mode of a node below a setgid directory: directories pass the bit on, executable files lose it when their
/// creator is not in the group.
fn with_setgid_rule(context: &Context, kind: NodeType, mode: u16, gid: Gid) -> u16 {
    let foreign = context.uid != Uid::ROOT && !context.in_group(gid);
    match kind {
        NodeType::Directory => mode | SETGID,
        NodeType::File if foreign && mode & SETGID != 0 && mode & GROUP_EXECUTE != 0 => mode & !SETGID,
        _ => mode,
    }
}

/// An entry whose node is gone: damage that only a repair removes.
pub(super) fn missing_node(parent: Ino, name: &Name, ino: Ino) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("entry {name:?} of directory {parent} points to the missing inode {ino}"),
    )
    .with_advice("Run `moorage fsck --repair`.")
}
