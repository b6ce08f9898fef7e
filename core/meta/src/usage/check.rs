//! Comparing the usage on record with what there is.

use std::collections::HashMap;

use moorage_model::{Error, ErrorKind, Ino, Quota, QuotaKey, Result};

use super::quotas::QuotaList;
use super::{Counting, Usage};
use crate::admin::Damage;
use crate::{Meta, Txn};

/// A quota beside what it should count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaCheck {
    /// Whose quota.
    pub key: QuotaKey,
    /// As it was on record; `None` for an owner that has none.
    pub stored: Option<Quota>,
    /// What was counted.
    pub actual: Usage,
    /// Nodes and entries that can not be read and are missing from what was counted. As long as there are any, nothing
    /// is repaired.
    pub unreadable: u64,
    /// Whether the record was changed to what was counted.
    pub repaired: bool,
}

/// All quotas beside what they should count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaChecks {
    /// Those whose record can be read, or is missing.
    pub checks: Vec<QuotaCheck>,
    /// Records of quotas that can not be read.
    pub damage: Damage,
}

impl QuotaCheck {
    /// Whether the record said what was counted, which may not be all.
    pub fn is_consistent(&self) -> bool {
        self.missing() == Usage::default()
    }

    /// What the record lacks; below zero where it says too much.
    fn missing(&self) -> Usage {
        let stored = self.stored.unwrap_or_default();
        Usage {
            space: self.actual.space.saturating_sub(stored.used_space),
            inodes: self.actual.inodes.saturating_sub(stored.used_inodes),
        }
    }
}

impl Meta {
    /// Counts what a quota should have on record and, with `repair`, corrects the record by the difference. Changes of
    /// other clients while it counts stay counted, some perhaps twice: a second check settles it.
    ///
    /// Round trips: those of the walk, for users and groups one per 1000 nodes of the volume; a repair is one commit.
    ///
    /// # Errors
    /// `NotFound` when there is no such quota; `NotSupported` when the volume does not keep this kind; `ReadOnly`
    /// for a repair.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the record repaired or not.
    pub async fn check_quota(&self, key: QuotaKey, counting: Counting, repair: bool) -> Result<QuotaCheck> {
        self.check_quota_kind(key)?;
        let stored = self.get_quota(key).await?;
        let stored = stored.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{key} has no quota")))?;
        let counted = match key {
            QuotaKey::Directory(directory) => self.count_directory(directory, counting).await?,
            owner => {
                let (owners, unreadable) = self.usage_of_owners().await?;
                (owners.get(&owner).copied().unwrap_or_default(), unreadable)
            }
        };
        self.finish_check(key, Some(stored), counted, repair).await
    }

    /// As [`Meta::check_quota`] for all quotas: of directories by `counting`, of users and groups in one pass over all
    /// nodes. Owners that should have a record and have none are among the answers. Kinds that the volume does not keep
    /// are left out.
    ///
    /// # Errors
    /// What the engine answers; `ReadOnly` for a repair.
    pub async fn check_quotas(&self, counting: Counting, repair: bool) -> Result<QuotaChecks> {
        // Before the nodes are added up: what operations change meanwhile then shows in the sums at most.
        let QuotaList { quotas, damage } = self.list_quotas().await?;
        let (mut owners, unreadable) = if self.setting().user_group_quota {
            self.usage_of_owners().await?
        } else {
            (HashMap::new(), 0)
        };
        let mut checks = Vec::new();
        for (key, stored) in quotas {
            if self.check_quota_kind(key).is_err() {
                continue;
            }
            let counted = match key {
                QuotaKey::Directory(directory) => self.count_directory(directory, counting).await?,
                owner => (owners.remove(&owner).unwrap_or_default(), unreadable),
            };
            checks.push(self.finish_check(key, Some(stored), counted, repair).await?);
        }
        if !damage.is_empty() {
            // Who seems to have no record may have a damaged one.
            owners.clear();
        }
        let mut unrecorded: Vec<(QuotaKey, Usage)> = owners.into_iter().collect();
        unrecorded.sort_unstable_by_key(|(key, _)| *key);
        for (key, actual) in unrecorded {
            checks.push(self.finish_check(key, None, (actual, unreadable), repair).await?);
        }
        Ok(QuotaChecks { checks, damage })
    }

    async fn count_directory(&self, directory: Ino, counting: Counting) -> Result<(Usage, u64)> {
        let walked = self.usage_of_readable(directory, counting).await?;
        Ok((walked.usage, walked.unreadable))
    }

    async fn finish_check(
        &self,
        key: QuotaKey,
        stored: Option<Quota>,
        (actual, unreadable): (Usage, u64),
        repair: bool,
    ) -> Result<QuotaCheck> {
        let mut check = QuotaCheck {
            key,
            stored,
            actual,
            unreadable,
            repaired: false,
        };
        if repair && unreadable == 0 && !check.is_consistent() {
            let missing = check.missing();
            self.transact("repair quota", move |_, txn: &mut dyn Txn| {
                txn.add_quota_usage(key, missing.space, missing.inodes);
                Box::pin(async { Ok(()) })
            })
            .await?;
            check.repaired = true;
        }
        Ok(check)
    }
}
