//! The work on one volume: what may begin, and what is told of it.

use std::time::Duration;

use moorage_control::health::{EndedCheck, EndedCollection, HealthJob, HealthWork, VolumeHealth};
use moorage_control::job::JobProgress;
use moorage_control::problem::{Problem, ProblemCode};
use tokio::time::Instant;

use super::command::{Outcome, Task};
use crate::job::{Begun, End, Jobs};
use crate::moment::Moment;
use crate::trouble::lasting;

/// How long what was found may be repaired or freed: later, other things may be in the way than those a person saw.
const FOUND_HOLDS: Duration = Duration::from_secs(3600);

/// What such work is called.
const DOING: &str = "being checked or freed";

/// What is known of the work on a volume. Dropping it ends what is at work.
#[derive(Debug, Default)]
pub(crate) struct Health {
    jobs: Jobs<HealthWork>,
    check: Option<Found<EndedCheck>>,
    /// Absent from when it is being freed: then less is there.
    garbage: Option<Found<EndedCollection>>,
}

/// A result, and when it came, by a clock that nobody sets; absent of one of another run of the agent.
#[derive(Debug)]
struct Found<R> {
    result: R,
    at: Option<Instant>,
}

impl<R> Found<R> {
    fn holds(&self, now: Instant) -> bool {
        self.at.is_some_and(|at| now.duration_since(at) <= FOUND_HOLDS)
    }
}

impl Health {
    /// What another run of the agent found.
    pub(crate) fn remembered(check: Option<EndedCheck>) -> Health {
        Health {
            check: check.map(|result| Found { result, at: None }),
            ..Health::default()
        }
    }

    /// The last check, in numbers: findings are many, and what became of them is not known later.
    pub(super) fn last_check(&self) -> Option<EndedCheck> {
        let mut check = self.check.as_ref()?.result.clone();
        check.report.findings.clear();
        Some(check)
    }

    /// As a client shows it.
    pub(crate) fn shown(&self, now: Instant) -> VolumeHealth {
        VolumeHealth {
            job: self.jobs.last().map(|job| HealthJob {
                work: job.work,
                begun: job.begun,
                state: job.state.clone(),
            }),
            check: self.check.as_ref().map(|found| found.result.clone()),
            garbage: self.garbage.as_ref().map(|found| found.result.clone()),
            can_repair: self.repair(now).is_some(),
            can_free: self.can_free(now),
        }
    }

    /// Whether a job is at work.
    pub(crate) fn is_running(&self) -> bool {
        self.jobs.is_running()
    }

    /// Begins a job; gives what is to be done.
    ///
    /// # Errors
    /// That one is at work; that it was not found lately what can be repaired or freed.
    pub(super) fn begin(&mut self, work: HealthWork, now: Moment) -> Result<(Task, Begun), Problem> {
        self.jobs.check_free(DOING)?;
        let task = self.task(work, now.instant)?;
        if work == HealthWork::FreeGarbage {
            self.garbage = None;
        }
        Ok((task, self.jobs.begin(work, now)))
    }

    /// This job came so far.
    pub(super) fn advance(&mut self, number: u64, to: JobProgress) {
        self.jobs.advance(number, to);
    }

    /// Tells the job at work to end.
    ///
    /// # Errors
    /// That there is none.
    pub(super) fn cancel(&mut self) -> Result<(), Problem> {
        self.jobs.cancel(DOING)
    }

    /// This job ended so.
    pub(super) fn end(&mut self, number: u64, outcome: Result<Outcome, Problem>, now: Moment) {
        let (end, outcome) = match outcome {
            Ok(Outcome::Cancelled) => (End::Cancelled, None),
            Ok(outcome) => (End::Done, Some(outcome)),
            Err(problem) => (End::Failed(problem), None),
        };
        let Some(job) = self.jobs.end(number, end, now) else {
            return;
        };
        let (begun, ended) = (job.begun, now.wall);
        let repair = job.work == HealthWork::Repair;
        match outcome {
            Some(Outcome::Checked(report)) => {
                self.check = Some(Found {
                    result: EndedCheck {
                        begun,
                        ended,
                        repair,
                        report,
                    },
                    at: Some(now.instant),
                });
            }
            Some(Outcome::Collected(report)) => {
                self.garbage = Some(Found {
                    result: EndedCollection { begun, ended, report },
                    at: Some(now.instant),
                });
            }
            Some(Outcome::Cancelled) | None => {}
        }
    }

    /// Forgets everything: the volume is another one from now on. What is at work ends.
    pub(crate) fn forget(&mut self) {
        self.jobs.forget();
        self.check = None;
        self.garbage = None;
    }

    fn task(&self, work: HealthWork, now: Instant) -> Result<Task, Problem> {
        match work {
            HealthWork::Check { contents } => Ok(Task::Check {
                contents,
                repair: false,
            }),
            HealthWork::Repair => self.repair(now).ok_or_else(|| {
                lasting(
                    ProblemCode::WrongState,
                    "nothing is known that can be repaired",
                    "Check the volume first, and repair what is found within an hour.",
                )
            }),
            HealthWork::FindGarbage => Ok(Task::Collect { delete: false }),
            HealthWork::FreeGarbage if self.can_free(now) => Ok(Task::Collect { delete: true }),
            HealthWork::FreeGarbage => Err(lasting(
                ProblemCode::WrongState,
                "it is not known what can be freed",
                "Find what can be freed first, and free it within an hour.",
            )),
        }
    }

    /// Repairs what the last check found. Contents are read again where it read them: a repair that does not look at
    /// them would make a damaged object look mended.
    fn repair(&self, now: Instant) -> Option<Task> {
        let found = self.check.as_ref().filter(|found| found.holds(now))?;
        let report = &found.result.report;
        (report.repairable > 0).then_some(Task::Check {
            contents: report.contents.were_read(),
            repair: true,
        })
    }

    fn can_free(&self, now: Instant) -> bool {
        self.garbage
            .as_ref()
            .is_some_and(|found| found.holds(now) && !found.result.report.deleted)
    }
}

#[cfg(test)]
mod tests {
    use moorage_control::health::{
        CheckReport, CheckedContents, ExpiredTrash, GarbageObjects, GarbageRecords, GarbageReport,
        OpenFindings,
    };
    use moorage_control::job::JobState;

    use super::*;

    const CHECK: HealthWork = HealthWork::Check { contents: false };

    fn garbage(deleted: bool) -> Outcome {
        let (objects, records) = (GarbageObjects::default(), GarbageRecords::default());
        Outcome::Collected(GarbageReport {
            deleted,
            valid: objects,
            delayed: objects,
            pending: objects,
            leaked: objects,
            young: objects,
            ahead: objects,
            foreign: objects,
            expired_trash: ExpiredTrash::default(),
            abandoned_clones: records,
            deleted_files: records,
            expired_slices: records,
            dead_slices: records,
            orphaned_chunks: records,
            damaged_slice_records: 0,
            other_damaged_records: 0,
        })
    }

    fn checked(repairable: u64, contents: CheckedContents) -> Outcome {
        Outcome::Checked(CheckReport {
            nodes: 1,
            entries: 0,
            slices: 0,
            objects: 0,
            damaged_records: 0,
            contents,
            verified_objects: 0,
            verified_bytes: 0,
            open: OpenFindings::default(),
            repaired: 0,
            repairable,
            findings: Vec::new(),
        })
    }

    fn later(now: Moment, by: Duration) -> Moment {
        Moment {
            instant: now.instant + by,
            ..now
        }
    }

    /// Does a job to its end; gives what was to be done.
    fn done(health: &mut Health, work: HealthWork, outcome: Outcome, now: Moment) -> Task {
        let (task, begun) = health.begin(work, now).expect("begun");
        health.end(begun.number, Ok(outcome), now);
        task
    }

    #[test]
    fn what_was_found_is_freed_once_and_within_an_hour() {
        let mut health = Health::default();
        let now = Moment::now();
        assert!(health.begin(HealthWork::FreeGarbage, now).is_err());
        for (by, freed) in [(FOUND_HOLDS, true), (FOUND_HOLDS + Duration::from_secs(1), false)] {
            done(&mut health, HealthWork::FindGarbage, garbage(false), now);
            let at = later(now, by);
            assert_eq!(health.shown(at.instant).can_free, freed, "{by:?}");
            let free = health.begin(HealthWork::FreeGarbage, at);
            assert_eq!(free.is_ok(), freed, "{by:?}");
            if let Ok((_, begun)) = free {
                assert_eq!(health.shown(at.instant).garbage, None, "less is there by now");
                health.end(begun.number, Ok(garbage(true)), now);
            }
            assert!(health.begin(HealthWork::FreeGarbage, at).is_err());
        }
    }

    #[test]
    fn a_repair_needs_a_check_that_found_something_and_looks_at_as_much() {
        let now = Moment::now();
        for (contents, read) in [
            (CheckedContents::NotRead, false),
            (CheckedContents::Length, true),
            (CheckedContents::Authenticated, true),
        ] {
            let mut health = Health::default();
            assert!(health.begin(HealthWork::Repair, now).is_err());
            done(&mut health, CHECK, checked(0, contents), now);
            assert!(health.begin(HealthWork::Repair, now).is_err());
            done(&mut health, CHECK, checked(2, contents), now);
            let too_late = later(now, FOUND_HOLDS + Duration::from_secs(1));
            assert!(health.begin(HealthWork::Repair, too_late).is_err());
            let task = done(&mut health, HealthWork::Repair, checked(0, contents), now);
            let expected = Task::Check {
                contents: read,
                repair: true,
            };
            assert_eq!(task, expected);
            let shown = health.shown(now.instant);
            assert!(shown.check.is_some_and(|check| check.repair));
            assert!(!shown.can_repair);
        }
    }

    #[test]
    fn of_a_check_of_another_run_the_numbers_are_known_and_nothing_is_repaired() {
        let mut health = Health::default();
        let now = Moment::now();
        done(&mut health, CHECK, checked(2, CheckedContents::NotRead), now);
        let mut later = Health::remembered(health.last_check());
        let shown = later.shown(now.instant);
        assert_eq!(shown.check.map(|check| check.report.repairable), Some(2));
        assert!(!shown.can_repair && later.begin(HealthWork::Repair, now).is_err());
    }

    #[test]
    fn a_check_that_fails_leaves_what_the_one_before_found() {
        let mut health = Health::default();
        let now = Moment::now();
        done(&mut health, CHECK, checked(0, CheckedContents::NotRead), now);
        let before = health.shown(now.instant).check;
        let (_, begun) = health.begin(CHECK, now).expect("begun");
        let problem = lasting(ProblemCode::Unreachable, "no answer", "Wait.");
        health.end(begun.number, Err(problem), now);
        let shown = health.shown(now.instant);
        assert_eq!(shown.check, before);
        let state = shown.job.map(|job| job.state);
        assert!(matches!(state, Some(JobState::Failed { .. })), "{state:?}");
    }

    #[test]
    fn of_a_volume_that_became_another_nothing_is_known_and_nothing_is_heard() {
        let mut health = Health::default();
        let now = Moment::now();
        done(&mut health, HealthWork::FindGarbage, garbage(false), now);
        let (_, old) = health.begin(CHECK, now).expect("begun");
        health.forget();
        assert!(health.begin(HealthWork::FreeGarbage, now).is_err());
        health.begin(CHECK, now).expect("begun");
        health.end(old.number, Ok(checked(1, CheckedContents::NotRead)), now);
        assert!(health.is_running());
        assert_eq!(health.shown(now.instant).check, None);
    }
}
