//! Names, numbers and attributes of the internal nodes.

use moorage_model::{Attr, ErrorKind, Gid, Ino, Name, NodeType, Result, Uid};

use super::config;
use crate::{Caller, EntryReply, Vfs};

/// A node of the mount's root that is not stored there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InternalNode {
    /// Live log of operations.
    AccessLog,
    /// Command channel.
    Control,
    /// Metrics.
    Stats,
    /// Configuration of the client.
    Config,
    /// The stored root of the trash, under made-up attributes.
    Trash,
}

impl InternalNode {
    const ALL: [InternalNode; 5] = [
        InternalNode::AccessLog,
        InternalNode::Control,
        InternalNode::Stats,
        InternalNode::Config,
        InternalNode::Trash,
    ];

    /// The node with this inode.
    pub(crate) fn of(ino: Ino) -> Option<InternalNode> {
        if ino < Ino::INTERNAL {
            return None;
        }
        Self::ALL.into_iter().find(|node| node.ino() == ino)
    }

    /// Its inode.
    pub(crate) fn ino(self) -> Ino {
        match self {
            InternalNode::AccessLog => Ino(Ino::INTERNAL.0 + 1),
            InternalNode::Control => Ino(Ino::INTERNAL.0 + 2),
            InternalNode::Stats => Ino(Ino::INTERNAL.0 + 3),
            InternalNode::Config => Ino(Ino::INTERNAL.0 + 4),
            InternalNode::Trash => Ino::TRASH,
        }
    }

    /// Its name in the root.
    pub(crate) fn name(self, prefixed: bool) -> &'static [u8] {
        match (self, prefixed) {
            (InternalNode::AccessLog, false) => b".accesslog",
            (InternalNode::Control, false) => b".control",
            (InternalNode::Stats, false) => b".stats",
            (InternalNode::Config, false) => b".config",
            (InternalNode::Trash, false) => b".trash",
            (InternalNode::AccessLog, true) => b".jfs.accesslog",
            (InternalNode::Control, true) => b".jfs.control",
            (InternalNode::Stats, true) => b".jfs.stats",
            (InternalNode::Config, true) => b".jfs.config",
            (InternalNode::Trash, true) => b".jfs.trash",
        }
    }

    /// Its kind.
    pub(crate) fn kind(self) -> NodeType {
        match self {
            InternalNode::Trash => NodeType::Directory,
            _ => NodeType::File,
        }
    }

    fn mode(self) -> u16 {
        match self {
            InternalNode::AccessLog | InternalNode::Config => 0o400,
            InternalNode::Control => 0o666,
            InternalNode::Stats => 0o444,
            InternalNode::Trash => 0o555,
        }
    }

    /// Why no other node can get its name.
    pub(crate) fn refuses_to_be_made(self) -> ErrorKind {
        match self {
            InternalNode::Trash => ErrorKind::NotPermitted,
            _ => ErrorKind::Exists,
        }
    }
}

/// Why nobody may make something of this name in the folder that a mount shows as its root: the mount has a node of its
/// own there, which would hide it. `None` when nothing is in the way. Of mounts with the usual names, not with prefixed
/// ones.
pub fn refusal_in_root(name: &Name) -> Option<ErrorKind> {
    let mut nodes = InternalNode::ALL.into_iter();
    let hiding = nodes.find(|node| node.name(false) == name.as_bytes())?;
    Some(hiding.refuses_to_be_made())
}

impl Vfs {
    /// The internal node of that name in that directory, both as stored. Costs a comparison in other directories.
    pub(crate) fn internal_at(&self, parent: Ino, name: &[u8]) -> Option<InternalNode> {
        if parent != self.root || name.first() != Some(&b'.') {
            return None;
        }
        let prefixed = self.options.prefix_internal;
        let found = InternalNode::ALL
            .into_iter()
            .find(|node| node.name(prefixed) == name)?;
        (found != InternalNode::Trash || self.root == Ino::ROOT).then_some(found)
    }

    /// Whether this is the name of the command channel.
    pub(crate) fn is_control(&self, name: &Name) -> bool {
        name.as_bytes() == InternalNode::Control.name(self.options.prefix_internal)
    }

    /// Whether something would hide the trash's name in the root of a sub-directory mount, where the trash is not shown.
    pub(crate) fn is_hidden_trash(&self, parent: Ino, name: &Name) -> bool {
        parent == self.root
            && self.root != Ino::ROOT
            && name.as_bytes() == InternalNode::Trash.name(self.options.prefix_internal)
    }

    /// What a listing of the root shows.
    pub(crate) fn listed_internals(&self) -> impl Iterator<Item = InternalNode> + use<> {
        let (hidden, whole) = (self.options.hide_internal, self.root == Ino::ROOT);
        InternalNode::ALL.into_iter().filter(move |node| match node {
            InternalNode::Control => false,
            InternalNode::Trash => whole && !hidden,
            _ => !hidden,
        })
    }

    /// Its attributes.
    pub(crate) fn internal_attr(&self, node: InternalNode) -> Attr {
        let mut attr = Attr::new(
            node.kind(),
            node.mode(),
            Uid::ROOT,
            Gid(0),
            self.started,
            Ino::ROOT,
        );
        attr.length = match node {
            InternalNode::Config => config::text(self).len() as u64,
            _ => 0,
        };
        attr
    }

    /// The answer to a look-up of it.
    pub(crate) fn internal_entry(&self, node: InternalNode) -> EntryReply {
        self.entry(node.ino(), self.internal_attr(node))
    }

    /// Judges access by the mode alone.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(crate) fn check_internal(&self, caller: &Caller, node: InternalNode, mask: u8) -> Result<()> {
        let uid = self.context(caller).uid;
        let granted = if uid == Uid::ROOT { 0o7 } else { node.mode() & 0o7 };
        if u16::from(mask) & !granted == 0 {
            Ok(())
        } else {
            Err(ErrorKind::AccessDenied.into())
        }
    }
}
