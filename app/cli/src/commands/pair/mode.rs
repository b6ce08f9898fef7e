//! Modes of pairs as flags and words.

use clap::ValueEnum;
use moorage_control::sync::SyncMode;

/// What a pair is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// Changes of each side come to the other
    TwoWay,
    /// Changes of the local folder come to the volume; nothing is removed there
    BackUp,
    /// Changes of the volume come to the local folder, removals too
    Mirror,
}

impl From<Mode> for SyncMode {
    fn from(mode: Mode) -> SyncMode {
        match mode {
            Mode::TwoWay => SyncMode::TwoWay,
            Mode::BackUp => SyncMode::BackUp,
            Mode::Mirror => SyncMode::Mirror,
        }
    }
}

/// The word of a mode, as its flag has it.
pub(super) fn word(mode: SyncMode) -> &'static str {
    match mode {
        SyncMode::TwoWay => "two-way",
        SyncMode::BackUp => "back-up",
        SyncMode::Mirror => "mirror",
    }
}
