//! What a person is told, transition by transition.

use std::time::{Duration, Instant};

use moorage_control::settings::Pause;
use moorage_control::state::{Reason, ReasonCode, Timestamp, VolumeState};
use moorage_control::truth::Truth;
use moorage_control::volume::Volume;

use super::{Kind, Notification, Teller, Text};
use crate::agent::Heard;
use crate::page::Page;
use crate::tray::tests::{heard, problem, volume};
use crate::words::words;
use moorage_control::problem::ProblemCode;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn failed(name: &str) -> Volume {
    let problem = problem(ProblemCode::Authentication, "The key is refused.");
    volume(name, VolumeState::Error { problem })
}

fn reason(code: ReasonCode, message: &str) -> Reason {
    Reason {
        code,
        message: message.to_owned(),
        advice: "Check the network.".to_owned(),
        since: Timestamp(0),
    }
}

fn locked(name: &str) -> Volume {
    let reason = reason(ReasonCode::KeyringLocked, "The keyring is locked.");
    volume(name, VolumeState::Unconfigured { reason })
}

fn stuck(name: &str) -> Volume {
    let reasons = vec![reason(ReasonCode::StoreUnavailable, "The store does not answer.")];
    Volume {
        truth: Truth::OnlyHere {
            files: 1,
            bytes: 1,
            oldest: None,
        },
        ..volume(name, VolumeState::Degraded { reasons })
    }
}

fn stuck_agent() -> Heard {
    let mut heard = heard(vec![stuck("Photos")]);
    heard.status.truth = heard.volumes[0].truth.clone();
    heard
}

fn kinds(told: &[Notification]) -> Vec<Kind> {
    told.iter().map(|notification| notification.kind).collect()
}

fn text(notification: &Notification, language: &str) -> Text {
    words(language).notification_text(notification)
}

#[test]
fn a_volume_that_failed_is_told_once_while_it_lasts() {
    let (mut teller, begun) = (Teller::default(), Instant::now());
    assert_eq!(teller.hear(&heard(Vec::new()), false, begun), []);
    let told = teller.hear(&heard(vec![failed("Photos")]), false, begun);
    let [first] = told.as_slice() else {
        panic!("{told:?}");
    };
    let said = text(first, "en");
    assert_eq!(said.title, "“Photos” is not mounted");
    assert_eq!(said.body, "The key is refused. Try again.");
    assert_eq!(first.page, Page::Volume(failed("Photos").id));
    for minutes in [0, 1, 31, 600] {
        let later = begun + MINUTE * minutes;
        assert_eq!(teller.hear(&heard(vec![failed("Photos")]), false, later), []);
    }
}

#[test]
fn what_comes_and_goes_is_told_at_most_once_in_half_an_hour() {
    let (mut teller, begun) = (Teller::default(), Instant::now());
    let mut told = 0;
    for second in 0..3_600 {
        let volumes = if second % 20 < 10 {
            vec![failed("Photos")]
        } else {
            Vec::new()
        };
        told += teller.hear(&heard(volumes), false, begun + SECOND * second).len();
    }
    assert_eq!(told, 2);
}

#[test]
fn several_of_a_kind_are_one_notification() {
    let mut teller = Teller::default();
    let volumes = ["a", "b", "c", "d", "e"].map(failed).to_vec();
    let told = teller.hear(&heard(volumes), false, Instant::now());
    assert_eq!(kinds(&told), [Kind::Failed]);
    let said = text(&told[0], "en");
    assert_eq!(said.title, "5 volumes are not mounted");
    assert_eq!(said.body, "a, b, c and 2 more");
    assert_eq!(told[0].page, Page::Volumes);
}

#[test]
fn a_keyring_that_stays_locked_is_told_after_a_while_and_once_for_all_volumes() {
    let (mut teller, begun) = (Teller::default(), Instant::now());
    let volumes = || heard(vec![locked("Photos"), locked("Studio")]);
    assert_eq!(teller.hear(&volumes(), false, begun), []);
    let told = teller.hear(&volumes(), false, begun + MINUTE);
    assert_eq!(kinds(&told), [Kind::Locked]);
    assert_eq!(told[0].page, Page::Settings);
    assert_eq!(teller.hear(&volumes(), false, begun + 2 * MINUTE), []);
    let opened_by_login = &mut Teller::default();
    assert_eq!(opened_by_login.hear(&volumes(), false, begun), []);
    let well = heard(vec![volume("Photos", VolumeState::Mounted)]);
    assert_eq!(opened_by_login.hear(&well, false, begun + 2 * MINUTE), []);
}

#[test]
fn files_that_do_not_reach_the_store_are_told_and_so_is_that_they_did() {
    let (mut teller, begun) = (Teller::default(), Instant::now());
    assert_eq!(teller.hear(&stuck_agent(), false, begun), []);
    let told = teller.hear(&stuck_agent(), false, begun + MINUTE);
    assert_eq!(kinds(&told), [Kind::Unreachable]);
    let mut uploading = heard(vec![volume("Photos", VolumeState::Mounted)]);
    uploading.status.truth = Truth::OnlyHere {
        files: 1,
        bytes: 1,
        oldest: None,
    };
    let later = begun + 2 * MINUTE;
    assert_eq!(teller.hear(&uploading, false, later), [], "not all is stored yet");
    let stored = heard(vec![volume("Photos", VolumeState::Mounted)]);
    let told = teller.hear(&stored, false, later);
    assert_eq!(kinds(&told), [Kind::Stored]);
    assert_eq!(text(&told[0], "en").title, "All files are safely stored");
    assert_eq!(teller.hear(&stored, false, later), []);
}

#[test]
fn a_store_that_is_away_for_a_moment_and_files_that_a_pause_holds_are_no_news() {
    let (mut teller, begun) = (Teller::default(), Instant::now());
    let well = heard(vec![volume("Photos", VolumeState::Mounted)]);
    assert_eq!(teller.hear(&stuck_agent(), false, begun), []);
    assert_eq!(teller.hear(&well, false, begun + 30 * SECOND), []);
    let mut paused = stuck_agent();
    paused.status.pause = Pause::Paused { until: None };
    assert_eq!(teller.hear(&paused, false, begun + MINUTE), []);
    assert_eq!(teller.hear(&paused, false, begun + 3 * MINUTE), []);
}

#[test]
fn what_a_window_showed_or_is_switched_off_is_not_told_afterwards() {
    let (mut teller, begun) = (Teller::default(), Instant::now());
    assert_eq!(teller.hear(&heard(vec![failed("Photos")]), true, begun), []);
    let later = begun + MINUTE;
    assert_eq!(teller.hear(&heard(vec![failed("Photos")]), false, later), []);
    let mut off = heard(vec![failed("Studio")]);
    off.settings.notifications = false;
    assert_eq!(Teller::default().hear(&off, false, later), []);
}

#[test]
fn lost_data_is_told_before_all_else_and_every_kind_has_words_in_each_language() {
    let mut teller = Teller::default();
    let mut agent = heard(vec![failed("Photos")]);
    agent.status.truth = Truth::Lost {
        message: "/note.txt".to_owned(),
    };
    let told = teller.hear(&agent, false, Instant::now());
    assert_eq!(kinds(&told), [Kind::Lost, Kind::Failed]);
    for kind in [
        Kind::Lost,
        Kind::Failed,
        Kind::Incomplete,
        Kind::Locked,
        Kind::Unreachable,
        Kind::Asks,
        Kind::Stored,
    ] {
        for names in [vec!["x".to_owned()], vec!["x".to_owned(), "y".to_owned()]] {
            let notification = Notification {
                kind,
                names,
                ..told[1].clone()
            };
            let (english, german) = (text(&notification, "en"), text(&notification, "de"));
            assert_ne!(english.title, german.title, "{kind:?}");
            assert!(!english.title.is_empty() && !german.title.is_empty());
        }
    }
}
