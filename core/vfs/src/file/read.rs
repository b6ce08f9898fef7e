//! Reading a file.

use moorage_chunk::ChunkStore;
use moorage_meta::Meta;
use moorage_model::{CHUNK_SIZE, ChunkIndex, Error, ErrorKind, MAX_FILE_LENGTH, Result, Segment};

use super::OpenFile;
use super::plan::{Plan, Source, plan};
use crate::Vfs;

/// Slice lists read again because of changes meanwhile, before commits of this client are made to wait.
const LIST_ATTEMPTS: u32 = 3;

impl OpenFile {
    /// Fills `buffer` from `offset`; returns the bytes read, fewer only at the end. Looks for changes by other clients
    /// when what is known is older than attributes may be.
    ///
    /// Per chunk touched: one short shared lock; one engine read when its list is not known; then what
    /// [`ChunkStore::read_into`] costs. No allocation for a range inside one slice.
    ///
    /// # Errors
    /// See [`crate::Vfs::read`].
    pub(crate) async fn read(&self, vfs: &Vfs, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        // The kernel rounds reads up to pages, also the last one of the longest file.
        let wanted = offset.saturating_add(buffer.len() as u64).min(MAX_FILE_LENGTH);
        self.refresh(vfs).await?;
        let end = wanted.min(self.content().length());
        if offset >= end {
            return Ok(0);
        }
        let total = usize::try_from(end - offset).unwrap_or(buffer.len());
        let mut rest = buffer.get_mut(..total).unwrap_or_default();
        let mut at = offset;
        while !rest.is_empty() {
            let chunk = ChunkIndex::of(at).ok_or(ErrorKind::FileTooLarge)?;
            // Below the chunk size, which fits.
            let pos = (at - chunk.start()) as u32;
            let part = rest.len().min(CHUNK_SIZE as usize - pos as usize);
            let (head, tail) = std::mem::take(&mut rest).split_at_mut(part);
            self.read_part(vfs.meta(), vfs.chunks(), chunk, pos, head).await?;
            at += part as u64;
            rest = tail;
        }
        Ok(total)
    }

    /// Asks the engine for attributes that are older than the mount promises; a change by another client drops the
    /// lists.
    pub(super) async fn refresh(&self, vfs: &Vfs) -> Result<()> {
        if self.content().is_fresh(vfs.lifetime(vfs.options().attr_ttl)) {
            Ok(())
        } else {
            self.refresh_now(vfs).await
        }
    }

    /// Asks the engine for attributes, however young those at hand are. One read.
    pub(crate) async fn refresh_now(&self, vfs: &Vfs) -> Result<()> {
        if self.content().is_in_doubt()
            && let Ok(_turn) = self.commit.try_lock()
        {
            // Until it is known whether they are part of the length, no length can be taken for news.
            self.drop_doubts(vfs).await?;
        }
        self.refresh_attributes(vfs).await
    }

    /// As [`OpenFile::refresh_now`], without a look at commits that ended without an answer.
    pub(super) async fn refresh_attributes(&self, vfs: &Vfs) -> Result<()> {
        let generation = self.content().generation;
        match vfs.meta().getattr(self.ino).await {
            Ok(attr) => {
                if self.content_mut().refreshed(&attr, generation) {
                    vfs.notify_content(self.ino);
                }
                Ok(())
            }
            Err(error) => Err(self.stale_when_gone(error)),
        }
    }

    /// Reads inside one chunk. Objects that are gone mean that another client compacted the chunk: the list is read
    /// again once.
    async fn read_part(
        &self,
        meta: &Meta,
        chunks: &ChunkStore,
        chunk: ChunkIndex,
        pos: u32,
        out: &mut [u8],
    ) -> Result<()> {
        let plan = self.plan(meta, chunk, pos, out.len()).await?;
        match fill(chunks, &plan, out).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.content_mut().forget_lists();
                let plan = self.plan(meta, chunk, pos, out.len()).await?;
                fill(chunks, &plan, out)
                    .await
                    .map_err(|error| missing_object(self.ino.0, chunk, error))
            }
            result => result,
        }
    }

    async fn plan(&self, meta: &Meta, chunk: ChunkIndex, pos: u32, len: usize) -> Result<Plan> {
        let end = pos.saturating_add(u32::try_from(len).unwrap_or(u32::MAX));
        if let Some(found) = self.known_plan(chunk, pos, end) {
            return Ok(found);
        }
        for _ in 0..LIST_ATTEMPTS {
            self.load_list(meta, chunk).await?;
            if let Some(found) = self.known_plan(chunk, pos, end) {
                return Ok(found);
            }
        }
        let _no_commits = self.commit.lock().await;
        self.load_list(meta, chunk).await?;
        self.known_plan(chunk, pos, end).ok_or_else(|| {
            Error::new(
                ErrorKind::WouldBlock,
                format!("chunk {chunk} of inode {} changes too fast to be read", self.ino),
            )
        })
    }

    fn known_plan(&self, chunk: ChunkIndex, pos: u32, end: u32) -> Option<Plan> {
        let content = self.content();
        let list = content.list(chunk)?;
        let segments: &[Segment] = list.map_or(&[], |list| list.segments());
        Some(plan(segments, content.pending.iter(), chunk, (pos, end)))
    }

    async fn load_list(&self, meta: &Meta, chunk: ChunkIndex) -> Result<()> {
        let generation = self.content().generation;
        let slices = meta.read_slices(self.ino, chunk).await?;
        self.content_mut().keep_list(chunk, slices, generation);
        Ok(())
    }

    /// What a chunk shows without pending slices, when it can be told without waiting.
    pub(crate) fn known_segments(&self, chunk: ChunkIndex) -> Option<std::sync::Arc<[Segment]>> {
        let content = self.content();
        match content.list(chunk)? {
            Some(list) => Some(std::sync::Arc::clone(list.segments())),
            None => Some(std::sync::Arc::default()),
        }
    }

    /// What a chunk shows without pending slices.
    ///
    /// # Errors
    /// See [`Meta::read_slices`].
    pub(crate) async fn segments(&self, meta: &Meta, chunk: ChunkIndex) -> Result<std::sync::Arc<[Segment]>> {
        for _ in 0..LIST_ATTEMPTS {
            if let Some(segments) = self.known_segments(chunk) {
                return Ok(segments);
            }
            self.load_list(meta, chunk).await?;
        }
        Ok(moorage_model::resolve(&meta.read_slices(self.ino, chunk).await?).into())
    }
}

async fn fill(chunks: &ChunkStore, plan: &Plan, out: &mut [u8]) -> Result<()> {
    let mut rest = out;
    for piece in plan.pieces() {
        let part = rest.len().min(piece.len as usize);
        let (head, tail) = std::mem::take(&mut rest).split_at_mut(part);
        match &piece.source {
            Source::Zeros => head.fill(0),
            Source::Stored { id, size, off } => chunks.read_into(*id, *size, *off, head).await?,
            Source::Pending { slice, off } => slice.read(*off, head).await?,
        }
        rest = tail;
    }
    Ok(())
}

/// A file that is there has bytes that are not: damage, and nothing a caller may take for a missing file.
fn missing_object(ino: u64, chunk: ChunkIndex, error: Error) -> Error {
    let place = format!("chunk {chunk} of inode {ino}");
    if error.kind() != ErrorKind::NotFound {
        return error.context(place);
    }
    Error::new(ErrorKind::Corrupt, format!("{place} has no data"))
        .with_source(error)
        .with_advice(
            "The data is missing in the object store; `moorage fsck` names every file it belongs to.",
        )
}
