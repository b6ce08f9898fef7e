//! Quotas that are set while a volume is mounted.

use std::fs;

use serde_json::Value;

use crate::fixture::{Volume, succeed, until};

/// What the quota of a folder has on record.
fn used_space(volume: &Volume, path: &str) -> i64 {
    let mut get = volume.program();
    get.args(["quota", "get", &volume.url(), "--path", path, "--json"]);
    let answer: Value = serde_json::from_str(&succeed(&mut get)).expect("JSON");
    answer[0]["used_space"].as_i64().expect("a number")
}

#[test]
fn what_a_mount_writes_before_it_learns_of_a_quota_is_counted() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mounted = volume.mount("m", &["--heartbeat", "2s"]);
    fs::create_dir(mounted.file("z")).expect("folder");
    let mut set = volume.program();
    set.args(["quota", "set", &volume.url(), "--path", "/z", "--capacity", "4M"]);
    succeed(&mut set);
    let file = fs::File::create(mounted.file("z/x")).expect("file");
    file.set_len(3 << 20)
        .expect("there is room, whether the quota is known yet or not");
    drop(file);
    until("the mount to count it", || used_space(&volume, "/z") == 3 << 20);
    let more = fs::File::create(mounted.file("z/y")).expect("file");
    assert!(more.set_len(2 << 20).is_err(), "there is no room for it");
    drop(more);
    fs::remove_file(mounted.file("z/y")).expect("removed");
    fs::remove_file(mounted.file("z/x")).expect("removed");
    assert_eq!(used_space(&volume, "/z"), 0);
}
