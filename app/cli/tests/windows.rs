//! The program on Windows: what works without a mount, and what it says where one is asked for.
#![cfg(windows)]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn moorage(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_moorage"))
        .args(arguments)
        .output()
        .expect("started")
}

fn succeed(arguments: &[&str]) -> String {
    let output = moorage(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn what_needs_a_mount_says_so_and_what_to_do() {
    for arguments in [
        &["mount", "sqlite3://C:/v.db", "X:", "--background"][..],
        &["umount", "X:"],
        &["quickstart"],
        &["agent", "status"],
        &["volume", "list"],
        &["pair", "list"],
        &["doctor"],
        &["log"],
    ] {
        let output = moorage(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("on Windows") && said.contains("moorage sync"),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn a_volume_is_made_filled_checked_dumped_and_loaded() {
    let root = tempfile::tempdir().expect("a folder");
    let path = |name: &str| root.path().join(name);
    let files = path("files");
    fs::create_dir_all(files.join("deep")).expect("made");
    fs::write(files.join("note.txt"), b"kept\n").expect("written");
    fs::write(files.join("deep/\u{fc}ber.bin"), vec![7; 5 << 20]).expect("written");
    let url = format!("sqlite3://{}", text(&path("meta.db")));
    let bucket = path("objects");
    succeed(&[
        "format",
        "--storage",
        "file",
        "--bucket",
        text(&bucket),
        &url,
        "disk",
    ]);
    succeed(&["sync", text(&files), &url]);
    succeed(&["fsck", &url]);
    let status = succeed(&["status", "--json", &url]);
    assert!(status.contains("disk"), "{status}");

    let back = path("back");
    succeed(&["sync", &url, text(&back)]);
    assert_eq!(fs::read(back.join("note.txt")).expect("read"), b"kept\n");
    let large = fs::read(back.join("deep/\u{fc}ber.bin")).expect("read");
    assert!(large.len() == 5 << 20 && large.iter().all(|byte| *byte == 7));

    succeed(&["gc", &url]);
    let dump = path("dump.json");
    succeed(&["dump", &url, text(&dump)]);
    let other = format!("sqlite3://{}", text(&path("other.db")));
    succeed(&["load", &other, text(&dump)]);
    succeed(&["fsck", &other]);
}

#[test]
fn names_that_windows_does_not_have_are_named_and_the_rest_is_copied() {
    let root = tempfile::tempdir().expect("a folder");
    let path = |name: &str| root.path().join(name);
    let files = path("files");
    fs::create_dir_all(&files).expect("made");
    fs::write(files.join("note.txt"), b"kept\n").expect("written");
    let url = format!("sqlite3://{}", text(&path("meta.db")));
    let bucket = path("objects");
    succeed(&[
        "format",
        "--storage",
        "file",
        "--bucket",
        text(&bucket),
        &url,
        "disk",
    ]);
    succeed(&["sync", text(&files), &url]);
    succeed(&["clone", &url, "/note.txt", "/what?.txt"]);
    let back = path("back");
    let output = moorage(&["sync", &url, text(&back)]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("what?.txt") && said.contains("Windows has no such names"),
        "{said}"
    );
    assert_eq!(fs::read_dir(&back).expect("read").count(), 1);
}
