//! The check that a store can be written, read and deleted before a volume relies on it (spec 10-setting section 6).

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result};
use rand::RngExt as _;
use rand::distr::Alphanumeric;

use super::ObjectStore;

/// What to do about a store that gives no answer.
pub(super) const CHECK_NETWORK: &str =
    "Check the address of the bucket, the network and the proxy between this computer and the store.";

/// Bytes of the object that the check writes.
const PROBE_BYTES: usize = 100;
/// Random characters of its name.
const PROBE_NAME_CHARS: usize = 10;
/// Longest a step of the check may take: somebody waits for its answer.
const STEP_DEADLINE: Duration = Duration::from_secs(30);
/// Folder of the check's objects.
pub(super) const PROBE_PREFIX: &str = "testing/";

/// Writes an object under `testing/`, reads it back, compares and deletes it.
///
/// # Errors
/// The store's error with the failing step in front; `Timeout` when a step takes more than 30 s; `Corrupt` when other
/// bytes come back.
pub async fn probe_store(store: &dyn ObjectStore) -> Result<()> {
    let object = ProbeObject::new();
    object.write(store).await?;
    object.read_back(store).await?;
    object.delete(store).await
}

/// A small object of random bytes under `testing/`, for trying a store step by step.
#[derive(Debug)]
pub struct ProbeObject {
    key: String,
    body: Bytes,
}

impl ProbeObject {
    /// One that no store has.
    pub fn new() -> ProbeObject {
        let mut random = rand::rng();
        let name: String = (0..PROBE_NAME_CHARS)
            .map(|_| char::from(random.sample(Alphanumeric)))
            .collect();
        let mut body = vec![0; PROBE_BYTES];
        random.fill(body.as_mut_slice());
        ProbeObject {
            key: format!("{PROBE_PREFIX}{name}"),
            body: Bytes::from(body),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// The store's; `Timeout` after 30 s.
    pub async fn write(&self, store: &dyn ObjectStore) -> Result<()> {
        let place = store.describe();
        timely(&place, store.put(&self.key, self.body.clone()))
            .await
            .map_err(|error| step("written", error))
    }

    /// Reads it and compares.
    ///
    /// # Errors
    /// The store's; `Timeout` after 30 s; `Corrupt` when other bytes come back.
    pub async fn read_back(&self, store: &dyn ObjectStore) -> Result<()> {
        let place = store.describe();
        let back = timely(&place, store.get(&self.key, None))
            .await
            .map_err(|error| step("read", error))?;
        if back == self.body {
            return Ok(());
        }
        let key = &self.key;
        Err(Error::new(
            ErrorKind::Corrupt,
            format!("the object store ({place}) gave back other bytes than were written to {key}"),
        )
        .with_advice("Check that nothing between this machine and the store changes objects."))
    }

    /// Deletes it.
    ///
    /// # Errors
    /// The store's; `Timeout` after 30 s.
    pub async fn delete(&self, store: &dyn ObjectStore) -> Result<()> {
        let place = store.describe();
        timely(&place, store.delete(&self.key))
            .await
            .map_err(|error| step("deleted from", error))?;
        // Only stores with real folders have this one, and a folder that others use now stays: both are fine.
        let _ = timely(&place, store.delete(PROBE_PREFIX)).await;
        Ok(())
    }
}

impl Default for ProbeObject {
    fn default() -> Self {
        ProbeObject::new()
    }
}

fn step(what: &str, error: Error) -> Error {
    error.context(format!("the object store can not be {what}"))
}

/// Gives a step its deadline. A store that is used outside a runtime is on this machine and has none.
async fn timely<T>(place: &str, step: impl Future<Output = Result<T>>) -> Result<T> {
    if tokio::runtime::Handle::try_current().is_err() {
        return step.await;
    }
    tokio::time::timeout(STEP_DEADLINE, step)
        .await
        .unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Timeout,
                format!("no answer of {place} within {} s", STEP_DEADLINE.as_secs()),
            )
            .with_advice(CHECK_NETWORK))
        })
}

/// The first object that keeps a fresh volume from using this prefix, if any; leftovers of probes do not count.
///
/// # Errors
/// The store's error when listing fails.
pub async fn prefix_in_use(store: &dyn ObjectStore) -> Result<Option<String>> {
    /// Enough to get past what probes may have left behind on one page.
    const PAGE: usize = 1000;
    let mut after: Option<String> = None;
    loop {
        let page = store.list("", after.as_deref(), PAGE).await?;
        let foreign = page.iter().find(|(key, info)| {
            info.size > 0 && !key.ends_with('/') && key != "testing" && !key.starts_with(PROBE_PREFIX)
        });
        if let Some((key, _)) = foreign {
            return Ok(Some(key.clone()));
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => after = Some(key.clone()),
            _ => return Ok(None),
        }
    }
}
