//! A pause stops what nobody waits for, and nothing else.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::figures::{only_here, truth, write_durably};
use crate::fixture::{end_of, text, until};
use crate::remote::RemoteVolume;
use crate::running::{Agent, program};
use crate::server::Mood;

fn paused(agent: &Agent<'_>) -> bool {
    agent.json(&["agent", "status"])["pause"]["pause"] == "paused"
}

#[test]
fn nothing_is_uploaded_until_it_is_resumed_whatever_is_killed_meanwhile() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mounted("mount");
    let agent = Agent::start(&remote.volume);
    agent.add(&["--mount"]);
    let pause = agent.json(&["agent", "pause"]);
    assert_eq!(pause, serde_json::json!({"pause": "paused", "until": null}));
    write_durably(&mount.file("one"), 1);
    assert_eq!(only_here(&truth(&agent)).map(|(files, _)| files), Some(1));
    agent.kill();
    let workers = mount.workers();
    let &[worker] = workers.as_slice() else {
        panic!("one process serves the mount: {workers:?}");
    };
    kill(Pid::from_raw(worker), Signal::SIGKILL).expect("ours");
    until("the mount to come back", || {
        fs::metadata(mount.file("one")).is_ok()
    });
    write_durably(&mount.file("two"), 2);
    let agent = Agent::start(&remote.volume);
    assert!(paused(&agent));
    assert_eq!(only_here(&truth(&agent)).map(|(files, _)| files), Some(2));
    assert_eq!(agent.state(), "mounted", "a pause is no trouble");
    assert_eq!(remote.blocks(), 0, "nothing was uploaded");
    assert_eq!(fs::read(mount.file("one")).expect("read").first(), Some(&1));
    agent.run(&["agent", "resume"]);
    until("all to be stored", || truth(&agent)["truth"] == "stored");
    assert_eq!((remote.blocks(), paused(&agent)), (2, false));
}

#[test]
fn an_upload_under_way_is_broken_off_and_made_again() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mounted("mount");
    let agent = Agent::start(&remote.volume);
    agent.add(&["--mount"]);
    remote.server.be(Mood::Silent);
    let before = remote.server.count();
    write_durably(&mount.file("one"), 1);
    until("the upload to begin", || remote.server.count() > before);
    agent.run(&["agent", "pause"]);
    let asked = remote.server.count();
    remote.server.be(Mood::Well);
    assert!(only_here(&truth(&agent)).is_some());
    assert_eq!(remote.server.count(), asked, "it is not tried again");
    agent.run(&["agent", "resume"]);
    until("all to be stored", || truth(&agent)["truth"] == "stored");
    assert_eq!(remote.blocks(), 1);
}

#[test]
fn a_pause_for_a_time_ends_by_itself_without_an_agent() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mounted("mount");
    let agent = Agent::start(&remote.volume);
    agent.add(&["--mount"]);
    let pause = agent.json(&["agent", "pause", "--for", "2s"]);
    assert!(pause["until"].as_u64().is_some(), "{pause}");
    agent.kill();
    write_durably(&mount.file("one"), 1);
    until("it to be uploaded", || remote.blocks() == 1);
    let agent = Agent::start(&remote.volume);
    assert!(!paused(&agent));
}

#[test]
fn what_is_read_is_fetched_and_nothing_ahead_of_it() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mounted("mount");
    let agent = Agent::start(&remote.volume);
    agent.add(&["--mount", "--no-writeback", "--cache-size", "0"]);
    write_durably(&mount.file("one"), 1);
    agent.run(&["volume", "unmount", "disk"]);
    agent.run(&["agent", "pause", "--for", "1h"]);
    agent.run(&["volume", "mount", "disk"]);
    assert_eq!(fs::read(mount.file("one")).expect("read").last(), Some(&1));
    // Somebody waits for this one.
    write_durably(&mount.file("two"), 2);
    assert_eq!(remote.blocks(), 2);
    let status = agent.run(&["agent", "status"]);
    assert!(status.contains("paused for 60 min more"), "{status}");
}

#[test]
fn an_unmount_says_that_it_waits_for_the_end_of_the_pause_and_goes_on_with_it() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mounted("mount");
    let agent = Agent::start(&remote.volume);
    agent.add(&["--mount"]);
    agent.run(&["agent", "pause"]);
    write_durably(&mount.file("one"), 1);
    let mut unmount = program(&remote.volume, &["umount"]);
    unmount.arg(mount.point());
    let log = remote.volume.path().join("umount.log");
    let mut unmount = unmount
        .stderr(fs::File::create(&log).expect("log"))
        .spawn()
        .expect("the program starts");
    until("it to say what it waits for", || {
        fs::read_to_string(&log).is_ok_and(|said| said.contains("`moorage agent resume`"))
    });
    assert!(only_here(&truth(&agent)).is_some());
    assert_eq!(remote.blocks(), 0);
    agent.run(&["agent", "resume"]);
    let status = end_of(&mut unmount);
    assert!(status.success(), "{status}");
    assert_eq!(remote.blocks(), 1);
    until("the agent to say so", || truth(&agent)["truth"] == "stored");
}

#[test]
fn an_unmount_by_force_leaves_what_is_paused_on_this_disk() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mounted("mount");
    let agent = Agent::start(&remote.volume);
    agent.add(&["--mount"]);
    agent.run(&["agent", "pause"]);
    write_durably(&mount.file("one"), 1);
    let output = mount.umount(&["--force"]);
    assert!(
        text(&output).contains("uploaded by the next mount"),
        "{}",
        text(&output)
    );
    until("the agent to tell of it", || {
        agent.state() == "error" && only_here(&truth(&agent)).is_some()
    });
    let problem = agent.only_volume()["state"]["problem"].clone();
    let cause = problem["cause"].as_str().unwrap_or_default();
    assert!(
        cause.contains("1 block (293.0 KiB) not in the object store yet"),
        "{problem}"
    );
    agent.run(&["agent", "resume"]);
    agent.run(&["volume", "mount", "disk"]);
    until("all to be stored", || truth(&agent)["truth"] == "stored");
    assert_eq!(remote.blocks(), 1);
}
