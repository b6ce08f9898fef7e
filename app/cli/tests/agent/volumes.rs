//! The list of volumes, and mounting and unmounting what is in it.

use std::fs;

use crate::fixture::{Volume, is_mounted, text, until};
use crate::running::{Agent, program};

#[test]
fn a_volume_is_added_mounted_unmounted_and_removed() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&[]);
    assert_eq!(agent.state(), "stopped");
    agent.run(&["volume", "mount", "disk"]);
    assert!(is_mounted(mount.point()));
    assert_eq!(agent.state(), "mounted");
    fs::write(mount.file("file"), b"written").expect("written");
    let refused = agent.attempt(&["volume", "remove", "disk"]);
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused));
    let told = agent.run(&["volume", "unmount", "disk"]);
    assert!(told.contains("everything is stored"), "{told}");
    assert!(!is_mounted(mount.point()));
    assert_eq!(agent.state(), "stopped");
    agent.run(&["volume", "remove", "disk"]);
    assert_eq!(agent.json(&["volume", "list"]), serde_json::json!([]));
    let by_hand = volume.mount("mount", &[]);
    assert_eq!(fs::read(by_hand.file("file")).expect("read"), b"written");
}

#[test]
fn without_an_agent_every_command_says_how_to_start_one() {
    let Some(volume) = Volume::home() else { return };
    for command in [
        ["volume", "list"].as_slice(),
        &["volume", "mount", "disk"],
        &["agent", "status"],
        &["agent", "stop"],
    ] {
        let output = program(&volume, command).output().expect("the program starts");
        assert_eq!(output.status.code(), Some(6), "{command:?}: {}", text(&output));
        assert!(text(&output).contains("moorage agent run"), "{}", text(&output));
    }
}

#[test]
fn a_volume_that_can_not_be_mounted_says_why_until_a_person_mends_it() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&[]);
    let (database, away) = (volume.path().join("meta.db"), volume.path().join("away.db"));
    fs::rename(&database, &away).expect("renamed");
    let failed = agent.attempt(&["volume", "mount", "disk"]);
    assert_eq!(failed.status.code(), Some(3), "{}", text(&failed));
    assert!(text(&failed).contains("meta.db"), "{}", text(&failed));
    assert_eq!(agent.only_volume()["state"]["problem"]["code"], "not_found");
    fs::rename(&away, &database).expect("renamed");
    agent.run(&["volume", "mount", "disk"]);
    assert!(is_mounted(mount.point()));
}

#[test]
fn a_database_without_a_volume_is_not_added() {
    let Some(volume) = Volume::home() else { return };
    let agent = Agent::start(&volume);
    let point = volume.path().join("mount").display().to_string();
    let (url, database) = (volume.url(), volume.path().join("meta.db"));
    for held in [None, Some("")] {
        if let Some(content) = held {
            fs::write(&database, content).expect("a file");
        }
        let refused = agent.attempt(&["volume", "add", &url, &point, "--name", "disk"]);
        assert_eq!(refused.status.code(), Some(3), "{}", text(&refused));
        let said = text(&refused);
        assert!(
            said.contains("meta.db") && said.contains("moorage format"),
            "{said}"
        );
        assert_eq!(database.exists(), held.is_some(), "looking made a database");
    }
    assert_eq!(agent.json(&["volume", "list"]), serde_json::json!([]));
}

#[test]
fn a_volume_in_use_stays_mounted_and_its_user_is_named() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    let mut user = std::process::Command::new("sleep")
        .arg("600")
        .current_dir(mount.point())
        .spawn()
        .expect("sleep");
    let refused = agent.attempt(&["volume", "unmount", "disk"]);
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused));
    assert!(text(&refused).contains("sleep"), "{}", text(&refused));
    until("the volume to be mounted", || agent.state() == "mounted");
    agent.run(&["volume", "unmount", "disk", "--lazy", "--no-wait"]);
    until("the mount point to be free", || !is_mounted(mount.point()));
    user.kill().expect("ours");
    user.wait().expect("ended");
    until("the volume to stop", || agent.state() == "stopped");
}

#[test]
fn a_volume_that_somebody_else_unmounts_is_left_so_and_one_that_is_mounted_by_hand_is_shown() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    let output = mount.umount(&[]);
    assert!(output.status.success(), "{}", text(&output));
    until("the agent to notice", || agent.state() == "stopped");
    assert!(!is_mounted(mount.point()));
    let _by_hand = volume.mount("mount", &[]);
    until("the agent to notice", || agent.state() == "mounted");
}
