//! The menu.

use moorage_control::settings::HoldRule;

use super::super::{Action, Icon, before_quit};
use super::*;

const END: &str = "---
> Open Moorage
> Settings
> Diagnostics
---
> Quit (volumes stay mounted)";

fn with_end(text: &str) -> String {
    format!("{text}\n{END}")
}

#[test]
fn without_an_agent_nothing_is_claimed_and_the_reason_is_said() {
    let silent = Seen::Silent {
        problem: Some(problem(
            ProblemCode::Unreachable,
            "no agent listens at /run/agent.sock",
        )),
    };
    let expected = "Not connected: what is stored is not known at the moment
no agent listens at /run/agent.sock";
    assert_eq!(text(&Shown::of(&silent, words("en")).menu), with_end(expected));
}

#[test]
fn an_agent_that_a_person_ended_can_be_started_and_nothing_is_claimed() {
    let shown = Shown::of(&Seen::Stopped, words("en"));
    let expected = "Stopped: what is stored is not known at the moment\n> Start Moorage again";
    assert_eq!(text(&shown.menu), with_end(expected));
    assert_eq!(shown.icon, Icon::Offline);
}

#[test]
fn an_agent_without_volumes_says_so() {
    let expected = "All files are safely stored
---
No volumes yet
---
Pause
    > For 15 minutes
    > For 1 hour
    > Until resumed
No recent transfers";
    assert_eq!(text(&show(heard(Vec::new())).menu), with_end(expected));
}

#[test]
fn every_volume_has_its_state_its_reason_and_what_can_be_done() {
    let volumes = vec![
        volume("Photos", VolumeState::Mounted),
        volume(
            "Studio",
            VolumeState::Degraded {
                reasons: vec![reason("The store does not answer.")],
            },
        ),
        volume(
            "Slow",
            VolumeState::Connecting {
                attempt: 2,
                reason: Some(reason("The database does not answer.")),
            },
        ),
        volume("Archive", VolumeState::Stopped),
        volume("Leaving", VolumeState::Unmounting { waiting_for: None }),
        volume(
            "Clients",
            VolumeState::Error {
                problem: problem(ProblemCode::Authentication, "The key is refused."),
            },
        ),
        volume(
            "Locked",
            VolumeState::Unconfigured {
                reason: reason("Its password is not known."),
            },
        ),
    ];
    let expected = "All files are safely stored
---
Photos: mounted
    > Open
    > Unmount
    > Details
Studio: degraded
    The store does not answer.
    > Open
    > Unmount
    > Details
Slow: connecting
    The database does not answer.
    > Unmount
    > Details
Archive: stopped
    > Mount
    > Details
Leaving: unmounting
    > Details
Clients: error
    The key is refused.
    > Mount
    > Details
Locked: incomplete
    Its password is not known.
    > Details
---
Pause
    > For 15 minutes
    > For 1 hour
    > Until resumed
No recent transfers";
    assert_eq!(text(&show(heard(volumes)).menu), with_end(expected));
}

#[test]
fn what_exists_only_here_comes_first_and_a_pause_can_be_ended() {
    let mut heard = heard(Vec::new());
    heard.status.truth = Truth::OnlyHere {
        files: 3,
        bytes: 1_200_000_000,
        oldest: None,
    };
    heard.status.pause = Pause::Paused { until: None };
    let expected = "3 files, 1.2 GB, exist only on this computer
---
No volumes yet
---
Paused
    > Resume
No recent transfers";
    assert_eq!(text(&show(heard).menu), with_end(expected));
}

#[test]
fn a_rule_that_holds_transfers_is_named_and_leads_to_the_settings() {
    let mut held = heard(Vec::new());
    held.status.held = Some(HoldRule::Metered);
    let shown = show(held);
    let menu = text(&shown.menu);
    assert!(
        menu.contains("Held: the connection is metered\n    > Settings"),
        "{menu}"
    );
    assert_eq!(shown.icon, Icon::Paused);
}

#[test]
fn what_the_agent_does_not_offer_is_said_and_can_not_be_pressed() {
    let mut heard = heard(Vec::new());
    heard.transfers = Transfers::NotOffered;
    heard.pause_refused = true;
    let expected = "All files are safely stored
---
No volumes yet
---
Pause: not available yet
Recent transfers: not available yet";
    assert_eq!(text(&show(heard).menu), with_end(expected));
}

#[test]
fn the_five_newest_transfers_are_named_by_the_ends_of_their_paths() {
    let mut heard = heard(Vec::new());
    let long = format!("{}/last.mov", "deep/".repeat(20));
    let failed = Progress::Failed {
        problem: problem(ProblemCode::Unreachable, "The store does not answer."),
    };
    heard.transfers = Transfers::Known(vec![
        transfer("a.jpg", Progress::Running { rate: 1 }),
        transfer(&long, Progress::Waiting),
        transfer("c.jpg", failed),
        transfer("d.jpg", Progress::Done { at: Timestamp(1) }),
        transfer("e.jpg", Progress::Paused),
        transfer("f.jpg", Progress::Waiting),
    ]);
    let shown = text(&show(heard).menu);
    let (_, rows) = shown.split_once("Recent transfers\n").expect("the transfers");
    let expected = "    ↑ a.jpg: 45 %
    ↑ …ep/deep/deep/deep/deep/deep/deep/deep//last.mov: 45 %
    ↑ c.jpg: failed
    ↑ d.jpg: 1 kB
    ↑ e.jpg: 45 %
---";
    assert!(rows.starts_with(expected), "{rows}");
}

#[test]
fn what_was_not_done_is_said_below_the_sentence() {
    let mut heard = heard(Vec::new());
    heard.failure = Some(problem(ProblemCode::MountPointBusy, "Photos is in use by gedit"));
    heard.status.notices = vec![problem(ProblemCode::Internal, "The settings were damaged")];
    let shown = text(&show(heard).menu);
    let expected = "All files are safely stored
Not done: Photos is in use by gedit
> The settings were damaged
---";
    assert!(shown.starts_with(expected), "{shown}");
}

#[test]
fn of_many_volumes_the_first_have_a_row_and_the_others_are_counted() {
    let volumes = (0..23)
        .map(|number| volume(&format!("v{number}"), VolumeState::Stopped))
        .collect();
    let shown = text(&show(heard(volumes)).menu);
    assert!(shown.contains("v19: stopped"), "{shown}");
    assert!(!shown.contains("v20: stopped"), "{shown}");
    assert!(shown.contains("> 3 more volumes…"), "{shown}");
}

#[test]
fn the_tray_speaks_the_language_of_the_window() {
    let seen = Seen::Heard(Box::new(heard(vec![volume("Fotos", VolumeState::Mounted)])));
    let shown = Shown::of(&seen, words("de"));
    assert_eq!(shown.tooltip, "Alle Dateien sind sicher gespeichert");
    let menu = text(&shown.menu);
    assert!(
        menu.contains("Fotos: eingehängt\n    > Öffnen\n    > Aushängen"),
        "{menu}"
    );
    let silent = Seen::Silent {
        problem: Some(problem(ProblemCode::Unreachable, "no agent listens")),
    };
    let menu = text(&Shown::of(&silent, words("de")).menu);
    assert!(menu.contains("\nEin Server antwortet nicht\n"), "{menu}");
    let reasons = vec![reason("The store does not answer.")];
    let degraded = volume("Fotos", VolumeState::Degraded { reasons });
    let menu = text(&Shown::of(&Seen::Heard(Box::new(heard(vec![degraded]))), words("de")).menu);
    assert!(menu.contains("Der Objektspeicher antwortet nicht"), "{menu}");
}

#[test]
fn what_a_row_does_survives_its_way_through_the_identifier_of_the_row() {
    let action = Action::Unmount(VolumeId("a \"b\" _c".to_owned()));
    let id = serde_json::to_string(&action).expect("an identifier");
    assert_eq!(
        serde_json::from_str::<Action>(&id).expect("the action again"),
        action
    );
}

#[test]
fn quitting_asks_only_when_files_would_be_left_that_exist_only_here() {
    let ask = |heard| before_quit(&Seen::Heard(Box::new(heard)), words("en"));
    assert_eq!(ask(heard(Vec::new())), None);
    for seen in [Seen::Stopped, Seen::Silent { problem: None }] {
        assert_eq!(before_quit(&seen, words("en")), None);
    }
    let mut left = heard(Vec::new());
    left.status.truth = Truth::OnlyHere {
        files: 3,
        bytes: 1_200_000_000,
        oldest: None,
    };
    let question = ask(left.clone()).expect("a question");
    assert_eq!(question.title, "3 files, 1.2 GB, exist only on this computer");
    assert!(
        question.body.starts_with("The upload goes on without the tray"),
        "{question:?}"
    );
    left.status.pause = Pause::Paused { until: None };
    let question = ask(left).expect("a question");
    assert!(question.body.contains("held"), "{question:?}");
}
