//! From mount to unmount, with everything that goes wrong between.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fixture::{Volume, end_of, is_mounted, processes_naming, succeed, text, until};

#[test]
fn a_crashed_mount_comes_back_in_place() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mount("mount", &[]);
    fs::write(mount.file("kept"), b"before").expect("written");
    for round in 0..3 {
        let workers = mount.workers();
        let &[worker] = workers.as_slice() else {
            panic!("one worker serves the mount: {workers:?}");
        };
        kill(Pid::from_raw(worker), Signal::SIGKILL).expect("ours");
        until("the mount to come back", || {
            fs::read(mount.file("kept")).is_ok_and(|bytes| bytes == b"before")
        });
        assert_ne!(mount.workers(), [worker]);
        fs::write(mount.file(&format!("after {round}")), b"x").expect("written again");
    }
    let output = mount.umount(&[]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(!is_mounted(mount.point()));
    until("all processes to end", || {
        processes_naming(mount.point()).is_empty()
    });
}

#[test]
fn a_dead_mount_that_is_taken_away_does_not_come_back() {
    let Some(volume) = Volume::format(&[]) else {
        return;
    };
    let mount = volume.mount("mount", &[]);
    let (database, away) = (volume.path().join("meta.db"), volume.path().join("away.db"));
    // Without its database the mount dies and cannot be brought back for a while.
    fs::rename(&database, &away).expect("moved");
    let workers = mount.workers();
    let &[worker] = workers.as_slice() else {
        panic!("one worker serves the mount: {workers:?}");
    };
    kill(Pid::from_raw(worker), Signal::SIGKILL).expect("ours");
    until("the mount to be dead", || fs::read_dir(mount.point()).is_err());
    let output = mount.umount(&[]);
    assert!(output.status.success(), "{}", text(&output));
    until("the supervisor to end", || {
        processes_naming(mount.point()).is_empty()
    });
    assert!(!is_mounted(mount.point()));
}

#[test]
fn a_mount_in_use_is_not_unmounted_and_its_user_is_named() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mount("mount", &[]);
    let mut file = File::create(mount.file("open")).expect("file");
    let mut sleeper = std::process::Command::new("sleep")
        .arg("600")
        .current_dir(mount.point())
        .spawn()
        .expect("sleep");
    let output = mount.umount(&[]);
    assert!(!output.status.success());
    let said = text(&output);
    assert!(said.contains("sleep") && said.contains("--lazy"), "{said}");
    file.write_all(b"still works").expect("written");
    let output = mount.umount(&["--lazy"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(!is_mounted(mount.point()));
    file.write_all(b", also detached").expect("written");
    drop(file);
    sleeper.kill().expect("ours");
    sleeper.wait().expect("ended");
    until("the process to end with its last user", || {
        processes_naming(mount.point()).is_empty()
    });
    let again = volume.mount("mount", &[]);
    assert_eq!(
        fs::read(again.file("open")).expect("read"),
        b"still works, also detached"
    );
}

#[test]
fn a_signal_stores_what_is_open_and_unmounts() {
    let Some(volume) = Volume::format(&[]) else { return };
    let (point, mut command) = volume.mount_command("mount");
    let mut child = command
        .arg(volume.url())
        .arg(&point)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut said = BufReader::new(child.stderr.take().expect("piped")).lines();
    let line = said.next().expect("a line").expect("text");
    assert!(line.contains("mounted"), "{line}");
    fs::write(point.join("file"), b"written").expect("written");
    kill(
        Pid::from_raw(i32::try_from(child.id()).expect("pid")),
        Signal::SIGTERM,
    )
    .expect("ours");
    assert!(end_of(&mut child).success());
    assert!(!is_mounted(&point));
    let mount = volume.mount("mount", &[]);
    assert_eq!(fs::read(mount.file("file")).expect("read"), b"written");
}

#[test]
fn a_background_mount_that_can_not_open_its_volume_fails_with_the_reason() {
    let Some(volume) = Volume::home() else { return };
    let (point, mut command) = volume.mount_command("mount");
    let output = command
        .arg("-d")
        .arg(volume.url())
        .arg(&point)
        .output()
        .expect("the program starts");
    assert!(!output.status.success());
    let said = text(&output);
    assert!(said.contains("meta.db"), "{said}");
    assert!(!is_mounted(&point));
    until("all processes to end", || processes_naming(&point).is_empty());
}

#[test]
fn a_mount_in_the_background_says_where_its_log_is() {
    let Some(volume) = Volume::format(&[]) else { return };
    let (point, mut command) = volume.mount_command("mount");
    let log = volume.path().join("own.log");
    let said = succeed(
        command
            .args(["-d", "--log"])
            .arg(&log)
            .arg(volume.url())
            .arg(&point),
    );
    assert!(said.contains("own.log"), "{said}");
    assert!(log.exists());
    succeed(volume.program().arg("umount").arg(&point));
}
