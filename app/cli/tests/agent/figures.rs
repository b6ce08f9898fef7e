//! Live figures, and the sentence of truth made of them.

use std::fs::{self, File};
use std::io::Write as _;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::fixture::{Volume, is_mounted, processes_naming, text, until};
use crate::remote::RemoteVolume;
use crate::running::Agent;
use crate::server::Mood;

pub(crate) const FILE_BYTES: usize = 300_000;

/// Writes a file so that it survives everything from here on.
pub(crate) fn write_durably(path: &std::path::Path, byte: u8) {
    let mut file = File::create(path).expect("made");
    file.write_all(&[byte; FILE_BYTES]).expect("written");
    file.sync_all().expect("synced");
}

/// The sentence of truth over all volumes.
pub(crate) fn truth(agent: &Agent<'_>) -> Value {
    agent.json(&["agent", "status"])["truth"].clone()
}

/// The files and bytes that exist only here.
pub(crate) fn only_here(truth: &Value) -> Option<(u64, u64)> {
    (truth["truth"] == "only_here").then_some(())?;
    Some((truth["files"].as_u64()?, truth["bytes"].as_u64()?))
}

fn figures(agent: &Agent<'_>) -> Value {
    agent.only_volume()["figures"].clone()
}

#[test]
fn a_mount_tells_its_figures_and_who_reads() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mounted("mount");
    let agent = Agent::start(&remote.volume);
    agent.add(&["--mount", "--no-writeback"]);
    write_durably(&mount.file("file"), 1);
    let file = File::open(mount.file("file")).expect("opened");
    let read = std::io::read_to_string(&file).expect("read");
    assert_eq!(read.len(), FILE_BYTES);
    drop(file);
    until("the figures to tell of it", || {
        let figures = figures(&agent);
        let uploaded = figures["bytes_uploaded"].as_u64();
        uploaded >= Some(FILE_BYTES as u64) && figures["space"]["inodes"].as_u64() >= Some(1)
    });
    let figures = figures(&agent);
    assert!(figures["operations"].as_u64() > Some(0), "{figures}");
    assert_eq!(figures["upload_queue"], 0, "{figures}");
    assert_eq!(figures["errors"], serde_json::json!([]), "{figures}");
    assert!(figures["cache"]["limit"].as_u64() > Some(0), "{figures}");
    assert_eq!(truth(&agent)["truth"], "stored");
    let listed = agent.run(&["volume", "list"]);
    assert!(listed.contains("stored"), "{listed}");
}

#[test]
fn the_process_that_reads_most_is_named() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    write_durably(&mount.file("file"), 1);
    // Read past the page cache of the kernel, which the mount does not see.
    let unmounted = agent.attempt(&["volume", "unmount", "disk"]);
    assert!(unmounted.status.success(), "{}", text(&unmounted));
    agent.run(&["volume", "mount", "disk"]);
    fs::read(mount.file("file")).expect("read");
    until("this process to be named", || {
        let first = figures(&agent)["top_readers"][0].clone();
        first["pid"] == std::process::id() && first["bytes"].as_u64() >= Some(FILE_BYTES as u64)
    });
}

#[test]
fn what_is_staged_is_told_while_the_store_is_away_after_kills_and_without_a_mount() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mounted("mount");
    let agent = Agent::start(&remote.volume);
    agent.add(&["--mount", "--no-mount-at-start"]);
    remote.server.be(Mood::Failing);
    write_durably(&mount.file("one"), 1);
    write_durably(&mount.file("two"), 2);
    let staged = Some((2, 2 * FILE_BYTES as u64));
    assert_eq!(only_here(&truth(&agent)), staged, "{}", truth(&agent));
    until("the trouble to be told", || {
        let state = agent.only_volume()["state"].clone();
        state["reasons"][0]["code"] == "store_unavailable"
    });
    agent.kill();
    for process in processes_naming(mount.point()) {
        // A supervisor may have ended with its mount.
        let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
    }
    until("the mount to be dead", || fs::read_dir(mount.point()).is_err());
    let output = mount.umount(&[]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(!is_mounted(mount.point()));
    let agent = Agent::start(&remote.volume);
    assert_eq!(only_here(&truth(&agent)), staged, "{}", truth(&agent));
    assert_eq!(agent.state(), "stopped");
    let said = agent.run(&["agent", "status"]);
    assert!(
        said.contains("2 files, 585.9 KiB, exist only on this computer"),
        "{said}"
    );
    remote.server.be(Mood::Well);
    agent.run(&["volume", "mount", "disk"]);
    until("all to be stored", || truth(&agent)["truth"] == "stored");
    assert_eq!(fs::read(mount.file("two")).expect("read"), [2; FILE_BYTES]);
    assert!(remote.blocks() >= 2);
}

#[test]
fn a_mount_that_hangs_is_said_to_and_nothing_is_claimed_of_it() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    until("all to be stored", || truth(&agent)["truth"] == "stored");
    let workers = mount.workers();
    let &[worker] = workers.as_slice() else {
        panic!("one process serves the mount: {workers:?}");
    };
    let worker = Pid::from_raw(worker);
    kill(worker, Signal::SIGSTOP).expect("ours");
    assert_eq!(truth(&agent)["truth"], "unknown");
    until("its silence to be told", || agent.state() == "degraded");
    let state = agent.only_volume()["state"].clone();
    assert_eq!(state["reasons"][0]["code"], "not_answering", "{state}");
    kill(worker, Signal::SIGCONT).expect("ours");
    until("it to be well again", || agent.state() == "mounted");
    assert_eq!(truth(&agent)["truth"], "stored");
}
