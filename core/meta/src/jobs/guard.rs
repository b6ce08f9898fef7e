//! "Set if small": which client runs a shared job now (spec 70-semantics section 2).

use std::time::Duration;

use moorage_model::{Counter, Result};

use crate::{Key, Meta};

impl Meta {
    /// Whether this client shall run the job that `counter` guards: its last start is at least `interval` ago. The
    /// answer and the new start are one transaction, so one client of a volume gets `true`.
    ///
    /// # Errors
    /// What the engine answers.
    pub(crate) async fn win_guard(&self, counter: Counter, interval: Duration) -> Result<bool> {
        let interval = i64::try_from(interval.as_secs()).unwrap_or(i64::MAX);
        self.transact("job guard", move |meta, txn| {
            Box::pin(async move {
                let last = txn.get_locked(&[Key::Counter(counter)]).await?.counter()?;
                let (last, now) = (last.unwrap_or(0), meta.now().seconds);
                if last > now.saturating_sub(interval) {
                    return Ok(false);
                }
                txn.add_counter(counter, now.saturating_sub(last));
                meta.log(txn, || format!("SET({},{now})", counter.name()));
                Ok(true)
            })
        })
        .await
    }
}
