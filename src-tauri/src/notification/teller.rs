//! When something is told: once, grouped, and not at every flicker.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use moorage_control::truth::Truth;

use super::trouble::{Trouble, troubles};
use super::{Detail, Kind, Notification};
use crate::agent::Heard;
use crate::page::Page;

/// How long something has to last before it is told, where it may pass by itself: a network that comes back soon, a keyring
/// that a login opens.
const PASSING: Duration = Duration::from_secs(60);
/// How long the same is not told again after it was gone and came back.
const QUIET: Duration = Duration::from_secs(30 * 60);
/// Most things that came and went and are remembered, so that memory stays bounded: one for each volume that a list may hold.
const MOST_REMEMBERED: usize = 10_000;

/// What tells one trouble from another.
type Key = (Kind, String);

#[derive(Debug, Clone, Copy)]
struct Known {
    since: Instant,
    told: bool,
}

/// Remembers what a person knows.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    /// What is wrong now.
    lasting: BTreeMap<Key, Known>,
    /// When it was told last, also of what is gone.
    told: BTreeMap<Key, Instant>,
    /// It was told that files do not reach the store, and not yet that they did.
    owes_relief: bool,
}

impl Teller {
    /// Takes in what is heard, and gives what is to be told now. While a window `shows` it, or notifications are off, it
    /// counts as known without being told.
    pub(crate) fn hear(&mut self, heard: &Heard, shows: bool, now: Instant) -> Vec<Notification> {
        let silent = shows || !heard.settings.notifications;
        let found = troubles(heard);
        let now_wrong: BTreeSet<(Kind, &str)> = found
            .iter()
            .map(|trouble| (trouble.kind, trouble.subject.as_str()))
            .collect();
        self.lasting
            .retain(|(kind, subject), _| now_wrong.contains(&(*kind, subject.as_str())));
        self.told
            .retain(|_, told| now.saturating_duration_since(*told) < QUIET);
        let due: Vec<Trouble> = found
            .into_iter()
            .filter(|trouble| self.is_due(trouble, silent, now))
            .collect();
        if silent {
            self.owes_relief = false;
            return Vec::new();
        }
        self.owes_relief |= due.iter().any(|trouble| trouble.kind == Kind::Unreachable);
        let mut notifications = grouped(due);
        notifications.extend(self.relief(heard));
        notifications
    }

    /// Whether something is to be told now; it counts as told from here on.
    fn is_due(&mut self, trouble: &Trouble, silent: bool, now: Instant) -> bool {
        let key = (trouble.kind, trouble.subject.clone());
        let known = self.lasting.entry(key.clone()).or_insert(Known {
            since: now,
            told: false,
        });
        let lasted = now.saturating_duration_since(known.since) >= patience(trouble.kind);
        let recent = self.told.contains_key(&key);
        if known.told || (!silent && (!lasted || recent)) {
            return false;
        }
        known.told = true;
        if self.told.len() >= MOST_REMEMBERED {
            self.told.pop_first();
        }
        self.told.insert(key, now);
        true
    }

    fn relief(&mut self, heard: &Heard) -> Option<Notification> {
        let lasts = self.lasting.keys().any(|(kind, _)| *kind == Kind::Unreachable);
        if !self.owes_relief || lasts || heard.status.truth != Truth::Stored {
            return None;
        }
        self.owes_relief = false;
        Some(Notification {
            kind: Kind::Stored,
            names: Vec::new(),
            detail: Detail::Nothing,
            page: Page::Volumes,
        })
    }
}

fn patience(kind: Kind) -> Duration {
    match kind {
        Kind::Locked | Kind::Unreachable => PASSING,
        Kind::Lost | Kind::Failed | Kind::Incomplete | Kind::Asks | Kind::Stored => Duration::ZERO,
    }
}

/// One notification for all of a kind. They come sorted by kind.
fn grouped(due: Vec<Trouble>) -> Vec<Notification> {
    let mut notifications: Vec<Notification> = Vec::new();
    for trouble in due {
        match notifications.last_mut().filter(|last| last.kind == trouble.kind) {
            Some(last) => {
                last.names.extend(trouble.name);
                if matches!(last.page, Page::Volume(_)) {
                    // It is about more than one.
                    last.page = Page::Volumes;
                }
            }
            None => notifications.push(Notification {
                kind: trouble.kind,
                names: trouble.name.into_iter().collect(),
                detail: trouble.detail,
                page: trouble.page,
            }),
        }
    }
    notifications
}
