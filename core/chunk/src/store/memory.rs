//! Objects in the memory of this process: `--storage mem`, for trials and tests.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::RwLock;

use super::counters::Counting;
use super::{ObjectInfo, ObjectStore, ObjectUpload, StoreCounters};

type Objects = Arc<RwLock<BTreeMap<String, (Bytes, SystemTime)>>>;

/// A store that forgets everything with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    objects: Objects,
    counting: Counting,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }
}

struct MemoryUpload {
    objects: Objects,
    key: String,
    body: BytesMut,
}

#[async_trait]
impl ObjectUpload for MemoryUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.body.extend_from_slice(&bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<()> {
        let stored = (self.body.freeze(), SystemTime::now());
        self.objects.write().insert(self.key, stored);
        Ok(())
    }

    async fn abort(self: Box<Self>) {}
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

    async fn begin(&self, key: &str, _size: u64) -> Result<Box<dyn ObjectUpload>> {
        Ok(Box::new(MemoryUpload {
            objects: Arc::clone(&self.objects),
            key: key.to_owned(),
            body: BytesMut::new(),
        }))
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
