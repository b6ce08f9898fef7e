//! What is wrong now that a person should know.

use moorage_control::settings::Pause;
use moorage_control::state::{ReasonCode, VolumeState};
use moorage_control::sync::SyncState;
use moorage_control::truth::Truth;
use moorage_control::volume::Volume;

use super::{Detail, Kind};
use crate::agent::Heard;
use crate::page::Page;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trouble {
    pub(super) kind: Kind,
    /// What tells it from others of its kind.
    pub(super) subject: String,
    /// What a person calls it.
    pub(super) name: Option<String>,
    pub(super) detail: Detail,
    pub(super) page: Page,
}

/// All that is wrong, by kind.
pub(super) fn troubles(heard: &Heard) -> Vec<Trouble> {
    let mut found = Vec::new();
    if let Truth::Lost { message } = &heard.status.truth {
        found.push(Trouble {
            kind: Kind::Lost,
            subject: message.clone(),
            name: None,
            detail: Detail::Message(message.clone()),
            page: Page::Volumes,
        });
    }
    let is_held = heard.status.pause != Pause::Running || heard.status.held.is_some();
    found.extend(
        heard
            .volumes
            .iter()
            .filter_map(|volume| of_volume(volume, is_held)),
    );
    let asking = heard
        .pairs
        .iter()
        .filter(|pair| matches!(pair.state, SyncState::Asking { .. }));
    found.extend(asking.map(|pair| Trouble {
        kind: Kind::Asks,
        subject: pair.id.0.clone(),
        name: Some(pair.settings.local_folder.clone()),
        detail: Detail::Nothing,
        page: Page::Sync,
    }));
    found.sort_by_key(|trouble| trouble.kind);
    found
}

fn of_volume(volume: &Volume, is_held: bool) -> Option<Trouble> {
    let (kind, detail) = match &volume.state {
        VolumeState::Error { problem } => (Kind::Failed, Detail::Problem(problem.clone())),
        VolumeState::Unconfigured { reason } if reason.code == ReasonCode::KeyringLocked => {
            (Kind::Locked, Detail::Reason(reason.clone()))
        }
        VolumeState::Unconfigured { reason } => (Kind::Incomplete, Detail::Reason(reason.clone())),
        // What a person or a rule holds waits because it is meant to.
        VolumeState::Degraded { reasons } if !is_held && matches!(volume.truth, Truth::OnlyHere { .. }) => {
            let reason = reasons.iter().find(|reason| hinders_uploads(reason.code))?;
            (Kind::Unreachable, Detail::Reason(reason.clone()))
        }
        _ => return None,
    };
    Some(Trouble {
        kind,
        subject: volume.id.0.clone(),
        name: Some(volume.settings.name.clone()),
        detail,
        page: match kind {
            Kind::Locked => Page::Settings,
            _ => Page::Volume(volume.id.clone()),
        },
    })
}

fn hinders_uploads(code: ReasonCode) -> bool {
    matches!(
        code,
        ReasonCode::StoreUnavailable
            | ReasonCode::MetadataUnavailable
            | ReasonCode::UploadsLate
            | ReasonCode::QuotaExceeded
            | ReasonCode::Authentication
    )
}
