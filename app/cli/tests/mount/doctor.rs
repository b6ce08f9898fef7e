//! The test of this computer.

use std::fs;
use std::process::Output;

use serde_json::Value;

use crate::fixture::{Volume, text};

/// Examines a home in which no agent runs.
fn examine(home: &Volume) -> Output {
    let mut doctor = home.program();
    doctor
        .args(["doctor", "--json"])
        .env("XDG_RUNTIME_DIR", home.path().join("run"))
        .env_remove("XDG_CONFIG_HOME");
    doctor.output().expect("the program starts")
}

/// Steps and how they ended, as `step outcome`.
fn outcomes(list: &Value) -> Vec<String> {
    let lines = list["lines"].as_array().expect("a list");
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    lines
        .iter()
        .map(|line| format!("{} {}", word(&line["step"]), word(&line["outcome"]["outcome"])))
        .collect()
}

#[test]
fn a_volume_for_trial_is_made_used_and_removed_without_a_trace() {
    let Some(volume) = Volume::home() else { return };
    let output = examine(&volume);
    assert!(output.status.success(), "{}", text(&output));
    let list: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let outcomes = outcomes(&list);
    for expected in [
        "driver passed",
        "folders passed",
        "agent warned",
        "secret_store skipped",
        "trial_volume passed",
        "trial_mount passed",
        "trial_check passed",
    ] {
        assert!(
            outcomes.contains(&expected.to_owned()),
            "{expected}: {outcomes:?}"
        );
    }
    let left = fs::read_dir(volume.path().join(".cache/moorage")).expect("the cache folder");
    assert_eq!(left.count(), 0, "nothing is left");
    let mounts = fs::read_to_string("/proc/self/mounts").expect("the mount table");
    assert!(!mounts.contains(&volume.path().display().to_string()), "{mounts}");
}

#[test]
fn a_folder_that_can_not_be_written_is_named_and_no_trial_is_made_there() {
    let Some(volume) = Volume::home() else { return };
    fs::create_dir_all(volume.path().join(".cache")).expect("made");
    fs::write(volume.path().join(".cache/moorage"), "in the way").expect("written");
    let output = examine(&volume);
    assert_eq!(output.status.code(), Some(7), "{}", text(&output));
    let list: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let outcomes = outcomes(&list);
    for expected in ["folders failed", "trial_volume failed", "trial_mount skipped"] {
        assert!(
            outcomes.contains(&expected.to_owned()),
            "{expected}: {outcomes:?}"
        );
    }
    let problem = &list["lines"][1]["outcome"]["problem"];
    assert!(
        problem["message"]
            .as_str()
            .is_some_and(|said| said.contains(".cache/moorage")),
        "{problem}"
    );
}
