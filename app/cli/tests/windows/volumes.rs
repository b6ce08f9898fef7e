//! Volumes that are made, filled, read and checked by the program.

use std::fs;

use crate::home::{Home, text};

#[test]
fn what_needs_a_mount_says_so_and_what_to_do() {
    let home = Home::new();
    for arguments in [&["quickstart"][..], &["pair", "list"], &["doctor"]] {
        let said = home.refused(arguments);
        assert!(
            said.contains("on Windows") && said.contains("moorage sync"),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn a_mount_without_the_driver_names_it_and_its_version_and_leaves_nothing() {
    let home = Home::new();
    let url = format!("sqlite3://{}", text(&home.path().join("none.db")));
    for arguments in [&["mount", &url, "X:"][..], &["mount", "-d", &url, "X:"]] {
        let said = home.refused(arguments);
        assert!(
            said.contains("WinFsp is not installed")
                && said.contains("WinFsp 2.1 or newer")
                && said.contains("winfsp.dev"),
            "{said}"
        );
    }
    let absent = home.refused(&["umount", "X:"]);
    assert!(absent.contains("no volume is mounted at X:"), "{absent}");
    assert!(
        !home.path().join("none.db").exists(),
        "the volume is not looked at"
    );
}

#[test]
fn a_volume_is_made_filled_checked_dumped_and_loaded() {
    let home = Home::new();
    let path = |name: &str| home.path().join(name);
    let files = path("files");
    fs::create_dir_all(files.join("deep")).expect("made");
    fs::write(files.join("note.txt"), b"kept\n").expect("written");
    fs::write(files.join("deep/\u{fc}ber.bin"), vec![7; 5 << 20]).expect("written");
    let url = home.volume();
    home.succeed(&["sync", text(&files), &url]);
    home.succeed(&["fsck", &url]);
    let status = home.succeed(&["status", "--json", &url]);
    assert!(status.contains("disk"), "{status}");

    let back = path("back");
    home.succeed(&["sync", &url, text(&back)]);
    assert_eq!(fs::read(back.join("note.txt")).expect("read"), b"kept\n");
    let large = fs::read(back.join("deep/\u{fc}ber.bin")).expect("read");
    assert!(large.len() == 5 << 20 && large.iter().all(|byte| *byte == 7));

    home.succeed(&["gc", &url]);
    let dump = path("dump.json");
    home.succeed(&["dump", &url, text(&dump)]);
    let other = format!("sqlite3://{}", text(&path("other.db")));
    home.succeed(&["load", &other, text(&dump)]);
    home.succeed(&["fsck", &other]);
}

#[test]
fn names_that_windows_does_not_have_are_named_and_the_rest_is_copied() {
    let home = Home::new();
    let path = |name: &str| home.path().join(name);
    let files = path("files");
    fs::create_dir_all(&files).expect("made");
    fs::write(files.join("note.txt"), b"kept\n").expect("written");
    let url = home.volume();
    home.succeed(&["sync", text(&files), &url]);
    home.succeed(&["clone", &url, "/note.txt", "/what?.txt"]);
    let back = path("back");
    let said = home.refused(&["sync", &url, text(&back)]);
    assert!(
        said.contains("what?.txt") && said.contains("Windows has no such names"),
        "{said}"
    );
    assert_eq!(fs::read_dir(&back).expect("read").count(), 1);
}
