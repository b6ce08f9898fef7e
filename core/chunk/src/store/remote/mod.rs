//! Object stores behind a network, through opendal: their drivers and their common behaviour.

mod bucket;
mod clouds;
mod driver;
mod failure;
mod folders;
mod line;
mod listing;
mod own_credentials;
mod reason;
mod s3;
mod upload;

use std::future::Future;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result, TierId};
use opendal::Operator;
use opendal::options::WriteOptions;

use super::counters::Counting;
use super::probe::CHECK_NETWORK;
use super::{Endpoint, ObjectInfo, ObjectStore, ObjectUpload, StoreConfig, StoreCounters};
use crate::checksum::crc32c;
use crate::compress::damaged;
use driver::Opened;
use failure::Secrets;
use line::Line;
use listing::Listing;

pub use bucket::BucketUrl;
pub(super) use clouds::{open_alibaba, open_azure, open_google, open_tencent};
pub(super) use driver::{Driver, Open};
#[cfg(unix)]
pub(super) use folders::open_sftp;
pub(super) use folders::open_webdav;
pub(super) use s3::open as open_s3;

/// Longest a call may take that moves a body. Callers with less patience give up earlier; this is for those who
/// would wait forever.
const BODY_DEADLINE: Duration = Duration::from_secs(600);
/// Longest any other call may take.
const CALL_DEADLINE: Duration = Duration::from_secs(120);
/// Name of the checksum in the metadata of an object (spec 60-objects section 6).
const CHECKSUM_NAME: &str = "Crc32c";

/// One bucket, or one folder of a server.
///
/// Each call is one request, but for servers of folders, which make missing folders first. No retries: they belong
/// to the layer above, which knows what waits for the answer.
#[derive(Debug)]
pub struct RemoteStore {
    operator: Operator,
    /// Tiers whose objects get another storage class.
    tiers: Vec<(TierId, Operator)>,
    /// What all of them go over.
    line: Line,
    words: String,
    checksum: bool,
    endpoint: Option<Endpoint>,
    folders: bool,
    listing: Listing,
    secrets: Secrets,
    counting: Counting,
}

impl RemoteStore {
    /// Opens a bucket by a driver. Nothing is sent yet.
    ///
    /// # Errors
    /// `InvalidArgument` for a bucket that does not fit its storage.
    pub(super) fn open(config: &StoreConfig, driver: &Driver, bucket: &str) -> Result<RemoteStore> {
        let Opened {
            mut operators,
            words,
            checksum,
            endpoint,
        } = (driver.open)(config, driver, bucket)?;
        let default = operators
            .iter()
            .position(|(tier, _)| *tier == TierId(0))
            .ok_or_else(|| Error::new(ErrorKind::InvalidArgument, "the volume has no tier 0"))?;
        let (_, operator) = operators.swap_remove(default);
        let line = Line::new();
        let operators = operators.into_iter();
        Ok(RemoteStore {
            operator: line.carry(operator),
            tiers: operators
                .map(|(tier, operator)| (tier, line.carry(operator)))
                .collect(),
            line,
            words,
            checksum,
            endpoint,
            folders: driver.folders,
            listing: Listing::default(),
            secrets: Secrets::new(config),
            counting: Counting::default(),
        })
    }

    /// Runs one call with the deadline, and types its failure.
    async fn call<T>(
        &self,
        doing: &str,
        key: &str,
        call: impl Future<Output = opendal::Result<T>>,
    ) -> Result<T> {
        let deadline = match doing {
            "read" | "write" => BODY_DEADLINE,
            _ => CALL_DEADLINE,
        };
        let result = match tokio::time::timeout(deadline, call).await {
            Ok(result) => result.map_err(|e| self.secrets.object_error(&e, doing, key, &self.words)),
            Err(_) => Err(
                Error::new(ErrorKind::Timeout, failure::attempt(doing, key, &self.words))
                    .with_source(format!("no answer within {} s", deadline.as_secs()))
                    .with_advice(CHECK_NETWORK),
            ),
        };
        self.counting.outcome(result)
    }

    async fn write(&self, operator: &Operator, key: &str, body: Bytes) -> Result<()> {
        self.counting.put(body.len());
        let checksum = (CHECKSUM_NAME.to_owned(), crc32c(&body).to_string());
        let options = WriteOptions {
            user_metadata: self.checksum.then(|| [checksum].into()),
            ..WriteOptions::default()
        };
        self.call("write", key, operator.write_options(key, body, options))
            .await
            .map(drop)
    }

    /// A range that lies inside the object costs one request; for one that does not, the size is asked for.
    async fn part(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        let read = async {
            match self.operator.read_with(key).range(range.clone()).await {
                Err(error) if !error.is_temporary() && error.kind() != opendal::ErrorKind::NotFound => {
                    let end = self.operator.stat(key).await?.content_length();
                    if end >= range.end {
                        return Err(error);
                    }
                    if end <= range.start {
                        return Ok(Bytes::new());
                    }
                    let rest = self.operator.read_with(key).range(range.start..end).await?;
                    Ok(rest.to_bytes())
                }
                other => other.map(|body| body.to_bytes()),
            }
        };
        self.call("read", key, read).await
    }

    async fn whole(&self, key: &str) -> Result<Bytes> {
        let read = async {
            let reader = self.operator.reader(key).await?;
            let body = reader.read(..).await?.to_bytes();
            let checksum = reader
                .metadata()
                .and_then(|data| data.user_metadata())
                .and_then(|data| {
                    data.get(CHECKSUM_NAME)
                        .or_else(|| data.get("crc32c"))
                        .map(str::to_owned)
                });
            Ok((body, checksum))
        };
        let (body, checksum) = self.call("read", key, read).await?;
        match checksum.map(|text| text.parse::<u32>()) {
            Some(Ok(expected)) if self.checksum && expected != crc32c(&body) => Err(damaged(
                key,
                "its bytes do not have the checksum that was stored with it",
            )),
            Some(Err(_)) => {
                tracing::debug!(
                    key,
                    "the checksum stored with an object is no number and was ignored"
                );
                Ok(body)
            }
            _ => Ok(body),
        }
    }
}

#[async_trait]
impl ObjectStore for RemoteStore {
    async fn put(&self, key: &str, body: Bytes) -> Result<()> {
        self.write(&self.operator, key, body).await
    }

    async fn put_tier(&self, key: &str, body: Bytes, tier: TierId) -> Result<()> {
        let own = self.tiers.iter().find(|(id, _)| *id == tier);
        self.write(own.map_or(&self.operator, |(_, operator)| operator), key, body)
            .await
    }

    async fn begin(&self, key: &str, size: u64) -> Result<Box<dyn ObjectUpload>> {
        let options = upload::options(size);
        let writer = self
            .call("write", key, self.operator.writer_options(key, options))
            .await?;
        Ok(Box::new(upload::RemoteUpload::new(
            writer,
            key,
            self.words.clone(),
            self.secrets.clone(),
        )))
    }

    /// One request. One copy where the body came in several pieces. A whole object is checked against the
    /// checksum in its metadata, where it has one.
    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes> {
        let body = match range {
            None => self.whole(key).await?,
            Some(range) if range.is_empty() => Bytes::new(),
            Some(range) => self.part(key, range).await?,
        };
        self.counting.get(body.len());
        Ok(body)
    }

    fn renew(&self) {
        self.line.renew();
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo> {
        let data = self.call("look up", key, self.operator.stat(key)).await?;
        Ok(ObjectInfo {
            size: data.content_length(),
            modified: data.last_modified().map(Into::into),
        })
    }

    async fn delete(&self, key: &str) -> Result<()> {
        if self.folders && key.ends_with('/') {
            // Such servers would delete what is in the folder with it.
            return Ok(());
        }
        self.counting.delete();
        match self.call("delete", key, self.operator.delete(key)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, ObjectInfo)>> {
        self.counting.list();
        let list = async {
            if self.folders {
                listing::walk(&self.operator, prefix, after, limit).await
            } else {
                self.listing.page(&self.operator, prefix, after, limit).await
            }
        };
        match self.call("list", prefix, list).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            other => other,
        }
    }

    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn describe(&self) -> String {
        self.words.clone()
    }

    fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    fn counters(&self) -> StoreCounters {
        self.counting.snapshot()
    }
}
