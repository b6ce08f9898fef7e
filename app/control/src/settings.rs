//! Settings of the application, and the pause.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::state::Timestamp;

/// What holds for all volumes of the person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct Settings {
    /// Whether the agent starts at login.
    pub start_at_login: bool,
    /// A language tag as `de`; absent follows the system.
    pub language: Option<String>,
    /// Colours of the window.
    pub theme: Theme,
    /// Upload limit in bytes a second; absent is none.
    pub upload_limit: Option<u64>,
    /// Download limit in bytes a second; absent is none.
    pub download_limit: Option<u64>,
    /// Where secrets are kept.
    pub secret_store: SecretStore,
}

/// Colours of the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SecretStore {
    /// The keyring of the operating system.
    #[default]
    Keyring,
    /// A file encrypted with a passphrase, chosen explicitly.
    EncryptedFile,
    /// A file encrypted with a key that is in a file beside it, chosen explicitly: whoever reads both reads the secrets.
    KeyFile,
}

/// Whether the store in use can be read now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SecretStoreStatus {
    /// The store in use.
    pub store: SecretStore,
    /// Whether it answers.
    pub access: SecretAccess,
    /// Why it does not, and what to do.
    #[serde(default)]
    pub problem: Option<Problem>,
}

/// Whether a store of secrets answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SecretAccess {
    /// It can be read and written.
    Open,
    /// It asks for its password first.
    Locked,
    /// There is none.
    Missing,
}

/// Whether uploads, and downloads that nobody waits for, are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "pause", rename_all = "snake_case")]
pub enum Pause {
    /// They run.
    Running,
    /// They are held.
    Paused {
        /// Until when; absent is until resumed.
        until: Option<Timestamp>,
    },
}

impl Pause {
    /// What is left of it at this time.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Pause {
        match self {
            Pause::Paused { until: Some(until) } if until <= now => Pause::Running,
            pause => pause,
        }
    }
}
