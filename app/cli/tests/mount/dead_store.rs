//! Mounts whose object store stops answering.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fixture::{end_of, is_mounted, processes_naming, succeed, text, until};
use crate::remote::RemoteVolume;
use crate::server::Mood;

pub(crate) const LOST_BYTES: usize = 100_000;

/// A process that has written to a file and keeps it open. A process of its own, which closes no copy of the file:
/// every close waits for what was written.
pub(crate) fn holding(file: &Path) -> Child {
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(File::create(file).expect("made"))
        .spawn()
        .expect("cat");
    let input = child.stdin.as_mut().expect("piped");
    input.write_all(&[7; LOST_BYTES]).expect("taken");
    until("the file to be written", || {
        fs::metadata(file).is_ok_and(|found| found.len() == LOST_BYTES as u64)
    });
    child
}

#[test]
fn a_forced_unmount_ends_and_names_the_files_that_are_lost() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mount("mount", &[]);
    fs::create_dir(mount.file("folder")).expect("made");
    fs::write(mount.file("folder/kept"), b"stored before").expect("written");
    remote.server.be(Mood::Silent);
    let mut holder = holding(&mount.file("folder/lost"));
    let output = mount.umount(&["--force"]);
    assert!(!output.status.success());
    let said = text(&output);
    assert!(
        said.contains("/folder/lost (") && !said.contains("/folder/kept"),
        "{said}"
    );
    assert!(!is_mounted(mount.point()));
    until("all processes to end", || {
        processes_naming(mount.point()).is_empty()
    });
    holder.kill().expect("ours");
    holder.wait().expect("ended");
}

#[test]
fn an_unmount_that_waits_for_the_store_can_be_forced_later() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mount("mount", &[]);
    remote.server.be(Mood::Silent);
    let mut holder = holding(&mount.file("lost"));
    let output = mount.umount(&["--lazy"]);
    assert!(output.status.success(), "{}", text(&output));
    let said = text(&mount.umount(&["--force"]));
    assert!(said.contains("/lost ("), "{said}");
    until("all processes to end", || {
        processes_naming(mount.point()).is_empty()
    });
    holder.kill().expect("ours");
    holder.wait().expect("ended");
}

/// Writes a file whose program is told that it is not stored.
fn refused(file: &Path) {
    let mut file = File::create(file).expect("made");
    file.write_all(&[7; LOST_BYTES]).expect("taken");
    file.sync_all().expect_err("not stored");
}

#[test]
fn an_unmount_names_what_the_store_refuses_and_its_process_stores_it_later() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mount("mount", &["--io-retries", "0"]);
    fs::write(mount.file("kept"), b"stored before").expect("written");
    fs::create_dir(mount.file("folder")).expect("made");
    remote.server.be(Mood::Failing);
    refused(&mount.file("folder/late"));
    let first = mount.umount(&[]);
    let said = text(&first);
    assert!(!first.status.success(), "{said}");
    assert!(
        said.contains("data of 1 file is not stored: /folder/late (97.7 KiB)"),
        "{said}"
    );
    assert!(
        said.contains("umount --force") && !said.contains("kept"),
        "{said}"
    );
    assert!(!is_mounted(mount.point()));
    let again = mount.umount(&[]);
    assert!(!again.status.success(), "it is not stored yet");
    assert!(text(&again).contains("/folder/late"), "{}", text(&again));
    remote.server.be(Mood::Well);
    until("the process to store what it keeps", || {
        processes_naming(mount.point()).is_empty()
    });
    let mount = remote.volume.mount("mount", &[]);
    assert_eq!(
        fs::read(mount.file("folder/late")).expect("read"),
        [7; LOST_BYTES]
    );
    assert!(mount.umount(&[]).status.success());
}

#[test]
fn what_an_ended_mount_could_not_store_can_be_given_up_by_name() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mount("mount", &["--io-retries", "0"]);
    remote.server.be(Mood::Failing);
    refused(&mount.file("lost"));
    assert!(!mount.umount(&[]).status.success());
    let forced = mount.umount(&["--force"]);
    assert!(!forced.status.success());
    let said = text(&forced);
    assert!(said.contains("is lost: /lost (97.7 KiB)"), "{said}");
    until("all processes to end", || {
        processes_naming(mount.point()).is_empty()
    });
}

#[test]
fn an_ended_mount_whose_place_another_took_can_still_be_given_up() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let first = remote.volume.mount("mount", &["--io-retries", "0"]);
    remote.server.be(Mood::Failing);
    refused(&first.file("lost"));
    assert!(!first.umount(&[]).status.success());
    let second = remote.volume.mount("mount", &["--io-retries", "0"]);
    until("the first mount to find its place taken", || {
        let records = remote.volume.path().join(".local/state/moorage/mounts");
        let files = fs::read_dir(records).into_iter().flatten().flatten();
        files
            .filter(|file| file.path().extension().is_some_and(|ending| ending == "json"))
            .count()
            == 2
    });
    let ended = second.umount(&[]);
    assert!(ended.status.success(), "{}", text(&ended));
    let said = text(&ended);
    assert!(
        said.contains("earlier mount") && said.contains("--force"),
        "{said}"
    );
    let said = text(&second.umount(&["--force"]));
    assert!(said.contains("is lost: /lost (97.7 KiB)"), "{said}");
    until("all processes to end", || {
        processes_naming(second.point()).is_empty()
    });
}

#[test]
fn a_forced_unmount_keeps_what_is_staged_for_the_next_mount() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mount("mount", &["--writeback"]);
    remote.server.be(Mood::Silent);
    fs::write(mount.file("staged"), [7; 100_000]).expect("staged");
    let output = mount.umount(&["--force"]);
    assert!(!output.status.success());
    let said = text(&output);
    assert!(said.contains("mount-cache") && !said.contains("lost"), "{said}");
    assert_eq!(remote.blocks(), 0);
    remote.server.be(Mood::Well);
    let mount = remote.volume.mount("mount", &["--writeback"]);
    assert_eq!(fs::read(mount.file("staged")).expect("read"), [7; 100_000]);
    let output = mount.umount(&[]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(remote.blocks(), 1);
}

#[test]
fn an_unmount_whose_uploads_fail_says_where_the_blocks_are_and_how_they_get_into_the_store() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let options = ["--writeback", "--io-retries", "0"];
    let mount = remote.volume.mount("mount", &options);
    remote.server.be(Mood::Failing);
    fs::write(mount.file("staged"), [7; 100_000]).expect("staged");
    let output = mount.umount(&[]);
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    let said = text(&output);
    let advice = "1 block (97.7 KiB) waits in ";
    assert!(
        said.contains(advice) && said.contains("mount-cache") && said.contains("--writeback"),
        "{said}"
    );
    assert!(!said.contains("by itself") && !said.contains("..\n"), "{said}");
    remote.server.be(Mood::Well);
    let mount = remote.volume.mount("mount", &options);
    let output = mount.umount(&[]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(remote.blocks(), 1);
}

#[test]
fn an_unmount_says_once_what_it_waits_for_and_ends_when_that_is_stored() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote
        .volume
        .mount("mount", &["--writeback", "--put-timeout", "1s"]);
    remote.server.be(Mood::Silent);
    fs::write(mount.file("staged"), [7; 100_000]).expect("staged");
    let mut umount = remote.volume.program();
    umount.arg("umount").arg(mount.point()).stderr(Stdio::piped());
    let mut umount = umount.spawn().expect("the program starts");
    let mut said = BufReader::new(umount.stderr.take().expect("piped"));
    let mut first = String::new();
    said.read_line(&mut first).expect("text");
    assert_eq!(
        first,
        "Waiting until 1 block (97.7 KiB) is in the object store.\n"
    );
    remote.server.be(Mood::Well);
    assert!(end_of(&mut umount).success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("text");
    assert!(!rest.contains("Waiting"), "{rest}");
}

#[test]
fn an_unmount_says_that_it_waits_for_files_that_are_in_memory_alone() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mount("mount", &["--put-timeout", "1s"]);
    remote.server.be(Mood::Silent);
    let mut holder = holding(&mount.file("late"));
    holder.kill().expect("ours");
    holder.wait().expect("ended");
    let mut umount = remote.volume.program();
    umount.arg("umount").arg(mount.point()).stderr(Stdio::piped());
    let mut umount = umount.spawn().expect("the program starts");
    let mut said = BufReader::new(umount.stderr.take().expect("piped"));
    let mut first = String::new();
    said.read_line(&mut first).expect("text");
    assert_eq!(
        first,
        "Waiting for the object store to take the data of 1 file (97.7 KiB).\n"
    );
    remote.server.be(Mood::Well);
    assert!(end_of(&mut umount).success());
    assert_eq!(remote.blocks(), 1);
}

#[test]
fn what_a_killed_write_back_mount_has_staged_is_told_until_it_is_uploaded() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mount("mount", &["--writeback"]);
    remote.server.be(Mood::Silent);
    fs::write(mount.file("staged"), [7; LOST_BYTES]).expect("staged");
    for pid in processes_naming(mount.point()) {
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("ours");
    }
    until("all processes to end", || {
        processes_naming(mount.point()).is_empty()
    });
    let status = || {
        let mut status = remote.volume.program();
        succeed(status.arg("status").arg(remote.volume.url()))
    };
    let told = |said: &str| said.contains("1 block (") && said.contains("mount-cache");
    let said = status();
    assert!(told(&said) && said.contains("dead"), "{said}");
    let output = mount.umount(&[]);
    let said = text(&output);
    assert!(output.status.success() && told(&said), "{said}");
    remote.server.be(Mood::Well);
    let mount = remote.volume.mount("mount", &["--writeback"]);
    let said = status();
    assert!(!told(&said), "the running mount has it: {said}");
    assert!(mount.umount(&[]).status.success());
    assert_eq!(remote.blocks(), 1);
    let said = status();
    assert!(!told(&said), "{said}");
}

#[test]
fn info_marks_what_only_this_computer_has_until_it_is_uploaded() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mount("mount", &["--writeback"]);
    fs::write(mount.file("stored"), [7; 10_000]).expect("staged");
    until("the upload", || remote.blocks() == 1);
    remote.server.be(Mood::Failing);
    fs::write(mount.file("staged"), [7; LOST_BYTES]).expect("staged");
    let info = |name: &str, options: &[&str]| {
        let mut info = remote.volume.program();
        succeed(info.arg("info").args(options).arg(mount.file(name)))
    };
    let told = "1 of its blocks, 97.7 KiB, exists only on this computer";
    let said = info("staged", &[]);
    assert!(said.contains(told), "{said}");
    let said = info("staged", &["--json"]);
    assert!(
        said.contains("\"staged\": true") && said.contains("\"staged_blocks\": 1"),
        "{said}"
    );
    until("the first file to be known as stored", || {
        !info("stored", &[]).contains("only")
    });
    remote.server.be(Mood::Well);
    assert!(mount.umount(&[]).status.success());
    let mut info = remote.volume.program();
    let said = succeed(info.arg("info").arg(remote.volume.url()).arg("/staged"));
    assert!(!said.contains("only"), "{said}");
}

#[test]
fn what_a_deleted_staging_folder_held_is_said_to_be_lost_and_its_file_is_named() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let cache = remote.volume.path().join("mount-cache");
    let options = ["--writeback", "--io-retries", "0"];
    let mount = remote.volume.mount("mount", &options);
    remote.server.be(Mood::Failing);
    let lost = mount.file("lost");
    let mut file = File::create(&lost).expect("made");
    file.write_all(&[7; LOST_BYTES]).expect("taken");
    file.sync_all().expect("staged");
    drop(file);
    // The next process has nothing of it in memory.
    let before = mount.workers();
    for worker in &before {
        kill(Pid::from_raw(*worker), Signal::SIGKILL).expect("ours");
    }
    until("the mount to come back", || {
        mount.workers() != before && fs::metadata(&lost).is_ok()
    });
    for volume in fs::read_dir(&cache).expect("the cache") {
        let staging = volume.expect("an entry").path().join("staging-0");
        if staging.exists() {
            fs::remove_dir_all(staging).expect("deleted");
        }
    }
    let status = succeed(remote.volume.program().arg("status").arg(remote.volume.url()));
    assert!(status.contains("97.7 KiB of 1 file"), "{status}");
    assert!(
        status.contains("are lost") && status.contains("upload: /lost."),
        "{status}"
    );
    assert!(
        !status.contains("waits") && !status.contains("not uploaded yet"),
        "{status}"
    );
    let info = succeed(remote.volume.program().arg("info").arg(&lost));
    assert!(info.contains("Lost") && info.contains("97.7 KiB"), "{info}");
    let output = mount.umount(&[]);
    let said = text(&output);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("is lost: /lost (97.7 KiB)"), "{said}");
    assert!(!said.contains("wait in"), "{said}");
}
