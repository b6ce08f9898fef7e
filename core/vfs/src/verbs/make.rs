//! Making nodes: mknod, mkdir, symlink, link.

use moorage_meta::{Context, CreateNode};
use moorage_model::{ErrorKind, Ino, Name, NodeType, Result};

use crate::identity::SETGID;
use crate::journal::Operation;
use crate::{Caller, EntryReply, NewNode, Vfs};

impl Vfs {
    /// Makes a file, pipe, socket or device. One transaction.
    ///
    /// # Errors
    /// `Exists`, `NotFound`, `NotDirectory`, `AccessDenied`, `NotPermitted`, `NoSpace`, `QuotaExceeded`, `NameTooLong`,
    /// `ReadOnly`.
    pub async fn mknod(
        &self,
        caller: &Caller,
        parent: Ino,
        name: &[u8],
        node: NewNode,
    ) -> Result<EntryReply> {
        let arguments = || format!("{parent},{},{node:?}", String::from_utf8_lossy(name));
        self.watch(Operation::MkNod, Some(caller), arguments, async {
            let (parent, name) = self.place(parent, name)?;
            if matches!(node.kind, NodeType::Directory | NodeType::Symlink) {
                return Err(ErrorKind::InvalidArgument.into());
            }
            let context = self.context_for_mode(caller, node.mode);
            let made = self
                .settled(self.meta.mknod(&context, parent, &name, stored_node(node)))
                .await?;
            Ok(self.entry_at(parent, &name, made.ino, made.attr))
        })
        .await
    }

    /// Makes a directory. One transaction.
    ///
    /// # Errors
    /// As [`Vfs::mknod`].
    pub async fn mkdir(
        &self,
        caller: &Caller,
        parent: Ino,
        name: &[u8],
        mode: u16,
        umask: u16,
    ) -> Result<EntryReply> {
        let arguments = || format!("{parent},{},{mode:o},{umask:o}", String::from_utf8_lossy(name));
        self.watch(Operation::MkDir, Some(caller), arguments, async {
            let (parent, name) = self.place(parent, name)?;
            let context = self.context_for_mode(caller, mode);
            let made = self
                .settled(self.meta.mkdir(&context, parent, &name, mode, umask))
                .await?;
            Ok(self.entry_at(parent, &name, made.ino, made.attr))
        })
        .await
    }

    /// Makes a symlink. One transaction.
    ///
    /// # Errors
    /// As [`Vfs::mknod`]; `InvalidArgument` or `NameTooLong` for a bad target.
    pub async fn symlink(
        &self,
        caller: &Caller,
        parent: Ino,
        name: &[u8],
        target: &[u8],
    ) -> Result<EntryReply> {
        let arguments = || {
            let (name, target) = (String::from_utf8_lossy(name), String::from_utf8_lossy(target));
            format!("{parent},{name},{target}")
        };
        self.watch(Operation::Symlink, Some(caller), arguments, async {
            let (parent, name) = self.place(parent, name)?;
            let context = self.context(caller);
            let made = self
                .settled(self.meta.symlink(&context, parent, &name, target))
                .await?;
            Ok(self.entry_at(parent, &name, made.ino, made.attr))
        })
        .await
    }

    /// Gives a node one more name. One transaction.
    ///
    /// # Errors
    /// As [`Vfs::mknod`]; `NotPermitted` for directories, internal nodes and by flags.
    pub async fn link(&self, caller: &Caller, ino: Ino, parent: Ino, name: &[u8]) -> Result<EntryReply> {
        let arguments = || format!("{ino},{parent},{}", String::from_utf8_lossy(name));
        self.watch(Operation::Link, Some(caller), arguments, async {
            let ino = self.stored(ino);
            if ino.is_internal() || ino.is_trash() {
                return Err(ErrorKind::NotPermitted.into());
            }
            let (parent, name) = self.place(parent, name)?;
            let context = self.context(caller);
            let mut attr = self.settled(self.meta.link(&context, ino, parent, &name)).await?;
            self.note_new_name(ino, &attr);
            if let Some(file) = self.files.get(ino) {
                file.content().overlay(&mut attr);
            }
            Ok(self.entry_at(parent, &name, ino, attr))
        })
        .await
    }

    /// Changes a directory; with synchronous directories the change is durable before it is answered.
    pub(super) async fn settled<T>(&self, change: impl Future<Output = Result<T>>) -> Result<T> {
        let changed = change.await?;
        if self.options.sync_directories {
            // Apart, since few mounts ask for it and every request would carry its state.
            Box::pin(self.meta.make_durable()).await?;
        }
        Ok(changed)
    }

    /// Checks where something is to be made: a writable mount, a good name, not that of an internal node.
    pub(crate) fn place(&self, parent: Ino, name: &[u8]) -> Result<(Ino, Name)> {
        self.check_writable()?;
        let parent = self.stored(parent);
        if let Some(node) = self.internal_at(parent, name) {
            return Err(node.refuses_to_be_made().into());
        }
        if parent.is_internal() {
            return Err(ErrorKind::NotDirectory.into());
        }
        let name = Name::new(name)?;
        if self.is_hidden_trash(parent, &name) {
            return Err(ErrorKind::NotPermitted.into());
        }
        Ok((parent, name))
    }

    /// Groups decide about the set-group-id bit only.
    pub(super) fn context_for_mode(&self, caller: &Caller, mode: u16) -> Context {
        if mode & SETGID != 0 {
            self.context_with_groups(caller)
        } else {
            self.context(caller)
        }
    }
}

fn stored_node(node: NewNode) -> CreateNode {
    CreateNode {
        kind: node.kind,
        mode: node.mode,
        umask: node.umask,
        rdev: node.rdev,
        symlink_target: None,
    }
}
