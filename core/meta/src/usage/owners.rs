//! What users and groups own.

use std::collections::HashMap;

use moorage_model::{Ino, QuotaKey, Result};

use super::Usage;
use crate::admin::Pages;
use crate::{Key, Meta, Record, Scan};

impl Meta {
    /// Adds up every node of the volume by its user and by its group, hard links once, the trash included: what the
    /// operations count one by one. The root and the trash root belong to nobody.
    ///
    /// One engine read per 1000 nodes; about 50 bytes of memory per owner. Answers with the number of nodes that can not be
    /// read, too.
    ///
    /// # Errors
    /// What the engine answers.
    pub(super) async fn usage_of_owners(&self) -> Result<(HashMap<QuotaKey, Usage>, u64)> {
        let mut owners: HashMap<QuotaKey, Usage> = HashMap::new();
        let mut unreadable = 0;
        let mut pages = Pages::new(Scan::AllNodes);
        while let Some(page) = pages.survey(self).await? {
            unreadable += page.damaged.len() as u64;
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
        }
        Ok((owners, unreadable))
    }
}
