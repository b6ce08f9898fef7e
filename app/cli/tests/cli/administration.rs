//! Commands on a volume that nobody mounts.

use crate::program::{Place, Run};

fn on(place: &Place, arguments: &[&str]) -> Run {
    place.run(arguments)
}

#[test]
fn a_fresh_volume_is_whole_and_has_no_garbage() {
    let place = Place::new();
    let url = place.volume(&[]);
    let check = on(&place, &["fsck", "--json", &url]).ends_with(0).json();
    assert_eq!(check["findings"], serde_json::json!([]));
    let garbage = on(&place, &["gc", "--json", &url]).ends_with(0).json();
    assert_eq!(garbage["leaked"]["objects"], 0);
}

#[test]
fn an_object_whose_number_was_never_given_out_is_kept_whatever_its_age() {
    let place = Place::new();
    let url = place.volume(&[]);
    let object = place.path("objects/disk/chunks/0/0/7_0_4");
    std::fs::create_dir_all(object.parent().expect("a folder")).expect("folders");
    std::fs::write(&object, "data").expect("an object");
    let mut gc = place.command(&["gc", "--delete", "--json", &url]);
    let report = crate::program::finish(gc.env("JFS_GC_SKIPPEDTIME", "0"))
        .ends_with(0)
        .json();
    // Such an object shows that the database is older than the store, as after the restore of a backup.
    assert_eq!(
        (&report["ahead"]["objects"], &report["leaked"]["objects"]),
        (&1.into(), &0.into())
    );
    assert!(object.exists());
}

#[test]
fn quotas_are_set_listed_checked_and_removed() {
    let place = Place::new();
    let url = place.volume(&[]);
    let set = [
        "quota",
        "set",
        &url,
        "--path",
        "/team/a",
        "--create",
        "--capacity",
        "1",
        "--inodes",
        "5",
        "--json",
    ];
    on(
        &place,
        &[
            "quota", "set", &url, "--path", "/team", "--create", "--inodes", "9",
        ],
    )
    .ends_with(0);
    let quota = on(&place, &set).ends_with(0).json();
    assert_eq!(
        (&quota[0]["max_space"], &quota[0]["max_inodes"]),
        (&(1u64 << 30).into(), &5.into())
    );
    let list = on(&place, &["quota", "list", "--json", &url]).ends_with(0).json();
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    on(&place, &["quota", "check", &url]).ends_with(0);
    on(&place, &["quota", "delete", &url, "--path", "/team/a"]).ends_with(0);
    for again in ["get", "delete"] {
        let run = on(&place, &["quota", again, &url, "--path", "/team/a"]).ends_with(3);
        assert!(
            run.err.starts_with("error: /team/a has no quota\n"),
            "{}",
            run.err
        );
    }
    on(&place, &["quota", "set", &url, "--uid", "1000", "--inodes", "5"]).ends_with(9);
    on(&place, &["config", &url, "--user-group-quota"]).ends_with(0);
    on(&place, &["quota", "set", &url, "--uid", "1000", "--inodes", "5"]).ends_with(0);
}

#[cfg(unix)]
#[test]
fn names_can_not_steer_the_terminal_and_stay_whole_for_programs() {
    let place = Place::new();
    let url = place.volume(&[]);
    let path = "/a\u{1b}[2Jb\nc";
    let set = ["quota", "set", &url, "--path", path, "--create", "--inodes", "9"];
    on(&place, &set).ends_with(0);
    for arguments in [
        vec!["info", &url, path],
        vec!["summary", &url, "/"],
        vec!["quota", "list", &url],
        vec!["rmr", &url, "/a\u{1b}[2Jb\nc/none"],
    ] {
        let run = on(&place, &arguments);
        let text = format!("{}{}", run.out, run.err);
        assert!(text.contains(r"a\u{1b}[2Jb\nc"), "{arguments:?}: {text}");
        assert!(!text.contains('\u{1b}'), "{arguments:?}: {text}");
    }
    let list = on(&place, &["quota", "list", "--json", &url]).ends_with(0).json();
    let name = list.pointer("/0/name").and_then(serde_json::Value::as_str);
    assert_eq!(name, Some(path));
}

#[test]
fn a_folder_is_not_cloned_into_itself() {
    let place = Place::new();
    let url = place.volume(&[]);
    let set = ["quota", "set", &url, "--path", "/a", "--create", "--inodes", "9"];
    on(&place, &set).ends_with(0);
    for (source, destination) in [("/a", "/a/copy"), ("/", "/copy")] {
        let run = on(&place, &["clone", &url, source, destination]).ends_with(2);
        assert!(run.err.contains("into itself"), "{}", run.err);
    }
    let summary = on(&place, &["summary", "--json", &url, "/"]).ends_with(0).json();
    assert_eq!(
        summary.pointer("/0/dirs").and_then(serde_json::Value::as_u64),
        Some(2)
    );
}

#[test]
fn a_name_that_mounts_have_for_themselves_is_no_destination_of_a_clone() {
    let place = Place::new();
    let url = place.volume(&[]);
    let set = ["quota", "set", &url, "--path", "/a", "--create", "--inodes", "9"];
    on(&place, &set).ends_with(0);
    for (destination, code) in [
        ("/.stats", 4),
        ("/.config", 4),
        ("/.control", 4),
        ("/.accesslog", 4),
        ("/.trash", 5),
    ] {
        let refused = on(&place, &["clone", &url, "/a", destination]).ends_with(code);
        assert!(refused.err.contains(&destination[1..]), "{}", refused.err);
    }
    // Elsewhere they are names as any other.
    on(&place, &["clone", &url, "/a", "/b"]).ends_with(0);
    on(&place, &["clone", &url, "/b", "/a/.stats"]).ends_with(0);
}

#[test]
fn what_can_not_be_meant_is_refused_with_its_reason() {
    let place = Place::new();
    let url = place.volume(&[]);
    let quota = [
        "quota", "set", &url, "--path", "/a/../b", "--create", "--inodes", "9",
    ];
    std::fs::create_dir(place.path("point")).expect("a mount point");
    for (arguments, code, reason) in [
        (quota.to_vec(), 2, "/a/../b"),
        // What a script makes of a variable that is not set is not the root.
        (
            vec!["quota", "set", &url, "--path", "", "--inodes", "9"],
            2,
            "--path",
        ),
        (vec!["quota", "delete", &url, "--path", ""], 2, "--path"),
        (vec!["rmr", &url, "/.trash"], 5, "trash"),
        (vec!["restore", &url, "../../x"], 2, "YYYY-MM-DD-HH"),
        (vec!["restore", &url, "2026-11-24-13"], 3, "YYYY-MM-DD-HH"),
        (vec!["mount", "--buffer-size", "0", &url, "m"], 2, "buffer"),
        (vec!["bench", "--block-size", "0", "."], 2, "1B or more"),
        (vec!["bench", "--block-size", "2G", "."], 2, "at most 1.0 GiB"),
        (vec!["mount", "--buffer-size", "8E", &url, "m"], 2, "1T at most"),
        (vec!["mount", "--heartbeat", "0.001", &url, "m"], 2, "1s to 10m"),
        (vec!["mount", "--heartbeat", "11m", &url, "m"], 2, "1s to 10m"),
        (vec!["mount", "--get-timeout", "0", &url, "m"], 2, "no time"),
        (vec!["mount", "--put-timeout", "0s", &url, "m"], 2, "no time"),
        (vec!["mount", "--attr-cache", "1e9d", &url, "m"], 2, "1e9d"),
        (vec!["mount", "--attr-cache", "99999d", &url, "m"], 2, "365"),
        (vec!["mount", "--cache-dir", "", &url, "m"], 2, "folder"),
        (
            vec!["mount", "--cache-dir", "point/cache", &url, "point"],
            2,
            "keep itself",
        ),
    ] {
        let run = on(&place, &arguments).ends_with(code);
        assert!(run.err.contains(reason), "{arguments:?}: {}", run.err);
    }
}

#[test]
fn folders_are_cloned_summed_up_and_removed_by_url() {
    let place = Place::new();
    let url = place.volume(&[]);
    on(
        &place,
        &["quota", "set", &url, "--path", "/a", "--create", "--inodes", "9"],
    )
    .ends_with(0);
    on(&place, &["clone", &url, "/a", "/b"]).ends_with(0);
    on(&place, &["clone", &url, "/a", "/b"]).ends_with(4);
    let summary = on(&place, &["summary", "--json", &url, "/"]).ends_with(0).json();
    assert_eq!(summary[0]["dirs"], 3);
    let removed = on(&place, &["rmr", "--json", &url, "/a", "/b/"])
        .ends_with(0)
        .json();
    assert_eq!(removed["entries"], 2);
    on(&place, &["rmr", &url, "/a"]).ends_with(3);
    on(&place, &["rmr", &url, "/"]).ends_with(2);
    let info = on(&place, &["info", "--json", &url, "/"]).ends_with(0).json();
    assert_eq!((&info[0]["inode"], &info[0]["dirs"]), (&1.into(), &1.into()));
}

#[test]
fn config_changes_what_is_given_and_says_so() {
    let place = Place::new();
    let url = place.volume(&["--secret-key", "first"]);
    let run = on(
        &place,
        &["config", &url, "--trash-days", "7", "--secret-key", "second"],
    )
    .ends_with(0);
    assert!(run.err.contains("TrashDays: 1 -> 7"), "{}", run.err);
    let setting = on(&place, &["config", "--json", &url]).ends_with(0).json();
    assert_eq!(
        (&setting["TrashDays"], &setting["KeyEncrypted"]),
        (&7.into(), &true.into())
    );
    on(
        &place,
        &[
            "config",
            &url,
            "--min-client-version",
            "2.0.0",
            "--max-client-version",
            "1.0.0",
        ],
    )
    .ends_with(2);
}

#[test]
fn destroy_wants_the_right_uuid_and_leaves_nothing() {
    let place = Place::new();
    let url = place.volume(&[]);
    let uuid = on(&place, &["config", "--json", &url]).json()["UUID"]
        .as_str()
        .expect("text")
        .to_owned();
    on(
        &place,
        &["destroy", "--yes", &url, "00000000-0000-0000-0000-000000000000"],
    )
    .ends_with(2);
    on(&place, &["destroy", &url, &uuid]).ends_with(2);
    on(&place, &["status", &url]).ends_with(0);
    on(&place, &["destroy", "--yes", &url, &uuid]).ends_with(0);
    on(&place, &["status", &url]).ends_with(3);
    assert!(crate::program::files_below(&place.path("objects")).is_empty());
}

#[test]
fn bench_measures_any_folder_and_cleans_up() {
    let place = Place::new();
    let folder = place.path("home");
    std::fs::create_dir(&folder).expect("a folder");
    let path = folder.display().to_string();
    let arguments = [
        "bench",
        "--json",
        "--big-file-size",
        "2M",
        "--small-file-size",
        "4K",
        "--small-file-count",
        "3",
        "-p",
        "2",
        &path,
    ];
    let measured = on(&place, &arguments).ends_with(0).json();
    assert_eq!(measured.as_array().map(Vec::len), Some(5));
    assert_eq!(std::fs::read_dir(&folder).expect("the folder").count(), 0);
}

#[test]
fn a_folder_too_deep_for_a_path_is_shown_without_one() {
    let place = Place::new();
    let url = place.volume(&[]);
    let raw = rusqlite::Connection::open(url.trim_start_matches("sqlite3://")).expect("the database");
    // Folders 2 to 4200, each in the one before.
    raw.execute_batch(
        "WITH RECURSIVE folder(ino) AS (SELECT 2 UNION ALL SELECT ino + 1 FROM folder WHERE ino < 4200)
         INSERT INTO jfs_node
             SELECT ino, 2, 0, 493, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4096, 0, ino - 1, NULL, NULL, NULL FROM folder;
         INSERT INTO jfs_edge (parent, name, inode, type)
             SELECT parent, CAST('d' AS BLOB), inode, 2 FROM jfs_node WHERE inode BETWEEN 2 AND 4200;",
    )
    .expect("folders");
    drop(raw);
    let shown = on(&place, &["info", "-i", &url, "4200"]).ends_with(0).out;
    assert!(
        shown.contains("1 path through more than 4096 folders, not shown"),
        "{shown}"
    );
    let shown = on(&place, &["info", "-i", "--json", &url, "4200"])
        .ends_with(0)
        .json();
    assert_eq!(
        (&shown[0]["inode"], &shown[0]["deeper_paths"]),
        (&4200.into(), &1.into())
    );
    on(&place, &["fsck", "--json", &url]).ends_with(7);
}

/// Negative figures are what a client leaves that was killed, or that missed a quota.
#[test]
fn a_figure_below_zero_is_shown_as_nothing_used() {
    let place = Place::new();
    let url = place.volume(&[]);
    let set = [
        "quota",
        "set",
        &url,
        "--path",
        "/a",
        "--create",
        "--capacity",
        "1",
    ];
    on(&place, &set).ends_with(0);
    let raw = rusqlite::Connection::open(url.trim_start_matches("sqlite3://")).expect("the database");
    raw.execute_batch("UPDATE jfs_dir_quota SET used_space = -2673868, used_inodes = -3")
        .expect("it has drifted");
    drop(raw);
    let shown = on(&place, &["quota", "list", &url]).ends_with(0).out;
    assert!(shown.contains("0 B") && !shown.contains('-'), "{shown}");
    let shown = on(&place, &["quota", "list", "--json", &url]).ends_with(0).json();
    assert_eq!(
        (&shown[0]["used_space"], &shown[0]["used_inodes"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn a_setting_that_can_not_be_names_the_database_and_what_helps() {
    let place = Place::new();
    let url = place.volume(&[]);
    let raw = rusqlite::Connection::open(url.trim_start_matches("sqlite3://")).expect("the database");
    raw.execute_batch(
        "UPDATE jfs_setting SET value = replace(value, '\"BlockSize\": 4096', '\"BlockSize\": 0')",
    )
    .expect("it is damaged");
    drop(raw);
    let run = on(&place, &["gc", &url]).ends_with(7);
    for part in [url.as_str(), "block size of 0 KiB", "what to do: ", "`setting`"] {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
}

#[test]
fn damaged_records_are_counted_and_fail_the_commands_that_leave_them_out() {
    let place = Place::new();
    let url = place.volume(&[]);
    let file = url.trim_start_matches("sqlite3://");
    let raw = rusqlite::Connection::open(file).expect("the database");
    raw.execute_batch(
        "INSERT INTO jfs_node SELECT 5, 1, 0, 70000, 0, 0, 0, 0, 0, 0, 0, 0, 1, 100, 0, 1, NULL, NULL, NULL;
         INSERT INTO jfs_edge (parent, name, inode, type) VALUES (1, CAST('hurt' AS BLOB), 5, 1);
         INSERT INTO jfs_chunk (inode, indx, slices) VALUES (5, 0, zeroblob(23));
         INSERT INTO jfs_session2 (sid, expire, info) VALUES (7, 'x', '{}');",
    )
    .expect("it is damaged");
    drop(raw);
    let found = place.run(&["fsck", "--json", &url]).ends_with(7).json();
    assert_eq!(found["damaged_records"], 3, "{found}");
    let found = place.run(&["gc", "--json", &url]).ends_with(7).json();
    assert_eq!(found["damaged_slice_records"], 1, "{found}");
    let found = place.run(&["summary", "--json", &url, "/"]).ends_with(7).json();
    assert_eq!(found[0]["unreadable"], 1, "{found}");
    let found = place.run(&["status", "--json", &url]).ends_with(0).json();
    assert_eq!(found["Sessions"][0]["Damaged"], true, "{found}");
}
