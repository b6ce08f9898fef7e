//! Writing an object.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use moorage_chunk::{ObjectStore, ObjectUpload};
use moorage_model::{Error, ErrorKind, Result};

use super::{entry_of, same_state};
use crate::{Entry, Finish, Kind, RelativePath, Replaces, Sink};

/// Larger objects go in several parts.
const WHOLE_BYTES: usize = 8 << 20;

/// Collects a small object, and passes a large one on.
pub(super) struct ObjectSink {
    store: Arc<dyn ObjectStore>,
    key: String,
    path: RelativePath,
    size: u64,
    collected: BytesMut,
    upload: Option<Box<dyn ObjectUpload>>,
}

impl ObjectSink {
    pub(super) fn new(store: Arc<dyn ObjectStore>, key: String, path: RelativePath, size: u64) -> ObjectSink {
        ObjectSink {
            store,
            key,
            path,
            size,
            collected: BytesMut::new(),
            upload: None,
        }
    }
}

/// No store knows a condition, so what comes between this and the write is replaced all the same.
async fn check_replaced(store: &dyn ObjectStore, key: &str, replaces: Replaces) -> Result<()> {
    let expected = match replaces {
        Replaces::Anything => return Ok(()),
        Replaces::Nothing => None,
        Replaces::This(version) => Some(version),
    };
    let is_expected = match (store.head(key).await, expected) {
        (Ok(info), Some(version)) => same_state(&info, &version),
        (Ok(_), None) => false,
        (Err(error), _) if error.kind() == ErrorKind::NotFound => expected.is_none(),
        (Err(error), _) => return Err(error),
    };
    if is_expected {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Conflict,
        format!("object {key} was changed by somebody else meanwhile"),
    )
    .with_advice("Run the command again; it is left as it is."))
}

#[async_trait]
impl Sink for ObjectSink {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if let Some(upload) = &mut self.upload {
            return upload.write(bytes).await;
        }
        self.collected.extend_from_slice(&bytes);
        if self.collected.len() > WHOLE_BYTES {
            let mut upload = self.store.begin(&self.key, self.size).await?;
            let first = upload.write(self.collected.split().freeze()).await;
            self.upload = Some(upload);
            first?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>, how: Finish) -> Result<Entry> {
        check_replaced(self.store.as_ref(), &self.key, how.replaces).await?;
        match self.upload.take() {
            Some(upload) => upload.finish().await?,
            None => {
                let body = self.collected.split().freeze();
                self.store.put(&self.key, body).await?;
            }
        }
        let info = self.store.head(&self.key).await?;
        Ok(entry_of(self.path.clone(), Kind::File, &info))
    }
}

impl Drop for ObjectSink {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(upload.abort());
        }
    }
}
