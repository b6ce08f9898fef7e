//! One round: look at both sides, ask when much would be removed, bring them together.

use std::sync::Arc;

use moorage_model::{Clock, Error, ErrorKind, Result};

use super::conflict::Conflict;
use super::decide::{End, Mode, Step};
use super::guard::{Consent, DeletionGuard};
use super::state::State;
use super::{HostName, IGNORED};
use crate::copy::Failure;
use crate::{Entry, Filter, RelativePath, Side, Tag, Verdict};

/// How a pair is kept in sync.
#[derive(Clone, Debug)]
pub struct PairOptions {
    /// What the pair is for.
    pub mode: Mode,
    /// Which names take part; what does not is left alone on both sides.
    pub filter: Arc<Filter>,
    /// When a round asks before it removes.
    pub guard: DeletionGuard,
    /// This computer, for names of conflict copies.
    pub host: HostName,
    /// The tag of temporary files that both sides were opened with. No other process may use it.
    pub tag: Tag,
    /// Transfers at the same time.
    pub threads: usize,
    /// Time for names of conflict copies, and for telling how old a look is.
    pub clock: Arc<dyn Clock>,
}

impl PairOptions {
    /// A filter of a person's patterns, in their order, and [`IGNORED`] behind them.
    ///
    /// # Errors
    /// `InvalidArgument` for a pattern that can not be understood.
    pub fn filter_of<'a>(rules: impl IntoIterator<Item = (Verdict, &'a str)>) -> Result<Arc<Filter>> {
        PairOptions::filter_without(&[], rules)
    }

    /// As [`PairOptions::filter_of`], without these folders.
    ///
    /// # Errors
    /// As there.
    pub fn filter_without<'a>(
        left_out: &[RelativePath],
        rules: impl IntoIterator<Item = (Verdict, &'a str)>,
    ) -> Result<Arc<Filter>> {
        let always = IGNORED.iter().map(|&pattern| (Verdict::Exclude, pattern));
        Filter::without(left_out, rules.into_iter().chain(always))
    }
}

/// Hears of a round while it runs. Called from several tasks.
pub trait PairObserver: Send + Sync {
    /// Something did not work; the rest goes on, and the next round tries again.
    fn failed(&self, failure: &Failure);

    /// Both sides had a version of their own: that of `end` has the name `copy` now.
    fn conflict(&self, path: &RelativePath, copy: &RelativePath, end: End);
}

/// What a round would do, as far as names, sizes and times tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Files and links that both sides had in common last.
    pub known: u64,
    /// Files, links and folders to be copied to the left side.
    pub copies_left: u64,
    /// Bytes of them.
    pub copies_left_bytes: u64,
    /// Files, links and folders to be copied to the right side.
    pub copies_right: u64,
    /// Bytes of them.
    pub copies_right_bytes: u64,
    /// Files and links to be removed from the left side.
    pub removals_left: u64,
    /// Files and links to be removed from the right side.
    pub removals_right: u64,
    /// Files and links that both sides have a version of, whose contents are to be compared.
    pub comparisons: u64,
    /// Pipes, sockets and devices, which are left alone.
    pub special: u64,
    /// Places that can not be read, and are left alone.
    pub unreadable: u64,
}

impl Preview {
    pub(super) fn count(&mut self, step: Step, folder: bool, left: Option<&Entry>, right: Option<&Entry>) {
        let bytes = |entry: Option<&Entry>| entry.filter(|entry| !entry.is_folder()).map_or(0, Entry::size);
        match step {
            Step::Carry { to: End::Left } => {
                self.copies_left += 1;
                self.copies_left_bytes += bytes(right);
            }
            Step::Carry { to: End::Right } => {
                self.copies_right += 1;
                self.copies_right_bytes += bytes(left);
            }
            Step::Remove { .. } | Step::Reconcile { .. } if folder => {}
            Step::Remove { from: End::Left } => self.removals_left += 1,
            Step::Remove { from: End::Right } => self.removals_right += 1,
            Step::Reconcile { .. } => self.comparisons += 1,
            Step::Nothing | Step::Forget => {}
        }
    }
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundReport {
    /// What was found to do.
    pub preview: Preview,
    /// Copied to the left side.
    pub copied_left: u64,
    /// Copied to the right side.
    pub copied_right: u64,
    /// Bytes that were copied.
    pub copied_bytes: u64,
    /// Removed from the left side, folders included.
    pub removed_left: u64,
    /// Removed from the right side, folders included.
    pub removed_right: u64,
    /// Conflict copies.
    pub conflicts: u64,
    /// Paths that changed while they were looked at: the next round deals with them.
    pub postponed: u64,
    /// What did not work.
    pub failed: u64,
}

impl RoundReport {
    /// Whether both sides are as they should be, as far as they were read.
    pub fn is_complete(&self) -> bool {
        self.postponed == 0 && self.failed == 0 && self.preview.unreadable == 0
    }
}

/// How a round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done(RoundReport),
    /// It would remove much: nothing was changed. A person has to agree to `preview` first.
    NeedsConfirmation(Preview),
}

/// Two folders that are kept in sync.
pub struct Pair {
    left: Arc<dyn Side>,
    right: Arc<dyn Side>,
    pub(super) state: State,
    pub(super) options: PairOptions,
    pub(super) told: Arc<dyn PairObserver>,
}

impl Pair {
    /// Joins two sides by their state. The left one is this computer's.
    ///
    /// # Errors
    /// `NotSupported` for a side that has no folders, times or links to keep, as an object store.
    pub fn new(
        left: Arc<dyn Side>,
        right: Arc<dyn Side>,
        state: State,
        options: PairOptions,
        told: Arc<dyn PairObserver>,
    ) -> Result<Pair> {
        for side in [&left, &right] {
            let abilities = side.abilities();
            if !(abilities.folders && abilities.links && abilities.times) {
                return Err(Error::new(
                    ErrorKind::NotSupported,
                    format!("{} can not be one side of a pair", side.describe()),
                )
                .with_advice("Use a folder or a volume; `moorage sync` copies to an object store."));
            }
        }
        Ok(Pair {
            left,
            right,
            state,
            options,
            told,
        })
    }

    pub(super) fn side(&self, end: End) -> &dyn Side {
        match end {
            End::Left => self.left.as_ref(),
            End::Right => self.right.as_ref(),
        }
    }

    /// What a round would do. Changes nothing but leftovers of earlier rounds, which go.
    ///
    /// # Errors
    /// When a side can not be listed, or the state not be read.
    pub async fn preview(&self) -> Result<Preview> {
        let mut preview = Preview::default();
        self.scan(&mut preview).await?;
        Ok(preview)
    }

    /// Runs a round. Rounds of a pair must not run at the same time.
    ///
    /// # Errors
    /// When a side can not be listed or synced, or the state not be read or written: what was done stays, and the next
    /// round goes on.
    ///
    /// # Cancel safety
    /// Safe, as is the death of the process.
    pub async fn round(&self, consent: Consent) -> Result<Outcome> {
        let mut preview = self.preview().await?;
        if consent == Consent::Keep {
            // Nothing is known of them any more, so that what one side has of them is new.
            self.state.forget_removals()?;
            preview = self.preview().await?;
        }
        let guard = self.options.guard;
        let asks = [preview.removals_left, preview.removals_right]
            .into_iter()
            .any(|removed| guard.asks(removed, preview.known) && !consent.covers(removed));
        if asks {
            return Ok(Outcome::NeedsConfirmation(preview));
        }
        self.apply(preview).await.map(Outcome::Done)
    }

    /// The conflict copies that were made and are still there, the newest first.
    ///
    /// # Errors
    /// When the state can not be read or written. A copy that can not be looked at counts as there.
    pub async fn conflicts(&self) -> Result<Vec<Conflict>> {
        let mut conflicts = Vec::new();
        for conflict in self.state.conflicts()? {
            match self.side(conflict.end).look(&conflict.copy).await {
                Ok(None) => self.state.forget_conflict(&conflict)?,
                Ok(Some(_)) | Err(_) => conflicts.push(conflict),
            }
        }
        Ok(conflicts)
    }

    /// Removes what an earlier round of this pair left under a temporary name. No transfer runs meanwhile.
    pub(super) async fn tidy(&self, entry: &Entry, end: End) {
        let own = entry
            .path
            .split_last()
            .is_some_and(|(_, name)| self.options.tag.made(name));
        if own && let Err(error) = self.side(end).remove(entry).await {
            tracing::warn!(%error, "a leftover stays");
        }
    }
}
