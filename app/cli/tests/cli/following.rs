//! Long work as a program follows it: lines of JSON while it goes on, and last the result.

use std::fs::{self, File};

use serde_json::Value;

use crate::dumps::{PASSPHRASE, encrypted};
use crate::program::{Place, files_below, finish};

fn lines(out: &str) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).expect("a line of JSON");
    out.lines().map(read).collect()
}

#[test]
fn a_check_and_a_collection_say_how_far_they_are_and_last_what_came_of_it() {
    let place = Place::new();
    let url = place.volume(&[]);
    for (command, field, phases) in [
        ("fsck", "nodes", vec!["records", "objects"]),
        ("gc", "leaked", Vec::new()),
    ] {
        let found = lines(&place.run(&[command, "--json", "--follow", &url]).ends_with(0).out);
        let (result, before) = found.split_last().expect("lines");
        assert!(result.get(field).is_some(), "{command}: {result}");
        let first = before.first().expect("a line when the work begins");
        let phase = phases.first();
        let nothing = serde_json::json!({
            "progress": {"phase": phase, "done": 0, "total": null, "bytes": 0}
        });
        assert_eq!(*first, nothing, "{command}");
        let mut told: Vec<&str> = before
            .iter()
            .filter_map(|line| line["progress"]["phase"].as_str())
            .collect();
        told.dedup();
        assert_eq!(told, phases, "{command}");
        for line in before {
            assert!(line["progress"]["done"].is_u64(), "{command}: {line}");
        }
    }
}

#[test]
fn what_is_wrong_is_in_the_last_line_and_its_error_on_standard_error() {
    let place = Place::new();
    let url = place.volume(&[]);
    fs::create_dir_all(place.path("from")).expect("a folder");
    fs::write(place.path("from/note"), "text").expect("a file");
    place.run(&["sync", "from", &url]).ends_with(0);
    let objects = files_below(&place.path("objects/disk/chunks"));
    let [object] = objects.as_slice() else {
        panic!("{objects:?}");
    };
    fs::remove_file(object).expect("lost");
    let run = place.run(&["fsck", "--json", "--follow", &url]).ends_with(7);
    let found = lines(&run.out);
    let result = found.last().expect("a result");
    assert_eq!(result["findings"][0]["defect"], "missing-object", "{result}");
    let error: Value = serde_json::from_str(&run.err).expect("an error as JSON");
    assert_eq!(error["kind"], "Corrupt");
}

#[test]
fn nobody_can_follow_without_json() {
    let place = Place::new();
    let url = place.volume(&[]);
    for command in ["fsck", "gc"] {
        let run = place.run(&[command, "--follow", &url]).ends_with(2);
        assert!(run.err.contains("--json"), "{command}: {}", run.err);
    }
}

#[test]
fn secrets_come_from_standard_input() {
    let place = Place::new();
    let Some((url, _)) = encrypted(&place) else { return };
    let line = place.path("line");
    fs::write(&line, format!("{{\"key_passphrase\": \"{PASSPHRASE}\"}}\n")).expect("a line");
    for arguments in [
        vec!["fsck", "--json", &url],
        vec!["gc", "--json", "--delete", &url],
    ] {
        let without = place.run(&arguments);
        assert_ne!(without.code, 0, "{arguments:?}: {}", without.out);
        let mut with = place.command(&arguments);
        with.arg("--secrets-from-stdin")
            .stdin(File::open(&line).expect("the line"));
        finish(&mut with).ends_with(0);
    }
}
