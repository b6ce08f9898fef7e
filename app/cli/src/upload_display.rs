//! What is shown while an ended mount stores what was written to it.

use std::time::{Duration, Instant};

use moorage_meta::admin::ProgressCounts;

use crate::noun::{BLOCKS, FILES, agree};
use crate::progress::{Display, Work};
use crate::{output, size};

/// How long a mount that ends may take for each of its steps without a word: most take less.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// What the object store does not have yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unstored<'a> {
    /// Files with data that is in memory alone.
    pub(crate) files: u64,
    /// Their bytes in memory.
    pub(crate) file_bytes: u64,
    /// Staged blocks.
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    /// Why the last attempt failed.
    pub(crate) problem: Option<&'a str>,
    /// Uploads are paused, so staged blocks wait.
    pub(crate) paused: bool,
}

/// What to do about blocks that wait for the end of a pause.
pub(crate) const PAUSED: &str = "Uploads are paused. `moorage agent resume` makes them now; `moorage umount --force` does not wait for \
                      them: they stay on this disk, and the next mount of the volume here uploads them.";

/// The display; nothing appears before something has to be waited for.
#[derive(Debug)]
pub(crate) struct UploadDisplay {
    quiet: bool,
    begun: Instant,
    told_of_files: bool,
    /// The last problem that was told.
    problem: Option<String>,
    shown: Option<Shown>,
}

#[derive(Debug)]
struct Shown {
    display: Display,
    /// Most blocks and bytes that were left at any moment: what the display counts to.
    most: (u64, u64),
    told_of_pause: bool,
}

impl UploadDisplay {
    pub(crate) fn new(quiet: bool) -> UploadDisplay {
        UploadDisplay {
            quiet,
            begun: Instant::now(),
            told_of_files: false,
            problem: None,
            shown: None,
        }
    }

    /// Shows what is left, and each new problem once.
    pub(crate) fn show(&mut self, left: Unstored<'_>) {
        if self.quiet {
            return;
        }
        if left.files > 0 && !self.told_of_files && self.begun.elapsed() >= PATIENCE {
            output::tell(&format!(
                "Waiting for the object store to take the data of {} ({}).",
                FILES.count(left.files),
                size::show(left.file_bytes),
            ));
            self.told_of_files = true;
        }
        if left.blocks > 0 && self.shown.is_none() {
            self.shown = Some(Shown::begin(left));
        }
        if let Some(problem) = left.problem
            && (self.told_of_files || self.shown.is_some())
            && self.problem.as_deref() != Some(problem)
        {
            self.say(&format!("The last upload failed: {}.", output::plain(problem)));
            self.problem = Some(problem.to_owned());
        }
        let Some(shown) = &mut self.shown else { return };
        shown.most = (shown.most.0.max(left.blocks), shown.most.1.max(left.bytes));
        if left.paused && left.blocks > 0 && !shown.told_of_pause {
            shown.display.say(PAUSED);
            shown.told_of_pause = true;
        }
        shown.display.show(ProgressCounts {
            done: shown.most.0 - left.blocks,
            bytes: shown.most.1.saturating_sub(left.bytes),
            expected: shown.most.0,
        });
    }

    /// Tells something above the display, where there is one.
    fn say(&self, sentence: &str) {
        match &self.shown {
            Some(shown) => shown.display.say(sentence),
            None => output::tell(sentence),
        }
    }
}

impl Shown {
    fn begin(left: Unstored<'_>) -> Shown {
        output::tell(&format!(
            "Waiting until {} ({}) {} in the object store.",
            BLOCKS.count(left.blocks),
            size::show(left.bytes),
            agree(left.blocks, "is", "are"),
        ));
        let work = Work {
            title: "Storing",
            unit: BLOCKS,
        };
        Shown {
            display: Display::new(work),
            most: (left.blocks, left.bytes),
            told_of_pause: false,
        }
    }
}
