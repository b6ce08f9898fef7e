//! One volume's view of its buckets: the `Name/` prefix and sharding (spec 60-objects sections 1 and 7).

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result, TierId};

use super::{Endpoint, Features, ObjectInfo, ObjectStore, ObjectUpload, StoreCounters};

/// FNV-1a with 32 bits of the full key, modulo the number of shards (spec 60 section 7).
pub fn shard_of(full_key: &str, shards: usize) -> usize {
    const OFFSET_BASIS: u32 = 0x811C_9DC5;
    const PRIME: u32 = 0x0100_0193;
    let hash = full_key.bytes().fold(OFFSET_BASIS, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(PRIME)
    });
    hash as usize % shards.max(1)
}

/// The buckets of a volume as one store whose keys are relative to the volume prefix.
#[derive(Debug)]
pub struct VolumeStore {
    prefix: String,
    shards: Vec<Arc<dyn ObjectStore>>,
}

impl VolumeStore {
    /// Joins buckets under the prefix `name/`; with an empty name keys are used as they are.
    ///
    /// # Errors
    /// `InvalidArgument` without any bucket.
    pub fn new(name: &str, shards: Vec<Arc<dyn ObjectStore>>) -> Result<VolumeStore> {
        if shards.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "a volume needs at least one bucket",
            ));
        }
        let prefix = if name.is_empty() {
            String::new()
        } else {
            format!("{name}/")
        };
        Ok(VolumeStore { prefix, shards })
    }

    fn full(&self, key: &str) -> String {
        let mut full = String::with_capacity(self.prefix.len() + key.len());
        full.push_str(&self.prefix);
        full.push_str(key);
        full
    }

    fn shard(&self, full: &str) -> &Arc<dyn ObjectStore> {
        let index = if self.shards.len() == 1 {
            0
        } else {
            shard_of(full, self.shards.len())
        };
        #[expect(
            clippy::indexing_slicing,
            reason = "shard_of is below the length, which is never zero"
        )]
        &self.shards[index]
    }

    fn relative(&self, full: &str) -> String {
        full.strip_prefix(&self.prefix).unwrap_or(full).to_owned()
    }
}

#[async_trait]
impl ObjectStore for VolumeStore {
    async fn put(&self, key: &str, body: Bytes) -> Result<()> {
        let full = self.full(key);
        self.shard(&full).put(&full, body).await
    }

    async fn put_tier(&self, key: &str, body: Bytes, tier: TierId) -> Result<()> {
        let full = self.full(key);
        self.shard(&full).put_tier(&full, body, tier).await
    }

    async fn begin(&self, key: &str, size: u64) -> Result<Box<dyn ObjectUpload>> {
        let full = self.full(key);
        self.shard(&full).begin(&full, size).await
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes> {
        let full = self.full(key);
        self.shard(&full).get(&full, range).await
    }

    fn read_now(&self, key: &str, offset: u64, buffer: &mut [u8]) -> Option<Result<()>> {
        let full = self.full(key);
        self.shard(&full).read_now(&full, offset, buffer)
    }

    fn will_need(&self, key: &str, range: Range<u64>) {
        let full = self.full(key);
        self.shard(&full).will_need(&full, range);
    }

    fn renew(&self) {
        self.shards.iter().for_each(|shard| shard.renew());
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo> {
        let full = self.full(key);
        self.shard(&full).head(&full).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let full = self.full(key);
        self.shard(&full).delete(&full).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, ObjectInfo)>> {
        let prefix = self.full(prefix);
        let after = after.map(|after| self.full(after));
        let mut found = Vec::new();
        for shard in &self.shards {
            found.extend(shard.list(&prefix, after.as_deref(), limit).await?);
        }
        if self.shards.len() > 1 {
            found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            found.truncate(limit);
        }
        Ok(found
            .into_iter()
            .map(|(full, info)| (self.relative(&full), info))
            .collect())
    }

    fn will_sync(&self) {
        self.shards.iter().for_each(|shard| shard.will_sync());
    }

    async fn sync(&self) -> Result<()> {
        futures_util::future::try_join_all(self.shards.iter().map(|shard| shard.sync())).await?;
        Ok(())
    }

    fn endpoint(&self) -> Option<&Endpoint> {
        self.shards.first().and_then(|shard| shard.endpoint())
    }

    fn describe(&self) -> String {
        let buckets: Vec<String> = self.shards.iter().take(2).map(|shard| shard.describe()).collect();
        let more = if self.shards.len() > 2 {
            format!(" and {} more", self.shards.len() - 2)
        } else {
            String::new()
        };
        let prefix = if self.prefix.is_empty() {
            String::new()
        } else {
            format!(", prefix {}", self.prefix)
        };
        format!("{}{more}{prefix}", buckets.join(", "))
    }

    fn counters(&self) -> StoreCounters {
        self.shards
            .iter()
            .fold(StoreCounters::default(), |sum, shard| sum.plus(shard.counters()))
    }

    fn features(&self) -> Features {
        self.shards
            .first()
            .map(|shard| shard.features())
            .unwrap_or_default()
    }
}
