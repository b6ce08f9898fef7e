//! What the agent does about one volume and how it says so, decided from what it saw and when, and nothing else.

use std::time::Duration;

use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::state::{Reason, ReasonCode, UnmountWait, VolumeState};
use tokio::time::Instant;

use crate::moment::Moment;
use crate::mounts::Sighting;

/// Wait before the second attempt in a row; the first is at once, and each further one waits twice as long.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// Longest wait between two attempts: a person who mends something sees it work soon.
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// How long a volume that crashed and came back is said to have crashed, and how far apart crashes count as one series.
const CRASH_SHOWN: Duration = Duration::from_secs(10 * 60);

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Start the mount; its end is told by [`Keeper::started`].
    Start,
    /// Take the mount away; its end is told by [`Keeper::stopped`].
    Stop {
        /// From those who hold it, too.
        lazy: bool,
    },
}

/// What a person should hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The mount died, for the so-and-so-many-th time in a series.
    Crashed {
        /// Counted from 1.
        times: u32,
    },
    /// It was unmounted by somebody else than the agent.
    UnmountedByOthers,
    /// It ended, and not all was stored.
    Lost(String),
}

/// What is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Mounted,
    Unmounted,
}

/// What is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    None,
    Starting,
    Stopping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Crash {
    at: Moment,
    times: u32,
}

/// One volume.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    wish: Wish,
    /// Somebody asked for an unmount that was not tried yet; lazily or not.
    stop: Option<bool>,
    activity: Activity,
    sighting: Option<Sighting>,
    /// Attempts since it was last mounted.
    attempts: u32,
    /// No attempt before this.
    retry_at: Option<Instant>,
    /// Of the last attempt, or of the last mount's end.
    failure: Option<Problem>,
    failed_at: Option<Moment>,
    crash: Option<Crash>,
}

impl Keeper {
    /// A volume that was not looked at yet, and that is mounted at the start of the agent or not.
    pub(crate) fn new(mount_at_start: bool) -> Keeper {
        Keeper {
            wish: if mount_at_start {
                Wish::Mounted
            } else {
                Wish::Unmounted
            },
            stop: None,
            activity: Activity::None,
            sighting: None,
            attempts: 0,
            retry_at: None,
            failure: None,
            failed_at: None,
            crash: None,
        }
    }

    /// Whether nothing of it is mounted, being mounted or being stored.
    pub(crate) fn is_at_rest(&self) -> bool {
        let absent = matches!(self.sighting, None | Some(Sighting::Absent { .. }));
        let waits_for_a_person = self.wish == Wish::Unmounted || self.is_hopeless();
        absent && waits_for_a_person && self.activity == Activity::None
    }

    /// A person wants it mounted, now.
    pub(crate) fn mount(&mut self) {
        self.wish = Wish::Mounted;
        self.stop = None;
        self.forget_failures();
    }

    /// A person wants it unmounted. Whether a start is under way that should be given up.
    pub(crate) fn unmount(&mut self, lazy: bool) -> bool {
        self.wish = Wish::Unmounted;
        self.stop = Some(lazy);
        self.forget_failures();
        if self.activity != Activity::Starting {
            return false;
        }
        self.activity = Activity::None;
        self.sighting = Some(Sighting::Changing);
        true
    }

    /// Something was seen at its mount point.
    pub(crate) fn saw(&mut self, sighting: Sighting, now: Moment) -> Option<Event> {
        let before = self.sighting.replace(sighting.clone());
        let idle = self.activity == Activity::None;
        if is_mount(&sighting) && self.stop.is_none() && idle {
            // Mounted before this agent ran, or by hand.
            self.wish = Wish::Mounted;
        }
        if let Sighting::Serving { .. } = sighting
            && self.activity != Activity::Starting
        {
            self.forget_failures();
        }
        if has_crashed(before.as_ref(), &sighting) {
            return Some(self.crashed(now));
        }
        let stores = matches!(sighting, Sighting::Storing { .. });
        let Sighting::Absent { lost } = sighting else {
            let taken_away = stores && idle && before.as_ref().is_some_and(is_mount);
            return taken_away.then(|| self.ended_by_others()).flatten();
        };
        let was_there = match before {
            Some(Sighting::Absent { .. }) => {
                // Nothing came of what was to be unmounted; what is mounted later is another wish.
                self.stop = None;
                false
            }
            before => before.is_some(),
        };
        if !idle || !was_there {
            return None;
        }
        if let Some(text) = lost {
            self.wish = Wish::Unmounted;
            self.fail(lost_problem(&text), now);
            return Some(Event::Lost(text));
        }
        self.ended_by_others()
    }

    fn ended_by_others(&mut self) -> Option<Event> {
        self.stop = None;
        self.crash = None;
        let expected = std::mem::replace(&mut self.wish, Wish::Unmounted) == Wish::Unmounted;
        (!expected).then_some(Event::UnmountedByOthers)
    }

    fn crashed(&mut self, now: Moment) -> Event {
        let times = match self.crash {
            Some(last) if now.instant - last.at.instant < CRASH_SHOWN => last.times + 1,
            _ => 1,
        };
        self.crash = Some(Crash { at: now, times });
        self.retry_at = Some(now.instant + delay(times));
        Event::Crashed { times }
    }

    /// What is to be done now; it counts as under way from here on.
    pub(crate) fn next(&mut self, now: Moment) -> Option<Step> {
        let sighting = self.sighting.as_ref()?;
        if self.activity != Activity::None {
            return None;
        }
        match (self.wish, sighting) {
            (Wish::Mounted, Sighting::Absent { .. } | Sighting::Dead | Sighting::Storing { .. })
                if self.may_start(now) =>
            {
                self.activity = Activity::Starting;
                Some(Step::Start)
            }
            (Wish::Unmounted, sighting) if is_mount(sighting) => {
                let lazy = self.stop.take()?;
                // A dead mount has nothing to store, and only its name is in the way.
                let lazy = lazy || !matches!(sighting, Sighting::Serving { .. });
                self.activity = Activity::Stopping;
                Some(Step::Stop { lazy })
            }
            _ => None,
        }
    }

    fn may_start(&self, now: Moment) -> bool {
        !self.is_hopeless() && self.retry_at.is_none_or(|at| at <= now.instant)
    }

    fn is_hopeless(&self) -> bool {
        self.failure.as_ref().is_some_and(|problem| !problem.retryable)
    }

    /// Whether the last attempt failed for want of secrets.
    fn lacks_secrets(&self) -> bool {
        self.waits_for_store() || self.failure_code() == Some(ProblemCode::SecretMissing)
    }

    /// Whether it waits for the store of secrets to open.
    pub(crate) fn waits_for_store(&self) -> bool {
        let waits = [ProblemCode::KeyringLocked, ProblemCode::KeyringMissing];
        self.failure_code().is_some_and(|code| waits.contains(&code))
    }

    fn failure_code(&self) -> Option<ProblemCode> {
        self.failure.as_ref().map(|problem| problem.code)
    }

    /// The attempt under way has the secrets that an earlier one had not.
    pub(crate) fn has_secrets(&mut self) {
        if self.lacks_secrets() {
            self.failure = None;
            self.failed_at = None;
        }
    }

    /// Its secrets may be readable now: an attempt that failed for want of them is made again at once.
    pub(crate) fn secrets_came(&mut self) {
        if self.lacks_secrets() && self.wish == Wish::Mounted && self.activity == Activity::None {
            self.retry_at = None;
            self.attempts = 0;
            self.failure = None;
            self.failed_at = None;
        }
    }

    /// What kept it from being mounted may be over, as with another network: the next attempt is made now, and the waits
    /// between attempts begin anew.
    pub(crate) fn begin_again(&mut self, now: Moment) {
        if self.activity == Activity::None && !self.is_hopeless() && self.retry_at.is_some() {
            self.retry_at = Some(now.instant);
            self.attempts = 0;
        }
    }

    /// A start ended. A mount that answers is seen at the next look.
    pub(crate) fn started(&mut self, outcome: Result<(), Problem>, now: Moment) {
        if self.activity != Activity::Starting {
            return;
        }
        self.activity = Activity::None;
        match outcome {
            Ok(()) => self.sighting = Some(Sighting::Changing),
            Err(problem) => {
                self.attempts += 1;
                self.retry_at = Some(now.instant + delay(self.attempts + 1));
                self.fail(problem, now);
            }
        }
    }

    /// An unmount ended. One that was refused leaves the volume mounted.
    pub(crate) fn stopped(&mut self, done: bool) {
        if self.activity != Activity::Stopping {
            return;
        }
        self.activity = Activity::None;
        if done {
            self.crash = None;
            self.sighting = Some(Sighting::Changing);
        } else {
            self.wish = Wish::Mounted;
        }
    }

    fn fail(&mut self, problem: Problem, now: Moment) {
        // A keyring that is still locked is no news.
        let same = self.lacks_secrets() && self.failure_code() == Some(problem.code);
        self.failed_at = self.failed_at.filter(|_| same).or(Some(now));
        self.failure = Some(problem);
    }

    fn forget_failures(&mut self) {
        self.attempts = 0;
        self.retry_at = None;
        self.failure = None;
        self.failed_at = None;
    }

    /// The state in the words of the protocol. `has_secrets` tells a wrong password from one that is not known.
    pub(crate) fn state(&self, has_secrets: bool, now: Moment) -> VolumeState {
        match self.activity {
            // Looking for secrets again and again is no connecting.
            Activity::Starting if self.lacks_secrets() => {}
            Activity::Starting => return self.connecting(),
            Activity::Stopping => return VolumeState::Unmounting { waiting_for: None },
            Activity::None => {}
        }
        match &self.sighting {
            Some(Sighting::Serving { .. }) if self.stop.is_some() => {
                VolumeState::Unmounting { waiting_for: None }
            }
            Some(Sighting::Serving { .. }) => match self.shown_crash(now) {
                Some(reason) => VolumeState::Degraded {
                    reasons: vec![reason],
                },
                None => VolumeState::Mounted,
            },
            Some(Sighting::Storing { files, bytes }) if self.wish == Wish::Unmounted => {
                VolumeState::Unmounting {
                    waiting_for: Some(UnmountWait::Uploads {
                        files: *files,
                        bytes: *bytes,
                    }),
                }
            }
            Some(Sighting::Changing) if self.wish == Wish::Unmounted => {
                VolumeState::Unmounting { waiting_for: None }
            }
            _ => match &self.failure {
                Some(problem) if !problem.retryable || self.lacks_secrets() => {
                    self.failed(problem, has_secrets)
                }
                _ if self.wish == Wish::Mounted => self.connecting(),
                _ => VolumeState::Stopped,
            },
        }
    }

    fn failed(&self, problem: &Problem, has_secrets: bool) -> VolumeState {
        let (code, message, advice) = match problem.code {
            ProblemCode::KeyringLocked => (
                ReasonCode::KeyringLocked,
                problem.message.clone(),
                problem.advice.clone(),
            ),
            ProblemCode::KeyringMissing | ProblemCode::SecretMissing => (
                ReasonCode::Incomplete,
                problem.message.clone(),
                problem.advice.clone(),
            ),
            ProblemCode::Authentication if !has_secrets => (
                ReasonCode::Incomplete,
                format!("a password is needed that the agent does not know: {problem}"),
                "Set META_PASSWORD, run `moorage volume password` for it, and mount it again.".to_owned(),
            ),
            _ => {
                return VolumeState::Error {
                    problem: problem.clone(),
                };
            }
        };
        let reason = Reason {
            code,
            message,
            advice,
            since: self.failed_at.map_or_else(|| Moment::now().wall, |at| at.wall),
        };
        VolumeState::Unconfigured { reason }
    }

    fn connecting(&self) -> VolumeState {
        let reason = match (&self.failure, self.failed_at, &self.crash) {
            (Some(problem), Some(at), _) => Some(Reason {
                code: reason_code(problem.code),
                message: problem.message.clone(),
                advice: problem.advice.clone(),
                since: at.wall,
            }),
            (_, _, Some(crash)) => Some(crash_reason(crash)),
            _ => None,
        };
        let crashes = self
            .crash
            .as_ref()
            .map_or(0, |crash| crash.times.saturating_sub(1));
        VolumeState::Connecting {
            attempt: self.attempts.max(crashes) + 1,
            reason,
        }
    }

    fn shown_crash(&self, now: Moment) -> Option<Reason> {
        let crash = self.crash.as_ref()?;
        (now.instant - crash.at.instant < CRASH_SHOWN).then(|| crash_reason(crash))
    }
}

/// Whether something is mounted there, alive or not.
fn is_mount(sighting: &Sighting) -> bool {
    matches!(
        sighting,
        Sighting::Serving { .. } | Sighting::Returning | Sighting::Dead
    )
}

/// Whether a mount died between two looks.
fn has_crashed(before: Option<&Sighting>, now: &Sighting) -> bool {
    match (before, now) {
        // One crash may be seen twice: first its supervisor lives, then it is gone too.
        (Some(Sighting::Returning | Sighting::Dead), Sighting::Returning | Sighting::Dead) => false,
        (_, Sighting::Returning | Sighting::Dead) => true,
        (
            Some(Sighting::Serving {
                process: old,
                supervisor: Some(same),
            }),
            Sighting::Serving {
                process,
                supervisor: Some(supervisor),
            },
        ) => old != process && same == supervisor,
        _ => false,
    }
}

fn crash_reason(crash: &Crash) -> Reason {
    let times = match crash.times {
        1 => String::new(),
        times => format!(", {times} times within a short time"),
    };
    Reason {
        code: ReasonCode::Crashed,
        message: format!("the mount process ended unexpectedly and is started again{times}"),
        advice: "Nothing has to be done. If it happens again, look at the log of the mount and report it."
            .to_owned(),
        since: crash.at.wall,
    }
}

fn lost_problem(text: &str) -> Problem {
    Problem {
        code: ProblemCode::MountCrashed,
        message: "the mount ended, and not everything that was written is stored".to_owned(),
        cause: Some(text.trim_end().to_owned()),
        advice: "Mount the volume again: what is kept on this disk is uploaded then. Files whose data is lost have to be \
                 written again."
            .to_owned(),
        retryable: false,
    }
}

fn reason_code(code: ProblemCode) -> ReasonCode {
    match code {
        ProblemCode::Authentication => ReasonCode::Authentication,
        ProblemCode::KeyringLocked => ReasonCode::KeyringLocked,
        ProblemCode::Unreachable | ProblemCode::TimedOut => ReasonCode::MetadataUnavailable,
        ProblemCode::QuotaExceeded => ReasonCode::QuotaExceeded,
        ProblemCode::MountCrashed => ReasonCode::Crashed,
        _ => ReasonCode::Other,
    }
}

/// Nothing before the first attempt, then doubling.
fn delay(attempt: u32) -> Duration {
    match attempt.checked_sub(2) {
        None => Duration::ZERO,
        Some(doublings) => LONGEST_DELAY.min(FIRST_DELAY.saturating_mul(2_u32.saturating_pow(doublings))),
    }
}

#[cfg(test)]
mod tests;
