//! What a person reads in the tray, state by state.

mod icons;
mod menus;

use moorage_control::figures::Figures;
use moorage_control::message::{AgentStatus, Revision};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::settings::{Pause, Settings, Surroundings};
use moorage_control::state::{Reason, ReasonCode, Timestamp, VolumeState};
use moorage_control::transfer::{Direction, Progress, Transfer, TransferId};
use moorage_control::truth::Truth;
use moorage_control::volume::{MetadataUrl, MountOptions, Volume, VolumeId, VolumeSettings};

use super::{Item, Shown};
use crate::agent::{Heard, Seen, Transfers};
use crate::words::words;

pub(crate) fn problem(code: ProblemCode, message: &str) -> Problem {
    Problem {
        code,
        message: message.to_owned(),
        cause: None,
        advice: "Try again.".to_owned(),
        retryable: true,
    }
}

fn reason(message: &str) -> Reason {
    Reason {
        code: ReasonCode::StoreUnavailable,
        message: message.to_owned(),
        advice: "Check the network.".to_owned(),
        since: Timestamp(0),
    }
}

pub(crate) fn volume(name: &str, state: VolumeState) -> Volume {
    Volume {
        id: VolumeId(name.to_lowercase()),
        settings: VolumeSettings {
            name: name.to_owned(),
            metadata_url: MetadataUrl::try_from("redis://server/1".to_owned()).expect("a metadata URL"),
            mount_point: format!("/home/ada/{name}"),
            options: MountOptions::default(),
        },
        state,
        truth: Truth::Stored,
        figures: None,
    }
}

fn transfer(path: &str, progress: Progress) -> Transfer {
    Transfer {
        id: TransferId(1),
        volume: VolumeId("photos".to_owned()),
        path: Some(path.to_owned()),
        direction: Direction::Upload,
        done: 450,
        total: 1000,
        since: Timestamp(0),
        progress,
    }
}

/// An agent that is well, with these volumes.
pub(crate) fn heard(volumes: Vec<Volume>) -> Heard {
    Heard {
        status: AgentStatus {
            product: "1".to_owned(),
            pid: 1,
            revision: Revision(1),
            truth: Truth::Stored,
            pause: Pause::Running,
            held: None,
            surroundings: Surroundings::default(),
            notices: Vec::new(),
        },
        volumes,
        transfers: Transfers::Known(Vec::new()),
        pairs: Vec::new(),
        settings: Settings::default(),
        pause_refused: false,
        failure: None,
    }
}

fn show(heard: Heard) -> Shown {
    Shown::of(&Seen::Heard(Box::new(heard)), words("en"))
}

/// The menu as text: an indentation for each level, `>` before what can be pressed.
fn text(items: &[Item]) -> String {
    let mut lines = Vec::new();
    write(items, 0, &mut lines);
    lines.join("\n")
}

fn write(items: &[Item], level: usize, lines: &mut Vec<String>) {
    let indentation = "    ".repeat(level);
    for item in items {
        match item {
            Item::Text(text) => lines.push(format!("{indentation}{text}")),
            Item::Press { label, .. } => lines.push(format!("{indentation}> {label}")),
            Item::Line => lines.push(format!("{indentation}---")),
            Item::Menu { label, items } => {
                lines.push(format!("{indentation}{label}"));
                write(items, level + 1, lines);
            }
        }
    }
}

fn uploading() -> Volume {
    Volume {
        figures: Some(Figures {
            staged_files: 3,
            staged_bytes: 1_200_000_000,
            ..Figures::default()
        }),
        ..volume("Photos", VolumeState::Mounted)
    }
}
