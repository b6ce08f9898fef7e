//! What goes wrong before a volume is open: the error names the object, says what to do, and has its exit code.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;

use crate::program::{Place, Run, finish};

/// An error of three parts that names `object`.
#[track_caller]
fn explains(run: &Run, object: &str) {
    // A warning may stand before it.
    let error = run.err.lines().find(|line| line.starts_with("error: "));
    assert!(error.is_some(), "{}", run.err);
    assert!(run.err.contains(object), "{object} in {}", run.err);
    assert!(run.err.contains("  what to do: "), "{}", run.err);
    assert!(!run.err.contains("panicked"), "{}", run.err);
}

#[test]
fn a_url_without_a_scheme_is_a_usage_error() {
    let run = Place::new().run(&["status", "/some/file.db"]).ends_with(2);
    explains(&run, "/some/file.db");
}

#[test]
fn a_negative_number_is_refused_by_the_option_that_it_was_given_to() {
    let place = Place::new();
    let run = place.run(&["format", "--trash-days", "-1", &place.url("meta.db"), "disk"]);
    let run = run.ends_with(2);
    assert!(run.err.contains("'-1' for '--trash-days"), "{}", run.err);
    assert!(!run.err.contains("'-- -1'"), "{}", run.err);
}

#[test]
fn an_unknown_scheme_is_named() {
    let run = Place::new().run(&["status", "floppy://a"]).ends_with(2);
    explains(&run, "floppy");
}

#[test]
fn a_missing_database_is_not_found_and_not_made() {
    let place = Place::new();
    let run = place.run(&["status", &place.url("none.db")]).ends_with(3);
    explains(&run, "none.db");
    assert!(!place.path("none.db").exists(), "looking made a database");
}

#[test]
fn the_permissions_of_a_file_that_is_no_database_are_none_of_ours() {
    let place = Place::new();
    fs::write(
        place.path("passwd"),
        "root:x:0:0:root:/root:/bin/sh\n".repeat(100),
    )
    .expect("a file");
    fs::set_permissions(place.path("passwd"), fs::Permissions::from_mode(0o644)).expect("open to all");
    let run = place.run(&["status", &place.url("passwd")]).ends_with(3);
    explains(&run, "passwd");
    assert!(!run.err.contains("chmod"), "{}", run.err);
}

#[test]
fn a_block_size_that_can_not_be_is_refused_and_not_rounded() {
    let place = Place::new();
    let url = place.url("meta.db");
    let bucket = place.path("objects").display().to_string();
    for size in ["0", "32K", "3M", "32M", "65537B"] {
        let run = place.run(&["format", "--bucket", &bucket, "--block-size", size, &url, "disk"]);
        let run = run.ends_with(2);
        assert!(run.err.contains("power of two"), "{size}: {}", run.err);
    }
    assert!(!place.path("meta.db").exists(), "a volume was made");
}

#[test]
fn a_database_that_this_user_may_not_open_is_denied_and_not_missing() {
    let place = Place::new();
    let url = place.volume(&[]);
    close(&place.path("meta.db"));
    let run = finish(&mut place.as_ordinary_user(&["status", &url])).ends_with(5);
    explains(&run, "meta.db");
    assert!(run.err.contains("Permission denied"), "{}", run.err);
}

#[test]
fn a_database_in_a_folder_closed_to_this_user_is_denied_and_not_missing() {
    let place = Place::new();
    fs::create_dir(place.path("closed")).expect("a folder");
    close(&place.path("closed"));
    let objects = place.path("objects").display().to_string();
    let url = place.url("closed/x.db");
    for arguments in [
        vec!["status", url.as_str()],
        vec!["format", "--bucket", &objects, &url, "disk"],
    ] {
        let run = finish(&mut place.as_ordinary_user(&arguments)).ends_with(5);
        explains(&run, "closed/x.db");
    }
}

#[test]
fn a_database_can_not_be_made_in_a_folder_that_this_user_may_not_write() {
    let place = Place::new();
    fs::create_dir(place.path("read")).expect("a folder");
    fs::set_permissions(place.path("read"), fs::Permissions::from_mode(0o555)).expect("changed");
    let objects = place.path("objects").display().to_string();
    let arguments = ["format", "--bucket", &objects, &place.url("read/x.db"), "disk"];
    let run = finish(&mut place.as_ordinary_user(&arguments)).ends_with(5);
    explains(&run, "read/x.db");
}

/// Takes all permission bits away.
fn close(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("changed");
}

#[test]
fn a_missing_folder_is_not_found_even_for_format() {
    let place = Place::new();
    let run = place
        .run(&["format", &place.url("no/folder/x.db"), "disk"])
        .ends_with(3);
    explains(&run, "no/folder");
}

#[test]
fn an_empty_database_holds_no_volume() {
    let place = Place::new();
    Connection::open(place.path("empty.db"))
        .and_then(|database| database.execute_batch("CREATE TABLE x(y); DROP TABLE x;"))
        .expect("a database");
    let run = place.run(&["status", &place.url("empty.db")]).ends_with(3);
    explains(&run, "holds no volume");
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let place = Place::new();
    let database = Connection::open(place.path("other.db")).expect("a database");
    database
        .execute_batch("CREATE TABLE bookmarks(url TEXT); INSERT INTO bookmarks VALUES('a');")
        .expect("a table");
    drop(database);
    place.run(&["status", &place.url("other.db")]).ends_with(3);
    let objects = place.path("objects").display().to_string();
    let arguments = ["format", "--bucket", &objects, &place.url("other.db"), "disk"];
    let run = place.run(&arguments).ends_with(4);
    explains(&run, "another program");
    let tables: i64 = Connection::open(place.path("other.db"))
        .and_then(|database| database.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)))
        .expect("the count of tables");
    assert_eq!(tables, 1);
}

#[test]
fn a_file_that_is_no_database_is_damaged() {
    let place = Place::new();
    fs::write(
        place.path("text.db"),
        "no database at all, but long enough ".repeat(100),
    )
    .expect("a file");
    let run = place.run(&["status", &place.url("text.db")]);
    assert_ne!(run.code, 0);
    assert!(run.err.contains("text.db"), "{}", run.err);
}

/// Changes the stored setting of a volume by text.
fn edit_setting(place: &Place, from: &str, to: &str) {
    let database = Connection::open(place.path("meta.db")).expect("a database");
    let changed = database
        .execute(
            "UPDATE jfs_setting SET value = replace(value, ?1, ?2)",
            [from, to],
        )
        .expect("an update");
    assert_eq!(changed, 1);
}

#[test]
fn a_newer_format_is_refused_by_every_command() {
    let place = Place::new();
    let url = place.volume(&[]);
    edit_setting(&place, "\"MetaVersion\": 1", "\"MetaVersion\": 2");
    for arguments in [
        vec!["status", &url],
        vec!["fsck", &url],
        vec!["gc", &url],
        vec!["rmr", &url, "/a"],
    ] {
        place.run(&arguments).ends_with(9);
    }
}

#[test]
fn a_client_floor_above_this_client_is_refused() {
    let place = Place::new();
    let url = place.volume(&[]);
    edit_setting(&place, "1.1.0-A", "9.0.0");
    let run = place.run(&["status", &url]).ends_with(9);
    assert!(run.err.contains("9.0.0"), "{}", run.err);
}

#[test]
fn a_damaged_setting_is_damaged_and_stays() {
    let place = Place::new();
    let url = place.volume(&[]);
    edit_setting(&place, "\"UUID\"", "UUID");
    let run = place.run(&["status", &url]).ends_with(7);
    explains(&run, "meta.db");
}

#[test]
fn an_unknown_store_is_not_supported() {
    let place = Place::new();
    let arguments = [
        "format",
        "--storage",
        "tape",
        "--bucket",
        "x",
        &place.url("meta.db"),
        "disk",
    ];
    let run = place.run(&arguments).ends_with(9);
    assert!(run.err.contains("tape"), "{}", run.err);
}

#[test]
fn a_store_that_can_not_be_written_makes_no_volume() {
    let place = Place::new();
    fs::write(place.path("file"), "in the way").expect("a file");
    let bucket = place.path("file/objects").display().to_string();
    let url = place.url("meta.db");
    let run = place.run(&["format", "--bucket", &bucket, &url, "disk"]);
    assert_ne!(run.code, 0);
    explains(&run, &bucket);
    place.run(&["status", &url]).ends_with(3);
}

#[test]
fn a_folder_that_may_not_be_written_to_is_named_with_its_path() {
    let place = Place::new();
    fs::create_dir(place.path("objects")).expect("made");
    fs::set_permissions(place.path("objects"), fs::Permissions::from_mode(0o555)).expect("closed");
    let bucket = place.path("objects").display().to_string();
    let url = place.url("meta.db");
    let run =
        finish(&mut place.as_ordinary_user(&["format", "--bucket", &bucket, &url, "disk"])).ends_with(5);
    explains(&run, &format!("{bucket}/disk/testing/"));
}

#[test]
fn a_path_outside_of_every_mount_is_not_found() {
    let place = Place::new();
    let run = place.run(&["info", "."]).ends_with(3);
    explains(&run, "mounted volume");
}

#[test]
fn with_json_an_error_is_json_too() {
    let place = Place::new();
    let run = place
        .run(&["status", "--json", &place.url("none.db")])
        .ends_with(3);
    let error: serde_json::Value = serde_json::from_str(&run.err).expect("JSON");
    assert_eq!(error["exit_code"], 3);
    assert_eq!(error["kind"], "DatabaseMissing");
    assert!(error["advice"].is_string());
}

#[test]
fn what_no_volume_can_have_is_refused_before_the_store_is_touched() {
    let place = Place::new();
    let bucket = place.path("objects").display().to_string();
    for (options, name) in [
        (vec![], "Bad_Name"),
        (vec![], "ab"),
        (vec!["--shards", "999"], "disk"),
    ] {
        let url = place.url("meta.db");
        let mut arguments = vec!["format", "--bucket", &bucket, &url, name];
        arguments.extend(options);
        place.run(&arguments).ends_with(2);
        assert!(!place.path("objects").exists(), "{arguments:?} touched the store");
    }
}

#[test]
fn an_address_of_a_server_is_no_folder() {
    let place = Place::new();
    let url = place.url("meta.db");
    let arguments = ["format", "--bucket", "https://bucket.example", &url, "disk"];
    let run = place.run(&arguments).ends_with(2);
    explains(&run, "https://bucket.example");
    assert!(run.err.contains("--storage"), "{}", run.err);
}

#[test]
fn a_store_that_is_not_there_is_named_with_its_address_and_the_cause() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    let bucket = format!("http://{address}/photos");
    let keys = ["--access-key", "somebody", "--secret-key", "hunter2-hunter2"];
    let url = place.url("meta.db");
    let mut arguments = vec!["format", "--storage", "minio", "--bucket", &bucket];
    arguments.extend(keys);
    arguments.extend([url.as_str(), "disk"]);
    let run = place.run(&arguments).ends_with(6);
    explains(&run, &format!("bucket photos at http://{address}"));
    assert!(run.err.contains("connection refused"), "{}", run.err);
    assert!(!run.err.contains("hunter2"), "{}", run.err);
}

#[test]
fn s3_without_credentials_says_so_although_the_metadata_service_is_silent() {
    let place = Place::new();
    // It takes connections and says nothing, as the address of the service does in many networks.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let service = format!("http://{}", silent.local_addr().expect("its address"));
    let bucket = format!("{service}/photos");
    let url = place.url("meta.db");
    let run = finish(
        place
            .command(&["format", "--storage", "s3", "--bucket", &bucket, &url, "disk"])
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &service),
    )
    .ends_with(5);
    explains(&run, "no credentials");
    assert!(run.err.contains("--access-key"), "{}", run.err);
    assert!(
        !run.err.contains("Provider") && !run.err.contains("WARN"),
        "{}",
        run.err
    );
}
