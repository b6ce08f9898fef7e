//! Writing a file.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::poll;
use moorage_meta::{Context, SetAttr, without_set_id};
use moorage_model::{CHUNK_SIZE, Error, ErrorKind, MAX_FILE_LENGTH, Result};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::OpenFile;
use super::pending::PendingSlice;
use crate::Vfs;

/// Slices of one file that take writes at the same time: streams at several places, as copies and downloads make them.
const MAX_OPEN_SLICES: usize = 8;
/// Slices of one file without a record; beyond it writes wait for a commit.
const MAX_PENDING_SLICES: usize = 256;
/// How long a write waits for a buffer before it gives up the one it has: so no set of writers can hold all buffers
/// and wait for each other.
const BUFFER_PATIENCE: Duration = Duration::from_secs(2);
/// How long a write waits for buffers in all.
const BUFFER_DEADLINE: Duration = Duration::from_secs(120);

/// Where bytes go.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// To an offset of the file.
    At(u64),
    /// Behind everything that was written before.
    End,
}

/// Answer of one attempt.
enum Attempt {
    /// The bytes are in; `full` when they reach the end of the chunk.
    Done {
        full: bool,
    },
    Failed(Error),
    /// The slice was sealed by somebody else.
    Sealed,
    /// No buffer came free.
    Spent,
}

/// Ends writing to a slice when the future of a write is dropped half-way: what it holds is not known then.
struct Unfinished<'a> {
    file: &'a OpenFile,
    slice: &'a PendingSlice,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.file.close_slice(self.slice);
    }
}

impl OpenFile {
    /// Writes at `offset`, or at the end with `append`. See [`Vfs::write`].
    ///
    /// An append gets its place when it is committed: until then readers here see it behind the end as known, and it
    /// moves with that. A write of up to [`CHUNK_SIZE`] bytes goes into one slice and is not torn here; the kernel
    /// may have cut what a process wrote at the end of a page. Where appends meet
    /// writes at offsets, the ones are committed before the others begin, so that each offset means what it meant.
    ///
    /// Costs, for a write that goes on where an open slice ends: the file's turn, the slice's lock, two short locks
    /// of the content, one copy.
    pub(crate) async fn write(
        self: &Arc<Self>,
        vfs: &Vfs,
        append: bool,
        offset: u64,
        data: &[u8],
    ) -> Result<usize> {
        let _turn = self.turn().await;
        if self.content().waits_otherwise(append) {
            // Rare, and large for a future that every write carries.
            Box::pin(self.store_and_commit(vfs)).await?;
        }
        if append {
            if self.is_dirty() {
                self.refresh(vfs).await?;
            } else {
                // Nothing written here holds the end yet, and another client may have moved it.
                self.refresh_now(vfs).await?;
            }
        }
        let offset = if append { self.content().length() } else { offset };
        offset
            .checked_add(data.len() as u64)
            .filter(|end| *end < MAX_FILE_LENGTH)
            .ok_or(ErrorKind::FileTooLarge)?;
        if append {
            for part in data.chunks(CHUNK_SIZE as usize) {
                self.write_part(vfs, Place::End, part).await?;
            }
            return Ok(data.len());
        }
        let (mut at, mut rest) = (offset, data);
        while !rest.is_empty() {
            // What is left of a chunk fits.
            let part = rest.len().min((CHUNK_SIZE - at % CHUNK_SIZE) as usize);
            let (head, tail) = rest.split_at(part);
            self.write_part(vfs, Place::At(at), head).await?;
            at += part as u64;
            rest = tail;
        }
        Ok(data.len())
    }

    /// Takes the set-id bits away that a write by anybody but root may not leave. One transaction when there are any.
    pub(crate) async fn drop_set_id(&self, vfs: &Vfs) -> Result<()> {
        let (mode, generation) = {
            let content = self.content();
            (content.attr.mode, content.generation)
        };
        if without_set_id(mode) == mode {
            return Ok(());
        }
        let change = SetAttr {
            mode: Some(without_set_id(mode)),
            ..SetAttr::default()
        };
        let changed = vfs.meta().setattr(&Context::root(), self.ino, change).await;
        let attr = changed.map_err(|error| self.stale_when_gone(error))?;
        self.content_mut().refreshed(&attr, generation);
        // The answer to a write has no attributes, so the kernel would go on showing the bits.
        vfs.expire_attributes(self.ino);
        Ok(())
    }

    /// Writes what goes into one slice: bytes of one chunk, or as many appended ones as a slice may have.
    async fn write_part(self: &Arc<Self>, vfs: &Vfs, place: Place, data: &[u8]) -> Result<()> {
        let mut deadline = None;
        loop {
            let found = match place {
                Place::At(offset) => self.content().writable(offset, data.len()),
                Place::End => self.content().appendable(data.len()),
            };
            let (slice, off) = match found {
                Some(found) => found,
                None => (self.begin_slice(vfs, place).await?, 0),
            };
            match self.write_slice(vfs, &slice, off, data).await {
                Attempt::Done { full } => {
                    if full {
                        self.close_slice(&slice);
                        vfs.settle_soon(self);
                    }
                    return Ok(());
                }
                Attempt::Failed(error) => {
                    if slice.appends {
                        // A part of it may lie where the next append would begin.
                        self.close_slice(&slice);
                    }
                    return Err(error);
                }
                Attempt::Sealed => self.close_slice(&slice),
                Attempt::Spent => {
                    self.close_slice(&slice);
                    vfs.settle_soon(self);
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + BUFFER_DEADLINE);
                    if Instant::now() >= deadline {
                        return Err(self.no_buffers(vfs).await);
                    }
                }
            }
        }
    }

    /// One attempt to write into a slice, with limited patience for a buffer.
    async fn write_slice(&self, vfs: &Vfs, slice: &PendingSlice, off: u32, data: &[u8]) -> Attempt {
        let mtime = vfs.now();
        let extent = Mutex::new(None);
        let unfinished = Unfinished { file: self, slice };
        let outcome = {
            let write = pin!(slice.write(off, data, &extent));
            with_patience(vfs, write).await
        };
        std::mem::forget(unfinished);
        let full = match extent.into_inner() {
            Some(extent) => self.content_mut().written(slice.sequence, extent, mtime),
            None => false,
        };
        match outcome {
            Some(Some(Ok(()))) => Attempt::Done { full },
            Some(Some(Err(error))) => Attempt::Failed(error),
            Some(None) => Attempt::Sealed,
            None => Attempt::Spent,
        }
    }

    /// Begins a slice at this place; the oldest open ones are ended when there are many.
    async fn begin_slice(self: &Arc<Self>, vfs: &Vfs, place: Place) -> Result<Arc<PendingSlice>> {
        let (pending, open) = {
            let content = self.content();
            (content.pending.len(), content.open_slices())
        };
        if pending >= MAX_PENDING_SLICES {
            Box::pin(self.store_and_commit(vfs)).await?;
        } else if open >= MAX_OPEN_SLICES {
            self.close_oldest(open - MAX_OPEN_SLICES + 1);
        }
        let id = vfs.meta().allocate_slice().await?;
        let mut content = self.content_mut();
        let sequence = content.next_sequence;
        content.next_sequence += 1;
        let (start, appends) = match place {
            Place::At(offset) => (offset, false),
            Place::End => (content.length(), true),
        };
        let slice = PendingSlice::new(vfs.chunks(), self.ino, content.attr.tier, id, sequence, appends);
        let slice = Arc::new(slice);
        content.begin(Arc::clone(&slice), start, vfs.now());
        Ok(slice)
    }

    fn close_slice(&self, slice: &PendingSlice) {
        if let Some(pending) = self.content_mut().find(slice.sequence) {
            pending.open = false;
        }
    }

    fn close_oldest(&self, count: usize) {
        let mut content = self.content_mut();
        for pending in content.pending.iter_mut().filter(|p| p.open).take(count) {
            pending.open = false;
        }
    }

    /// Why no buffer came free: usually because the store takes nothing.
    async fn no_buffers(&self, vfs: &Vfs) -> Error {
        match Box::pin(self.store_and_commit(vfs)).await {
            Err(error) => error,
            Ok(()) => Error::new(
                ErrorKind::Timeout,
                format!("inode {}: no write buffer became free", self.ino),
            )
            .with_advice("The object store takes data too slowly; a larger --buffer-size gives more room."),
        }
    }
}

/// Polls a write to its end, but not longer than the patience once it has to wait; `None` when that ran out.
async fn with_patience<T>(vfs: &Vfs, mut write: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
    if let std::task::Poll::Ready(done) = poll!(write.as_mut()) {
        return Some(done);
    }
    // Idle slices of other files may hold what it waits for.
    vfs.relieve();
    tokio::select! {
        done = write => Some(done),
        () = vfs.sleep(BUFFER_PATIENCE) => None,
    }
}
