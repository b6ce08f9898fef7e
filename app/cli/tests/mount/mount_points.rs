//! Mount points that are not as they should be.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fixture::{Volume, is_mounted, succeed, text, until};

/// A user and group that own nothing.
const NOBODY: u32 = 65_534;

fn refusal(volume: &Volume, point: &Path, options: &[&str]) -> String {
    let output = volume
        .program()
        .arg("mount")
        .arg("-d")
        .args(options)
        .arg(volume.url())
        .arg(point)
        .output()
        .expect("the program starts");
    assert!(!output.status.success(), "{}", text(&output));
    text(&output)
}

#[test]
fn what_is_no_empty_folder_is_refused_with_advice() {
    let Some(volume) = Volume::format(&[]) else { return };
    let missing = volume.path().join("missing");
    assert!(refusal(&volume, &missing, &[]).contains("mkdir -p"));
    let file = volume.path().join("file");
    fs::write(&file, b"x").expect("made");
    assert!(refusal(&volume, &file, &[]).contains("not a folder"));
    let full = volume.path().join("full");
    fs::create_dir(&full).expect("made");
    fs::write(full.join("entry"), b"x").expect("made");
    assert!(refusal(&volume, &full, &[]).contains("nonempty"));
    let mount = volume.mount("full", &["-o", "nonempty"]);
    assert!(!mount.file("entry").exists());
    assert!(mount.umount(&[]).status.success());
    assert!(full.join("entry").exists());
}

#[test]
fn an_unknown_mount_option_is_named() {
    let Some(volume) = Volume::format(&[]) else { return };
    let point = volume.path().join("point");
    fs::create_dir(&point).expect("made");
    assert!(refusal(&volume, &point, &["-o", "ro,frobnicate"]).contains("frobnicate"));
}

#[test]
fn the_mount_of_another_user_is_denied_and_not_missing_or_busy() {
    let Some(volume) = Volume::format(&[]) else { return };
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: only root can act as another user");
        return;
    }
    fs::set_permissions(volume.path(), fs::Permissions::from_mode(0o755)).expect("others pass through");
    // The build may lie where others can not pass.
    let program = volume.path().join("moorage");
    fs::hard_link(env!("CARGO_BIN_EXE_moorage"), &program)
        .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_moorage"), &program).map(drop))
        .expect("the program in this folder");
    for options in [&[][..], &["-o", "allow_other"]] {
        let mount = volume.mount("mount", options);
        for command in ["umount", "info", "rmr"] {
            let output = Command::new(&program)
                .arg(command)
                .arg(mount.point())
                .uid(NOBODY)
                .gid(NOBODY)
                .current_dir("/")
                .env("HOME", "/nonexistent")
                .stdin(Stdio::null())
                .output()
                .expect("the program starts");
            assert_eq!(output.status.code(), Some(5), "{command}: {}", text(&output));
        }
    }
}

#[test]
fn a_second_mount_at_the_same_point_is_refused() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mount("mount", &[]);
    let said = refusal(&volume, mount.point(), &[]);
    assert!(said.contains("testvolume") && said.contains("already"), "{said}");
}

#[test]
fn of_two_mounts_at_once_one_gets_the_point() {
    /// Enough for the two to meet between the look and the mount.
    const ROUNDS: usize = 5;
    let Some(volume) = Volume::format(&[]) else { return };
    for round in 0..ROUNDS {
        let (point, _) = volume.mount_command("mount");
        let start = || {
            let (_, mut command) = volume.mount_command("mount");
            command.arg("-d").arg(volume.url()).arg(&point);
            command.stderr(Stdio::null()).spawn().expect("the program starts")
        };
        let mut both = [start(), start()];
        let ended = both
            .each_mut()
            .map(|child| child.wait().expect("ended").success());
        assert_eq!(ended.iter().filter(|&&good| good).count(), 1, "round {round}");
        let mounts = fs::read_to_string("/proc/self/mounts").expect("the mount table");
        let here = mounts
            .lines()
            .filter(|line| line.contains(&format!("{} ", point.display())));
        assert_eq!(here.count(), 1, "round {round}");
        assert!(volume.mounted("mount").umount(&[]).status.success());
    }
}

#[test]
fn a_dead_mount_is_replaced() {
    let Some(volume) = Volume::format(&[]) else { return };
    let (point, mut command) = volume.mount_command("mount");
    let mut child = command
        .arg(volume.url())
        .arg(&point)
        .spawn()
        .expect("the program starts");
    until("the mount", || {
        is_mounted(&point) && point.join(".config").exists()
    });
    kill(
        Pid::from_raw(i32::try_from(child.id()).expect("pid")),
        Signal::SIGKILL,
    )
    .expect("ours");
    child.wait().expect("ended");
    assert!(fs::read_dir(&point).is_err());
    let mount = volume.mount("mount", &[]);
    fs::write(mount.file("file"), b"x").expect("written");
    assert!(mount.umount(&[]).status.success());
    assert!(!is_mounted(&point));
}

#[test]
fn a_dead_mount_is_unmounted() {
    let Some(volume) = Volume::format(&[]) else { return };
    let (point, mut command) = volume.mount_command("mount");
    let mut child = command
        .arg(volume.url())
        .arg(&point)
        .spawn()
        .expect("the program starts");
    until("the mount", || {
        is_mounted(&point) && point.join(".config").exists()
    });
    kill(
        Pid::from_raw(i32::try_from(child.id()).expect("pid")),
        Signal::SIGKILL,
    )
    .expect("ours");
    child.wait().expect("ended");
    succeed(volume.program().arg("umount").arg(&point));
    assert!(!is_mounted(&point));
    let again = volume
        .program()
        .arg("umount")
        .arg(&point)
        .output()
        .expect("the program starts");
    assert_eq!(again.status.code(), Some(3), "{}", text(&again));
}
