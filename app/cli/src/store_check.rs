//! Looking whether an object store answers, can be used, and has the objects of a volume, before a volume relies on it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::{ChunkConfig, ChunkStore, Claim, ObjectStore, check_claim, probe_store};
use moorage_meta::Meta;
use moorage_model::{Error, ErrorKind, Result, Setting};
use tokio::task::JoinSet;

use crate::context::Context;
use crate::noun::OBJECTS;
use crate::{environment, volume};

/// How long a store may take for all that it is asked before a volume relies on it: a dozen small requests, for which
/// somebody waits. A slow line needs seconds.
const STORE_DEADLINE: Duration = Duration::from_secs(30);
/// How long a person waits without a word.
const PATIENCE: Duration = Duration::from_secs(3);
/// Slices whose objects are looked for in a new place: enough to meet a copy that stopped half-way, few enough to wait
/// for.
const SLICES_SAMPLED: usize = 32;

/// Runs `work` on a store that may not answer: says so after a few seconds, and gives up after [`STORE_DEADLINE`].
///
/// # Errors
/// The work's; `Timeout` when it took too long.
pub(crate) async fn answered<T>(
    store: &dyn ObjectStore,
    context: &Context,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(PATIENCE) => {}
    }
    let place = store.describe();
    context.say(&format!(
        "Waiting for the object store ({place}) to answer, for {} s at most.",
        STORE_DEADLINE.as_secs()
    ));
    tokio::time::timeout(STORE_DEADLINE.saturating_sub(PATIENCE), work)
        .await
        .unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Timeout,
                format!(
                    "the object store ({place}) gave no answer within {} s",
                    STORE_DEADLINE.as_secs()
                ),
            )
            .with_advice(
                "Check the address of the bucket, the network and the proxy between this computer and the store.",
            ))
        })
}

/// What is checked before a volume gets a setting with another store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoreChange<'a> {
    /// The setting as it is.
    pub(crate) before: &'a Setting,
    /// As it shall be, secrets in the open.
    pub(crate) after: &'a Setting,
    /// The new place need not have the volume's objects.
    pub(crate) force: bool,
}

/// Tests that the store of a changed setting can be used, is not another volume's and, at a new place, has the objects
/// of this one. `meta` is the volume as it is. Nothing is written before all but the test of writing itself is done.
///
/// # Errors
/// The store's, with the failing step; `Exists` when another volume claimed it, `NotFound` when objects are missing.
pub(crate) async fn check_change(meta: &Meta, change: StoreChange<'_>, context: &Context) -> Result<()> {
    if !environment::check_store() {
        return Ok(());
    }
    let store = volume::open_objects(change.after)?;
    answered(store.as_ref(), context, async {
        let claim = check_claim(store.as_ref(), &change.after.uuid).await?;
        let moves =
            (&change.before.storage, &change.before.bucket) != (&change.after.storage, &change.after.bucket);
        if moves && !change.force {
            refuse_without_objects(meta, &store, claim, change.after).await?;
        }
        probe_store(store.as_ref()).await
    })
    .await
}

/// Objects are not moved with the setting: a volume that points at a place without them has lost its files.
async fn refuse_without_objects(
    meta: &Meta,
    store: &Arc<dyn ObjectStore>,
    claim: Claim,
    after: &Setting,
) -> Result<()> {
    let sample = meta.sample_slices(SLICES_SAMPLED).await?;
    let config = ChunkConfig::from_setting(after)?;
    let chunks = ChunkStore::open(Arc::clone(store), config, &after.uuid).await?;
    let sampled = sample.len();
    let looks: JoinSet<Result<bool>> = sample
        .into_iter()
        .map(|(id, size)| {
            let chunks = Arc::clone(&chunks);
            async move { chunks.is_stored(id, size).await }
        })
        .collect();
    let found: Vec<bool> = looks.join_all().await.into_iter().collect::<Result<_>>()?;
    let missing = found.into_iter().filter(|found| !found).count() as u64;
    if missing == 0 {
        return Ok(());
    }
    let place = store.describe();
    let what = match claim {
        Claim::Empty => format!("there is nothing of volume {} in {place}", after.name),
        Claim::Own | Claim::Unclaimed => format!(
            "{} of {} that were looked for are not in {place}",
            OBJECTS.count(missing),
            sampled
        ),
    };
    Err(
        Error::new(ErrorKind::NotFound, format!("{what}, and its files could not be read from there"))
            .with_advice(
                "Copy the objects of the volume there first, or check the bucket. --force takes the place all the same.",
            ),
    )
}

#[cfg(test)]
mod tests {
    use moorage_chunk::MemoryStore;

    use super::*;
    use crate::logging::{LoggingArguments, StartWarnings};

    #[tokio::test(start_paused = true)]
    async fn a_store_that_never_answers_is_given_up_and_named() {
        let context = Context::new(&LoggingArguments::default(), StartWarnings::default());
        let begun = tokio::time::Instant::now();
        let error = answered(
            &MemoryStore::new(),
            &context,
            std::future::pending::<Result<()>>(),
        )
        .await
        .expect_err("no answer");
        assert_eq!(begun.elapsed(), STORE_DEADLINE);
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let text = error.to_string();
        assert!(text.contains(&MemoryStore::new().describe()), "{text}");
        assert!(error.advice().is_some());
    }
}
