//! Every exit code of the table in the help, by something that ends with it.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::program::{Place, finish};

#[test]
fn what_works_ends_with_0() {
    Place::new().run(&["version"]).ends_with(0);
}

#[cfg(target_os = "linux")]
#[test]
fn what_fails_for_no_special_reason_ends_with_1() {
    let place = Place::new();
    let url = place.volume(&[]);
    let full = std::fs::File::options().write(true).open("/dev/full");
    let full = full.expect("a device without space");
    finish(place.command(&["dump", &url]).stdout(full)).ends_with(1);
}

#[test]
fn nonsense_ends_with_2() {
    Place::new()
        .run(&["format", "sqlite3://a.db", "NO NAME"])
        .ends_with(2);
}

#[test]
fn a_program_is_told_of_nonsense_as_of_any_failure() {
    let run = Place::new()
        .run(&["config", "--json", "sqlite3://a.db", "--capacity", "5X"])
        .ends_with(2);
    let said: serde_json::Value = serde_json::from_str(&run.err).expect("JSON");
    assert_eq!(
        (&said["kind"], &said["exit_code"]),
        (&"InvalidArgument".into(), &2.into())
    );
    assert!(
        said["error"].as_str().is_some_and(|error| error.contains("5X")),
        "{said}"
    );
}

#[test]
fn what_does_not_exist_ends_with_3() {
    let place = Place::new();
    let url = place.volume(&[]);
    place.run(&["info", &url, "/none"]).ends_with(3);
    place.run(&["status", "--session", "77", &url]).ends_with(3);
    place.run(&["restore", &url, "2020-01-01-00"]).ends_with(3);
    place
        .run(&["umount", &place.path("").display().to_string()])
        .ends_with(3);
    place
        .run(&["bench", &place.path("none").display().to_string()])
        .ends_with(3);
}

#[test]
fn what_is_in_the_way_ends_with_4() {
    let place = Place::new();
    let url = place.volume(&[]);
    place
        .run(&["quota", "set", &url, "--path", "/a", "--create", "--inodes", "9"])
        .ends_with(0);
    place.run(&["clone", &url, "/a", "/a"]).ends_with(4);
}

#[test]
fn what_is_not_permitted_ends_with_5() {
    let place = Place::new();
    let url = place.volume(&[]);
    place.run(&["config", &url, "--user-group-quota"]).ends_with(0);
    place
        .run(&["quota", "set", &url, "--uid", "0", "--inodes", "9"])
        .ends_with(5);
}

#[test]
fn a_store_that_does_not_answer_ends_with_6() {
    let place = Place::new();
    let url = place.url("meta.db");
    // Nothing listens on port 1.
    let bucket = "http://127.0.0.1:1/bucket";
    let store = [
        "--storage",
        "minio",
        "--bucket",
        bucket,
        "--access-key",
        "a",
        "--secret-key",
        "b",
    ];
    let arguments = [&["format"], store.as_slice(), &[&url, "disk"]].concat();
    place.run(&arguments).ends_with(6);
}

#[test]
fn what_is_damaged_ends_with_7() {
    let place = Place::new();
    let url = place.volume(&[]);
    rusqlite::Connection::open(place.path("meta.db"))
        .and_then(|database| database.execute("UPDATE jfs_setting SET value = '{'", []))
        .expect("an update");
    place.run(&["status", &url]).ends_with(7);
}

#[test]
fn what_does_not_fit_ends_with_8() {
    let place = Place::new();
    let url = place.volume(&["--inodes", "1"]);
    let make = |path: &str| place.run(&["quota", "set", &url, "--path", path, "--create", "--inodes", "9"]);
    make("/first").ends_with(0);
    make("/second").ends_with(8);
}

#[test]
fn what_this_build_can_not_do_ends_with_9() {
    Place::new()
        .run(&["status", "tikv://host/volume?verify-cn=a"])
        .ends_with(9);
}

#[cfg(unix)]
#[test]
fn an_interrupted_command_ends_with_130_and_cleans_up() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let place = Place::new();
    let folder = place.path("measured");
    std::fs::create_dir(&folder).expect("a folder");
    let path = folder.display().to_string();
    let mut child = place
        .command(&["bench", "--big-file-size", "1T", "--block-size", "4K", &path])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut said = String::new();
    let errors = child.stderr.take().expect("standard error");
    BufReader::new(errors).read_line(&mut said).expect("a line");
    assert!(said.starts_with("Write big file"), "{said}");
    let id = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(id), Signal::SIGINT).expect("a signal");
    assert_eq!(child.wait().expect("the end").code(), Some(130));
    assert_eq!(std::fs::read_dir(&folder).expect("the folder").count(), 0);
}
