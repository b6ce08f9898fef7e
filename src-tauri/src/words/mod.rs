//! The texts of the tray, in the languages of the window.

mod english;
mod german;
mod german_problems;
mod notifications;
mod numbers;

use moorage_control::problem::Problem;
use moorage_control::state::{Reason, VolumeState};

pub(crate) use numbers::Numbers;

/// Every text of the tray in one language. A language that lacks one does not compile.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) numbers: Numbers,
    pub(crate) not_connected: &'static str,
    pub(crate) stopped: &'static str,
    pub(crate) start: &'static str,
    pub(crate) stored: &'static str,
    pub(crate) only_here: fn(&Numbers, files: u64, bytes: u64) -> String,
    pub(crate) lost: fn(message: &str) -> String,
    pub(crate) unknown: fn(message: &str) -> String,
    /// What failed. The agent speaks English; another language has words for each kind.
    pub(crate) problem: fn(&Problem) -> String,
    /// Why a volume is not simply well; as above.
    pub(crate) reason: fn(&Reason) -> String,
    pub(crate) not_done: fn(message: &str) -> String,
    pub(crate) no_volumes: &'static str,
    pub(crate) more_volumes: fn(count: usize) -> String,
    pub(crate) volume: fn(name: &str, state: &str) -> String,
    pub(crate) states: States,
    pub(crate) open_folder: &'static str,
    pub(crate) mount: &'static str,
    pub(crate) unmount: &'static str,
    pub(crate) details: &'static str,
    pub(crate) pause: &'static str,
    pub(crate) paused: &'static str,
    pub(crate) held_metered: &'static str,
    pub(crate) held_battery: &'static str,
    pub(crate) pause_not_offered: &'static str,
    pub(crate) quarter_hour: &'static str,
    pub(crate) hour: &'static str,
    pub(crate) until_resumed: &'static str,
    pub(crate) resume: &'static str,
    pub(crate) transfers: &'static str,
    pub(crate) transfers_not_offered: &'static str,
    pub(crate) no_transfers: &'static str,
    pub(crate) unnamed_file: &'static str,
    pub(crate) failed: fn(path: &str) -> String,
    pub(crate) window: &'static str,
    pub(crate) settings: &'static str,
    pub(crate) diagnostics: &'static str,
    pub(crate) quit: &'static str,
    pub(crate) notifications: Notifications,
    /// What is asked before the tray ends while files exist only on this computer: the sentence of truth stands above it.
    pub(crate) before_quit: BeforeQuit,
    pub(crate) save: &'static str,
    pub(crate) cancel: &'static str,
    /// Titles of dialogs.
    pub(crate) save_volume_file: &'static str,
    pub(crate) save_report: &'static str,
}

/// The words of notifications. The names are of one volume or folder, or several in a row; `count` is how many.
#[derive(Debug)]
pub(crate) struct Notifications {
    pub(crate) failed: fn(names: &str, count: usize) -> String,
    pub(crate) incomplete: fn(names: &str, count: usize) -> String,
    pub(crate) locked: &'static str,
    pub(crate) unreachable: fn(names: &str, count: usize) -> String,
    /// What happens to those files.
    pub(crate) kept: &'static str,
    pub(crate) asks: fn(count: usize) -> String,
    pub(crate) arrived: &'static str,
    pub(crate) and_more: fn(names: &str, more: usize) -> String,
    /// What to do about a failure; nothing where its own words say it.
    pub(crate) advice: fn(&str) -> String,
    pub(crate) open: &'static str,
}

/// The words of the question before the tray ends.
#[derive(Debug)]
pub(crate) struct BeforeQuit {
    pub(crate) uploads_go_on: &'static str,
    pub(crate) uploads_are_held: &'static str,
    pub(crate) quit: &'static str,
    pub(crate) stay: &'static str,
}

/// The words for how a volume is doing, those of the pages.
#[derive(Debug)]
pub(crate) struct States {
    pub(crate) unconfigured: &'static str,
    pub(crate) stopped: &'static str,
    pub(crate) connecting: &'static str,
    pub(crate) mounted: &'static str,
    pub(crate) degraded: &'static str,
    pub(crate) unmounting: &'static str,
    pub(crate) error: &'static str,
}

impl States {
    /// The word for `state`.
    pub(crate) fn of(&self, state: &VolumeState) -> &'static str {
        match state {
            VolumeState::Unconfigured { .. } => self.unconfigured,
            VolumeState::Stopped => self.stopped,
            VolumeState::Connecting { .. } => self.connecting,
            VolumeState::Mounted => self.mounted,
            VolumeState::Degraded { .. } => self.degraded,
            VolumeState::Unmounting { .. } => self.unmounting,
            VolumeState::Error { .. } => self.error,
        }
    }
}

/// The words of the language that the BCP 47 `tag` names; English for one that there are none of.
pub(crate) fn words(tag: &str) -> &'static Words {
    match tag.split(['-', '_']).next() {
        Some(language) if language.eq_ignore_ascii_case("de") => &german::WORDS,
        _ => &english::WORDS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_by_its_tag_and_english_stands_in() {
        for tag in ["de", "de-AT", "DE_de"] {
            assert_eq!(words(tag).mount, german::WORDS.mount, "{tag}");
        }
        for tag in ["en", "fr", "den", ""] {
            assert_eq!(words(tag).mount, english::WORDS.mount, "{tag}");
        }
    }

    #[test]
    fn one_file_is_counted_in_the_singular() {
        let english = &english::WORDS;
        assert_eq!(
            (english.only_here)(&english.numbers, 1, 5),
            "1 file, 5 bytes, exists only on this computer"
        );
        assert_eq!(
            (english.only_here)(&english.numbers, 3, 1_200_000_000),
            "3 files, 1.2 GB, exist only on this computer"
        );
        let german = &german::WORDS;
        assert_eq!(
            (german.only_here)(&german.numbers, 1, 1_200_000_000),
            "1 Datei (1,2 GB) liegt nur auf diesem Computer"
        );
    }
}
