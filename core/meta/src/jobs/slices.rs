//! Removing the objects of slices that nothing shows any more.

use std::sync::Arc;

use futures_util::StreamExt as _;
use moorage_model::{Result, SliceId};

use crate::{DataStore, Key, Meta, TxnExt as _, Verb};

/// Slices removed between two transactions that drop their references.
const SLICE_BATCH: usize = 100;

impl Meta {
    /// Removes the objects, then the reference records, of those of these slices that have no owner left. The
    /// transactions that dropped the owners are made durable first (DESIGN, "Durability", rule 2). Without a data
    /// store, or with no deletions allowed, nothing is removed and the references stay for another client.
    ///
    /// # Errors
    /// The first failure; references whose objects could not be removed stay for the hourly job.
    pub(crate) async fn remove_slices(&self, mut slices: Vec<(SliceId, u32)>) -> Result<()> {
        let Some(data) = self.data_store().filter(|_| self.options.max_deletes > 0) else {
            return Ok(());
        };
        slices.sort_unstable();
        slices.dedup();
        let mut durable = false;
        let mut outcome = Ok(());
        for batch in slices.chunks(SLICE_BATCH) {
            let dead = self.without_owners(batch).await?;
            if dead.is_empty() {
                continue;
            }
            if !durable {
                self.make_durable().await?;
                durable = true;
            }
            let (removed, failure) = self.remove_objects(data.as_ref(), dead).await;
            self.drop_references(removed).await?;
            if outcome.is_ok() {
                outcome = failure;
            }
        }
        outcome
    }

    async fn without_owners(&self, slices: &[(SliceId, u32)]) -> Result<Vec<(SliceId, u32)>> {
        let keys: Vec<Key> = slices
            .iter()
            .map(|(id, size)| Key::SliceRef(*id, *size))
            .collect();
        let mut found = self.engine.get(&keys).await?;
        let mut dead = Vec::new();
        for slice in slices {
            if found.owners()?.is_some_and(|owners| owners <= 0) {
                dead.push(*slice);
            }
        }
        Ok(dead)
    }

    async fn remove_objects(
        &self,
        data: &dyn DataStore,
        slices: Vec<(SliceId, u32)>,
    ) -> (Vec<(SliceId, u32)>, Result<()>) {
        let mut work = futures_util::stream::iter(slices)
            .map(|(id, size)| async move { ((id, size), data.remove(id, size).await) })
            .buffer_unordered(self.options.max_deletes);
        let mut removed = Vec::new();
        let mut outcome = Ok(());
        while let Some((slice, result)) = work.next().await {
            match result {
                Ok(()) => removed.push(slice),
                Err(error) if outcome.is_ok() => outcome = Err(error),
                Err(_) => {}
            }
        }
        (removed, outcome)
    }

    async fn drop_references(&self, slices: Vec<(SliceId, u32)>) -> Result<()> {
        if slices.is_empty() {
            return Ok(());
        }
        let slices = Arc::new(slices);
        self.transact(Verb::removal("delete slices"), move |meta, txn| {
            let slices = Arc::clone(&slices);
            Box::pin(async move {
                let keys: Vec<Key> = slices
                    .iter()
                    .map(|(id, size)| Key::SliceRef(*id, *size))
                    .collect();
                let mut found = txn.get_locked(&keys).await?;
                for ((id, size), key) in slices.iter().zip(keys) {
                    if found.owners()?.is_some_and(|owners| owners <= 0) {
                        txn.delete(key);
                        meta.log(txn, || format!("DELETESLICE({id},{size})"));
                    }
                }
                Ok(())
            })
        })
        .await
    }
}
