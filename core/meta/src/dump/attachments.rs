//! What belongs to a node besides its attributes.

use moorage_model::{Attr, ChunkIndex, Ino, NodeType, Result, Slice};

use crate::{Engine, Key, Record, Scan, TxnExt as _};

/// Extended attributes read at once.
const XATTR_PAGE: usize = 100;
/// Chunks of a file read ahead of its turn; the others are read when it is written.
const CHUNKS_AHEAD: usize = 4;
/// Chunks read at once of a long file.
const CHUNK_PAGE: usize = 64;

/// A chunk and its records.
pub(super) type Chunk = (ChunkIndex, Vec<Slice>);

/// The records of a node; what can not be read is left out and counted.
#[derive(Debug, Default)]
pub(super) struct Attachments {
    pub(super) symlink: Option<Vec<u8>>,
    /// By name.
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// The first of its chunks, by index.
    pub(super) chunks: Vec<Chunk>,
    /// Where the next chunks start; `None` when these are all.
    pub(super) more_chunks: Option<Key>,
    /// Records that can not be read.
    pub(super) damaged: u64,
}

impl Attachments {
    /// Reads what a node of this kind can have.
    ///
    /// # Errors
    /// What the engine answers, but for damage.
    pub(super) async fn read(engine: &dyn Engine, ino: Ino, attr: &Attr) -> Result<Attachments> {
        let mut found = Attachments::default();
        if attr.kind == NodeType::Symlink {
            let target = engine.get(&[Key::Symlink(ino)]).await;
            match crate::admin::readable(target.and_then(|mut records| records.symlink()))?.flatten() {
                Some(target) => found.symlink = Some(target),
                None => found.damaged += 1,
            }
        }
        found.read_xattrs(engine, ino).await?;
        if attr.is_file() {
            let page = engine.survey(&Scan::Chunks(ino), None, CHUNKS_AHEAD).await?;
            found.damaged += page.damaged.len() as u64;
            found.chunks = chunks(page.items);
            found.more_chunks = page.next;
        }
        Ok(found)
    }

    async fn read_xattrs(&mut self, engine: &dyn Engine, ino: Ino) -> Result<()> {
        let mut after = None;
        loop {
            let page = engine
                .survey(&Scan::Xattrs(ino), after.as_ref(), XATTR_PAGE)
                .await?;
            self.damaged += page.damaged.len() as u64;
            for item in page.items {
                if let (Key::Xattr(_, name), Record::Xattr(value)) = item {
                    self.xattrs.push((name, value));
                }
            }
            after = page.next;
            if after.is_none() {
                self.xattrs.sort_unstable();
                return Ok(());
            }
        }
    }

    /// Reads the next chunks into the place of those that were written; `false` when there are no more.
    ///
    /// # Errors
    /// What the engine answers, but for damage.
    pub(super) async fn read_more_chunks(&mut self, engine: &dyn Engine, ino: Ino) -> Result<bool> {
        let Some(after) = self.more_chunks.take() else {
            return Ok(false);
        };
        let page = engine
            .survey(&Scan::Chunks(ino), Some(&after), CHUNK_PAGE)
            .await?;
        self.damaged += page.damaged.len() as u64;
        self.chunks = chunks(page.items);
        self.more_chunks = page.next;
        Ok(true)
    }
}

fn chunks(items: Vec<(Key, Record)>) -> Vec<Chunk> {
    let chunk = |item| match item {
        (Key::Chunk(_, index), Record::Chunk(slices)) => Some((index, slices)),
        _ => None,
    };
    // An empty list is as good as none.
    items
        .into_iter()
        .filter_map(chunk)
        .filter(|(_, slices)| !slices.is_empty())
        .collect()
}
