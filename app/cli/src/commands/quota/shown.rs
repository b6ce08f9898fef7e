//! Quotas as they are printed.

use moorage_meta::Meta;
use moorage_meta::admin::Damage;
use moorage_model::{Error, ErrorKind, Ino, Quota, QuotaKey, Result};
use serde_json::{Value, json};

use crate::noun::QUOTAS;
use crate::{size, target};

/// A quota with the name of whom it limits.
pub(super) struct Shown {
    key: QuotaKey,
    name: String,
    quota: Quota,
}

impl Shown {
    pub(super) async fn new(meta: &Meta, key: QuotaKey, quota: Quota) -> Result<Shown> {
        let name = name(meta, key).await?;
        // Clients that died or missed something may leave a figure below zero; nothing is used then, as far as is known.
        let quota = Quota {
            used_space: quota.used_space.max(0),
            used_inodes: quota.used_inodes.max(0),
            ..quota
        };
        Ok(Shown { key, name, quota })
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "id": self.key.id(),
            "max_space": limit(self.quota.max_space),
            "max_inodes": limit(self.quota.max_inodes),
            "used_space": self.quota.used_space,
            "used_inodes": self.quota.used_inodes,
        })
    }

    pub(super) fn heading() -> [&'static str; 7] {
        [
            "whose",
            "space limit",
            "space used",
            "%",
            "inode limit",
            "inodes used",
            "%",
        ]
    }

    pub(super) fn row(&self) -> Vec<String> {
        let quota = &self.quota;
        let space = |bytes: i64| size::show(u64::try_from(bytes).unwrap_or(0));
        vec![
            self.name.clone(),
            limit(quota.max_space).map_or_else(none, space),
            space(quota.used_space),
            share(quota.used_space, quota.max_space),
            limit(quota.max_inodes).map_or_else(none, |inodes| inodes.to_string()),
            quota.used_inodes.to_string(),
            share(quota.used_inodes, quota.max_inodes),
        ]
    }
}

/// Quotas that can not be read make no success of the others.
pub(super) fn refuse_damaged(damage: &Damage) -> Result<()> {
    match damage.records.first() {
        None => Ok(()),
        Some(first) => Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "{} can not be read; the first: {}",
                QUOTAS.count(damage.count),
                first.reason
            ),
        )
        .with_advice("`moorage fsck` names them; until they are restored they limit nothing.")),
    }
}

/// The path of a folder, or the number of a user or group.
pub(super) async fn name(meta: &Meta, key: QuotaKey) -> Result<String> {
    match key {
        QuotaKey::Directory(ino) => folder(meta, ino).await,
        QuotaKey::User(uid) => Ok(format!("uid {uid}")),
        QuotaKey::Group(gid) => Ok(format!("gid {gid}")),
    }
}

/// A quota may outlive its folder for a moment; it has no path then.
async fn folder(meta: &Meta, ino: Ino) -> Result<String> {
    match meta.paths(ino).await {
        Ok(paths) => Ok(paths
            .first()
            .map_or_else(|| format!("inode {ino}"), |path| target::shown(path))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(format!("inode {ino} (gone)")),
        Err(error) if error.kind() == ErrorKind::Corrupt => Ok(format!("inode {ino} (damaged)")),
        Err(error) => Err(error),
    }
}

/// Zero or less is no limit.
fn limit(value: i64) -> Option<i64> {
    (value > 0).then_some(value)
}

fn none() -> String {
    "none".to_owned()
}

fn share(used: i64, limit: i64) -> String {
    if limit > 0 {
        format!("{}%", used.saturating_mul(100) / limit)
    } else {
        String::new()
    }
}
