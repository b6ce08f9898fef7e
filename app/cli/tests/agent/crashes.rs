//! Processes that are killed: none takes another with it, and all comes back.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fixture::{Mounted, Volume, is_mounted, processes_naming, until};
use crate::running::Agent;

fn kill_now(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("ours");
}

fn worker(mount: &Mounted) -> i32 {
    let workers = mount.workers();
    let &[worker] = workers.as_slice() else {
        panic!("one process serves the mount: {workers:?}");
    };
    worker
}

fn is_back(mount: &Mounted) -> bool {
    fs::read(mount.file("kept")).is_ok_and(|bytes| bytes == b"before")
}

#[test]
fn a_killed_mount_process_is_healed_and_reported() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    fs::write(mount.file("kept"), b"before").expect("written");
    kill_now(worker(&mount));
    until("the mount to come back", || is_back(&mount));
    until("the crash to be reported", || agent.state() == "degraded");
    let reason = agent.only_volume()["state"]["reasons"][0].clone();
    assert_eq!(reason["code"], "crashed", "{reason}");
    let notices = agent.json(&["agent", "status"])["notices"].clone();
    assert_eq!(notices[0]["code"], "mount_crashed", "{notices}");
}

#[test]
fn a_mount_that_is_killed_with_its_supervisor_is_healed_by_the_agent() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    fs::write(mount.file("kept"), b"before").expect("written");
    let worker = worker(&mount);
    let supervisors = processes_naming(mount.point());
    for supervisor in supervisors.into_iter().filter(|pid| *pid != worker) {
        kill_now(supervisor);
    }
    kill_now(worker);
    until("the mount to come back", || is_back(&mount));
    until("the crash to be reported", || agent.state() == "degraded");
    agent.run(&["volume", "unmount", "disk"]);
    assert!(!is_mounted(mount.point()));
}

#[test]
fn a_killed_agent_leaves_the_mount_and_the_next_one_takes_it_over() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount", "--no-mount-at-start"]);
    let before = worker(&mount);
    agent.kill();
    fs::write(mount.file("kept"), b"before").expect("written without an agent");
    let agent = Agent::start(&volume);
    until("the next agent to find the mount", || agent.state() == "mounted");
    assert_eq!(worker(&mount), before);
    kill_now(before);
    until("the mount to come back", || is_back(&mount));
    agent.run(&["volume", "unmount", "disk"]);
    assert!(!is_mounted(mount.point()));
}

#[test]
fn an_agent_that_is_stopped_leaves_the_mount_too() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    let before = worker(&mount);
    agent.run(&["agent", "stop"]);
    agent.ends();
    assert_eq!(worker(&mount), before);
    fs::write(mount.file("kept"), b"before").expect("written without an agent");
}

#[test]
fn a_mount_that_died_while_no_agent_ran_is_brought_back_by_the_next_one() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount", "--no-mount-at-start"]);
    fs::write(mount.file("kept"), b"before").expect("written");
    let worker = worker(&mount);
    let supervisors = processes_naming(mount.point());
    agent.kill();
    for supervisor in supervisors.into_iter().filter(|pid| *pid != worker) {
        kill_now(supervisor);
    }
    kill_now(worker);
    until("the mount to be dead", || fs::read_dir(mount.point()).is_err());
    let _agent = Agent::start(&volume);
    until("the mount to come back", || is_back(&mount));
}
