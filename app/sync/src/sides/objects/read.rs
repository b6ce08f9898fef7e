//! Reading an object.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use moorage_chunk::ObjectStore;
use moorage_model::{Error, ErrorKind, Result};

use super::same_state;
use crate::{Source, Version};

/// Bytes asked for in one request: enough that the round trip does not count, few enough that many transfers fit memory.
const REQUEST_BYTES: u64 = 8 << 20;

pub(super) struct ObjectSource {
    store: Arc<dyn ObjectStore>,
    key: String,
    version: Version,
    at: u64,
}

impl ObjectSource {
    pub(super) fn open(store: Arc<dyn ObjectStore>, key: String, version: Version) -> ObjectSource {
        ObjectSource {
            store,
            key,
            version,
            at: 0,
        }
    }
}

#[async_trait]
impl Source for ObjectSource {
    fn version(&self) -> Version {
        self.version
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        let size = self.version.size;
        if self.at >= size {
            return Ok(None);
        }
        let end = size.min(self.at + REQUEST_BYTES);
        // A whole object is checked against the checksum that was stored with it.
        let range = (self.at > 0 || end < size).then_some(self.at..end);
        let piece = self.store.get(&self.key, range).await?;
        if piece.len() as u64 != end - self.at {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("object {} has another size than it was listed with", self.key),
            )
            .with_advice("Somebody changed it meanwhile; run the command again."));
        }
        self.at = end;
        Ok(Some(piece))
    }

    async fn is_unchanged(&mut self) -> Result<bool> {
        match self.store.head(&self.key).await {
            Ok(info) => Ok(same_state(&info, &self.version)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
