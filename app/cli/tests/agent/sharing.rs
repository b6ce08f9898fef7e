//! Volumes as files that are carried to another computer.

use std::fs;

use crate::fixture::{Volume, is_mounted, text};
use crate::running::{Agent, program};

#[test]
fn a_volume_is_exported_and_joined_by_the_file() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount", "--no-mount-at-start", "--cache-dir", "/nowhere/cache"]);
    fs::write(mount.file("file"), b"written").expect("written");
    agent.run(&["volume", "unmount", "disk"]);
    let file = volume.path().join("disk.json");
    let path = file.display().to_string();
    agent.run(&["volume", "export", "disk", &path]);
    let said = fs::read_to_string(&file).expect("the file");
    let exported: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(exported["moorage_volume"], 1, "{said}");
    assert_eq!(exported["options"]["mount_at_start"], false, "{said}");
    assert!(!said.contains("/nowhere/cache"), "{said}");
    let again = agent.attempt(&["volume", "export", "disk", &path]);
    assert!(!again.status.success(), "it wrote over a file: {}", text(&again));

    agent.run(&["volume", "remove", "disk"]);
    let point = mount.point().display().to_string();
    agent.run(&["volume", "join", &path, &point, "--mount"]);
    assert!(is_mounted(mount.point()));
    assert_eq!(fs::read(mount.file("file")).expect("read"), b"written");
    assert_eq!(agent.only_volume()["settings"]["name"], "disk");
    agent.run(&["volume", "unmount", "disk"]);
    agent.run(&["volume", "remove", "disk"]);

    let uuid = exported["uuid"]
        .as_str()
        .expect("the identity of a volume that was mounted");
    fs::write(&file, said.replace(uuid, "00000000-0000-4000-8000-000000000000")).expect("written");
    let refused = agent.attempt(&["volume", "join", &path, &point]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    assert!(text(&refused).contains("another volume"), "{}", text(&refused));
    assert_eq!(agent.json(&["volume", "list"]), serde_json::json!([]));
}

#[test]
fn the_file_holds_no_password_and_says_that_one_is_needed() {
    const PASSWORD: &str = "hunter2-is-nowhere";
    let Some(volume) = Volume::home() else { return };
    let agent = Agent::start(&volume);
    let url = format!("redis://:{PASSWORD}@127.0.0.1:9/1");
    let point = volume.path().join("mount").display().to_string();
    agent.run(&["volume", "add", &url, &point, "--name", "disk"]);
    let file = volume.path().join("disk.json").display().to_string();
    agent.run(&["volume", "export", "disk", &file]);
    let said = fs::read_to_string(&file).expect("the file");
    assert!(said.contains("redis://") && !said.contains(PASSWORD), "{said}");
    agent.run(&["volume", "remove", "disk"]);
    let joined = program(&volume, &["volume", "join", &file, &point])
        .output()
        .expect("the program starts");
    assert!(joined.status.success(), "{}", text(&joined));
    assert!(text(&joined).contains("META_PASSWORD"), "{}", text(&joined));
    assert_eq!(agent.only_volume()["settings"]["name"], "disk");
}
