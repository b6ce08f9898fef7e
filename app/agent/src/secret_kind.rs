//! The kinds of secrets that a volume may have.

use std::collections::BTreeSet;

use moorage_control::secret::{Secret, VolumeSecrets};
use moorage_control::volume::VolumeId;
use serde::{Deserialize, Serialize};

/// A kind of secret. Stores of secrets know each by this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SecretKind {
    AccessKey,
    SecretKey,
    SessionToken,
    MetadataPassword,
    KeyPassphrase,
}

/// Secrets that a store may still hold, and that nobody needs any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leftover {
    /// The volume that they were of; it may be off the list.
    pub(crate) id: VolumeId,
    /// Which.
    pub(crate) secrets: BTreeSet<SecretKind>,
}

impl SecretKind {
    const ALL: [SecretKind; 5] = [
        SecretKind::AccessKey,
        SecretKind::SecretKey,
        SecretKind::SessionToken,
        SecretKind::MetadataPassword,
        SecretKind::KeyPassphrase,
    ];

    /// As stores and the settings file name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            SecretKind::AccessKey => "access_key",
            SecretKind::SecretKey => "secret_key",
            SecretKind::SessionToken => "session_token",
            SecretKind::MetadataPassword => "metadata_password",
            SecretKind::KeyPassphrase => "key_passphrase",
        }
    }

    /// Those that are there.
    pub(crate) fn of(secrets: &VolumeSecrets) -> BTreeSet<SecretKind> {
        let kinds = SecretKind::ALL.into_iter();
        kinds.filter(|kind| kind.in_secrets(secrets).is_some()).collect()
    }

    pub(crate) fn in_secrets(self, secrets: &VolumeSecrets) -> Option<&Secret> {
        match self {
            SecretKind::AccessKey => secrets.access_key.as_ref(),
            SecretKind::SecretKey => secrets.secret_key.as_ref(),
            SecretKind::SessionToken => secrets.session_token.as_ref(),
            SecretKind::MetadataPassword => secrets.metadata_password.as_ref(),
            SecretKind::KeyPassphrase => secrets.key_passphrase.as_ref(),
        }
    }

    pub(crate) fn put_into(self, secrets: &mut VolumeSecrets, secret: Secret) {
        let place = match self {
            SecretKind::AccessKey => &mut secrets.access_key,
            SecretKind::SecretKey => &mut secrets.secret_key,
            SecretKind::SessionToken => &mut secrets.session_token,
            SecretKind::MetadataPassword => &mut secrets.metadata_password,
            SecretKind::KeyPassphrase => &mut secrets.key_passphrase,
        };
        *place = Some(secret);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_has_a_kind_and_the_settings_file_names_it_as_stores_do() {
        let mut secrets = VolumeSecrets::default();
        assert_eq!(SecretKind::of(&secrets), BTreeSet::new());
        for kind in SecretKind::ALL {
            kind.put_into(&mut secrets, Secret::new(kind.name().to_owned()));
            assert_eq!(kind.in_secrets(&secrets).map(Secret::expose), Some(kind.name()));
            let named = serde_json::to_value(kind).expect("JSON");
            assert_eq!(named, kind.name());
        }
        assert_eq!(SecretKind::of(&secrets), BTreeSet::from(SecretKind::ALL));
        let all = serde_json::to_value(&secrets).expect("JSON");
        let members = all.as_object().expect("an object");
        assert!(members.values().all(serde_json::Value::is_string), "{members:?}");
    }
}
