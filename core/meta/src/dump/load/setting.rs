//! The setting of a dump: what no volume can have is refused before anything is stored.

use moorage_model::{Error, ErrorKind, Result, Setting, VersionGate};
use serde_json::{Map, Value};

use crate::format::refuse_impossible;

/// Reads the setting of a dump.
///
/// # Errors
/// `Corrupt` naming the member that can not be; `VersionMismatch` for a volume of a newer format.
pub(super) fn decode(text: &[u8]) -> Result<Setting> {
    let setting: Setting = serde_json::from_slice(text).map_err(|error| {
        let member = match wrong_member(text) {
            Some(member) => format!(", in {member}"),
            None => String::new(),
        };
        Error::new(ErrorKind::Corrupt, format!("Setting can not be read{member}")).with_source(error)
    })?;
    VersionGate::check(&setting)?;
    refuse_impossible(&setting).map_err(|error| Error::new(ErrorKind::Corrupt, error.reason()))?;
    Ok(setting)
}

/// The first member whose value is of another type than it can be.
fn wrong_member(text: &[u8]) -> Option<String> {
    let members: Map<String, Value> = serde_json::from_slice(text).ok()?;
    members
        .into_iter()
        .find(|(name, value)| {
            let alone = Map::from_iter([(name.clone(), value.clone())]);
            serde_json::from_value::<Setting>(Value::Object(alone)).is_err()
        })
        .map(|(name, _)| name)
}
