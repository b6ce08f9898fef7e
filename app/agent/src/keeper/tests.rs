//! What is done about a volume, told as stories.

use moorage_control::state::Timestamp;

use super::*;
use crate::trouble::{lasting, passing};

const ABSENT: Sighting = Sighting::Absent { lost: None };

fn at(milliseconds: u64) -> Moment {
    // All moments of a test have one beginning.
    static BEGINNING: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    Moment {
        instant: *BEGINNING.get_or_init(Instant::now) + Duration::from_millis(milliseconds),
        wall: Timestamp(milliseconds),
    }
}

fn serving(process: u32) -> Sighting {
    Sighting::Serving {
        process,
        supervisor: Some(1),
    }
}

fn unreachable() -> Problem {
    passing(ProblemCode::Unreachable, "no answer", "Wait.")
}

fn mounted() -> Keeper {
    let mut keeper = Keeper::new(true);
    assert_eq!(keeper.saw(ABSENT, at(0)), None);
    assert_eq!(keeper.next(at(0)), Some(Step::Start));
    keeper.started(Ok(()), at(0));
    assert_eq!(keeper.saw(serving(2), at(0)), None);
    assert_eq!(keeper.state(false, at(0)), VolumeState::Mounted);
    keeper
}

#[test]
fn a_volume_is_mounted_at_start_or_when_somebody_wants_it() {
    mounted();
    let mut keeper = Keeper::new(false);
    keeper.saw(ABSENT, at(0));
    assert_eq!(keeper.next(at(0)), None);
    assert_eq!(keeper.state(false, at(0)), VolumeState::Stopped);
    keeper.mount();
    assert_eq!(keeper.next(at(0)), Some(Step::Start));
    assert_eq!(keeper.next(at(0)), None, "once");
}

#[test]
fn a_mount_of_an_earlier_agent_is_kept_and_not_started_again() {
    for found in [serving(2), Sighting::Returning] {
        let mut keeper = Keeper::new(false);
        keeper.saw(found, at(0));
        assert_eq!(keeper.next(at(0)), None);
        keeper.saw(serving(2), at(1));
        assert!(!keeper.is_at_rest());
    }
}

#[test]
fn a_mount_that_died_while_no_agent_ran_is_brought_back() {
    let mut keeper = Keeper::new(false);
    keeper.saw(Sighting::Dead, at(0));
    assert_eq!(keeper.next(at(0)), Some(Step::Start));
}

#[test]
fn a_crash_is_reported_for_a_while_whoever_brought_the_mount_back() {
    let mut keeper = mounted();
    assert_eq!(keeper.saw(serving(3), at(5)), Some(Event::Crashed { times: 1 }));
    let VolumeState::Degraded { reasons } = keeper.state(false, at(6)) else {
        panic!("{:?}", keeper.state(false, at(6)));
    };
    assert_eq!(
        (reasons[0].code, reasons[0].since),
        (ReasonCode::Crashed, Timestamp(5))
    );
    let later = at(6 + CRASH_SHOWN.as_millis() as u64);
    assert_eq!(keeper.state(false, later), VolumeState::Mounted);
}

#[test]
fn a_mount_that_is_remounted_by_hand_did_not_crash() {
    let mut keeper = mounted();
    let by_hand = Sighting::Serving {
        process: 9,
        supervisor: Some(8),
    };
    assert_eq!(keeper.saw(by_hand, at(5)), None);
    assert_eq!(keeper.state(false, at(5)), VolumeState::Mounted);
}

#[test]
fn a_mount_that_its_supervisor_brings_back_is_left_to_it() {
    let mut keeper = mounted();
    assert_eq!(
        keeper.saw(Sighting::Returning, at(1)),
        Some(Event::Crashed { times: 1 })
    );
    assert_eq!(keeper.next(at(100_000)), None);
    assert!(matches!(
        keeper.state(false, at(2)),
        VolumeState::Connecting {
            attempt: 1,
            reason: Some(Reason {
                code: ReasonCode::Crashed,
                ..
            })
        }
    ));
    assert_eq!(keeper.saw(Sighting::Dead, at(3)), None, "the same crash");
    assert_eq!(
        keeper.next(at(3)),
        Some(Step::Start),
        "its supervisor is gone too"
    );
}

#[test]
fn a_mount_that_crashes_again_and_again_is_started_ever_later() {
    let mut keeper = mounted();
    let mut time = 0;
    for times in 1..20 {
        let crashed = keeper.saw(Sighting::Dead, at(time));
        assert_eq!(crashed, Some(Event::Crashed { times }));
        let wait = delay(times).as_millis() as u64;
        if wait > 0 {
            assert_eq!(keeper.next(at(time + wait - 1)), None, "too early, time {times}");
        }
        time += wait;
        assert_eq!(keeper.next(at(time)), Some(Step::Start));
        keeper.started(Ok(()), at(time));
        keeper.saw(serving(100 + times), at(time));
    }
    assert_eq!(delay(19), LONGEST_DELAY);
}

#[test]
fn a_passing_failure_is_tried_again_later_and_said() {
    let mut keeper = Keeper::new(true);
    keeper.saw(ABSENT, at(0));
    assert_eq!(keeper.next(at(0)), Some(Step::Start));
    keeper.started(Err(unreachable()), at(1));
    let VolumeState::Connecting {
        attempt: 2,
        reason: Some(reason),
    } = keeper.state(false, at(1))
    else {
        panic!("{:?}", keeper.state(false, at(1)));
    };
    assert_eq!(reason.code, ReasonCode::MetadataUnavailable);
    assert_eq!(keeper.next(at(1000)), None);
    assert_eq!(keeper.next(at(1001)), Some(Step::Start));
    keeper.started(Ok(()), at(1002));
    keeper.saw(serving(2), at(1003));
    assert_eq!(keeper.state(false, at(1003)), VolumeState::Mounted);
}

#[test]
fn a_lasting_failure_waits_for_the_person() {
    let mut keeper = Keeper::new(true);
    keeper.saw(ABSENT, at(0));
    keeper.next(at(0));
    let problem = lasting(ProblemCode::NotFound, "no volume", "Make one.");
    keeper.started(Err(problem.clone()), at(1));
    assert_eq!(keeper.state(false, at(1)), VolumeState::Error { problem });
    assert_eq!(keeper.next(at(1_000_000)), None);
    keeper.mount();
    assert_eq!(keeper.next(at(2)), Some(Step::Start));
}

#[test]
fn a_password_that_is_not_known_is_not_called_wrong() {
    let mut keeper = Keeper::new(true);
    keeper.saw(ABSENT, at(0));
    keeper.next(at(0));
    keeper.started(
        Err(lasting(ProblemCode::Authentication, "refused", "Log in.")),
        at(1),
    );
    assert!(matches!(
        keeper.state(false, at(1)),
        VolumeState::Unconfigured {
            reason: Reason {
                code: ReasonCode::Incomplete,
                ..
            }
        }
    ));
    assert!(matches!(keeper.state(true, at(1)), VolumeState::Error { .. }));
}

#[test]
fn an_unmount_by_somebody_else_is_noticed_and_respected() {
    for after in [ABSENT, Sighting::Storing { files: 1, bytes: 2 }] {
        let mut keeper = mounted();
        assert_eq!(keeper.saw(after, at(1)), Some(Event::UnmountedByOthers));
        assert_eq!(keeper.next(at(2)), None);
    }
}

#[test]
fn an_unmount_shows_what_it_waits_for_and_then_stops() {
    let mut keeper = mounted();
    assert!(!keeper.unmount(false));
    assert_eq!(keeper.next(at(1)), Some(Step::Stop { lazy: false }));
    keeper.stopped(true);
    assert_eq!(keeper.saw(Sighting::Changing, at(2)), None);
    keeper.saw(Sighting::Storing { files: 1, bytes: 2 }, at(3));
    let uploads = UnmountWait::Uploads { files: 1, bytes: 2 };
    let waiting_for = Some(uploads);
    assert_eq!(
        keeper.state(false, at(3)),
        VolumeState::Unmounting { waiting_for }
    );
    assert_eq!(keeper.saw(ABSENT, at(4)), None);
    assert_eq!(keeper.state(false, at(4)), VolumeState::Stopped);
    assert!(keeper.is_at_rest());
}

#[test]
fn what_could_not_be_stored_is_told() {
    let mut keeper = mounted();
    keeper.unmount(false);
    keeper.next(at(1));
    keeper.stopped(true);
    let lost = Sighting::Absent {
        lost: Some("/a is lost".to_owned()),
    };
    assert_eq!(
        keeper.saw(lost, at(2)),
        Some(Event::Lost("/a is lost".to_owned()))
    );
    assert!(matches!(keeper.state(false, at(2)), VolumeState::Error { .. }));
}

#[test]
fn an_unmount_that_is_refused_leaves_the_volume_mounted() {
    let mut keeper = mounted();
    keeper.unmount(false);
    keeper.next(at(1));
    keeper.stopped(false);
    keeper.saw(serving(2), at(2));
    assert_eq!(keeper.state(false, at(2)), VolumeState::Mounted);
    assert_eq!(keeper.next(at(3)), None);
}

#[test]
fn an_unmount_while_it_starts_gives_the_start_up_and_unmounts_what_came_of_it() {
    let mut keeper = Keeper::new(true);
    keeper.saw(ABSENT, at(0));
    keeper.next(at(0));
    assert!(keeper.unmount(false), "the start is given up");
    assert_eq!(keeper.next(at(1)), None);
    keeper.saw(serving(2), at(2));
    assert_eq!(keeper.next(at(2)), Some(Step::Stop { lazy: false }));
}

#[test]
fn a_dead_mount_is_taken_away_from_whoever_holds_it() {
    let mut keeper = mounted();
    keeper.saw(Sighting::Returning, at(1));
    keeper.unmount(false);
    assert_eq!(keeper.next(at(1)), Some(Step::Stop { lazy: true }));
}

fn locked() -> Problem {
    passing(ProblemCode::KeyringLocked, "the keyring is locked", "Unlock it.")
}

fn reason_of(state: &VolumeState) -> Option<ReasonCode> {
    match state {
        VolumeState::Unconfigured { reason } => Some(reason.code),
        _ => None,
    }
}

#[test]
fn a_locked_keyring_is_waited_for_and_said_without_a_pause_until_its_secrets_come() {
    let mut keeper = Keeper::new(true);
    keeper.saw(ABSENT, at(0));
    assert_eq!(keeper.next(at(0)), Some(Step::Start));
    keeper.started(Err(locked()), at(0));
    assert_eq!(
        reason_of(&keeper.state(true, at(0))),
        Some(ReasonCode::KeyringLocked)
    );
    assert_eq!(keeper.next(at(0)), None);
    assert_eq!(keeper.next(at(60_000)), Some(Step::Start), "by itself");
    let while_looking = keeper.state(true, at(60_000));
    assert_eq!(reason_of(&while_looking), Some(ReasonCode::KeyringLocked));
    keeper.started(Err(locked()), at(60_000));
    keeper.secrets_came();
    assert_eq!(keeper.next(at(60_000)), Some(Step::Start), "at once");
    keeper.has_secrets();
    let connecting = keeper.state(true, at(60_000));
    assert!(
        matches!(connecting, VolumeState::Connecting { reason: None, .. }),
        "{connecting:?}"
    );
}

#[test]
fn a_secret_that_the_store_lost_is_asked_for_and_not_tried_without() {
    let mut keeper = Keeper::new(true);
    keeper.saw(ABSENT, at(0));
    keeper.next(at(0));
    let lost = lasting(ProblemCode::SecretMissing, "the password is gone", "Give it.");
    keeper.started(Err(lost), at(0));
    assert_eq!(
        reason_of(&keeper.state(true, at(0))),
        Some(ReasonCode::Incomplete)
    );
    assert_eq!(keeper.next(at(1_000_000)), None);
    assert!(keeper.is_at_rest());
    keeper.secrets_came();
    assert_eq!(keeper.next(at(1_000_000)), Some(Step::Start));
}

#[test]
fn secrets_that_come_change_nothing_for_a_volume_that_failed_otherwise_or_is_not_wanted() {
    let mut keeper = Keeper::new(true);
    keeper.saw(ABSENT, at(0));
    keeper.next(at(0));
    keeper.started(Err(unreachable()), at(0));
    keeper.secrets_came();
    assert_eq!(keeper.next(at(0)), None);
    keeper.unmount(false);
    keeper.secrets_came();
    assert_eq!(keeper.next(at(60_000)), None);
}

#[test]
fn on_another_network_the_next_attempt_is_made_at_once_and_the_waits_begin_anew() {
    let mut keeper = Keeper::new(true);
    keeper.saw(ABSENT, at(0));
    let mut now = 0;
    for _ in 0..6 {
        assert_eq!(keeper.next(at(now)), Some(Step::Start));
        keeper.started(Err(unreachable()), at(now));
        now += LONGEST_DELAY.as_millis() as u64;
    }
    let failed = now - LONGEST_DELAY.as_millis() as u64;
    assert_eq!(keeper.next(at(failed + 1)), None, "it waits long by now");
    keeper.begin_again(at(failed + 1));
    assert_eq!(keeper.next(at(failed + 1)), Some(Step::Start));
    keeper.started(Err(unreachable()), at(failed + 1));
    assert_eq!(keeper.next(at(failed + 1 + 2_000)), Some(Step::Start));
    let refused = lasting(ProblemCode::Authentication, "refused", "Give another.");
    keeper.started(Err(refused), at(failed + 2_001));
    keeper.begin_again(at(failed + 2_001));
    assert_eq!(keeper.next(at(failed + 2_001)), None, "a person is needed");
}
