//! Which icon.

use moorage_control::settings::Pause;
use moorage_control::state::VolumeState;
use moorage_control::transfer::{Progress, Transfer};
use moorage_control::truth::Truth;

use super::drawing::{self, SIZE};
use crate::agent::{Heard, Seen, Transfers};

/// What an icon says, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    /// No agent is heard.
    Offline,
    /// Something waits for the person.
    Attention,
    /// Uploads are held.
    Paused,
    /// Bytes move, or a volume comes or goes.
    Active,
    /// All is at rest.
    Idle,
}

impl Icon {
    /// The icon for `seen`.
    pub(crate) fn of(seen: &Seen) -> Icon {
        let Seen::Heard(heard) = seen else {
            return Icon::Offline;
        };
        if wants_attention(heard) {
            Icon::Attention
        } else if matches!(heard.status.pause, Pause::Paused { .. }) || heard.status.held.is_some() {
            Icon::Paused
        } else if is_active(heard) {
            Icon::Active
        } else {
            Icon::Idle
        }
    }

    /// Width and height in pixels.
    pub(crate) const fn size() -> u32 {
        SIZE
    }

    /// Its pixels, row by row, four bytes each: red, green, blue, opacity.
    pub(crate) fn pixels(self) -> Vec<u8> {
        drawing::draw(self)
    }
}

fn wants_attention(heard: &Heard) -> bool {
    let volumes = heard.volumes.iter().any(|volume| {
        matches!(
            volume.state,
            VolumeState::Unconfigured { .. } | VolumeState::Degraded { .. } | VolumeState::Error { .. }
        )
    });
    let failed = |transfer: &Transfer| matches!(transfer.progress, Progress::Failed { .. });
    let lost = matches!(heard.status.truth, Truth::Lost { .. });
    lost || volumes || !heard.status.notices.is_empty() || any_transfer(heard, failed)
}

fn is_active(heard: &Heard) -> bool {
    let volumes = heard.volumes.iter().any(|volume| {
        let moves = matches!(
            volume.state,
            VolumeState::Connecting { .. } | VolumeState::Unmounting { .. }
        );
        moves
            || volume
                .figures
                .as_ref()
                .is_some_and(|figures| figures.upload_queue > 0 || figures.staged_files > 0)
    });
    let running = |transfer: &Transfer| matches!(transfer.progress, Progress::Running { .. });
    volumes || any_transfer(heard, running)
}

fn any_transfer(heard: &Heard, is: impl Fn(&Transfer) -> bool) -> bool {
    match &heard.transfers {
        Transfers::Known(transfers) => transfers.iter().any(is),
        Transfers::NotOffered => false,
    }
}
