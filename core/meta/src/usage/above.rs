//! Which directory quotas count what happens in a directory, for those who walk down a tree: looking that up reads
//! every directory above, at each of thousands of levels.

use std::sync::Arc;

use moorage_model::{Ino, QuotaKey, Result};

use crate::{Meta, Read};

/// The directories with a quota from one directory upwards, nearest first, as a walk down to it found them.
///
/// Void as soon as this client learns of a directory that gets or loses its quota, or moves a directory from one quota
/// to another. What other clients move out of the tree meanwhile counts at its old place.
#[derive(Clone, Debug)]
pub(crate) struct QuotasAbove {
    directories: Arc<[Ino]>,
    /// [`UsageCache::layout`](crate::usage_cache::UsageCache::layout) before they were found.
    layout: u64,
}

impl Meta {
    /// Finds them from the bottom up; the round trips of [`Meta::ancestors`], none when no directory has a quota.
    ///
    /// # Errors
    /// What reading the chain of parents answers.
    pub(crate) async fn quotas_above(
        &self,
        reader: &(impl Read + ?Sized),
        directory: Ino,
    ) -> Result<QuotasAbove> {
        let layout = self.caches.usage.layout();
        let directories = self.quota_directories(reader, directory).await?.into();
        Ok(QuotasAbove { directories, layout })
    }

    /// Those of a directory by those of the one that holds it, without a read.
    pub(crate) fn quotas_below(&self, above: &QuotasAbove, directory: Ino) -> QuotasAbove {
        let limited = self.caches.usage.quotas().get(QuotaKey::Directory(directory));
        if limited.is_none() {
            return above.clone();
        }
        let upwards = above.directories.iter().copied();
        QuotasAbove {
            directories: std::iter::once(directory).chain(upwards).collect(),
            layout: above.layout,
        }
    }

    /// What is known of a directory, or what there is when that is void.
    ///
    /// # Errors
    /// Those of [`Meta::quotas_above`].
    pub(crate) async fn current_quotas(
        &self,
        reader: &(impl Read + ?Sized),
        directory: Ino,
        known: Option<&QuotasAbove>,
    ) -> Result<QuotasAbove> {
        match known {
            Some(known) if known.layout == self.caches.usage.layout() => Ok(known.clone()),
            _ => self.quotas_above(reader, directory).await,
        }
    }
}

impl QuotasAbove {
    /// The directories.
    pub(crate) fn directories(&self) -> &[Ino] {
        &self.directories
    }
}
