//! Text that is never shown.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A password or key on its way into the agent. No response carries one; it is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(type = "string"))]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one who hands it to a keyring or a server.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// The secrets that a new volume comes with; what it does not need stays away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct VolumeSecrets {
    /// Name of the object store's key.
    pub access_key: Option<Secret>,
    /// The object store's key.
    pub secret_key: Option<Secret>,
    /// Token of a temporary key.
    pub session_token: Option<Secret>,
    /// Password of the metadata database.
    pub metadata_password: Option<Secret>,
    /// Passphrase of the volume's private key.
    pub key_passphrase: Option<Secret>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debugging_output_shows_no_secret() {
        let secrets = VolumeSecrets {
            secret_key: Some(Secret::new("hunter2".to_owned())),
            ..VolumeSecrets::default()
        };
        assert!(!format!("{secrets:?}").contains("hunter2"));
    }
}
