//! Whether a volume shows what the reference holds.

use std::collections::{BTreeMap, BTreeSet};

use moorage_meta::{Context, Key, Record, Scan};
use moorage_model::{ChunkIndex, Ino, NodeType, Slice, SliceId, resolve};

use super::reference::Content;
use super::run::Run;
use crate::check::all;

impl Run {
    /// The first difference between volume and reference.
    pub(super) async fn differences(&self) -> Option<String> {
        for (id, node) in &self.tree.nodes {
            let ino = self.inodes[id];
            let attr = match self.clients[0].getattr(ino).await {
                Ok(attr) => attr,
                Err(error) => return Some(format!("node {id} ({ino}): {error}")),
            };
            // The entry that a file has in the trash stays a link.
            let links = if self.trash && !attr.is_directory() {
                node.links
            } else {
                attr.nlink
            };
            let seen = (attr.kind, attr.mode, links);
            if seen != (node.kind, node.mode, node.links) {
                return Some(format!("node {id} ({ino}) is {seen:?}, not {node:?}"));
            }
            if node.kind == NodeType::Directory {
                let entries = self.entries(ino).await;
                let expected: BTreeMap<String, Ino> = node
                    .entries
                    .iter()
                    .map(|(name, id)| (name.clone(), self.inodes[id]))
                    .collect();
                if entries != expected {
                    return Some(format!(
                        "directory {id} ({ino}) has {entries:?}, not {expected:?}"
                    ));
                }
            }
            if node.kind == NodeType::File {
                let content = self.content(ino, attr.length).await;
                if attr.length != node.length || content.as_ref() != Ok(&node.content) {
                    return Some(format!(
                        "file {id} ({ino}) has {} bytes: {content:?}, not {node:?}",
                        attr.length
                    ));
                }
            }
        }
        None
    }

    async fn entries(&self, ino: Ino) -> BTreeMap<String, Ino> {
        let page = self.clients[1]
            .read_directory(&Context::root(), ino, None, 1000, false)
            .await
            .unwrap();
        page.into_iter()
            .map(|item| (item.name.to_string(), item.entry.ino))
            .collect()
    }

    /// What a reader of the file sees. A compaction in the background may replace the slices between their records and
    /// their data: then the records are read again, as readers do.
    async fn content(&self, ino: Ino, length: u64) -> std::result::Result<Content, String> {
        let mut content = Content::new();
        for chunk in [ChunkIndex(0), ChunkIndex(1)] {
            let mut records = self.slices(ino, chunk).await?;
            let shown = loop {
                match self.shown(&records) {
                    Ok(shown) => break shown,
                    Err(gone) => {
                        let now = self.slices(ino, chunk).await?;
                        if now == records {
                            return Err(gone);
                        }
                        records = now;
                    }
                }
            };
            for (position, byte) in shown {
                let position = chunk.start() + u64::from(position);
                if position < length {
                    content.insert(position, byte);
                }
            }
        }
        Ok(content)
    }

    async fn slices(&self, ino: Ino, chunk: ChunkIndex) -> std::result::Result<Vec<Slice>, String> {
        let read = self.clients[1].read_slices(ino, chunk).await;
        read.map_err(|error| error.to_string())
    }

    /// Bytes of a chunk by their position. A hole may be as long as a chunk; only what is not zero is compared.
    fn shown(&self, records: &[Slice]) -> std::result::Result<Vec<(u32, u8)>, String> {
        let mut shown = Vec::new();
        for segment in resolve(records) {
            if segment.id == SliceId::HOLE {
                continue;
            }
            let Some(bytes) = self.data.show(&segment) else {
                return Err(format!("slice {} is gone", segment.id));
            };
            shown.extend((segment.pos..).zip(bytes).filter(|(_, byte)| *byte != 0));
        }
        Ok(shown)
    }

    /// Slices whose data was never removed although nothing owns them.
    pub(super) async fn leaked(&self) -> Vec<SliceId> {
        let engine = self.engine.as_ref();
        let mut owned = BTreeSet::new();
        for (key, _) in all(engine, Scan::SliceRefs).await {
            if let Key::SliceRef(id, _) = key {
                owned.insert(id);
            }
        }
        // A layout may have no record for a slice with one owner.
        for (_, record) in all(engine, Scan::AllChunks).await {
            if let Record::Chunk(slices) = record {
                owned.extend(slices.iter().map(|slice| slice.id));
            }
        }
        let is_owned = |id: &SliceId| owned.contains(id);
        self.data.ids().into_iter().filter(|id| !is_owned(id)).collect()
    }
}
