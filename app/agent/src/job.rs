//! Long work on a volume: one at a time, which says how far it is, and ends when nobody wants it any more.

use moorage_control::job::{JobProgress, JobState};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::state::Timestamp;
use tokio::sync::watch;

use crate::moment::Moment;
use crate::trouble::lasting;

/// The work of one kind on a volume. Dropping it ends what is at work.
#[derive(Debug)]
pub(crate) struct Jobs<W> {
    /// What is at work, or ended last.
    last: Option<Job<W>>,
    /// Tells the jobs of this volume apart: what an old one still has to say is of no concern.
    number: u64,
    /// Ends the job at work.
    cancel: Option<watch::Sender<bool>>,
}

/// One job.
#[derive(Debug)]
pub(crate) struct Job<W> {
    /// What is done, and what is known of it.
    pub(crate) work: W,
    /// When it began.
    pub(crate) begun: Timestamp,
    /// How it is.
    pub(crate) state: JobState,
}

/// A job that has begun.
#[derive(Debug)]
pub(crate) struct Begun {
    /// Which of this volume.
    pub(crate) number: u64,
    /// Whether it is to end.
    pub(crate) cancelled: Cancelled,
}

/// Whether a job is to end: since somebody said so, or since nobody wants it any more.
#[derive(Debug)]
pub(crate) struct Cancelled(watch::Receiver<bool>);

impl Cancelled {
    /// Returns when it is to end; at once when that was said before.
    ///
    /// # Cancel safety
    /// Nothing is missed.
    pub(crate) async fn told(&mut self) {
        // Without a sender it is told by that.
        let _told = self.0.wait_for(|told| *told).await;
    }

    /// Whether it is to end by now.
    pub(crate) fn is_told(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

/// How a job ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It came to its end.
    Done,
    /// It was told to end before.
    Cancelled,
    /// It failed.
    Failed(Problem),
}

impl<W> Default for Jobs<W> {
    fn default() -> Self {
        Jobs {
            last: None,
            number: 0,
            cancel: None,
        }
    }
}

impl<W> Jobs<W> {
    /// What is at work, or ended last.
    pub(crate) fn last(&self) -> Option<&Job<W>> {
        self.last.as_ref()
    }

    /// Whether a job is at work.
    pub(crate) fn is_running(&self) -> bool {
        let state = self.last.as_ref().map(|job| &job.state);
        matches!(state, Some(JobState::Running { .. }))
    }

    /// That nothing may begin because something is at work, which `doing` names: "being checked".
    ///
    /// # Errors
    /// When something is.
    pub(crate) fn check_free(&self, doing: &str) -> Result<(), Problem> {
        if self.is_running() {
            return Err(lasting(
                ProblemCode::WrongState,
                format!("this volume is {doing} already"),
                "Wait until that is done, or cancel it.",
            ));
        }
        Ok(())
    }

    /// Begins a job in the place of the one before, which has ended or is of no concern any more.
    pub(crate) fn begin(&mut self, work: W, now: Moment) -> Begun {
        self.number += 1;
        self.last = Some(Job {
            work,
            begun: now.wall,
            state: JobState::Running {
                progress: JobProgress::default(),
                ending: false,
            },
        });
        let (cancel, cancelled) = watch::channel(false);
        self.cancel = Some(cancel);
        Begun {
            number: self.number,
            cancelled: Cancelled(cancelled),
        }
    }

    /// The job of this number, while it is at work.
    pub(crate) fn at_work(&mut self, number: u64) -> Option<&mut Job<W>> {
        let is_last = number == self.number && self.is_running();
        self.last.as_mut().filter(|_| is_last)
    }

    /// This job came so far.
    pub(crate) fn advance(&mut self, number: u64, to: JobProgress) {
        if let Some(job) = self.at_work(number)
            && let JobState::Running { progress, .. } = &mut job.state
        {
            *progress = to;
        }
    }

    /// Tells the job at work to end; `doing` names what it does.
    ///
    /// # Errors
    /// That there is none.
    pub(crate) fn cancel(&mut self, doing: &str) -> Result<(), Problem> {
        let number = self.number;
        let Some(JobState::Running { ending, .. }) = self.at_work(number).map(|job| &mut job.state) else {
            return Err(lasting(
                ProblemCode::WrongState,
                format!("this volume is not {doing}"),
                "Nothing has to be done.",
            ));
        };
        *ending = true;
        if let Some(cancel) = &self.cancel {
            cancel.send_replace(true);
        }
        Ok(())
    }

    /// This job ended so. Gives it, unless it is of no concern any more.
    pub(crate) fn end(&mut self, number: u64, end: End, now: Moment) -> Option<&mut Job<W>> {
        self.at_work(number)?;
        self.cancel = None;
        let ended = now.wall;
        let job = self.last.as_mut()?;
        job.state = match end {
            End::Done => JobState::Done { ended },
            End::Cancelled => JobState::Cancelled { ended },
            End::Failed(problem) => JobState::Failed { ended, problem },
        };
        Some(job)
    }

    /// Forgets what was done: the volume is another one from now on. What is at work ends.
    pub(crate) fn forget(&mut self) {
        *self = Jobs {
            number: self.number + 1,
            ..Jobs::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_job_is_at_work_at_a_time() {
        let mut jobs = Jobs::default();
        let now = Moment::now();
        let mut begun = jobs.begin("count", now);
        assert!(jobs.check_free("being counted").is_err());
        assert!(!begun.cancelled.is_told());
        jobs.cancel("being counted").expect("told");
        assert!(begun.cancelled.is_told());
        begun.cancelled.told().await;
        begun.cancelled.told().await;
        assert!(jobs.check_free("being counted").is_err(), "it is still ending");
        jobs.cancel("being counted").expect("told again");
        let ended = jobs.end(begun.number, End::Cancelled, now).expect("the last one");
        assert_eq!(ended.state, JobState::Cancelled { ended: now.wall });
        assert!(jobs.cancel("being counted").is_err());
        jobs.check_free("being counted").expect("free");
    }

    #[test]
    fn what_is_forgotten_ends_and_is_not_heard_any_more() {
        let mut jobs = Jobs::default();
        let now = Moment::now();
        let old = jobs.begin("old", now);
        jobs.forget();
        assert!(old.cancelled.is_told());
        assert!(jobs.last().is_none() && !jobs.is_running());
        let new = jobs.begin("new", now);
        assert_ne!(old.number, new.number);
        assert!(jobs.end(old.number, End::Done, now).is_none());
        assert!(jobs.is_running());
    }

    #[tokio::test]
    async fn the_job_of_a_volume_that_leaves_the_list_is_told_to_end() {
        let mut jobs = Jobs::default();
        let mut begun = jobs.begin("count", Moment::now());
        drop(jobs);
        assert!(begun.cancelled.is_told());
        begun.cancelled.told().await;
    }
}
