//! Bandwidth limits over all volumes.

use std::time::{Duration, Instant};

use crate::figures::{FILE_BYTES, truth, write_durably};
use crate::fixture::{Volume, text, until};
use crate::remote::RemoteVolume;
use crate::running::{Agent, program};

/// Files of the test, each one block.
const FILES: u8 = 3;
/// A megabit per second in bytes.
const MEGABIT_BYTES: u64 = 1_000_000 / 8;
/// Bandwidth that a mount may save up.
const SAVED_UP: Duration = Duration::from_millis(200);

#[test]
fn uploads_keep_to_a_limit_that_a_mounted_volume_is_told_of_and_not_to_one_that_was_lifted() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mounted("mount");
    let agent = Agent::start(&remote.volume);
    agent.add(&["--mount"]);
    until("it to be mounted", || agent.state() == "mounted");
    let settings = agent.json(&["agent", "settings", "--upload-limit", "1"]);
    assert_eq!(settings["upload_limit"], MEGABIT_BYTES);
    let began = Instant::now();
    for file in 0..FILES {
        write_durably(&mount.file(&file.to_string()), file);
    }
    until("all to be stored", || truth(&agent)["truth"] == "stored");
    // What was saved up before, and the last block, which nobody waits for, come off.
    let waited_for = u64::from(FILES - 1) * FILE_BYTES as u64;
    let least = Duration::from_millis(waited_for * 1000 / MEGABIT_BYTES).saturating_sub(SAVED_UP);
    assert!(
        began.elapsed() >= least,
        "{:?} instead of {least:?}",
        began.elapsed()
    );
    let settings = agent.json(&["agent", "settings", "--upload-limit", "0"]);
    assert_eq!(settings["upload_limit"], serde_json::Value::Null);
}

#[test]
fn a_limit_outlives_the_agent() {
    let Some(volume) = Volume::home() else { return };
    let agent = Agent::start(&volume);
    agent.run(&[
        "agent",
        "settings",
        "--upload-limit",
        "8",
        "--download-limit",
        "16",
    ]);
    agent.kill();
    let agent = Agent::start(&volume);
    let settings = agent.json(&["agent", "settings"]);
    assert_eq!(
        (&settings["upload_limit"], &settings["download_limit"]),
        (&(8 * MEGABIT_BYTES).into(), &(16 * MEGABIT_BYTES).into())
    );
    let refused = program(&volume, &["agent", "settings", "--upload-limit", "-1"])
        .output()
        .expect("the program starts");
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
}
