//! `dump` and `load`.

use std::os::unix::fs::PermissionsExt as _;

use crate::program::{Place, finish};

#[test]
fn a_volume_moves_through_a_dump_of_every_form() {
    let place = Place::new();
    let url = place.volume(&[]);
    place
        .run(&[
            "quota", "set", &url, "--path", "/team", "--create", "--inodes", "5",
        ])
        .ends_with(0);
    let plain = place.run(&["dump", &url]).ends_with(0).out;
    assert!(plain.contains("\"team\": {"), "{plain}");
    for file in ["a.json", "a.json.gz", "a.json.zstd"] {
        let dumped = place.run(&["dump", "--json", &url, file]).ends_with(0).json();
        assert_eq!(
            (&dumped["entries"], &dumped["unreadable"]),
            (&3.into(), &0.into())
        );
        let mode = std::fs::metadata(place.path(file))
            .expect("a dump")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
        let copy = place.url(&format!("{file}.db"));
        let loaded = place.run(&["load", "--json", &copy, file]).ends_with(0).json();
        assert_eq!((&loaded["name"], &loaded["nodes"]), (&"disk".into(), &1.into()));
        assert_eq!(place.run(&["dump", &copy, "-"]).ends_with(0).out, plain, "{file}");
    }
    place.run(&["dump", "--binary", &url, "a.bin"]).ends_with(0);
    let copy = place.url("a.bin.db");
    place.run(&["load", &copy, "a.bin"]).ends_with(0);
    assert_eq!(place.run(&["dump", &copy]).ends_with(0).out, plain);
    let left: Vec<_> = std::fs::read_dir(place.path("."))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name.to_string_lossy().starts_with(".moorage-dump"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_database_that_holds_a_volume_takes_no_dump() {
    let place = Place::new();
    let url = place.volume(&[]);
    place.run(&["dump", &url, "a.json"]).ends_with(0);
    let refused = place.run(&["load", &url, "a.json"]);
    assert_ne!(refused.code, 0);
    assert!(
        refused.err.contains("holds volume disk already"),
        "{}",
        refused.err
    );
}

#[test]
fn a_dump_that_was_cut_off_leaves_no_volume_behind() {
    let place = Place::new();
    let url = place.volume(&[]);
    let whole = place.run(&["dump", &url]).ends_with(0).out;
    std::fs::write(place.path("cut.json"), &whole[..whole.len() / 2]).expect("a file");
    let copy = place.url("copy.db");
    let refused = place.run(&["load", &copy, "cut.json"]);
    assert_ne!(refused.code, 0);
    assert!(refused.err.contains("cut.json"), "{}", refused.err);
    std::fs::write(place.path("whole.json"), whole).expect("a file");
    place.run(&["load", &copy, "whole.json"]).ends_with(0);
}

#[test]
fn a_dump_that_can_not_be_written_leaves_what_was_there() {
    let place = Place::new();
    let url = place.volume(&[]);
    std::fs::write(place.path("a.json"), "before").expect("a file");
    let refused = place.run(&["dump", &url, "--subdir", "/nothing", "a.json"]);
    assert_ne!(refused.code, 0);
    assert_eq!(
        std::fs::read_to_string(place.path("a.json")).expect("a file"),
        "before"
    );
    let nowhere = place.run(&["dump", &url, "missing/a.json"]);
    assert_ne!(nowhere.code, 0);
    let both = finish(&mut place.command(&["dump", "--json", &url]));
    assert_ne!(both.code, 0);
}
