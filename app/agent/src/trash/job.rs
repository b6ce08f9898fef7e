//! The work on the trash of one volume: what is known of it.

use moorage_control::job::JobProgress;
use moorage_control::problem::Problem;
use moorage_control::trash::{TrashDeed, TrashJob, TrashPurged, TrashRestored};

use crate::job::{Begun, End, Jobs};
use crate::moment::Moment;

/// What such work is called.
const DOING: &str = "restoring or deleting from its trash";

/// What is known of the work on a trash. Dropping it ends what is at work.
#[derive(Debug, Default)]
pub(crate) struct TrashJobs {
    jobs: Jobs<Known>,
}

#[derive(Debug)]
struct Known {
    deed: TrashDeed,
    restored: Vec<TrashRestored>,
    purged: TrashPurged,
}

/// What came of a part of the work.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Each of its entries.
    Restored(Vec<TrashRestored>),
    /// How much.
    Purged(TrashPurged),
}

impl Outcome {
    /// Entries that are done by it, also those that could not be.
    pub(super) fn entries(&self) -> u64 {
        match self {
            Outcome::Restored(restored) => restored.iter().map(|one| 1 + one.inside).sum(),
            Outcome::Purged(purged) => purged.entries + purged.missing.len() as u64,
        }
    }
}

impl TrashJobs {
    /// As a client shows it; absent when nothing was done since the agent started.
    pub(super) fn shown(&self) -> Option<TrashJob> {
        self.jobs.last().map(|job| TrashJob {
            deed: job.work.deed,
            begun: job.begun,
            state: job.state.clone(),
            restored: job.work.restored.clone(),
            purged: job.work.purged.clone(),
        })
    }

    /// Whether a job is at work.
    pub(super) fn is_running(&self) -> bool {
        self.jobs.is_running()
    }

    /// Begins a job.
    ///
    /// # Errors
    /// That one is at work.
    pub(super) fn begin(&mut self, deed: TrashDeed, now: Moment) -> Result<Begun, Problem> {
        self.jobs.check_free(DOING)?;
        let known = Known {
            deed,
            restored: Vec::new(),
            purged: TrashPurged::default(),
        };
        Ok(self.jobs.begin(known, now))
    }

    /// This job came so far.
    pub(super) fn advance(&mut self, number: u64, to: JobProgress) {
        self.jobs.advance(number, to);
    }

    /// A part of this job is done.
    pub(super) fn learn(&mut self, number: u64, outcome: Outcome) {
        let Some(job) = self.jobs.at_work(number) else {
            return;
        };
        match outcome {
            Outcome::Restored(restored) => job.work.restored.extend(restored),
            Outcome::Purged(purged) => {
                let sum = &mut job.work.purged;
                sum.deleted |= purged.deleted;
                sum.hours += purged.hours;
                sum.entries += purged.entries;
                sum.missing.extend(purged.missing);
                sum.damaged += purged.damaged;
            }
        }
    }

    /// Tells the job at work to end.
    ///
    /// # Errors
    /// That there is none.
    pub(super) fn cancel(&mut self) -> Result<(), Problem> {
        self.jobs.cancel(DOING)
    }

    /// This job ended so.
    pub(super) fn end(&mut self, number: u64, end: End, now: Moment) {
        self.jobs.end(number, end, now);
    }

    /// Forgets everything: the volume is another one from now on. What is at work ends.
    pub(crate) fn forget(&mut self) {
        self.jobs.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purged(entries: u64, missing: &str) -> Outcome {
        Outcome::Purged(TrashPurged {
            deleted: true,
            hours: 0,
            entries,
            missing: vec![missing.to_owned()],
            damaged: 0,
        })
    }

    #[test]
    fn what_came_of_the_parts_is_put_together_and_kept_when_a_later_part_fails() {
        let mut jobs = TrashJobs::default();
        let now = Moment::now();
        let begun = jobs.begin(TrashDeed::Purge, now).expect("begun");
        assert!(jobs.begin(TrashDeed::Restore, now).is_err());
        jobs.learn(begun.number, purged(2, "a"));
        jobs.learn(begun.number, purged(3, "b"));
        jobs.end(begun.number, End::Cancelled, now);
        let shown = jobs.shown().expect("a job").purged;
        assert_eq!(
            (shown.entries, shown.missing),
            (5, vec!["a".to_owned(), "b".to_owned()])
        );
        jobs.learn(begun.number, purged(1, "c"));
        assert_eq!(jobs.shown().map(|job| job.purged.entries), Some(5));
    }

    #[test]
    fn nothing_of_an_earlier_job_is_told_of_the_next() {
        let mut jobs = TrashJobs::default();
        let now = Moment::now();
        let begun = jobs.begin(TrashDeed::Purge, now).expect("begun");
        jobs.learn(begun.number, purged(2, "a"));
        jobs.end(begun.number, End::Done, now);
        jobs.begin(TrashDeed::Restore, now).expect("begun");
        let shown = jobs.shown().expect("a job");
        assert_eq!(
            (shown.deed, shown.purged),
            (TrashDeed::Restore, TrashPurged::default())
        );
    }
}
