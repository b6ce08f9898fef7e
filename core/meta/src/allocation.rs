//! Inode numbers and slice ids, taken from their counters in batches (spec 20-model section 2).

use moorage_model::{Counter, Error, ErrorKind, INODE_BATCH, Ino, Result, SLICE_BATCH, SliceId};
use parking_lot::Mutex;

use crate::{Durability, Key, Meta, Scan, TxnExt as _, Verb};

/// Ids of one counter that this client has taken and not used yet.
#[derive(Debug)]
pub(crate) struct IdBatch {
    counter: Counter,
    batch: u64,
    /// Lower numbers are reserved and skipped.
    lowest: u64,
    unused: Mutex<std::ops::Range<u64>>,
    /// One caller at a time fetches the next batch; the others wait for it here.
    refill: tokio::sync::Mutex<()>,
}

impl IdBatch {
    /// Inode numbers; 0 and 1 are never handed out.
    pub(crate) fn inodes() -> IdBatch {
        IdBatch::new(Counter::NextInode, INODE_BATCH, Ino::ROOT.0 + 1)
    }

    /// Slice ids; 0 marks a hole.
    pub(crate) fn slices() -> IdBatch {
        IdBatch::new(Counter::NextChunk, SLICE_BATCH, SliceId::HOLE.0 + 1)
    }

    fn new(counter: Counter, batch: u64, lowest: u64) -> IdBatch {
        IdBatch {
            counter,
            batch,
            lowest,
            unused: Mutex::new(0..0),
            refill: tokio::sync::Mutex::new(()),
        }
    }

    async fn next(&self, meta: &Meta) -> Result<u64> {
        if let Some(id) = self.unused.lock().next() {
            return Ok(id);
        }
        let _turn = self.refill.lock().await;
        loop {
            if let Some(id) = self.unused.lock().next() {
                return Ok(id);
            }
            let first = meta.allocate_numbers(self.counter, self.batch).await?;
            if self.counter == Counter::NextChunk && meta.engine.durability() == Durability::AfterBarrier {
                // A power cut must not take the counter back: objects, staged blocks and cached blocks of lost slices
                // may outlive it, and a slice that got such an id again would find them under its name.
                meta.make_durable().await?;
                meta.refuse_known_slices(SliceId(first), self.batch).await?;
            }
            *self.unused.lock() = first.max(self.lowest)..first.saturating_add(self.batch);
        }
    }
}

impl Meta {
    /// A slice id that no other client gets. Ids of a stopped client are lost.
    ///
    /// # Errors
    /// `ReadOnly`; what the engine answers when a new batch has to be fetched.
    ///
    /// # Cancel safety
    /// Dropping the future wastes at most one batch of ids.
    pub async fn allocate_slice(&self) -> Result<SliceId> {
        self.check_writable()?;
        self.slice_ids.next(self).await.map(SliceId)
    }

    /// Refuses new ids when slices with them or higher ones are on record: the counter was damaged, and objects of
    /// theirs would be written over before any record could say so. `owned` ids from `first` on are this
    /// client's. One read, where the engine keeps slices in order.
    async fn refuse_known_slices(&self, first: SliceId, owned: u64) -> Result<()> {
        let before = Key::SliceRef(SliceId(first.0.saturating_sub(1)), u32::MAX);
        let found = self.engine.survey(&Scan::SliceRefs, Some(&before), 1).await?;
        match found.items.first() {
            Some((Key::SliceRef(known, _), _))
                if first.0 > 0
                    && !self
                        .was_given_meanwhile(Counter::NextChunk, first.0.saturating_add(owned), known.0)
                        .await? =>
            {
                let what = format!("gives {first} next, and slice {known} is on record already");
                Err(self.useless_counter(Counter::NextChunk, &what))
            }
            _ => Ok(()),
        }
    }

    /// As [`Meta::refuse_known_slices`], for inode numbers.
    async fn refuse_known_inodes(&self, first: Ino) -> Result<()> {
        let before = Key::Node(Ino(first.0.saturating_sub(1)));
        let found = self.engine.survey(&Scan::AllNodes, Some(&before), 1).await?;
        match found.items.first() {
            Some((Key::Node(known), _))
                if !known.is_internal()
                    && !known.is_trash()
                    && !self
                        .was_given_meanwhile(Counter::NextInode, first.0, known.0)
                        .await? =>
            {
                let what = format!("gives {first} next, and inode {known} is on record already");
                Err(self.useless_counter(Counter::NextInode, &what))
            }
            _ => Ok(()),
        }
    }

    /// Whether a number on record was given to another client since the counter was read: it is one of those from `free` on,
    /// which nobody had then, and the counter is beyond it now.
    async fn was_given_meanwhile(&self, counter: Counter, free: u64, known: u64) -> Result<bool> {
        let stored = self.engine.get(&[Key::Counter(counter)]).await?.counter()?;
        let next = u64::try_from(stored.unwrap_or(counter.initial())).unwrap_or_default();
        Ok((free..next).contains(&known))
    }

    /// Refuses a volume whose counters would give numbers that something has already, before anything is written to it
    /// and its programs meet errors. One read, and two more where the engine keeps records in order; elsewhere that
    /// takes a scan, which `fsck` makes.
    ///
    /// # Errors
    /// `Corrupt` naming the counter.
    pub(crate) async fn check_allocation_counters(&self) -> Result<()> {
        if self.options.read_only || self.options.accept_damaged_usage {
            return Ok(());
        }
        let counters = [Counter::NextInode, Counter::NextChunk];
        let mut found = self.engine.get(&counters.map(Key::Counter)).await?;
        let mut first = [0; 2];
        for (counter, first) in counters.into_iter().zip(&mut first) {
            let stored = found.counter()?.unwrap_or(counter.initial());
            *first = u64::try_from(stored)
                .map_err(|_| self.useless_counter(counter, &format!("says {stored}, which is below zero")))?;
        }
        if self.engine.durability() == Durability::AfterBarrier {
            let [inode, slice] = first;
            self.refuse_known_inodes(Ino(inode)).await?;
            self.refuse_known_slices(SliceId(slice), 0).await?;
        }
        Ok(())
    }

    fn useless_counter(&self, counter: Counter, what: &str) -> Error {
        Error::new(ErrorKind::Corrupt, format!("counter {} {what}", counter.name()))
            .context(self.engine.location())
            .with_advice(
                "Nothing was written. Unmount the volume everywhere and run `moorage fsck --repair`: it sets the counter \
                 beyond.",
            )
    }

    /// Takes `batch` numbers from a counter and returns the first of them. On a volume with a changelog that is a
    /// transaction with a line, else whatever is fastest on the engine.
    pub(crate) async fn allocate_numbers(&self, counter: Counter, batch: u64) -> Result<u64> {
        if !self.setting.read().change_log {
            return self.engine.allocate(counter, batch).await;
        }
        let delta = i64::try_from(batch).unwrap_or(i64::MAX);
        let stored = self
            .transact(Verb::removal("allocate"), move |meta, txn| {
                Box::pin(async move {
                    let mut found = txn.get_locked(&[Key::Counter(counter)]).await?;
                    let stored = found.counter()?.unwrap_or(counter.initial());
                    txn.add_counter(counter, delta);
                    meta.log(txn, || format!("INCR_COUNTER({},{batch})", counter.name()));
                    Ok(stored)
                })
            })
            .await?;
        Ok(stored.cast_unsigned() + u64::from(!counter.is_next_free()))
    }

    /// An inode number that no other client gets.
    pub(crate) async fn allocate_inode(&self) -> Result<Ino> {
        self.inode_ids.next(self).await.map(Ino)
    }
}
