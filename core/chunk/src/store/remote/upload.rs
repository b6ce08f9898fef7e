//! Objects stored piece by piece.

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result};
use opendal::Writer;
use opendal::options::WriteOptions;

use super::failure::{Secrets, attempt};
use super::{BODY_DEADLINE, CHECK_NETWORK};
use crate::store::ObjectUpload;

/// Bytes of a part: above the 5 MiB that S3 asks for, and few enough in flight to fit memory.
const PART_BYTES: u64 = 8 << 20;
/// Parts of one object: S3 takes 10,000, and the size told may be a little too small.
const MOST_PARTS: u64 = 9_000;
/// Parts on their way at the same time.
const PARTS_AT_ONCE: usize = 4;

/// How an object of about `size` bytes is cut.
pub(super) fn options(size: u64) -> WriteOptions {
    let part = PART_BYTES.max(size.div_ceil(MOST_PARTS));
    WriteOptions {
        chunk: Some(usize::try_from(part).unwrap_or(usize::MAX)),
        concurrent: PARTS_AT_ONCE,
        ..WriteOptions::default()
    }
}

/// An upload in several parts.
pub(super) struct RemoteUpload {
    writer: Writer,
    key: String,
    words: String,
    secrets: Secrets,
}

impl RemoteUpload {
    pub(super) fn new(writer: Writer, key: &str, words: String, secrets: Secrets) -> RemoteUpload {
        RemoteUpload {
            writer,
            key: key.to_owned(),
            words,
            secrets,
        }
    }

    /// Types the outcome of one call.
    fn typed<T>(&self, outcome: Result<opendal::Result<T>, tokio::time::error::Elapsed>) -> Result<T> {
        match outcome {
            Ok(done) => {
                done.map_err(|error| self.secrets.object_error(&error, "write", &self.key, &self.words))
            }
            Err(_) => Err(
                Error::new(ErrorKind::Timeout, attempt("write", &self.key, &self.words))
                    .with_source(format!("no answer within {} s", BODY_DEADLINE.as_secs()))
                    .with_advice(CHECK_NETWORK),
            ),
        }
    }
}

#[async_trait]
impl ObjectUpload for RemoteUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let written = tokio::time::timeout(BODY_DEADLINE, self.writer.write(bytes)).await;
        self.typed(written)
    }

    async fn finish(mut self: Box<Self>) -> Result<()> {
        let closed = tokio::time::timeout(BODY_DEADLINE, self.writer.close()).await;
        self.typed(closed).map(drop)
    }

    async fn abort(mut self: Box<Self>) {
        // The store forgets parts that nobody finishes by its own rules.
        let _ = tokio::time::timeout(BODY_DEADLINE, self.writer.abort()).await;
    }
}
