//! Volumes: what they are, how they are mounted, how one is added.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::figures::Figures;
use crate::secret::VolumeSecrets;
use crate::state::VolumeState;
use crate::truth::Truth;

/// The agent's name for a volume in its list; it does not change when the volume is renamed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct VolumeId(pub String);

/// Where the metadata is, without a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct MetadataUrl(String);

/// A metadata URL that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataUrlError {
    /// There is no `scheme://`.
    #[error("a metadata URL begins with its engine, as redis:// or sqlite3://")]
    NoScheme,
    /// It holds a password.
    #[error("the metadata URL holds a password: give the password by itself")]
    HoldsPassword,
}

impl MetadataUrl {
    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MetadataUrl {
    type Error = MetadataUrlError;

    /// Rather refuses what only looks like a password (write `@` as `%40`) than lets one through.
    fn try_from(url: String) -> Result<Self, MetadataUrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(MetadataUrlError::NoScheme)?;
        if scheme.is_empty() || rest.is_empty() {
            return Err(MetadataUrlError::NoScheme);
        }
        // The path of a local file is no place for a password.
        if scheme != "sqlite3" {
            let user = rest.rsplit_once('@').map(|(user, _)| user);
            if user
                .and_then(|user| user.split_once(':'))
                .is_some_and(|(_, password)| !password.is_empty())
            {
                return Err(MetadataUrlError::HoldsPassword);
            }
        }
        let query = rest
            .split_once('?')
            .map_or("", |(_, query)| query)
            .to_ascii_lowercase();
        if query
            .split('&')
            .any(|field| field.split('=').next().is_some_and(|name| name.contains("pass")))
        {
            return Err(MetadataUrlError::HoldsPassword);
        }
        Ok(Self(url))
    }
}

impl From<MetadataUrl> for String {
    fn from(url: MetadataUrl) -> Self {
        url.0
    }
}

impl fmt::Debug for MetadataUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

/// Longest name of a volume in characters; more fits no menu.
pub const LONGEST_NAME: usize = 64;

/// Whether a text without blanks around it can be the name of a volume in the list. One that reads in another direction
/// than it is written is none: a person could not tell what is called so.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let turns = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.trim().is_empty()
        && text.chars().count() <= LONGEST_NAME
        && !text.chars().any(|letter| letter.is_control() || turns(letter))
}

/// How a volume is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct VolumeSettings {
    /// What the person calls it.
    pub name: String,
    /// Where its metadata is.
    pub metadata_url: MetadataUrl,
    /// An absolute folder, or a drive as `M:`.
    pub mount_point: String,
    /// What else matters to a person.
    #[serde(default)]
    pub options: MountOptions,
}

/// The options of a mount that matter to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct MountOptions {
    /// Mounted when the agent starts.
    pub mount_at_start: bool,
    /// Nothing can be changed.
    pub read_only: bool,
    /// Writes are kept on this disk first and uploaded later.
    pub write_back: bool,
    /// Most bytes of the cache on disk; absent is the product's default.
    pub cache_size: Option<u64>,
    /// Folder of the cache; absent is the product's default.
    pub cache_folder: Option<String>,
    /// Upload limit in bytes a second; absent is none.
    pub upload_limit: Option<u64>,
    /// Download limit in bytes a second; absent is none.
    pub download_limit: Option<u64>,
}

impl Default for MountOptions {
    fn default() -> Self {
        Self {
            mount_at_start: true,
            read_only: false,
            write_back: true,
            cache_size: None,
            cache_folder: None,
            upload_limit: None,
            download_limit: None,
        }
    }
}

/// A volume as a client shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Volume {
    /// Its name in the list.
    pub id: VolumeId,
    /// How it is mounted.
    pub settings: VolumeSettings,
    /// How it is doing.
    pub state: VolumeState,
    /// Whether its files are stored.
    pub truth: Truth,
    /// Its figures; absent when it is not mounted or does not answer.
    pub figures: Option<Figures>,
}

/// A volume to be added to the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "add", rename_all = "snake_case")]
pub enum AddVolume {
    /// A new volume is made.
    Create {
        /// How it is mounted.
        settings: VolumeSettings,
        /// Where its objects go and in what form.
        format: VolumeFormat,
        /// What it needs to get there.
        #[serde(default)]
        secrets: VolumeSecrets,
    },
    /// A volume that exists.
    Join {
        /// How it is mounted.
        settings: VolumeSettings,
        /// What it needs and does not hold itself.
        #[serde(default)]
        secrets: VolumeSecrets,
        /// The identity that a [`VolumeFile`](crate::volume_file::VolumeFile) gives it; another volume at that address is
        /// refused.
        #[serde(default)]
        uuid: Option<String>,
    },
    /// A volume on this computer, with nothing to fill in.
    Demo,
}

/// What cannot be changed later, or not easily.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct VolumeFormat {
    /// The kind of store, as `file` or `s3`.
    pub storage: String,
    /// The bucket or folder.
    pub bucket: String,
    /// Bytes of a block; absent is the product's default.
    #[serde(default)]
    pub block_size: Option<u64>,
    /// `none`, `lz4` or `zstd`; absent is the product's default.
    #[serde(default)]
    pub compression: Option<String>,
    /// Days that deleted files are kept; absent is the product's default.
    #[serde(default)]
    pub trash_days: Option<u32>,
    /// Most bytes; absent is no quota.
    #[serde(default)]
    pub quota: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<MetadataUrl, MetadataUrlError> {
        MetadataUrl::try_from(text.to_owned())
    }

    #[test]
    fn a_metadata_url_with_a_password_is_refused() {
        for text in [
            "redis://:secret@host:6379/1",
            "redis://:pa?ss@host/1",
            "postgres://user:p@ss/word@host/db",
            "mysql://user:secret@(host:3306)/db",
            "postgres://user@host/db?password=secret",
        ] {
            assert_eq!(url(text), Err(MetadataUrlError::HoldsPassword), "{text}");
        }
    }

    #[test]
    fn a_metadata_url_without_a_password_is_taken_as_it_is() {
        for text in [
            "redis://host:6379/1",
            "mysql://user@(host:3306)/db",
            "sqlite3:///home/a:b@c/meta.db",
        ] {
            assert_eq!(url(text).map(String::from), Ok(text.to_owned()));
        }
    }
}
