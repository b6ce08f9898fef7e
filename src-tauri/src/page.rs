//! The pages of the window that are reached from outside of it.

use moorage_control::volume::VolumeId;
use serde::{Deserialize, Serialize};

/// A page, as the router of the pages names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Page {
    /// All volumes.
    Volumes,
    /// One volume.
    Volume(VolumeId),
    /// Folders that are kept in sync.
    Sync,
    /// Settings.
    Settings,
    /// Diagnostics.
    Diagnostics,
}

impl Page {
    /// The part of the address from `#` on. Identifiers that the agent gives need no escapes; of others only what is safe
    /// in an address is kept.
    pub(crate) fn fragment(&self) -> String {
        match self {
            Page::Volumes => "#/volumes".to_owned(),
            Page::Sync => "#/sync".to_owned(),
            Page::Settings => "#/settings".to_owned(),
            Page::Diagnostics => "#/diagnostics".to_owned(),
            Page::Volume(id) => {
                let safe =
                    id.0.chars()
                        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-');
                format!("#/volume/{}", safe.collect::<String>())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_can_not_lead_to_another_page() {
        let odd = Page::Volume(VolumeId("a/../b?c#d".to_owned()));
        assert_eq!(odd.fragment(), "#/volume/abcd");
    }
}
