//! statfs (spec 70-semantics section 8).

use std::time::Duration;

use moorage_model::{Counter, Ino, Quota, QuotaKey, Result};

use crate::{Key, Meta, TxnExt as _};

/// Size that a volume without limit shows at least, bytes.
const UNLIMITED_SPACE: i64 = 1 << 50;
/// Free inodes that a volume without limit shows at least.
const UNLIMITED_INODES: i64 = 10 << 20;
/// Counters that take longer to read are answered from the last known ones.
const COUNTER_PATIENCE: Duration = Duration::from_millis(150);

/// Size and usage of a volume or of the tree below a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatFs {
    /// Bytes in all.
    pub total_space: u64,
    /// Bytes free.
    pub available_space: u64,
    /// Nodes in use.
    pub used_inodes: u64,
    /// Nodes that can still be made.
    pub available_inodes: u64,
}

impl Meta {
    /// Size and usage as seen from `directory`, the root of a mount: the limits of the volume and of every quota
    /// from there upwards but on the root of the volume; the nearest quota says what is used.
    ///
    /// One engine read, answered from the numbers of the last heartbeat after 150 ms; with directory quotas one more.
    ///
    /// # Errors
    /// What reading the chain of parents answers, when any directory has a quota.
    pub async fn statfs(&self, directory: Ino) -> Result<StatFs> {
        let (space, inodes) = self.used_now().await;
        let setting = self.setting();
        let limit = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let mut numbers = of_volume(limit(setting.capacity), limit(setting.inodes), space, inodes);
        let limited = self.quota_directories(self.engine.as_ref(), directory).await?;
        let table = self.caches.usage.quotas();
        let quotas: Vec<Quota> = limited
            .into_iter()
            // What limits the whole volume is its capacity; a quota on the root is checked and not shown, as JuiceFS has it.
            .filter(|ino| *ino != Ino::ROOT)
            .filter_map(|ino| table.get(QuotaKey::Directory(ino)))
            .collect();
        narrow(&mut numbers, &quotas);
        Ok(numbers)
    }

    async fn used_now(&self) -> (i64, i64) {
        let read = async {
            let keys = [
                Key::Counter(Counter::UsedSpace),
                Key::Counter(Counter::TotalInodes),
            ];
            let mut counters = self.engine.get(&keys).await?;
            let used = (counters.counter()?.unwrap_or(0), counters.counter()?.unwrap_or(0));
            Ok::<_, moorage_model::Error>(used)
        };
        let used = match self.tasks.timer(COUNTER_PATIENCE) {
            Some(timer) => tokio::select! {
                biased;
                used = read => used.ok(),
                () = timer => None,
            },
            None => read.await.ok(),
        };
        let (space, inodes) = used.unwrap_or_else(|| self.caches.usage.used());
        (space.max(0), inodes.max(0))
    }
}

fn of_volume(capacity: i64, max_inodes: i64, space: i64, inodes: i64) -> StatFs {
    let total = if capacity > 0 {
        capacity.max(space)
    } else {
        let mut total = UNLIMITED_SPACE;
        while total.saturating_mul(8) < space.saturating_mul(10) && total < i64::MAX / 16 {
            total *= 2;
        }
        total
    };
    let free_inodes = if max_inodes > 0 {
        (max_inodes - inodes).max(0)
    } else {
        let mut free = UNLIMITED_INODES;
        while inodes > free.saturating_mul(4) && free < i64::MAX / 16 {
            free *= 2;
        }
        free
    };
    StatFs {
        total_space: total.unsigned_abs(),
        available_space: (total - space).max(0).unsigned_abs(),
        used_inodes: inodes.unsigned_abs(),
        available_inodes: free_inodes.unsigned_abs(),
    }
}

/// Lets quotas limit what is free, nearest first; the nearest one says what is used.
fn narrow(numbers: &mut StatFs, quotas: &[Quota]) {
    let left = |max: i64, used: i64| max.saturating_sub(used.max(0)).max(0).unsigned_abs();
    for quota in quotas {
        if quota.max_space > 0 {
            let space = left(quota.max_space, quota.used_space);
            numbers.available_space = numbers.available_space.min(space);
        }
        if quota.max_inodes > 0 {
            let inodes = left(quota.max_inodes, quota.used_inodes);
            numbers.available_inodes = numbers.available_inodes.min(inodes);
        }
    }
    if let Some(nearest) = quotas.first() {
        let used = nearest.used_space.max(0).unsigned_abs();
        numbers.total_space = used.saturating_add(numbers.available_space);
        numbers.used_inodes = nearest.used_inodes.max(0).unsigned_abs();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_without_limits_shows_a_pebibyte_and_doubles_at_80_percent() {
        let fresh = of_volume(0, 0, 0, 0);
        assert_eq!(fresh.total_space, 1 << 50);
        assert_eq!(fresh.available_space, 1 << 50);
        assert_eq!(fresh.available_inodes, 10 << 20);
        let eighty = (1 << 50) / 10 * 8;
        assert_eq!(of_volume(0, 0, eighty, 0).total_space, 1 << 50);
        assert_eq!(of_volume(0, 0, eighty + 4096, 0).total_space, 1 << 51);
        assert_eq!(of_volume(0, 0, 0, 40 << 20).available_inodes, 10 << 20);
        assert_eq!(of_volume(0, 0, 0, (40 << 20) + 1).available_inodes, 20 << 20);
    }

    #[test]
    fn limits_of_the_volume_bound_what_is_free_and_never_go_below_zero() {
        let limited = of_volume(1 << 30, 100, 1 << 29, 40);
        assert_eq!((limited.total_space, limited.available_space), (1 << 30, 1 << 29));
        assert_eq!((limited.used_inodes, limited.available_inodes), (40, 60));
        let overfull = of_volume(4096, 10, 8192, 12);
        assert_eq!((overfull.total_space, overfull.available_space), (8192, 0));
        assert_eq!(overfull.available_inodes, 0);
    }

    #[test]
    fn the_nearest_quota_says_what_is_used_and_all_limit_what_is_free() {
        let mut numbers = of_volume(1 << 30, 0, 1 << 20, 50);
        let quota = |max_space, max_inodes, used_space, used_inodes| Quota {
            max_space,
            max_inodes,
            used_space,
            used_inodes,
        };
        narrow(
            &mut numbers,
            &[quota(1 << 20, -1, 4096, 3), quota(1 << 19, 10, 8192, 4)],
        );
        assert_eq!(numbers.available_space, (1 << 19) - 8192);
        assert_eq!(numbers.total_space, 4096 + (1 << 19) - 8192);
        assert_eq!((numbers.used_inodes, numbers.available_inodes), (3, 6));
    }
}
