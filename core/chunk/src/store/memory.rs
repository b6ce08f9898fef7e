//! Objects in the memory of this process: `--storage mem`, for trials and tests.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::RwLock;

use super::counters::Counting;
use super::{ObjectInfo, ObjectStore, StoreCounters};

/// A store that forgets everything with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    objects: RwLock<BTreeMap<String, (Bytes, SystemTime)>>,
    counting: Counting,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }
}

/// The part of a body that a range asks for.
pub(crate) fn part(body: &Bytes, range: Option<Range<u64>>) -> Bytes {
    match range {
        None => body.clone(),
        Some(range) => {
            let clamp = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(body.len());
            let start = clamp(range.start);
            body.slice(start..clamp(range.end).max(start))
        }
    }
}

/// The error of an object that is not there.
pub(crate) fn missing(key: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("object {key} does not exist"))
}

/// The error of an object that is not in the store that `place` describes.
pub(crate) fn missing_from(place: &str, key: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("object {key} does not exist in {place}"),
    )
}

#[async_trait]
impl ObjectStore for MemoryStore {
    async fn put(&self, key: &str, body: Bytes) -> Result<()> {
        self.counting.put(body.len());
        // A copy, because the caller's bytes may be a slice of a recycled buffer.
        let body = Bytes::copy_from_slice(&body);
        self.objects
            .write()
            .insert(key.to_owned(), (body, SystemTime::now()));
        Ok(())
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes> {
        let body = self
            .objects
            .read()
            .get(key)
            .map(|(body, _)| part(body, range))
            .ok_or_else(|| missing(key))?;
        self.counting.get(body.len());
        Ok(body)
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo> {
        let objects = self.objects.read();
        let (body, modified) = objects.get(key).ok_or_else(|| missing(key))?;
        Ok(ObjectInfo {
            size: body.len() as u64,
            modified: Some(*modified),
        })
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.counting.delete();
        self.objects.write().remove(key);
        Ok(())
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, ObjectInfo)>> {
        self.counting.list();
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let objects = self.objects.read();
        let found = objects
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix));
        Ok(found
            .take(limit)
            .map(|(key, (body, modified))| {
                (
                    key.clone(),
                    ObjectInfo {
                        size: body.len() as u64,
                        modified: Some(*modified),
                    },
                )
            })
            .collect())
    }

    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn describe(&self) -> String {
        "memory of this process".to_owned()
    }

    fn counters(&self) -> StoreCounters {
        self.counting.snapshot()
    }
}
