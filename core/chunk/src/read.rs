//! Reading slices.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use moorage_model::{Error, ErrorKind, Result, SliceId};

use crate::block::{BlockId, block_at};
use crate::block_file::Form;
use crate::chunk_store::{ChunkStore, closed, permit};
use crate::compress::damaged;
use crate::guard::Purpose;
use crate::offload::{IN_PLACE_BYTES, away};

/// What reading an object of a volume proves of its bytes (spec 60-objects sections 4 and 5: plain and compressed
/// objects carry no checksum).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentProof {
    /// That they have their length; changed bytes can not be told from right ones.
    Length,
    /// That they can be decompressed to their length. Changes of bytes that did not compress hardly ever show.
    Decompressed,
    /// That they are what was written: each object is authenticated by its encryption.
    Authenticated,
}

/// Whether a fetched block goes to the disk cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// When its queue has room: a read must not wait for the disk.
    IfRoom,
    /// In any case, as that is what it is fetched for.
    Surely,
}

/// A read of at most this part of a block, not at its start, is looked upon as random and fetched as a range.
const RANGED_PART: u32 = 4;

impl ChunkStore {
    /// Reads `len` bytes at `off` of a slice of `size` bytes. A range inside one block that is in memory costs no
    /// copy; the hole slice gives zeros.
    ///
    /// Ready on the first poll when memory, the page cache or the disk cache has the bytes. Safe to drop.
    ///
    /// # Errors
    /// `NotFound` or `Corrupt` naming the object; `Unavailable` or `Timeout` when the store does not answer.
    pub async fn read(&self, id: SliceId, size: u32, off: u32, len: u32) -> Result<Bytes> {
        check_range(id, size, off, len)?;
        let block_size = self.config.block_size;
        if id != SliceId::HOLE && !self.direct && len > 0 && off / block_size == (off + len - 1) / block_size
        {
            let block = block_at(id, size, block_size, off / block_size);
            if let Some(bytes) = self.memory.get(&block) {
                let within = (off % block_size) as usize;
                self.counts.memory_hit(len as usize);
                return Ok(bytes.slice(within..within + len as usize));
            }
        }
        let mut out = BytesMut::zeroed(len as usize);
        self.read_into(id, size, off, &mut out).await?;
        Ok(out.freeze())
    }

    /// Fills `buffer` from `off` of a slice of `size` bytes.
    ///
    /// Costs, per block touched: memory hit one copy; local plain object one `preadv2` (and an open per 64 objects
    /// in turn), one copy from the page cache; disk cache the same with a `pread` and a checksum, and one copy more
    /// for a piece of 32 KiB that is read in part; staged block an open and two `pread`s beside. Ready on the first
    /// poll in these cases, without allocation but for the object's name. Safe to drop; the buffer's content
    /// is undefined after an error.
    ///
    /// # Errors
    /// As [`ChunkStore::read`].
    pub async fn read_into(&self, id: SliceId, size: u32, off: u32, buffer: &mut [u8]) -> Result<()> {
        let len = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        check_range(id, size, off, len)?;
        if id == SliceId::HOLE {
            buffer.fill(0);
            return Ok(());
        }
        let block_size = self.config.block_size;
        let (mut off, mut rest) = (off, buffer);
        while !rest.is_empty() {
            let block = block_at(id, size, block_size, off / block_size);
            let within = off % block_size;
            let part = rest.len().min((block.len - within) as usize);
            let (head, tail) = std::mem::take(&mut rest).split_at_mut(part);
            if !self.read_near(&block, within, head)? {
                Box::pin(self.read_far(block, within, head)).await?;
            }
            off += part as u32;
            rest = tail;
        }
        Ok(())
    }

    /// Reads what is at hand without waiting; whether it was.
    fn read_near(&self, block: &BlockId, within: u32, out: &mut [u8]) -> Result<bool> {
        if self.direct {
            return match self.store.read_now(&self.key(block), u64::from(within), out) {
                Some(result) => result.map(|()| true),
                None => Ok(false),
            };
        }
        if let Some(bytes) = self.memory.get(block) {
            self.counts.memory_hit(out.len());
            return copy_part(&bytes, within, out).map(|()| true);
        }
        if let Some(staging) = &self.staging {
            match staging.read_now(block, within as usize, out) {
                Some(false) => {}
                found => {
                    self.counts.disk_hit(if found.is_some() { out.len() } else { 0 });
                    return Ok(found.is_some());
                }
            }
        }
        let found = match &self.disk {
            Some(disk) if out.len() <= IN_PLACE_BYTES => disk.read_now(block, within as usize, out),
            _ => None,
        };
        if found == Some(true) {
            self.counts.disk_hit(out.len());
        }
        Ok(found == Some(true))
    }

    async fn read_far(&self, block: BlockId, within: u32, out: &mut [u8]) -> Result<()> {
        if !self.direct && self.is_on_disk(&block) {
            if let Some(bytes) = self.part_from_disk(block, within, out.len()).await? {
                self.counts.disk_hit(bytes.len());
                return copy_part(&bytes, 0, out);
            }
            let bytes = self.fetch(block, Keep::IfRoom).await?;
            return copy_part(&bytes, within, out);
        }
        self.counts.miss(out.len());
        if self.direct || self.wants_range(&block, within, out.len()) {
            match self.fetch_range(block, within, out.len()).await {
                Ok(bytes) => {
                    self.fetch_behind(block);
                    return copy_part(&bytes, 0, out);
                }
                Err(error) => {
                    if let Some(bytes) = self.fetch_from_neighbours(block).await? {
                        return copy_part(&bytes, within, out);
                    }
                    if self.staging.is_none() || error.kind() != ErrorKind::NotFound {
                        return Err(error);
                    }
                    // Another mount may have uploaded it between the two looks.
                }
            }
        }
        let bytes = self.fetch(block, Keep::IfRoom).await?;
        copy_part(&bytes, within, out)
    }

    /// A part of a block that lies plain on this machine, read on a blocking thread.
    async fn part_from_disk(&self, block: BlockId, within: u32, len: usize) -> Result<Option<Bytes>> {
        if self.store.features().encrypted {
            return Ok(None);
        }
        let this = self.this.upgrade().ok_or_else(closed)?;
        away(&self.runtime, move || {
            let mut part = vec![0; len];
            let offset = within as usize;
            let staged = this
                .staging
                .as_ref()
                .is_some_and(|staging| staging.read(&block, offset, &mut part));
            let found = staged
                || this
                    .disk
                    .as_ref()
                    .is_some_and(|disk| disk.read(&block, offset, &mut part));
            Ok(found.then(|| part.into()))
        })
        .await
    }

    /// Whether a block waits on this computer for its upload, so that other clients can not read it yet. Two locks.
    pub fn is_staged(&self, block: &BlockId) -> bool {
        self.staging.as_ref().is_some_and(|staging| staging.has(block))
    }

    /// Whether a block is staged or may be in the disk cache.
    pub(crate) fn is_on_disk(&self, block: &BlockId) -> bool {
        self.is_staged(block) || self.disk.as_ref().is_some_and(|disk| disk.may_have(block))
    }

    /// Fetches the rest of a block that was read in part into the disk cache, if not too many are on their way.
    fn fetch_behind(&self, block: BlockId) {
        if self.disk.is_none() || self.is_held() {
            return;
        }
        let Ok(permit) = Arc::clone(&self.behind).try_acquire_owned() else {
            return;
        };
        if let Some(this) = self.this.upgrade() {
            self.runtime.spawn(async move {
                // A failure shows when somebody reads the block.
                let _ = this.fetch(block, Keep::IfRoom).await;
                drop(permit);
            });
        }
    }

    /// Whether only the range should be fetched: a small first read in the middle of a plain block.
    fn wants_range(&self, block: &BlockId, within: u32, len: usize) -> bool {
        self.plain && within > 0 && len <= (block.len / RANGED_PART) as usize && !self.touches.touch(*block)
    }

    /// Fetches a part of a plain object.
    async fn fetch_range(&self, block: BlockId, within: u32, len: usize) -> Result<Bytes> {
        let this = self.this.upgrade().ok_or_else(closed)?;
        let task = self.runtime.spawn(async move {
            let key = this.key(&block);
            let _permit = permit(&this.downloads).await?;
            this.download_rate.pass(len).await;
            let (from, to) = (u64::from(within), u64::from(within) + len as u64);
            let bytes = this
                .guard
                .call(Purpose::Read, &key, || this.store.get(&key, Some(from..to)))
                .await?;
            if bytes.len() == len {
                Ok(bytes)
            } else {
                Err(damaged(&key, "it is shorter than its name says"))
            }
        });
        task.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Fetches a whole block, once for everybody who wants it now.
    pub(crate) async fn fetch(&self, block: BlockId, keep: Keep) -> Result<Bytes> {
        let (seat, landing) = self.flights.join(block);
        if let Some(landing) = landing {
            let this = self.this.upgrade().ok_or_else(closed)?;
            self.runtime.spawn(async move {
                let outcome = this.fetch_block(block, keep).await;
                if let Ok(bytes) = &outcome {
                    this.memory.insert(block, bytes.clone());
                }
                landing.report(outcome);
            });
        }
        seat.wait().await
    }

    /// A whole block from the nearest place that has it: the staging folder, the disk cache, the store.
    async fn fetch_block(&self, block: BlockId, keep: Keep) -> Result<Bytes> {
        if let Some(bytes) = self.fetch_from_disk(block).await? {
            self.counts.disk_hit(bytes.len());
            return Ok(bytes);
        }
        let key = self.key(&block);
        let body = match self.fetch_object(&block, &key).await {
            Ok(body) => body,
            Err(error) => {
                if let Some(bytes) = self.fetch_from_neighbours(block).await? {
                    return Ok(bytes);
                }
                if self.staging.is_none() || error.kind() != ErrorKind::NotFound {
                    return Err(error);
                }
                // Another mount may have uploaded it between the two looks.
                self.fetch_object(&block, &key).await?
            }
        };
        let bytes = self.decode(body.clone(), block, key).await?;
        if let Some(disk) = &self.disk {
            let (form, payload) = if self.store.features().encrypted {
                (Form::Object, body)
            } else {
                (Form::Block, bytes.clone())
            };
            match keep {
                Keep::IfRoom => disk.insert(block, form, payload),
                Keep::Surely => disk.insert_surely(block, form, payload),
            }
        }
        Ok(bytes)
    }

    /// Reads a whole object from the store, past every cache, and opens it as a reader would: decrypts, decompresses,
    /// compares the length with its name. Nothing is kept. What this can find depends on the volume, see
    /// [`ChunkStore::content_proof`].
    ///
    /// Costs one read of the object; holds it twice, stored and opened. Safe to drop.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` naming the object; `Unavailable` or `Timeout` when the store does not answer.
    pub async fn verify(&self, block: BlockId) -> Result<()> {
        let key = self.key(&block);
        let body = self.fetch_object(&block, &key).await?;
        self.decode(body, block, key).await.map(drop)
    }

    /// What reading an object of this volume proves.
    pub fn content_proof(&self) -> ContentProof {
        if self.store.features().encrypted {
            ContentProof::Authenticated
        } else if self.config.compression == crate::Compression::None {
            ContentProof::Length
        } else {
            ContentProof::Decompressed
        }
    }

    async fn fetch_object(&self, block: &BlockId, key: &str) -> Result<Bytes> {
        let _permit = permit(&self.downloads).await?;
        self.download_rate.pass(block.len as usize).await;
        self.guard
            .call(Purpose::Read, key, || self.store.get_sealed(key))
            .await
    }

    /// A block that the store does not give and that another mount on this machine has staged.
    async fn fetch_from_neighbours(&self, block: BlockId) -> Result<Option<Bytes>> {
        let Some(staging) = self.staging.clone() else {
            return Ok(None);
        };
        let staged = away(&self.runtime, move || {
            staging.look_around();
            staging.load(&block)
        })
        .await?;
        match staged {
            Some((form, payload)) => self.block_of(form, payload, block).await.map(Some),
            None => Ok(None),
        }
    }

    async fn fetch_from_disk(&self, block: BlockId) -> Result<Option<Bytes>> {
        if !self.is_on_disk(&block) {
            return Ok(None);
        }
        let this = self.this.upgrade().ok_or_else(closed)?;
        let staged = away(&self.runtime, move || match &this.staging {
            Some(staging) => staging.load(&block),
            None => Ok(None),
        })
        .await?;
        if let Some((form, payload)) = staged {
            return self.block_of(form, payload, block).await.map(Some);
        }
        let this = self.this.upgrade().ok_or_else(closed)?;
        let cached = away(&self.runtime, move || {
            Ok(this.disk.as_ref().and_then(|disk| disk.load(&block)))
        })
        .await?;
        let Some((form, payload)) = cached else {
            return Ok(None);
        };
        match self.block_of(form, payload, block).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => {
                if let Some(disk) = &self.disk {
                    disk.drop_damaged(&block, &error);
                }
                Ok(None)
            }
        }
    }

    async fn block_of(&self, form: Form, payload: Bytes, block: BlockId) -> Result<Bytes> {
        match form {
            Form::Object => self.decode(payload, block, self.key(&block)).await,
            Form::Block if payload.len() == block.len as usize => Ok(payload),
            Form::Block => Err(damaged(
                &self.key(&block),
                "its copy on this machine has another length",
            )),
        }
    }

    /// The block in an object: decrypted, then decompressed.
    async fn decode(&self, body: Bytes, block: BlockId, key: String) -> Result<Bytes> {
        let compression = self.config.compression;
        let encrypted = self.store.features().encrypted;
        if !encrypted && (compression == crate::Compression::None || block.len as usize <= IN_PLACE_BYTES) {
            return compression.decode(body, block.len, &key);
        }
        // Also for small blocks: unwrapping the key of an object costs half a millisecond.
        let _permit = permit(&self.codecs).await?;
        let store = Arc::clone(&self.store);
        away(&self.runtime, move || {
            let body = if encrypted {
                store.open_sealed(body, &key)?
            } else {
                body
            };
            compression.decode(body, block.len, &key)
        })
        .await
    }
}

fn check_range(id: SliceId, size: u32, off: u32, len: u32) -> Result<()> {
    if id == SliceId::HOLE || off.checked_add(len).is_some_and(|end| end <= size) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!(
            "bytes {off}..{} are outside slice {id} of {size} bytes",
            u64::from(off) + u64::from(len)
        ),
    ))
}

fn copy_part(bytes: &[u8], within: u32, out: &mut [u8]) -> Result<()> {
    let start = within as usize;
    match bytes.get(start..start + out.len()) {
        Some(part) => {
            out.copy_from_slice(part);
            Ok(())
        }
        None => Err(Error::new(
            ErrorKind::Corrupt,
            "a block is shorter than its name says",
        )),
    }
}
