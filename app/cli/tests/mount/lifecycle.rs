//! From mount to unmount, with everything that goes wrong between.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
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
fn a_mount_that_loses_its_supervisor_says_so_goes_on_and_can_be_unmounted() {
    let Some(volume) = Volume::format(&[]) else { return };
    let log = volume.path().join("own.log");
    let mount = volume.mount("mount", &["--log", log.to_str().expect("text")]);
    let workers = mount.workers();
    for pid in processes_naming(mount.point()) {
        if !workers.contains(&pid) {
            kill(Pid::from_raw(pid), Signal::SIGKILL).expect("ours");
        }
    }
    until("the mount to log it", || {
        fs::read_to_string(&log).is_ok_and(|text| text.contains("supervises this mount is gone"))
    });
    fs::write(mount.file("kept"), b"written since").expect("it goes on");
    let said = succeed(volume.program().arg("status").arg(volume.url()));
    assert!(said.contains("alive, its supervisor is gone"), "{said}");
    let output = mount.umount(&[]);
    assert!(output.status.success(), "{}", text(&output));
    until("all processes to end", || {
        processes_naming(mount.point()).is_empty()
    });
    let mount = volume.mount("mount", &[]);
    assert_eq!(fs::read(mount.file("kept")).expect("read"), b"written since");
    let said = succeed(volume.program().arg("status").arg(volume.url()));
    assert!(!said.contains("supervisor"), "{said}");
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

#[test]
fn what_a_background_mount_warns_of_is_read_by_whoever_started_it() {
    let Some(volume) = Volume::format(&[]) else { return };
    empty(&volume.path().join("objects"));
    let (point, mut command) = volume.mount_command("mount");
    let said = succeed(command.arg("-d").arg(volume.url()).arg(&point));
    assert!(
        said.contains("is EMPTY") && said.contains("is mounted at"),
        "{said}"
    );
    succeed(volume.program().arg("umount").arg(&point));
    let (point, mut command) = volume.mount_command("mount");
    let said = succeed(command.args(["-d", "--quiet"]).arg(volume.url()).arg(&point));
    assert_eq!(said, "");
    succeed(volume.program().arg("umount").arg(&point));
}

#[test]
fn a_quiet_background_mount_still_logs_what_a_person_needs_later() {
    let Some(volume) = Volume::format(&[]) else { return };
    let log = volume.path().join("the log");
    let (point, mut command) = volume.mount_command("mount");
    command
        .args(["-d", "--quiet", "--cache-size", "0", "--log"])
        .arg(&log);
    succeed(command.arg(volume.url()).arg(&point));
    fs::write(point.join("file"), [7; 10_000]).expect("written");
    empty(&volume.path().join("objects"));
    File::open(point.join("file"))
        .and_then(|file| {
            nix::fcntl::posix_fadvise(file, 0, 0, nix::fcntl::PosixFadviseAdvice::POSIX_FADV_DONTNEED)
                .map_err(Into::into)
        })
        .expect("dropped from the kernel's cache");
    fs::read(point.join("file")).expect_err("its object is gone");
    let logged = fs::read_to_string(&log).expect("a log");
    assert!(logged.contains("ERROR") && logged.contains("chunk 0"), "{logged}");
    succeed(volume.program().arg("umount").arg(&point));
}

#[test]
fn an_unmount_that_knows_no_process_does_not_claim_that_all_is_stored() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mount("mount", &[]);
    let records = volume.path().join(".local/state/moorage/mounts");
    empty(&records);
    let output = mount.umount(&["--force"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output).contains("not on record"), "{}", text(&output));
    assert!(!is_mounted(mount.point()));
}

#[test]
fn a_mount_whose_process_hangs_is_taken_away_with_and_without_force() {
    let Some(volume) = Volume::format(&[]) else { return };
    for options in [&["--no-wait"][..], &["--force", "--no-wait"]] {
        let mount = volume.mount("mount", &[]);
        let workers = mount.workers();
        for worker in &workers {
            kill(Pid::from_raw(*worker), Signal::SIGSTOP).expect("ours");
        }
        let output = mount.umount(options);
        for worker in &workers {
            kill(Pid::from_raw(*worker), Signal::SIGCONT).expect("ours");
        }
        assert!(output.status.success(), "{options:?}: {}", text(&output));
        assert!(!is_mounted(mount.point()));
        until("all processes to end", || {
            processes_naming(mount.point()).is_empty()
        });
    }
}

#[test]
fn a_stopped_process_is_named_and_not_waited_for_and_force_ends_it() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mount("mount", &[]);
    fs::write(mount.file("kept"), b"written").expect("written");
    let workers = mount.workers();
    let &[worker] = workers.as_slice() else {
        panic!("one worker serves the mount: {workers:?}");
    };
    let signal = |signal| kill(Pid::from_raw(worker), signal).expect("ours");
    signal(Signal::SIGSTOP);
    // The mount point is free after the first.
    for _ in 0..2 {
        let output = mount.umount(&[]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(6), "{said}");
        for part in [
            format!("process {worker}"),
            format!("kill -CONT {worker}"),
            "umount --force".to_owned(),
        ] {
            assert!(said.contains(&part), "{part} in {said}");
        }
        assert!(!is_mounted(mount.point()));
    }
    signal(Signal::SIGCONT);
    until("all processes to end", || {
        processes_naming(mount.point()).is_empty()
    });
    let mount = volume.mount("mount", &[]);
    assert_eq!(fs::read(mount.file("kept")).expect("read"), b"written");
    for worker in mount.workers() {
        kill(Pid::from_raw(worker), Signal::SIGSTOP).expect("ours");
    }
    let output = mount.umount(&["--force"]);
    assert!(output.status.success(), "{}", text(&output));
    until("all processes to end", || {
        processes_naming(mount.point()).is_empty()
    });
}

/// Removes everything in a folder.
fn empty(folder: &Path) {
    fs::remove_dir_all(folder).expect("removed");
    fs::create_dir(folder).expect("made again");
}
