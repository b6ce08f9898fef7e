//! The trash from the command line.

use std::fs;

use serde_json::Value;

use crate::program::Place;

/// A volume whose trash holds the folder `/docs` with two files, and the file `/note`.
fn with_trash(place: &Place) -> String {
    let url = place.volume(&[]);
    fs::create_dir_all(place.path("from/docs")).expect("folders");
    for file in ["docs/one", "docs/two", "note"] {
        fs::write(place.path("from").join(file), "text").expect("a file");
    }
    place.run(&["sync", "from", &url]).ends_with(0);
    place.run(&["rmr", &url, "/docs", "/note"]).ends_with(0);
    url
}

fn entries(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let listed = place
        .run(&[&["trash", "list", "--json"], arguments].concat())
        .ends_with(0)
        .json();
    let found = listed.get("entries").and_then(Value::as_array);
    found.expect("entries").clone()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value.get(field).and_then(Value::as_str).expect("text")
}

fn find<'v>(entries: &'v [Value], path: &str) -> &'v Value {
    let found = entries
        .iter()
        .find(|entry| entry.get("path").is_some_and(|found| found == path));
    found.unwrap_or_else(|| panic!("{path} in {entries:?}"))
}

#[test]
fn what_was_removed_is_listed_and_comes_back_where_it_was() {
    let place = Place::new();
    let url = with_trash(&place);
    let hours = place.run(&["trash", "hours", "--json", &url]).ends_with(0).json();
    let total: u64 = hours["hours"]
        .as_array()
        .expect("hours")
        .iter()
        .filter_map(|hour| hour["entries"].as_u64())
        .sum();
    assert_eq!((total, &hours["days"]), (4, &1.into()));
    let listed = entries(&place, &[&url]);
    assert_eq!(listed.len(), 2, "{listed:?}");
    let docs = find(&listed, "/docs");
    assert_eq!(
        (text(docs, "kind"), text(docs, "folder"), &docs["inside"]),
        ("folder", "there", &2.into())
    );
    let (hour, entry) = (text(docs, "hour"), text(docs, "entry"));
    let inside = entries(&place, &[&url, hour, "--in", entry]);
    let one = text(find(&inside, "/docs/one"), "entry");
    let restored = place
        .run(&["restore", "--json", &url, hour, "--entry", entry])
        .ends_with(0)
        .json();
    assert_eq!(
        (&restored[0]["outcome"], &restored[0]["inside"]),
        (&"restored".into(), &2.into())
    );
    let again = place.run(&["restore", &url, hour, "--entry", one]).ends_with(3);
    assert!(
        again.out.contains("it is not in the trash any more"),
        "{}",
        again.out
    );
    place.run(&["info", &url, "/docs/one"]).ends_with(0);
    place.run(&["info", &url, "/note"]).ends_with(3);
}

#[test]
fn what_has_no_place_stays_and_its_reason_is_told() {
    let place = Place::new();
    let url = with_trash(&place);
    fs::remove_dir_all(place.path("from/docs")).expect("removed");
    place.run(&["sync", "from", &url]).ends_with(0);
    let listed = entries(&place, &[&url]);
    let note = find(&listed, "/note");
    let arguments = [
        "restore",
        "--json",
        &url,
        text(note, "hour"),
        "--entry",
        text(note, "entry"),
    ];
    let run = place.run(&arguments).ends_with(4);
    assert_eq!(run.json()[0]["outcome"], "name_taken");
    assert!(run.err.contains("\"kind\":\"Exists\""), "{}", run.err);
}

#[test]
fn pages_of_the_list_follow_each_other() {
    let place = Place::new();
    let url = with_trash(&place);
    let first = place
        .run(&["trash", "list", "--json", "--limit", "1", &url])
        .ends_with(0)
        .json();
    let next = &first["next"];
    let rest = entries(
        &place,
        &[&url, "--from", text(next, "hour"), "--after", text(next, "after")],
    );
    assert_eq!(rest.len(), 1);
    assert_ne!(rest[0]["entry"], first["entries"][0]["entry"]);
}

#[test]
fn nothing_is_deleted_for_good_but_what_was_named() {
    let place = Place::new();
    let url = with_trash(&place);
    place.run(&["trash", "purge", &url]).ends_with(2);
    let count = |arguments: &[&str]| {
        let purged = place
            .run(&[&["trash", "purge", "--json", url.as_str()], arguments].concat())
            .ends_with(0)
            .json();
        (purged["deleted"].clone(), purged["entries"].clone())
    };
    assert_eq!(count(&["--older-than", "2h"]), (true.into(), 0.into()));
    assert_eq!(count(&["--all", "--dry-run"]), (false.into(), 4.into()));
    let listed = entries(&place, &[&url]);
    let docs = find(&listed, "/docs");
    assert_eq!(
        count(&[text(docs, "hour"), "--entry", text(docs, "entry")]),
        (true.into(), 3.into())
    );
    assert_eq!(entries(&place, &[&url]).len(), 1);
    assert_eq!(count(&["--all"]), (true.into(), 1.into()));
    assert!(entries(&place, &[&url]).is_empty());
    let none = ["trash", "purge", &url, "1999-01-01-00", "--entry", "1-2-a"];
    let run = place.run(&none).ends_with(3);
    assert!(run.err.contains("no such hour"), "{}", run.err);
    place.run(&["fsck", &url]).ends_with(0);
}
