//! The namespace as a plain tree in memory.

use std::collections::BTreeMap;

use moorage_model::{ErrorKind, NodeType};

/// A node of the reference by the order of creation; the root is 0.
pub(super) type NodeId = usize;
/// Content that is not zero, by offset.
pub(super) type Content = BTreeMap<u64, u8>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: NodeType,
    pub(super) mode: u16,
    pub(super) links: u32,
    pub(super) length: u64,
    pub(super) content: Content,
    pub(super) entries: BTreeMap<String, NodeId>,
    pub(super) parent: NodeId,
    pub(super) target: String,
}

impl Node {
    fn new(kind: NodeType, mode: u16, parent: NodeId) -> Node {
        Node {
            kind,
            mode,
            links: if kind == NodeType::Directory { 2 } else { 1 },
            length: 0,
            content: Content::new(),
            entries: BTreeMap::new(),
            parent,
            target: String::new(),
        }
    }
}

/// An entry by its directory and name.
pub(super) type Place<'n> = (NodeId, &'n str);

/// All nodes that can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) nodes: BTreeMap<NodeId, Node>,
}

/// The root directory.
pub(super) const ROOT: NodeId = 0;

impl Tree {
    pub(super) fn new() -> Tree {
        let root = Node::new(NodeType::Directory, 0o777, ROOT);
        Tree {
            nodes: BTreeMap::from([(ROOT, root)]),
        }
    }

    fn node(&mut self, id: NodeId) -> &mut Node {
        self.nodes.get_mut(&id).unwrap()
    }

    fn is_directory(&self, id: NodeId) -> bool {
        self.nodes[&id].kind == NodeType::Directory
    }

    pub(super) fn entry(&self, place: Place) -> Option<NodeId> {
        self.nodes[&place.0].entries.get(place.1).copied()
    }

    /// Directories in order, to choose one by a number.
    pub(super) fn directories(&self) -> Vec<NodeId> {
        self.of_kind(NodeType::Directory)
    }

    pub(super) fn files(&self) -> Vec<NodeId> {
        self.of_kind(NodeType::File)
    }

    fn of_kind(&self, kind: NodeType) -> Vec<NodeId> {
        let wanted = self.nodes.iter().filter(|(_, node)| node.kind == kind);
        wanted.map(|(id, _)| *id).collect()
    }

    pub(super) fn make(
        &mut self,
        place: Place,
        kind: NodeType,
        mode: u16,
        id: NodeId,
    ) -> Result<(), ErrorKind> {
        if self.entry(place).is_some() {
            return Err(ErrorKind::Exists);
        }
        self.nodes.insert(id, Node::new(kind, mode, place.0));
        self.attach(place, id);
        Ok(())
    }

    fn attach(&mut self, place: Place, id: NodeId) {
        let directory = self.is_directory(id);
        self.node(id).parent = place.0;
        let parent = self.node(place.0);
        parent.entries.insert(place.1.to_owned(), id);
        parent.links += u32::from(directory);
    }

    fn detach(&mut self, place: Place) -> NodeId {
        let id = self.node(place.0).entries.remove(place.1).unwrap();
        let directory = self.is_directory(id);
        self.node(place.0).links -= u32::from(directory);
        id
    }

    pub(super) fn link(&mut self, id: NodeId, place: Place) -> Result<(), ErrorKind> {
        if self.is_directory(id) {
            return Err(ErrorKind::NotPermitted);
        }
        if self.entry(place).is_some() {
            return Err(ErrorKind::Exists);
        }
        self.node(id).links += 1;
        self.attach(place, id);
        Ok(())
    }

    /// Removes an entry; a node without links stays when `open` says so.
    pub(super) fn unlink(&mut self, place: Place, open: impl Fn(NodeId) -> bool) -> Result<(), ErrorKind> {
        let id = self.entry(place).ok_or(ErrorKind::NotFound)?;
        if self.is_directory(id) {
            return Err(ErrorKind::NotPermitted);
        }
        self.detach(place);
        self.drop_link(id, open);
        Ok(())
    }

    fn drop_link(&mut self, id: NodeId, open: impl Fn(NodeId) -> bool) {
        let node = self.node(id);
        node.links -= 1;
        if node.links == 0 && !(node.kind == NodeType::File && open(id)) {
            self.nodes.remove(&id);
        }
    }

    pub(super) fn rmdir(&mut self, place: Place) -> Result<(), ErrorKind> {
        let id = self.entry(place).ok_or(ErrorKind::NotFound)?;
        if !self.is_directory(id) {
            return Err(ErrorKind::NotDirectory);
        }
        if !self.nodes[&id].entries.is_empty() {
            return Err(ErrorKind::NotEmpty);
        }
        self.detach(place);
        self.nodes.remove(&id);
        Ok(())
    }

    /// Whether `directory` is `top` or lies below it.
    fn is_below(&self, directory: NodeId, top: NodeId) -> bool {
        let mut current = directory;
        while current != top {
            if current == ROOT {
                return false;
            }
            current = self.nodes[&current].parent;
        }
        true
    }

    pub(super) fn rename(
        &mut self,
        source: Place,
        target: Place,
        how: Rename,
        open: impl Fn(NodeId) -> bool,
    ) -> Result<(), ErrorKind> {
        let moved = self.entry(source);
        if source == target {
            return match (moved, how) {
                (_, Rename::NoReplace) if moved.is_some() => Err(ErrorKind::Exists),
                (Some(_), _) => Ok(()),
                (None, _) => Err(ErrorKind::NotFound),
            };
        }
        let moved = moved.ok_or(ErrorKind::NotFound)?;
        let across = source.0 != target.0;
        if self.is_directory(moved) && across && self.is_below(target.0, moved) {
            return Err(ErrorKind::NotPermitted);
        }
        let Some(replaced) = self.entry(target) else {
            if how == Rename::Exchange {
                return Err(ErrorKind::NotFound);
            }
            self.detach(source);
            self.attach(target, moved);
            return Ok(());
        };
        match how {
            Rename::NoReplace => Err(ErrorKind::Exists),
            _ if replaced == moved => Ok(()),
            Rename::Exchange => {
                if self.is_directory(replaced) && across && self.is_below(source.0, replaced) {
                    return Err(ErrorKind::NotPermitted);
                }
                self.detach(source);
                self.detach(target);
                self.attach(source, replaced);
                self.attach(target, moved);
                Ok(())
            }
            Rename::Replace => {
                self.check_replaced(moved, replaced)?;
                self.detach(target);
                if self.is_directory(replaced) {
                    self.nodes.remove(&replaced);
                } else {
                    self.drop_link(replaced, open);
                }
                self.detach(source);
                self.attach(target, moved);
                Ok(())
            }
        }
    }

    fn check_replaced(&self, moved: NodeId, replaced: NodeId) -> Result<(), ErrorKind> {
        match (self.is_directory(moved), self.is_directory(replaced)) {
            (true, false) => Err(ErrorKind::NotDirectory),
            (false, true) => Err(ErrorKind::IsDirectory),
            (true, true) if !self.nodes[&replaced].entries.is_empty() => Err(ErrorKind::NotEmpty),
            _ => Ok(()),
        }
    }

    pub(super) fn write(&mut self, id: NodeId, offset: u64, len: u64, byte: u8) {
        let node = self.node(id);
        for position in offset..offset + len {
            node.content.insert(position, byte);
        }
        node.length = node.length.max(offset + len);
    }

    pub(super) fn truncate(&mut self, id: NodeId, length: u64) {
        let node = self.node(id);
        node.content.retain(|position, _| *position < length);
        node.length = length;
    }

    pub(super) fn punch(&mut self, id: NodeId, offset: u64, len: u64) {
        self.node(id)
            .content
            .retain(|position, _| !(offset..offset + len).contains(position));
    }

    pub(super) fn copy(&mut self, from: (NodeId, u64), to: (NodeId, u64), len: u64) -> Result<(), ErrorKind> {
        if from.0 == to.0 && from.1.abs_diff(to.1) < len {
            return Err(ErrorKind::InvalidArgument);
        }
        let source = &self.nodes[&from.0];
        let len = len.min(source.length.saturating_sub(from.1));
        let copied: Content = source
            .content
            .range(from.1..from.1 + len)
            .map(|(position, byte)| (position - from.1 + to.1, *byte))
            .collect();
        if len > 0 {
            self.punch(to.0, to.1, len);
            let node = self.node(to.0);
            node.content.extend(copied);
            node.length = node.length.max(to.1 + len);
        }
        Ok(())
    }

    pub(super) fn chmod(&mut self, id: NodeId, mode: u16) {
        self.node(id).mode = mode;
    }

    /// Forgets files without links that nobody holds open.
    pub(super) fn drop_unlinked(&mut self, open: impl Fn(NodeId) -> bool) {
        self.nodes.retain(|id, node| node.links > 0 || open(*id));
    }
}

/// How a rename treats its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rename {
    Replace,
    NoReplace,
    Exchange,
}
