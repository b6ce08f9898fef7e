//! What the kernel may have cached.

use std::collections::{HashMap, VecDeque};

use moorage_model::{Attr, Ino, Name};

/// Nodes remembered, some 30 MB of them. The kernel drops what is forgotten here, and asks again when it is needed.
const MAX_NODES: usize = 100_000;
/// Names remembered of one node; a file with more hard links in use has the oldest dropped.
const MAX_NAMES: usize = 16;

/// What was said of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Its attributes, the last time; `None` once the kernel was told to drop them.
    pub(super) attr: Option<Attr>,
    /// Directories and names in them that lead to it.
    pub(super) names: Vec<(Ino, Name)>,
}

impl Known {
    /// The same names, as if nothing were known of the attributes.
    pub(super) fn without_attributes(self) -> Known {
        Known { attr: None, ..self }
    }
}

/// Nodes by their number, the oldest forgotten first.
#[derive(Debug, Default)]
pub(super) struct HandedOut {
    nodes: HashMap<Ino, Known>,
    /// In the order in which they were first told; some may be forgotten already.
    order: VecDeque<Ino>,
}

impl HandedOut {
    /// Notes attributes and a name of a node. Returns what has to be dropped to make room, which is mostly nothing.
    pub(super) fn note(&mut self, ino: Ino, attr: &Attr, name: Option<(Ino, &Name)>) -> Vec<(Ino, Known)> {
        let mut forgotten = Vec::new();
        let order = &mut self.order;
        let known = self.nodes.entry(ino).or_insert_with(|| {
            order.push_back(ino);
            Known::default()
        });
        if known.attr.as_ref() != Some(attr) {
            known.attr = Some(attr.clone());
        }
        if let Some((parent, name)) = name
            && !known
                .names
                .iter()
                .any(|(of, known)| *of == parent && known == name)
        {
            if known.names.len() >= MAX_NAMES {
                let oldest = Known {
                    attr: None,
                    names: vec![known.names.remove(0)],
                };
                forgotten.push((ino, oldest));
            }
            known.names.push((parent, name.clone()));
        }
        while self.order.len() > MAX_NODES
            && let Some(oldest) = self.order.pop_front()
        {
            forgotten.extend(self.nodes.remove(&oldest).map(|known| (oldest, known)));
        }
        forgotten
    }

    /// What is known of a node.
    pub(super) fn get(&self, ino: Ino) -> Option<&Known> {
        self.nodes.get(&ino)
    }

    /// The kernel was told to drop the attributes of a node.
    pub(super) fn forget_attributes(&mut self, ino: Ino) {
        if let Some(known) = self.nodes.get_mut(&ino) {
            known.attr = None;
        }
    }

    /// The kernel was told to drop a name of a node.
    pub(super) fn forget_name(&mut self, ino: Ino, parent: Ino, name: &Name) {
        if let Some(known) = self.nodes.get_mut(&ino) {
            known.names.retain(|(of, known)| (*of, known) != (parent, name));
        }
    }

    /// Forgets everything and returns it.
    pub(super) fn take(&mut self) -> HashMap<Ino, Known> {
        self.order = VecDeque::new();
        std::mem::take(&mut self.nodes)
    }
}

#[cfg(test)]
mod tests {
    use moorage_model::{Gid, NodeType, Timestamp, Uid};

    use super::*;

    fn attr(mode: u16) -> Attr {
        Attr::new(
            NodeType::File,
            mode,
            Uid(0),
            Gid(0),
            Timestamp::new(1, 0),
            Ino::ROOT,
        )
    }

    fn name(text: &str) -> Name {
        Name::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_last_attributes_and_every_name_are_known() {
        let mut told = HandedOut::default();
        let (a, b) = (name("a"), name("b"));
        for (mode, called) in [(0o600, &a), (0o644, &b), (0o644, &a)] {
            assert!(
                told.note(Ino(7), &attr(mode), Some((Ino::ROOT, called)))
                    .is_empty()
            );
        }
        let known = told.get(Ino(7)).unwrap();
        assert_eq!(known.attr, Some(attr(0o644)));
        assert_eq!(known.names, [(Ino::ROOT, a.clone()), (Ino::ROOT, b.clone())]);
        told.forget_name(Ino(7), Ino::ROOT, &a);
        told.forget_attributes(Ino(7));
        let known = told.take().remove(&Ino(7)).unwrap();
        assert_eq!((known.attr, known.names), (None, vec![(Ino::ROOT, b)]));
        assert!(told.get(Ino(7)).is_none());
    }

    #[test]
    fn the_oldest_node_makes_room_and_is_dropped_with_its_names() {
        let mut told = HandedOut::default();
        let only = name("only");
        told.note(Ino(1), &attr(0o600), Some((Ino(2), &only)));
        let mut forgotten = Vec::new();
        for number in 0..MAX_NODES as u64 {
            forgotten.extend(told.note(Ino(100 + number), &attr(0o600), None));
        }
        let expected = Known {
            attr: Some(attr(0o600)),
            names: vec![(Ino(2), only)],
        };
        assert_eq!(forgotten, [(Ino(1), expected)]);
    }

    #[test]
    fn a_node_with_many_names_has_its_oldest_one_dropped() {
        let mut told = HandedOut::default();
        let mut forgotten = Vec::new();
        for number in 0..=MAX_NAMES {
            let called = name(&format!("n{number}"));
            forgotten.extend(told.note(Ino(7), &attr(0o600), Some((Ino::ROOT, &called))));
        }
        let expected = Known {
            attr: None,
            names: vec![(Ino::ROOT, name("n0"))],
        };
        assert_eq!(forgotten, [(Ino(7), expected)]);
        assert_eq!(told.get(Ino(7)).unwrap().names.len(), MAX_NAMES);
    }
}
