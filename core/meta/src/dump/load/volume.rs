//! What makes a volume of the loaded records: rules, quotas of owners, counters, and the setting.

use std::sync::Arc;

use moorage_model::{AclId, AclRule, Counter, Error, ErrorKind, QuotaKey, Result, Setting};

use super::LoadSummary;
use crate::setting_text::encode_setting;
use crate::{Engine, Key, Record, engine};

/// Everything that is stored behind the records of a dump.
#[derive(Debug)]
pub(super) struct LoadedVolume {
    pub(super) setting: Setting,
    /// Rules by their ids, the first being 1.
    pub(super) rules: Vec<AclRule>,
    /// Quotas of users and groups.
    pub(super) quotas: Vec<(QuotaKey, moorage_model::Quota)>,
    /// Values of the counters, in the meaning of [`Counter::is_next_free`].
    pub(super) counters: Vec<(Counter, i64)>,
    pub(super) summary: LoadSummary,
}

impl LoadedVolume {
    /// Stores it, the setting last.
    pub(super) async fn store(self, engine: &Arc<dyn Engine>) -> Result<LoadSummary> {
        for (number, rule) in (1u32..).zip(self.rules) {
            store_rule(engine, AclId(number), rule).await?;
        }
        let setting = encode_setting(&self.setting)?;
        let (quotas, counters) = (Arc::new(self.quotas), Arc::new(self.counters));
        engine::run(engine.as_ref(), "load", move |txn| {
            for (key, quota) in quotas.iter() {
                txn.put(Key::Quota(*key), Record::Quota(*quota));
            }
            for (counter, value) in counters.iter() {
                txn.insert(Key::Counter(*counter), Record::Counter(*value));
            }
            txn.insert(Key::Setting, Record::Setting(setting.clone()));
            Box::pin(async { Ok(()) })
        })
        .await?;
        Ok(self.summary)
    }
}

/// Stores a rule under the id that nodes refer to: ids of an empty database begin at 1, and one at a time keeps
/// them in order.
async fn store_rule(engine: &Arc<dyn Engine>, wanted: AclId, rule: AclRule) -> Result<()> {
    let rule = Arc::new(rule);
    loop {
        let rule = Arc::clone(&rule);
        let id = engine::run(engine.as_ref(), "load", move |txn| {
            let rule = Arc::clone(&rule);
            Box::pin(async move { txn.insert_acl(&rule).await })
        })
        .await?;
        // A lower one was given to a commit that a conflict ran again.
        if id == wanted {
            return Ok(());
        }
        if id > wanted {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("the database gave ACL rule {wanted} of the dump the id {id}"),
            )
            .with_advice("Load into a fresh database."));
        }
    }
}
