//! `moorage sync` from the command line.

use std::fs;

use crate::program::{Place, finish};

fn fill(place: &Place) {
    fs::create_dir_all(place.path("from/sub")).expect("folders");
    fs::write(place.path("from/a.txt"), "one").expect("a file");
    fs::write(place.path("from/sub/b.tmp"), "two").expect("a file");
}

#[test]
fn a_folder_is_copied_into_a_volume_and_out_of_it() {
    let place = Place::new();
    let url = place.volume(&[]);
    fill(&place);
    let copied = place.run(&["sync", "--json", "from", &url]).ends_with(0).json();
    assert_eq!(
        (&copied["copied"], &copied["copied_bytes"]),
        (&2.into(), &6.into()),
        "{copied}"
    );
    let mut out = place.command(&["sync", "jfs://disk/sub/", "out"]);
    finish(out.env("disk", &url)).ends_with(0);
    assert_eq!(
        fs::read_to_string(place.path("out/b.tmp")).expect("the copy"),
        "two"
    );
    let again = place.run(&["sync", "from", &url]).ends_with(0);
    assert!(again.out.starts_with("Copied 0 of 2 files"), "{}", again.out);
}

#[test]
fn patterns_count_in_their_order() {
    let place = Place::new();
    fill(&place);
    place
        .run(&[
            "sync",
            "--include",
            "b.*",
            "--exclude",
            "*.tmp",
            "--exclude=*.txt",
            "from",
            "to",
        ])
        .ends_with(0);
    assert!(place.path("to/sub/b.tmp").exists());
    assert!(!place.path("to/a.txt").exists());
    let wrong = place.run(&["sync", "--exclude", "[", "from", "to"]).ends_with(2);
    assert!(wrong.err.contains("is no pattern"), "{}", wrong.err);
}

#[test]
fn a_dry_run_says_what_it_would_do_and_makes_nothing() {
    let place = Place::new();
    fill(&place);
    let run = place.run(&["sync", "--dry", "from", "to"]).ends_with(0);
    let mut lines: Vec<&str> = run.out.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines[1..], ["would copy a.txt", "would copy sub/b.tmp"]);
    assert!(lines[0].starts_with("Would copy 2 of 2 files"), "{lines:?}");
    assert!(!place.path("to").exists());
}

#[test]
fn what_fails_is_named_and_the_rest_is_copied() {
    let place = Place::new();
    fill(&place);
    std::os::unix::fs::symlink("nowhere", place.path("from/dangling")).expect("a link");
    let run = place.run(&["sync", "from", "to"]).ends_with(1);
    assert!(run.err.contains("from/dangling"), "{}", run.err);
    assert!(run.out.contains("1 failed"), "{}", run.out);
    assert!(place.path("to/a.txt").exists());
    let json = place.run(&["sync", "--json", "from", "to"]).ends_with(1).json();
    assert_eq!(json["failures"][0]["path"], "dangling", "{json}");
}

#[test]
fn ends_that_make_no_sense_are_refused() {
    let place = Place::new();
    fill(&place);
    for (source, destination, code) in [
        ("from", "from/sub", 2),
        ("from", "from", 2),
        ("nowhere", "to", 3),
        ("from", "ftp://me:hunter2@host/x", 9),
        ("jfs://unset/", "to", 2),
    ] {
        let run = place.run(&["sync", source, destination]).ends_with(code);
        assert!(!run.err.contains("hunter2"), "{}", run.err);
        assert!(run.err.contains("what to do") || code == 3, "{}", run.err);
    }
    assert!(!place.path("to").exists());
}
