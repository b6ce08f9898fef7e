//! Records as they are at one moment.

use std::sync::Arc;

use moorage_meta::{DirectoryEntry, Key, Record, Scan};
use moorage_model::{Attr, Entry, Ino, Name, Result};
use quick_cache::sync::Cache;

use super::layout::{Layout, Named, behind};
use super::link::{Moment, Values};
use super::values::{decode, little};
use crate::entries::{attributes, entries};

/// Pairs that one request asks for at most where a range has no end in sight.
pub(super) const PAIRS_AT_ONCE: usize = 1024;
/// Names whose inodes are remembered: some 10 MiB.
const REMEMBERED_NAMES: usize = 65_536;

/// Which inodes names had when they were last read. Only a guess of what to read together with an entry: what is read
/// decides.
pub(super) type Guesses = Cache<(Ino, Name), Ino>;

/// No guesses yet.
pub(super) fn no_guesses() -> Guesses {
    Cache::new(REMEMBERED_NAMES)
}

/// Reads of one volume at one moment.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) layout: Arc<Layout>,
    pub(super) moment: Moment,
}

impl Reader {
    /// Records in one round trip per region, two where a record is several keys.
    pub(super) async fn records(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let wanted: Vec<Vec<Vec<u8>>> = keys.iter().map(|key| self.layout.keys(key)).collect();
        let values = self.moment.values(&wanted.concat()).await?;
        keys.iter()
            .zip(&wanted)
            .map(|(key, wanted)| decode(key, &picked(&values, wanted)))
            .collect()
    }

    /// An entry and its node: one round trip when the inode was guessed right, else two.
    pub(super) async fn child(
        &self,
        guesses: &Guesses,
        parent: Ino,
        name: &Name,
    ) -> Result<Option<(Entry, Option<Attr>)>> {
        let edge = Key::Edge(parent, name.clone());
        let guess = guesses.get(&(parent, name.clone()));
        let mut wanted = self.layout.keys(&edge);
        wanted.extend(guess.map(|ino| self.layout.node(ino)));
        let mut values = self.moment.values(&wanted).await?;
        let stored = self.layout.keys(&edge);
        let Some(Record::Edge(entry)) = decode(&edge, &picked(&values, &stored))? else {
            return Ok(None);
        };
        if guess != Some(entry.ino) {
            guesses.insert((parent, name.clone()), entry.ino);
            values = self.moment.values(&[self.layout.node(entry.ino)]).await?;
        }
        let node = decode(
            &Key::Node(entry.ino),
            &picked(&values, &[self.layout.node(entry.ino)]),
        )?;
        Ok(Some((entry, attributes(node))))
    }

    /// A page of a directory: one round trip, two with attributes.
    pub(super) async fn listing(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let after = after.map(|name| Key::Edge(directory, name.clone()));
        let page = self
            .survey(&Scan::Edges(directory), after.as_ref(), limit)
            .await?;
        let mut listed = entries(page)?;
        if attributes {
            self.add_attributes(&mut listed).await?;
        }
        Ok(listed)
    }

    /// Adds what the nodes of entries hold, in one round trip.
    pub(super) async fn add_attributes(&self, listed: &mut [DirectoryEntry]) -> Result<()> {
        let nodes: Vec<Vec<u8>> = listed
            .iter()
            .map(|item| self.layout.node(item.entry.ino))
            .collect();
        let values = self.moment.values(&nodes).await?;
        for (item, node) in listed.iter_mut().zip(&nodes) {
            match values.get(node).map(|value| Attr::decode(value)) {
                None => {}
                Some(Ok(attr)) => item.attr = Some(attr),
                Some(Err(_)) => item.damaged = true,
            }
        }
        Ok(())
    }

    /// Directories with entries of a hard-linked file.
    pub(super) async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        let (mut from, end) = self.layout.parents(ino);
        let mut found = Vec::new();
        loop {
            let pairs = self.moment.pairs((from, end.clone()), PAIRS_AT_ONCE).await?;
            let full = pairs.len() == PAIRS_AT_ONCE;
            for (key, value) in &pairs {
                if let Some(Named::Parent(_, directory)) = self.layout.named(key) {
                    let count = little(value).map_err(|error| error.context(self.layout.shown(key)))?;
                    if count > 0 {
                        found.push((directory, u32::try_from(count).unwrap_or(u32::MAX)));
                    }
                }
            }
            match pairs.into_iter().last() {
                Some((last, _)) if full => from = behind(last),
                _ => return Ok(found),
            }
        }
    }

    /// Keys of extended attributes and numbers of entries of a node.
    pub(super) async fn attachments(&self, ino: Ino) -> Result<Vec<Vec<u8>>> {
        let (mut from, end) = self.layout.attachments(ino);
        let mut found = Vec::new();
        loop {
            let keys = self.moment.keys((from, end.clone()), PAIRS_AT_ONCE).await?;
            let next = keys.last().filter(|_| keys.len() == PAIRS_AT_ONCE).cloned();
            found.extend(keys.into_iter().filter(|key| {
                matches!(
                    self.layout.named(key),
                    Some(Named::Parent(..) | Named::Record(Key::Xattr(..)))
                )
            }));
            match next {
                Some(last) => from = behind(last),
                None => return Ok(found),
            }
        }
    }

    /// Whether a directory has no entry.
    pub(super) async fn is_directory_empty(&self, directory: Ino) -> Result<bool> {
        let span = self.layout.spans(&Scan::Edges(directory)).into_iter().next();
        Ok(self.moment.keys(span.unwrap_or_default(), 1).await?.is_empty())
    }
}

/// The values of these keys.
pub(super) fn picked<'v>(values: &'v Values, keys: &[Vec<u8>]) -> Vec<Option<&'v [u8]>> {
    keys.iter()
        .map(|key| values.get(key).map(Vec::as_slice))
        .collect()
}
