//! What users and groups own.

use std::collections::HashMap;

use moorage_model::{Ino, QuotaKey, Result};

use super::Usage;
use crate::{Key, Meta, Record, Scan};

/// Nodes read per page.
const NODE_PAGE: usize = 1000;

impl Meta {
    /// Adds up every node of the volume by its user and by its group, hard links once, the trash included: what the
    /// operations count one by one. The root and the trash root belong to nobody.
    ///
    /// One engine read per 1000 nodes; about 50 bytes of memory per owner.
    ///
    /// # Errors
    /// What the engine answers.
    pub(super) async fn usage_of_owners(&self) -> Result<HashMap<QuotaKey, Usage>> {
        let mut owners: HashMap<QuotaKey, Usage> = HashMap::new();
        let mut after: Option<Key> = None;
        loop {
            let page = self
                .engine
                .scan(&Scan::AllNodes, after.as_ref(), NODE_PAGE)
                .await?;
            after = page.items.last().map(|(key, _)| key.clone());
            for (key, record) in page.items {
                let (Key::Node(ino), Record::Node(attr)) = (key, record) else {
                    continue;
                };
                if ino == Ino::ROOT || ino == Ino::TRASH {
                    continue;
                }
                for owner in [QuotaKey::User(attr.uid), QuotaKey::Group(attr.gid)] {
                    owners.entry(owner).or_default().add(attr.used_space(), 1);
                }
            }
            if !page.more || after.is_none() {
                return Ok(owners);
            }
        }
    }
}
