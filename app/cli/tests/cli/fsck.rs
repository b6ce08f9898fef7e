//! What a check of a volume says.

use crate::program::Place;

#[test]
fn a_check_claims_no_more_than_it_did() {
    let place = Place::new();
    let url = place.volume(&[]);
    let said = |options: &[&str]| {
        let mut arguments = vec!["fsck", url.as_str()];
        arguments.extend(options);
        place.run(&arguments).ends_with(0).out
    };
    assert!(said(&[]).ends_with("Contents of objects were not read; --verify-contents does that.\n"));
    assert!(said(&["--verify-contents"]).contains("Plain objects carry no checksum"));
    let found = place.run(&["fsck", "--json", "--verify-contents", &url]);
    let found = found.ends_with(0).json();
    assert_eq!(found["contents"], "length", "{found}");
}

/// The last line of a check that found something.
fn closing_line(place: &Place, arguments: &[&str]) -> String {
    let run = place.run(arguments).ends_with(7);
    run.err.lines().last().expect("what to do").trim().to_owned()
}

#[test]
fn a_repair_is_promised_only_where_the_list_marks_one() {
    let place = Place::new();
    let url = place.volume(&[]);
    let raw = rusqlite::Connection::open(url.trim_start_matches("sqlite3://")).expect("the database");
    raw.execute_batch("INSERT INTO jfs_session2 (sid, expire, info) VALUES (7, 'x', '{}')")
        .expect("it is damaged");
    let none = "what to do: No safe repair is left; the list says what to do about each finding.";
    assert_eq!(closing_line(&place, &["fsck", &url]), none);
    raw.execute_batch("UPDATE jfs_node SET nlink = 9 WHERE inode = 1")
        .expect("it has drifted");
    let said = closing_line(&place, &["fsck", &url]);
    assert!(said.contains("`moorage fsck --repair`"), "{said}");
    assert_eq!(closing_line(&place, &["fsck", "--repair", &url]), none);
}

#[test]
fn a_volume_without_its_root_says_what_brings_it_back_and_asks_for_no_check() {
    let place = Place::new();
    let url = place.volume(&[]);
    let raw = rusqlite::Connection::open(url.trim_start_matches("sqlite3://")).expect("the database");
    raw.execute_batch("DELETE FROM jfs_node WHERE inode = 1")
        .expect("it is damaged");
    drop(raw);
    for command in ["status", "fsck"] {
        let run = place.run(&[command, &url]).ends_with(7);
        assert!(run.err.contains("`moorage load`"), "{command}: {}", run.err);
        assert!(!run.err.contains("moorage fsck"), "{command}: {}", run.err);
    }
}
