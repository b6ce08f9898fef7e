//! Relative changes of usage, written together a moment later: the records of the volume's counters are the same for
//! every change of every client, and whoever changes one in its own transaction waits for all others
//! (spec 40-sql section 4, 50-tkv section 5: the original writes them once per second).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use moorage_meta::{Key, Record};
use moorage_model::{Counter, Result};

use crate::write::Write;

/// How long changes are summed up before they are written, as the original does.
const SUM_PERIOD: Duration = Duration::from_secs(1);

/// Sums that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    by_key: BTreeMap<Key, Write>,
}

/// Whether changes of a record are summed up.
pub(crate) fn is_summed(key: &Key) -> bool {
    matches!(
        key,
        Key::Counter(Counter::UsedSpace | Counter::TotalInodes) | Key::DirStat(_) | Key::Quota(_)
    )
}

/// Has the sums of an engine written when they have been summed up for a moment, unless it is gone by then.
pub(crate) fn write_later<Engine, Writing>(
    engine: &Arc<Engine>,
    write: impl FnOnce(Arc<Engine>) -> Writing + Send + 'static,
) where
    Engine: Send + Sync + 'static,
    Writing: Future<Output = Result<()>> + Send,
{
    let engine = Arc::downgrade(engine);
    tokio::spawn(async move {
        tokio::time::sleep(SUM_PERIOD).await;
        if let Some(engine) = engine.upgrade()
            && let Err(error) = write(engine).await
        {
            tracing::warn!(%error, "usage could not be written");
        }
    });
}

impl Sums {
    pub(crate) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Adds a relative change.
    pub(crate) fn add(&mut self, change: &Write) {
        let key = change.key();
        let sum = match (self.by_key.get(&key), change) {
            (Some(Write::AddCounter(_, before)), Write::AddCounter(counter, delta)) => {
                Write::AddCounter(*counter, before.saturating_add(*delta))
            }
            (Some(Write::AddDirStat(_, before)), Write::AddDirStat(ino, delta)) => {
                let mut sum = *before;
                sum += *delta;
                Write::AddDirStat(*ino, sum)
            }
            (Some(Write::AddQuota(_, space, inodes)), Write::AddQuota(quota, more_space, more_inodes)) => {
                Write::AddQuota(
                    *quota,
                    space.saturating_add(*more_space),
                    inodes.saturating_add(*more_inodes),
                )
            }
            _ => change.clone(),
        };
        self.by_key.insert(key, sum);
    }

    /// Drops what was added to a record that is stored or removed as a whole.
    pub(crate) fn forget(&mut self, key: &Key) {
        self.by_key.remove(key);
    }

    /// Adds all of `other`, after what was added to `replaced` records is dropped. Whether there was nothing to write
    /// before and is now: then it is the caller who has to see to it.
    pub(crate) fn take_over(&mut self, other: &Sums, replaced: &[Key]) -> bool {
        let was_empty = self.is_empty();
        for key in replaced {
            self.forget(key);
        }
        for change in other.by_key.values() {
            self.add(change);
        }
        was_empty && !self.is_empty()
    }

    /// A record with what is not written yet.
    pub(crate) fn view(&self, key: &Key, committed: Option<Record>) -> Option<Record> {
        match self.by_key.get(key) {
            Some(change) => change.apply(committed),
            None => committed,
        }
    }

    /// The changes that are left to write, one per record, in one order for all clients so that they wait for each other
    /// in no circle.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Write> {
        self.by_key.values().filter(|change| match change {
            Write::AddCounter(_, delta) => *delta != 0,
            Write::AddDirStat(_, delta) => !delta.is_zero(),
            Write::AddQuota(_, space, inodes) => (*space, *inodes) != (0, 0),
            _ => false,
        })
    }
}
