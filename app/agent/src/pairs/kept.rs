//! A pair of the list with what is known of it, and what is to be done about it.

use std::time::Duration;

use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::settings::HoldRule;
use moorage_control::state::Timestamp;
use moorage_control::sync::{
    SyncConflict, SyncPair, SyncPairId, SyncPairSettings, SyncPreview, SyncRun, SyncState,
};
use moorage_control::sync_work::SyncReport;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::process::PairProcess;
use crate::moment::Moment;
use crate::trouble::{lasting, passing};

/// Before a process that ended unexpectedly is started again, the second time; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A pair as the settings file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PairEntry {
    /// Its name in the list.
    pub(crate) id: SyncPairId,
    /// What is kept in sync.
    pub(crate) settings: SyncPairSettings,
    /// A person holds it.
    #[serde(default)]
    pub(crate) paused: bool,
}

/// Why a pair does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// A person paused it, or all transfers.
    Paused {
        /// All.
        all: bool,
    },
    /// A rule holds all transfers.
    Ruled(HoldRule),
    /// Its volume is not mounted.
    Unmounted,
}

/// How the last run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// None has ended yet.
    Unknown,
    Done,
    Asking(SyncPreview),
    Failed(Problem),
}

/// What is to be done about the process of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PairStep {
    Start,
    Stop,
}

/// A pair of the list.
pub(crate) struct KeptPair {
    pub(crate) entry: PairEntry,
    outcome: Outcome,
    running: Option<Timestamp>,
    /// A run was asked for while one was under way: it follows at once.
    another: bool,
    last_run: Option<SyncRun>,
    next_run: Option<Timestamp>,
    conflicts: Vec<SyncConflict>,
    watched: bool,
    /// Times that its process ended unexpectedly since it last said something.
    crashes: u32,
    retry_at: Option<Instant>,
    pub(crate) process: Option<PairProcess>,
    /// A process that was told to end.
    pub(crate) leaving: Option<JoinHandle<()>>,
    /// Counts its processes, so that what an earlier one said late is not taken for news.
    pub(crate) generation: u64,
    /// As clients were told last.
    pub(crate) shown: Option<SyncPair>,
}

impl KeptPair {
    pub(crate) fn new(entry: PairEntry) -> KeptPair {
        KeptPair {
            entry,
            outcome: Outcome::Unknown,
            running: None,
            another: false,
            last_run: None,
            next_run: None,
            conflicts: Vec::new(),
            watched: false,
            crashes: 0,
            retry_at: None,
            process: None,
            leaving: None,
            generation: 0,
            shown: None,
        }
    }

    /// What is to be done now. `has_process` is told so that this stays a decision about values.
    pub(crate) fn next(&self, hold: Option<Hold>, has_process: bool, now: Moment) -> Option<PairStep> {
        match (hold, has_process) {
            (Some(_), true) => Some(PairStep::Stop),
            (None, false) if self.retry_at.is_none_or(|at| at <= now.instant) => Some(PairStep::Start),
            _ => None,
        }
    }

    /// Its process was started.
    pub(crate) fn started(&mut self, now: Moment) {
        self.running = Some(now.wall);
        self.retry_at = None;
    }

    /// Its process was told to run.
    pub(crate) fn ordered(&mut self, now: Moment) {
        self.another = self.running.is_some();
        self.running = Some(now.wall);
    }

    /// Its process was told to end.
    pub(crate) fn stopped(&mut self) {
        self.running = None;
        self.another = false;
        self.next_run = None;
        // It is asked again by the next process.
        if matches!(self.outcome, Outcome::Asking(_)) {
            self.outcome = Outcome::Unknown;
        }
    }

    /// A person wants it to run, whatever failed before.
    pub(crate) fn hurry(&mut self) {
        self.retry_at = None;
    }

    /// Its process said something.
    pub(crate) fn reported(&mut self, report: SyncReport, now: Moment) {
        let at = |next: u64| Some(Timestamp(now.wall.0.saturating_add(next)));
        match report {
            SyncReport::Running => {
                self.running = Some(now.wall);
                self.next_run = None;
                return;
            }
            SyncReport::Ended {
                run,
                conflicts,
                watched,
                next,
            } => {
                self.outcome = Outcome::Done;
                self.last_run = Some(run);
                self.conflicts = conflicts;
                self.watched = watched;
                self.next_run = at(next);
            }
            SyncReport::Asking {
                preview,
                watched,
                next,
            } => {
                self.outcome = Outcome::Asking(preview);
                self.watched = watched;
                self.next_run = at(next);
            }
            SyncReport::Failed { problem, next } => {
                self.outcome = Outcome::Failed(problem);
                self.next_run = at(next);
            }
        }
        self.running = std::mem::take(&mut self.another).then_some(now.wall);
        self.crashes = 0;
    }

    /// Its process ended by itself.
    pub(crate) fn crashed(&mut self, why: String, now: Moment) {
        self.stopped();
        let pause = match self.crashes {
            0 => Duration::ZERO,
            again => FIRST_PAUSE
                .saturating_mul(1 << (again - 1).min(16))
                .min(LONGEST_PAUSE),
        };
        self.crashes = self.crashes.saturating_add(1);
        self.retry_at = Some(now.instant + pause);
        let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self.next_run = Some(Timestamp(now.wall.0.saturating_add(pause)));
        let local = &self.entry.settings.local_folder;
        self.outcome = Outcome::Failed(Problem {
            cause: Some(why),
            ..passing(
                ProblemCode::Internal,
                format!("the process that keeps {local} in sync ended unexpectedly"),
                "It is started again by itself, and nothing is lost. If that happens again, look at the log of the agent and \
                 report it.",
            )
        });
    }

    /// What it asks, when it does.
    pub(crate) fn question(&self) -> Option<&SyncPreview> {
        match &self.outcome {
            Outcome::Asking(preview) if self.running.is_none() => Some(preview),
            _ => None,
        }
    }

    /// Whether this is one of its conflicts, as it was told last.
    pub(crate) fn has_conflict(&self, conflict: &SyncConflict) -> bool {
        self.conflicts.contains(conflict)
    }

    /// What a person should hear of wherever they look.
    pub(crate) fn notice(&self) -> Option<Problem> {
        self.question()?;
        let local = &self.entry.settings.local_folder;
        Some(lasting(
            ProblemCode::WrongState,
            format!("the sync pair of {local} would remove many files, and asks first"),
            format!("Answer it on the page Sync of the window, or with `moorage pair answer {local}`."),
        ))
    }

    /// Whether a run is under way.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// As a client shows it.
    pub(crate) fn pair(&self, hold: Option<Hold>) -> SyncPair {
        let state = match (hold, self.running, &self.outcome) {
            (Some(Hold::Paused { all }), _, _) => SyncState::Paused { all },
            (Some(Hold::Ruled(by)), _, _) => SyncState::Held { by },
            (Some(Hold::Unmounted), _, _) => SyncState::Waiting,
            (None, Some(since), _) => SyncState::Running { since },
            (None, None, Outcome::Asking(preview)) => SyncState::Asking { preview: *preview },
            (None, None, Outcome::Failed(problem)) => SyncState::Error {
                problem: problem.clone(),
            },
            (None, None, Outcome::Done) if self.is_complete() => SyncState::UpToDate,
            (None, None, Outcome::Done) => SyncState::Incomplete,
            // Its process is about to be started.
            (None, None, Outcome::Unknown) => SyncState::Waiting,
        };
        SyncPair {
            id: self.entry.id.clone(),
            settings: self.entry.settings.clone(),
            state,
            last_run: self.last_run.clone(),
            next_run: self.next_run.filter(|_| hold.is_none()),
            conflicts: self.conflicts.clone(),
            watched: self.watched && hold.is_none(),
        }
    }

    fn is_complete(&self) -> bool {
        self.last_run
            .as_ref()
            .is_some_and(|run| run.failed == 0 && run.postponed == 0)
    }
}

#[cfg(test)]
mod tests {
    use moorage_control::sync::{SyncGuard, SyncMode};
    use moorage_control::volume::VolumeId;

    use super::*;

    fn pair() -> KeptPair {
        KeptPair::new(PairEntry {
            id: SyncPairId("1".to_owned()),
            settings: SyncPairSettings {
                local_folder: "/home/me/a".to_owned(),
                volume: VolumeId("v".to_owned()),
                volume_folder: "a".to_owned(),
                mode: SyncMode::TwoWay,
                ignore: Vec::new(),
                left_out: Vec::new(),
                guard: SyncGuard::default(),
            },
            paused: false,
        })
    }

    fn at(seconds: u64) -> Moment {
        static START: std::sync::OnceLock<Moment> = std::sync::OnceLock::new();
        let start = *START.get_or_init(Moment::now);
        Moment {
            instant: start.instant + Duration::from_secs(seconds),
            wall: Timestamp(seconds * 1000),
        }
    }

    fn ended(failed: u64) -> SyncReport {
        SyncReport::Ended {
            run: SyncRun {
                failed,
                ..SyncRun::default()
            },
            conflicts: Vec::new(),
            watched: true,
            next: 300_000,
        }
    }

    #[test]
    fn what_holds_a_pair_ends_its_process_and_what_frees_it_starts_one() {
        let pair = pair();
        for hold in [
            Hold::Paused { all: true },
            Hold::Ruled(HoldRule::Battery),
            Hold::Unmounted,
        ] {
            assert_eq!(pair.next(Some(hold), true, at(0)), Some(PairStep::Stop));
            assert_eq!(pair.next(Some(hold), false, at(0)), None);
        }
        assert_eq!(pair.next(None, false, at(0)), Some(PairStep::Start));
        assert_eq!(pair.next(None, true, at(0)), None);
    }

    #[test]
    fn nothing_is_called_up_to_date_that_the_last_run_left_undone_or_that_is_held() {
        let mut pair = pair();
        pair.started(at(0));
        assert_eq!(pair.pair(None).state, SyncState::Running { since: Timestamp(0) });
        pair.reported(ended(0), at(1));
        let shown = pair.pair(None);
        assert_eq!((shown.state, shown.watched), (SyncState::UpToDate, true));
        assert_eq!(shown.next_run, Some(Timestamp(301_000)));
        let held = pair.pair(Some(Hold::Unmounted));
        assert_eq!((held.state, held.next_run), (SyncState::Waiting, None));
        pair.reported(ended(1), at(2));
        assert_eq!(pair.pair(None).state, SyncState::Incomplete);
    }

    #[test]
    fn a_process_that_dies_again_and_again_is_started_ever_later_until_it_says_something() {
        let mut pair = pair();
        let mut pauses = Vec::new();
        let mut now = 0;
        for _ in 0..9 {
            pair.crashed("killed".to_owned(), at(now));
            let begun = now;
            while pair.next(None, false, at(now)).is_none() {
                now += 1;
            }
            pauses.push(now - begun);
        }
        assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(matches!(pair.pair(None).state, SyncState::Error { problem } if problem.retryable));
        pair.started(at(now));
        pair.reported(ended(0), at(now));
        pair.crashed("killed".to_owned(), at(now));
        assert_eq!(pair.next(None, false, at(now)), Some(PairStep::Start));
    }

    #[test]
    fn a_run_that_was_asked_for_during_another_one_is_waited_for() {
        let mut pair = pair();
        pair.started(at(0));
        pair.ordered(at(1));
        pair.reported(ended(0), at(2));
        assert!(pair.is_running(), "the one that was asked for follows");
        pair.reported(SyncReport::Running, at(2));
        pair.reported(ended(0), at(3));
        assert!(!pair.is_running());
        pair.ordered(at(4));
        pair.reported(ended(0), at(5));
        assert!(!pair.is_running());
    }

    #[test]
    fn a_question_ends_with_the_process_that_asked_it() {
        let mut pair = pair();
        let report = SyncReport::Asking {
            preview: SyncPreview::default(),
            watched: true,
            next: 1,
        };
        pair.reported(report.clone(), at(0));
        assert!(pair.question().is_some() && pair.notice().is_some());
        pair.stopped();
        assert!(pair.question().is_none() && pair.notice().is_none());
        pair.reported(report, at(1));
        pair.reported(SyncReport::Running, at(2));
        assert!(pair.question().is_none(), "it may be another one by now");
    }
}
