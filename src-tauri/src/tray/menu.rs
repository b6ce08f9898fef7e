//! The menu.

use std::time::Duration;

use moorage_control::settings::{HoldRule, Pause};
use moorage_control::state::VolumeState;
use moorage_control::transfer::{Direction, Progress, Transfer};
use moorage_control::truth::Truth;
use moorage_control::volume::{Volume, VolumeId};
use serde::{Deserialize, Serialize};

use crate::agent::{Heard, Seen, Transfers};
use crate::page::Page;
use crate::words::Words;

/// Volumes that have a row: more do not fit a screen, and the window shows all.
const MOST_VOLUMES: usize = 20;
/// Recent transfers that have a row.
const MOST_TRANSFERS: usize = 5;
/// Characters of a path or name that are shown; of a longer one its end, which tells more.
const MOST_CHARACTERS: usize = 48;
const QUARTER_HOUR: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// Says something.
    Text(String),
    /// Does something.
    Press {
        /// What it says.
        label: String,
        /// What it does.
        action: Action,
    },
    /// Leads to further rows.
    Menu {
        /// What it says.
        label: String,
        /// The rows.
        items: Vec<Item>,
    },
    /// Parts two groups.
    Line,
}

/// What a row does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// Opens the folder of a volume.
    OpenFolder(VolumeId),
    /// Mounts a volume.
    Mount(VolumeId),
    /// Unmounts a volume.
    Unmount(VolumeId),
    /// Holds uploads, and downloads that nobody waits for.
    Pause {
        /// How long; absent is until resumed.
        seconds: Option<u64>,
    },
    /// Ends the pause.
    Resume,
    /// Has the agent started that a person ended.
    Start,
    /// Shows a page of the window.
    Show(Page),
    /// Ends the tray and the window; volumes stay mounted.
    Quit,
}

/// The menu: the sentence of truth first.
pub(super) fn menu(seen: &Seen, words: &Words) -> Vec<Item> {
    let mut items = vec![Item::Text(sentence(seen, words))];
    match seen {
        Seen::Silent { problem } => {
            if let Some(problem) = problem {
                items.push(Item::Text((words.problem)(problem)));
            }
        }
        Seen::Stopped => items.push(press(words.start, Action::Start)),
        Seen::Heard(heard) => of_agent(heard, words, &mut items),
    }
    items.extend([
        Item::Line,
        show(words.window, Page::Volumes),
        show(words.settings, Page::Settings),
        show(words.diagnostics, Page::Diagnostics),
        Item::Line,
        press(words.quit, Action::Quit),
    ]);
    items
}

/// The sentence that says where the files are; safety is claimed only where the agent claims it.
pub(crate) fn sentence(seen: &Seen, words: &Words) -> String {
    let heard = match seen {
        Seen::Heard(heard) => heard,
        Seen::Silent { .. } => return words.not_connected.to_owned(),
        Seen::Stopped => return words.stopped.to_owned(),
    };
    match &heard.status.truth {
        Truth::Stored => words.stored.to_owned(),
        Truth::OnlyHere { files, bytes, .. } => (words.only_here)(&words.numbers, *files, *bytes),
        Truth::Lost { message } => (words.lost)(message),
        Truth::Unknown { message } => (words.unknown)(message),
    }
}

fn of_agent(heard: &Heard, words: &Words, items: &mut Vec<Item>) {
    if let Some(problem) = &heard.failure {
        items.push(Item::Text((words.not_done)(&(words.problem)(problem))));
    }
    for notice in &heard.status.notices {
        items.push(show(&(words.problem)(notice), Page::Diagnostics));
    }
    items.push(Item::Line);
    if heard.volumes.is_empty() {
        items.push(Item::Text(words.no_volumes.to_owned()));
    }
    let rows = heard.volumes.iter().take(MOST_VOLUMES);
    items.extend(rows.map(|volume| of_volume(volume, words)));
    if let Some(more) = heard
        .volumes
        .len()
        .checked_sub(MOST_VOLUMES)
        .filter(|more| *more > 0)
    {
        items.push(show(&(words.more_volumes)(more), Page::Volumes));
    }
    items.push(Item::Line);
    items.push(of_pause(heard, words));
    items.push(of_transfers(&heard.transfers, words));
}

fn of_volume(volume: &Volume, words: &Words) -> Item {
    let id = || volume.id.clone();
    let open = press(words.open_folder, Action::OpenFolder(id()));
    let mount = press(words.mount, Action::Mount(id()));
    let unmount = press(words.unmount, Action::Unmount(id()));
    let (reason, mut items) = match &volume.state {
        VolumeState::Mounted => (None, vec![open, unmount]),
        VolumeState::Degraded { reasons } => (reasons.first().map(words.reason), vec![open, unmount]),
        VolumeState::Connecting { reason, .. } => (reason.as_ref().map(words.reason), vec![unmount]),
        VolumeState::Stopped => (None, vec![mount]),
        VolumeState::Error { problem } => (Some((words.problem)(problem)), vec![mount]),
        VolumeState::Unconfigured { reason } => (Some((words.reason)(reason)), Vec::new()),
        VolumeState::Unmounting { .. } => (None, Vec::new()),
    };
    if let Some(reason) = reason {
        items.insert(0, Item::Text(reason));
    }
    items.push(show(words.details, Page::Volume(id())));
    Item::Menu {
        label: (words.volume)(&shortened(&volume.settings.name), words.states.of(&volume.state)),
        items,
    }
}

fn of_pause(heard: &Heard, words: &Words) -> Item {
    let pause = |label: &str, duration: Option<Duration>| {
        let seconds = duration.map(|duration| duration.as_secs());
        press(label, Action::Pause { seconds })
    };
    match (heard.status.pause, heard.status.held) {
        (Pause::Paused { .. }, _) => Item::Menu {
            label: words.paused.to_owned(),
            items: vec![press(words.resume, Action::Resume)],
        },
        (Pause::Running, Some(rule)) => Item::Menu {
            label: match rule {
                HoldRule::Metered => words.held_metered,
                HoldRule::Battery => words.held_battery,
            }
            .to_owned(),
            items: vec![show(words.settings, Page::Settings)],
        },
        (Pause::Running, None) if heard.pause_refused => Item::Text(words.pause_not_offered.to_owned()),
        (Pause::Running, None) => Item::Menu {
            label: words.pause.to_owned(),
            items: vec![
                pause(words.quarter_hour, Some(QUARTER_HOUR)),
                pause(words.hour, Some(HOUR)),
                pause(words.until_resumed, None),
            ],
        },
    }
}

fn of_transfers(transfers: &Transfers, words: &Words) -> Item {
    match transfers {
        Transfers::NotOffered => Item::Text(words.transfers_not_offered.to_owned()),
        Transfers::Known(transfers) if transfers.is_empty() => Item::Text(words.no_transfers.to_owned()),
        Transfers::Known(transfers) => Item::Menu {
            label: words.transfers.to_owned(),
            items: transfers
                .iter()
                .take(MOST_TRANSFERS)
                .map(|transfer| Item::Text(of_transfer(transfer, words)))
                .collect(),
        },
    }
}

fn of_transfer(transfer: &Transfer, words: &Words) -> String {
    let arrow = match transfer.direction {
        Direction::Upload => '↑',
        Direction::Download => '↓',
    };
    let path = transfer
        .path
        .as_deref()
        .map_or_else(|| words.unnamed_file.to_owned(), shortened);
    match &transfer.progress {
        Progress::Failed { .. } => format!("{arrow} {}", (words.failed)(&path)),
        Progress::Done { .. } => format!("{arrow} {path}: {}", words.numbers.bytes(transfer.total)),
        Progress::Waiting | Progress::Running { .. } | Progress::Paused => {
            let percent = percent(transfer.done, transfer.total);
            format!("{arrow} {path}: {percent} %")
        }
    }
}

fn percent(done: u64, total: u64) -> u64 {
    // Nothing to move is there at once; what is not all there is never called 100 %.
    let percent = u128::from(done) * 100 / u128::from(total.max(1));
    let most = if done < total { 99 } else { 100 };
    u64::try_from(percent).unwrap_or(most).min(most)
}

/// The end of a long text.
fn shortened(text: &str) -> String {
    let length = text.chars().count();
    if length <= MOST_CHARACTERS {
        return text.to_owned();
    }
    let end: String = text.chars().skip(length - MOST_CHARACTERS + 1).collect();
    format!("…{end}")
}

fn press(label: &str, action: Action) -> Item {
    Item::Press {
        label: label.to_owned(),
        action,
    }
}

fn show(label: &str, page: Page) -> Item {
    press(label, Action::Show(page))
}
