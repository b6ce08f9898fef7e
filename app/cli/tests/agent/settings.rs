//! What the agent keeps over its end.

use std::fs;

use serde_json::Value;

use crate::fixture::{Volume, is_mounted, text, until};
use crate::running::{Agent, program, said, settings};

#[test]
fn the_list_is_kept_and_what_is_to_be_mounted_at_start_is_mounted() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--cache-size", "1G"]);
    let before = agent.only_volume();
    agent.run(&["agent", "stop"]);
    agent.ends();
    let agent = Agent::start(&volume);
    until("the volume to be mounted", || agent.state() == "mounted");
    assert!(is_mounted(mount.point()));
    let after = agent.only_volume();
    assert_eq!(
        (&after["id"], &after["settings"]),
        (&before["id"], &before["settings"])
    );
    assert_eq!(after["settings"]["options"]["cache_size"], 1 << 30);
}

#[test]
fn members_that_this_version_does_not_know_are_kept() {
    let Some(volume) = Volume::format(&[]) else { return };
    let agent = Agent::start(&volume);
    agent.add(&["--no-mount-at-start"]);
    agent.kill();
    let read = || -> Value {
        serde_json::from_slice(&fs::read(settings(&volume)).expect("the file")).expect("JSON")
    };
    let mut text = read();
    text["volumes"][0]["settings"]["future"] = true.into();
    fs::write(settings(&volume), text.to_string()).expect("written");
    let agent = Agent::start(&volume);
    let point = volume.path().join("other").display().to_string();
    agent.run(&["volume", "add", &volume.url(), &point, "--no-mount-at-start"]);
    let text = read();
    assert_eq!(text["volumes"].as_array().map(Vec::len), Some(2));
    assert_eq!(text["volumes"][0]["settings"]["future"], true);
}

#[test]
fn a_damaged_file_is_kept_aside_and_said() {
    let Some(volume) = Volume::home() else { return };
    let file = settings(&volume);
    fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    fs::write(&file, "{\"version\": 1, \"volumes\": [").expect("written");
    let agent = Agent::start(&volume);
    assert_eq!(agent.json(&["volume", "list"]), serde_json::json!([]));
    let notices = agent.json(&["agent", "status"])["notices"].clone();
    let notice = notices[0]["message"].as_str().expect("a sentence");
    assert!(notice.contains("agent.json is damaged"), "{notices}");
    assert!(said(&volume).contains("damaged"), "{}", said(&volume));
    let aside = fs::read_dir(file.parent().expect("a folder"))
        .expect("listed")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.display().to_string().contains(".damaged-"))
        .expect("kept aside");
    assert!(
        notices[0]["advice"]
            .as_str()
            .is_some_and(|advice| advice.contains(&aside.display().to_string())),
        "{notices}"
    );
    assert_eq!(
        fs::read_to_string(aside).expect("read"),
        "{\"version\": 1, \"volumes\": ["
    );
}

#[test]
fn a_file_of_a_later_version_is_not_touched_and_says_what_to_update() {
    let Some(volume) = Volume::home() else { return };
    let file = settings(&volume);
    fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    fs::write(&file, "{\"version\": 99}").expect("written");
    let output = program(&volume, &["agent", "run"])
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(9), "{}", text(&output));
    assert!(text(&output).contains("Update Moorage"), "{}", text(&output));
    assert_eq!(fs::read_to_string(&file).expect("read"), "{\"version\": 99}");
}

#[test]
fn starting_at_login_is_an_entry_of_the_desktop_and_what_the_desktop_says_of_it_is_believed() {
    let Some(volume) = Volume::home() else { return };
    let entry = volume.path().join(".config/autostart/io.moorage.desktop.desktop");
    let agent = Agent::start(&volume);
    let starts = || agent.json(&["agent", "settings"])["start_at_login"].clone();
    assert_eq!(starts(), false);
    agent.run(&["agent", "settings", "--start-at-login", "on"]);
    let text = fs::read_to_string(&entry).expect("the entry");
    assert!(text.contains("moorage agent run --log --verbose\n"), "{text}");
    assert_eq!(starts(), true);
    let switched_off = text.replace(
        "X-GNOME-Autostart-enabled=true",
        "X-GNOME-Autostart-enabled=false",
    );
    fs::write(&entry, switched_off).expect("written");
    assert_eq!(starts(), false);
    agent.run(&["agent", "settings", "--start-at-login", "on"]);
    assert_eq!(starts(), true);
    agent.run(&["agent", "settings", "--start-at-login", "off"]);
    assert!(!entry.exists());
}

#[test]
fn what_starts_at_login_and_what_the_file_says_change_together_or_not_at_all() {
    let Some(volume) = Volume::home() else { return };
    let autostart = volume.path().join(".config/autostart");
    let entry = autostart.join("io.moorage.desktop.desktop");
    let agent = Agent::start(&volume);
    let turn = |switch| agent.attempt(&["agent", "settings", "--start-at-login", switch]);
    let kept = || {
        let text = fs::read_to_string(settings(&volume)).expect("the file");
        let kept: Value = serde_json::from_str(&text).expect("JSON");
        kept["settings"]["start_at_login"].clone()
    };
    // A folder that is not empty is never replaced.
    let in_the_way = settings(&volume).join("in the way");
    fs::create_dir_all(&in_the_way).expect("a folder");
    let output = turn("on");
    assert!(!output.status.success() && !entry.exists(), "{}", text(&output));
    fs::remove_dir_all(settings(&volume)).expect("removed");

    fs::write(&autostart, "no folder").expect("a file");
    let output = turn("on");
    assert!(!output.status.success(), "{}", text(&output));
    assert_eq!(kept(), false);
    fs::remove_file(&autostart).expect("removed");

    let output = turn("on");
    assert!(output.status.success() && entry.exists(), "{}", text(&output));
    assert_eq!(kept(), true);
}
