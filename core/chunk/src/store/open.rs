//! From the volume setting to its store.

use std::path::Path;
use std::sync::Arc;

use moorage_model::{Error, ErrorKind, Result, Setting, Tier, redact};
use zeroize::Zeroizing;

use super::storages::Kind;
use super::{
    Cipher, DataKey, EncryptedStore, FileStore, MemoryStore, ObjectStore, RemoteStore, Sealer, Storage,
    VolumeStore,
};

/// Most buckets a volume is spread over (spec 10-setting section 2).
const MAX_SHARDS: u32 = 256;

/// Everything needed to open the store of a volume. Holds opened secrets, so it is neither shown nor stored.
#[derive(Clone)]
pub struct StoreConfig {
    pub(crate) name: String,
    pub(crate) storage: String,
    pub(crate) buckets: Vec<String>,
    pub(crate) access_key: String,
    pub(crate) secret_key: Zeroizing<String>,
    pub(crate) session_token: Zeroizing<String>,
    /// Tier 0 first.
    pub(crate) tiers: Vec<Tier>,
    pub(crate) sealer: Option<Sealer>,
}

impl StoreConfig {
    /// Takes the setting with its secrets opened, and the passphrase of the data key if that has one.
    ///
    /// # Errors
    /// `InvalidArgument` when members contradict each other or a secret was removed by a dump; else as
    /// [`DataKey::from_pem`] and [`Cipher::parse`].
    pub fn from_setting(setting: &Setting, passphrase: Option<&str>) -> Result<StoreConfig> {
        setting.refuse_removed_secrets()?;
        let sealer = if setting.encrypt_key.is_empty() {
            None
        } else {
            let cipher = Cipher::parse(&setting.encrypt_algo)?;
            Some(Sealer::new(
                DataKey::from_pem(&setting.encrypt_key, passphrase)?,
                cipher,
            ))
        };
        Ok(StoreConfig {
            name: setting.name.clone(),
            storage: setting.storage.to_ascii_lowercase(),
            buckets: buckets(setting)?,
            access_key: setting.access_key.clone(),
            secret_key: Zeroizing::new(setting.secret_key.clone()),
            session_token: Zeroizing::new(setting.session_token.clone()),
            tiers: tiers(setting),
            sealer,
        })
    }
}

/// The tiers in the order of their ids, tier 0 always among them (spec 10-setting section 5).
fn tiers(setting: &Setting) -> Vec<Tier> {
    let mut tiers: Vec<Tier> = setting
        .tiers
        .iter()
        .flatten()
        .map(|(_, tier)| tier.clone())
        .collect();
    if !tiers.iter().any(|tier| tier.id == 0) {
        tiers.push(Tier {
            id: 0,
            storage_class: setting.storage_class.clone(),
            tag: String::new(),
        });
    }
    tiers.sort_by_key(|tier| tier.id);
    tiers
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
                redact(&setting.bucket),
                setting.shards
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
    let storage = Storage::find(&config.storage)?;
    let has_classes = matches!(storage.kind, Kind::Remote(_));
    if !has_classes && config.tiers.iter().any(|tier| !tier.storage_class.is_empty()) {
        tracing::warn!("storage classes have no effect with --storage {}", config.storage);
    }
    let shards = config
        .buckets
        .iter()
        .map(|bucket| open_bucket(&config, storage, bucket))
        .collect::<Result<Vec<_>>>()?;
    let volume = Arc::new(VolumeStore::new(&config.name, shards)?);
    Ok(match config.sealer {
        Some(sealer) => Arc::new(EncryptedStore::new(volume, sealer)),
        None => volume,
    })
}

fn open_bucket(config: &StoreConfig, storage: &Storage, bucket: &str) -> Result<Arc<dyn ObjectStore>> {
    Ok(match &storage.kind {
        Kind::Folder => Arc::new(FileStore::open(Path::new(bucket))?),
        Kind::Memory => Arc::new(MemoryStore::new()),
        Kind::Remote(driver) => Arc::new(RemoteStore::open(config, driver, bucket)?),
    })
}
