//! lseek: where data and holes are.

use moorage_model::{CHUNK_SIZE, ChunkIndex, ErrorKind, Result, Segment, SliceId, resolve};

use crate::file::OpenFile;
use crate::journal::Operation;
use crate::{FileHandle, SeekTarget, Vfs};

impl Vfs {
    /// The next data or hole at or behind `offset`; the end of the file counts as a hole. What was written before is
    /// stored first. One engine read per chunk looked at; chunks without records are passed over at no cost.
    ///
    /// # Errors
    /// `NoSuchAddress` at or behind the end, or when no data follows.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn lseek(&self, handle: FileHandle, offset: u64, target: SeekTarget) -> Result<u64> {
        let arguments = || format!("{},{offset},{target:?}", handle.0);
        self.watch(Operation::Lseek, None, arguments, async {
            let opened = self.handles.file(handle)?;
            let file = &opened.file;
            file.store_and_commit(self).await?;
            let known = self.fresh_attr(file.ino).await;
            let length = known.map_err(|error| file.stale_when_gone(error))?.length;
            if offset >= length {
                return Err(ErrorKind::NoSuchAddress.into());
            }
            match target {
                SeekTarget::Data => self.next_data(file, offset, length).await,
                SeekTarget::Hole => self.next_hole(file, offset, length).await,
            }
        })
        .await
    }

    async fn next_data(&self, file: &OpenFile, offset: u64, length: u64) -> Result<u64> {
        let mut chunk = ChunkIndex::of(offset).ok_or(ErrorKind::FileTooLarge)?;
        let mut segments = file.segments(&self.meta, chunk).await?;
        loop {
            let data = segments.iter().filter(|segment| segment.id != SliceId::HOLE);
            let found = data
                .map(|segment| span(chunk, segment))
                .find(|(_, end)| *end > offset)
                .map(|(start, _)| start.max(offset));
            if let Some(found) = found {
                return if found < length {
                    Ok(found)
                } else {
                    Err(ErrorKind::NoSuchAddress.into())
                };
            }
            match self.meta.next_slices(file.ino, chunk).await? {
                Some((next, slices)) if next.start() < length => {
                    chunk = next;
                    segments = resolve(&slices).into();
                }
                _ => return Err(ErrorKind::NoSuchAddress.into()),
            }
        }
    }

    async fn next_hole(&self, file: &OpenFile, offset: u64, length: u64) -> Result<u64> {
        let mut at = offset;
        while at < length {
            let chunk = ChunkIndex::of(at).ok_or(ErrorKind::FileTooLarge)?;
            let segments = file.segments(&self.meta, chunk).await?;
            for (start, end) in segments
                .iter()
                .filter(|s| s.id != SliceId::HOLE)
                .map(|s| span(chunk, s))
            {
                if start <= at {
                    at = at.max(end);
                }
            }
            if at < chunk.start() + CHUNK_SIZE {
                break;
            }
        }
        Ok(at.min(length))
    }
}

/// First and last file offset of a segment, the last exclusive.
fn span(chunk: ChunkIndex, segment: &Segment) -> (u64, u64) {
    let start = chunk.start() + u64::from(segment.pos);
    (start, start + u64::from(segment.len))
}
