//! The volume setting record (spec 10-setting).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::BLOCK_SIZE_KIB;

/// One storage tier (spec 10-setting section 5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tier {
    /// Equal to its key in the table.
    #[serde(rename = "ID")]
    pub id: u8,
    /// Storage class sent to the store.
    #[serde(rename = "StorageClass")]
    pub storage_class: String,
    /// Object tag, empty or `key=value`.
    #[serde(rename = "Tag")]
    pub tag: String,
}

/// Data encryption algorithm of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptAlgo {
    /// `aes256gcm-rsa`, also the empty text.
    Aes256GcmRsa,
    /// `chacha20-rsa`.
    ChaCha20Rsa,
    /// `sm4gcm`.
    Sm4Gcm,
}

/// A secret of the setting that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// A dump stripped it.
    #[error("{0} was removed from the volume setting by a dump")]
    Removed(&'static str),
    /// Base64 or the cipher rejects it.
    #[error("{0} in the volume setting can not be decrypted")]
    Damaged(&'static str),
}

/// The setting of a volume. Members that this release does not know are kept in `unknown`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Setting {
    /// Volume name, also the object prefix.
    pub name: String,
    /// Identity, lower-case UUID text.
    #[serde(rename = "UUID")]
    pub uuid: String,
    /// Object storage driver.
    pub storage: String,
    /// Default storage class (only the source of tier 0 when `tiers` is missing).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub storage_class: String,
    /// Storage tiers by id.
    pub tiers: Option<BTreeMap<String, Tier>>,
    /// Bucket URL or folder.
    pub bucket: String,
    /// Access key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub access_key: String,
    /// Secret key; sealed when `key_encrypted`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub secret_key: String,
    /// Session token; sealed when `key_encrypted`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub session_token: String,
    /// Block size in KiB.
    pub block_size: u32,
    /// `none`, `lz4` or `zstd`, as typed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub compression: String,
    /// Number of buckets when above 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub shards: u32,
    /// Object name variant.
    #[serde(skip_serializing_if = "is_false")]
    pub hash_prefix: bool,
    /// Bytes, 0 = unlimited.
    #[serde(skip_serializing_if = "is_zero")]
    pub capacity: u64,
    /// Nodes, 0 = unlimited.
    #[serde(skip_serializing_if = "is_zero")]
    pub inodes: u64,
    /// PEM of the data key; sealed when `key_encrypted`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub encrypt_key: String,
    /// Algorithm name; see [`Setting::encrypt_algorithm`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub encrypt_algo: String,
    /// The non-empty secrets are sealed.
    #[serde(skip_serializing_if = "is_false")]
    pub key_encrypted: bool,
    /// Mbit/s, 0 = unlimited.
    #[serde(skip_serializing_if = "is_zero")]
    pub upload_limit: i64,
    /// Mbit/s, 0 = unlimited.
    #[serde(skip_serializing_if = "is_zero")]
    pub download_limit: i64,
    /// Days, 0 = trash off.
    pub trash_days: u32,
    /// Metadata version.
    #[serde(skip_serializing_if = "is_zero")]
    pub meta_version: u32,
    /// Lowest client version allowed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub min_client_version: String,
    /// Highest client version allowed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub max_client_version: String,
    /// Directory statistics are maintained.
    #[serde(skip_serializing_if = "is_false")]
    pub dir_stats: bool,
    /// User and group usage is maintained.
    #[serde(skip_serializing_if = "is_false")]
    pub user_group_quota: bool,
    /// POSIX ACLs.
    #[serde(rename = "EnableACL")]
    pub enable_acl: bool,
    /// Only used by a Hadoop client.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ranger_rest_url: String,
    /// Only used by a Hadoop client.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ranger_service: String,
    /// Every change appends a changelog line.
    #[serde(skip_serializing_if = "is_false")]
    pub change_log: bool,
    /// Seconds, 0 = no age limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub change_log_max_age: i64,
    /// Lines, 0 = no limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub change_log_max_lines: i64,
    /// Only used by a Hadoop client.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kerb_conf: String,
    /// Members of newer releases, kept when the record is rewritten.
    #[serde(flatten)]
    pub unknown: serde_json::Map<String, serde_json::Value>,
}

impl Setting {
    /// Whether a volume can have this block size. With any other the objects of one client are not those that another
    /// one looks for.
    pub fn has_valid_block_size(&self) -> bool {
        BLOCK_SIZE_KIB.contains(&self.block_size) && self.block_size.is_power_of_two()
    }
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde calls")]
fn is_false(value: &bool) -> bool {
    !value
}
