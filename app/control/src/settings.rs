//! Settings of the application, and the pause.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::state::Timestamp;

/// What holds for all volumes of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Transfers are held, as by a pause, while the connection is known to be metered.
    pub hold_on_metered: bool,
    /// They are held while the computer is known to run on its battery.
    pub hold_on_battery: bool,
    /// The tray tells of what a person has to know while no window shows it.
    pub notifications: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            start_at_login: false,
            language: None,
            theme: Theme::default(),
            upload_limit: None,
            download_limit: None,
            secret_store: SecretStore::default(),
            hold_on_metered: false,
            hold_on_battery: false,
            // Trouble that nobody hears of is worse than a notification too many.
            notifications: true,
        }
    }
}

/// What of this computer's network and power is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct Surroundings {
    /// The connection is paid for by what is transferred; absent where nobody says.
    pub metered: Option<bool>,
    /// It runs on its battery; absent as above.
    pub on_battery: Option<bool>,
}

/// A rule that holds transfers by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum HoldRule {
    /// The connection is metered.
    Metered,
    /// The computer runs on its battery, or anything newer than this client.
    #[serde(other)]
    Battery,
}

impl Settings {
    /// The rule that holds transfers in these surroundings; what is not known holds nothing.
    #[must_use]
    pub fn held_in(&self, surroundings: Surroundings) -> Option<HoldRule> {
        if self.hold_on_metered && surroundings.metered == Some(true) {
            Some(HoldRule::Metered)
        } else if self.hold_on_battery && surroundings.on_battery == Some(true) {
            Some(HoldRule::Battery)
        } else {
            None
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_chosen_and_is_known_holds_transfers() {
        let settings = |hold_on_metered, hold_on_battery| Settings {
            hold_on_metered,
            hold_on_battery,
            ..Settings::default()
        };
        let both = Surroundings {
            metered: Some(true),
            on_battery: Some(true),
        };
        assert_eq!(settings(false, false).held_in(both), None);
        assert_eq!(settings(true, true).held_in(both), Some(HoldRule::Metered));
        assert_eq!(settings(false, true).held_in(both), Some(HoldRule::Battery));
        let unknown = Surroundings::default();
        assert_eq!(settings(true, true).held_in(unknown), None);
        let neither = Surroundings {
            metered: Some(false),
            on_battery: Some(false),
        };
        assert_eq!(settings(true, true).held_in(neither), None);
    }
}
