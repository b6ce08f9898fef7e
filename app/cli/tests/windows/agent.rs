//! The agent: one for its user, who keeps a list of volumes and their passwords, and is told why nothing is mounted.

use std::process::Command;

use moorage_host::secrets::{Keyring, SecretName, SecretStore as _};

use crate::home::{Agent, Home, text};

#[test]
fn one_agent_serves_its_user_until_it_is_stopped() {
    let home = Home::new();
    let absent = home.refused(&["agent", "status"]);
    assert!(absent.contains("moorage agent run"), "{absent}");
    let agent = Agent::start(&home);
    assert_eq!(home.json(&["agent", "status"])["pid"], agent.pid());
    let second = home.refused(&["agent", "run"]);
    assert!(second.contains("runs already"), "{second}");
    assert_eq!(home.json(&["agent", "status"])["pid"], agent.pid());
    agent.stop();
    home.refused(&["agent", "status"]);
}

#[test]
fn an_agent_that_was_killed_is_followed_by_one_that_knows_its_volumes() {
    let home = Home::new();
    let agent = Agent::start(&home);
    home.succeed(&["volume", "add", "redis://127.0.0.1:1/1", "x:", "--name", "Remote"]);
    agent.kill();
    let agent = Agent::start(&home);
    let list = home.json(&["volume", "list"]);
    assert_eq!(list[0]["settings"]["name"], "Remote", "{list}");
    assert_eq!(list[0]["settings"]["mount_point"], "X:", "{list}");
    home.succeed(&["volume", "remove", "Remote"]);
    assert_eq!(home.json(&["volume", "list"]), serde_json::json!([]));
    agent.stop();
}

#[test]
fn a_password_is_in_the_credential_manager_alone_for_as_long_as_its_volume_is_in_the_list() {
    let home = Home::new();
    let agent = Agent::start(&home);
    let added = home
        .program(&["volume", "add", "redis://127.0.0.1:1/1", "X:", "--name", "Remote"])
        .env("META_PASSWORD", "open sesame")
        .output()
        .expect("started");
    assert!(
        added.status.success(),
        "{}",
        String::from_utf8_lossy(&added.stderr)
    );
    let settings = std::fs::read_to_string(home.settings()).expect("the settings file");
    assert!(
        settings.contains("Remote") && !settings.contains("open sesame"),
        "{settings}"
    );
    let list = home.json(&["volume", "list"]);
    let id = list[0]["id"].as_str().expect("an id");
    let name = SecretName::new(id, "metadata_password");
    let kept = || Keyring::new().read(&name).expect("read");
    assert_eq!(kept().expect("kept").as_str(), "open sesame");
    home.succeed(&["volume", "remove", "Remote"]);
    assert!(kept().is_none(), "it goes with its volume");
    agent.stop();
}

#[test]
fn volumes_for_which_no_mount_point_is_named_have_a_free_drive_each_and_keep_it() {
    let home = Home::new();
    let drives = || {
        let list = home.json(&["volume", "list"]);
        ["One", "Two"].map(|name| {
            let volumes = list.as_array().expect("a list");
            let volume = volumes.iter().find(|volume| volume["settings"]["name"] == name);
            volume.expect("in the list")["settings"]["mount_point"].clone()
        })
    };
    let agent = Agent::start(&home);
    home.succeed(&["volume", "add", "redis://127.0.0.1:1/1", "--name", "One"]);
    home.succeed(&["volume", "add", "redis://127.0.0.1:1/2", "--name", "Two"]);
    let chosen = drives();
    assert_ne!(chosen[0], chosen[1]);
    for drive in &chosen {
        let drive = drive.as_str().expect("text");
        assert!(
            drive.len() == 2 && drive.ends_with(':') && drive != "C:",
            "{drive}"
        );
        assert!(
            !std::path::Path::new(&format!("{drive}\\")).exists(),
            "{drive} is free"
        );
    }
    agent.stop();
    let agent = Agent::start(&home);
    assert_eq!(drives(), chosen);
    agent.stop();
}

#[test]
fn a_volume_is_not_mounted_and_the_agent_says_why() {
    let home = Home::new();
    let url = home.volume();
    let agent = Agent::start(&home);
    let point = home.path().join("Disk");
    home.succeed(&["volume", "add", &url, text(&point)]);
    let said = home.refused(&["volume", "mount", "Disk"]);
    assert!(
        said.contains("WinFsp is not installed") && said.contains("moorage sync"),
        "{said}"
    );
    let list = home.json(&["volume", "list"]);
    let state = &list[0]["state"];
    assert_eq!(state["state"], "error", "{list}");
    assert!(state.to_string().contains("driver_missing"), "{list}");
    assert!(!point.exists(), "no folder is made for what can not be");
    agent.stop();
}

#[test]
fn a_database_without_a_volume_is_refused_by_the_command_that_the_agent_runs() {
    let home = Home::new();
    let agent = Agent::start(&home);
    let url = format!("sqlite3://{}", text(&home.path().join("none.db")));
    let said = home.refused(&["volume", "add", &url, "X:", "--name", "None"]);
    assert!(said.contains("moorage format"), "{said}");
    assert_eq!(home.json(&["volume", "list"]), serde_json::json!([]));
    agent.stop();
}

#[test]
fn the_agent_starts_at_login_once_that_is_asked_for() {
    let home = Home::new();
    let agent = Agent::start(&home);
    if home.json(&["agent", "settings"])["start_at_login"] == true {
        eprintln!("SKIPPED: Moorage starts at the login of whoever runs the tests");
        return;
    }
    let started = || {
        let asked = Command::new("reg")
            .args(["query", r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"])
            .output()
            .expect("asked");
        String::from_utf8_lossy(&asked.stdout).contains("agent run --log --verbose")
    };
    home.succeed(&["agent", "settings", "--start-at-login", "on"]);
    assert!(started());
    assert_eq!(home.json(&["agent", "settings"])["start_at_login"], true);
    home.succeed(&["agent", "settings", "--start-at-login", "off"]);
    assert!(!started());
    agent.stop();
}

#[test]
fn what_an_agent_without_a_window_says_is_in_its_log() {
    let home = Home::new();
    let mut child = home
        .program(&["agent", "run", "--log", "--verbose"])
        .spawn()
        .expect("started");
    let log = home.path().join(r"Local\Moorage\state\log\agent.log");
    while !std::fs::read_to_string(&log).is_ok_and(|said| said.contains("The agent serves at")) {
        assert!(child.try_wait().expect("a child of ours").is_none(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let shown = home.succeed(&["log"]);
    assert!(shown.contains("The agent serves at"), "{shown}");
    home.succeed(&["agent", "stop"]);
    assert!(child.wait().expect("ended").success());
}
