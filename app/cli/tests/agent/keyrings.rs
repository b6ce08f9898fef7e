//! Passwords outlive the agent in a store of secrets, a real keyring or an encrypted file, and are nowhere else.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;

use crate::fixture::{LIMIT, Volume, processes_naming, text, until};
use crate::keyring::Session;
use crate::running::{Agent, program, said};

const PASSWORD: &str = "hunter2-is-nowhere";
const PASSPHRASE: &str = "of-the-encrypted-file";

/// A server of Redis that hears passwords and says nothing.
struct Server(TcpListener);

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("set");
        Server(listener)
    }

    fn url(&self) -> String {
        let port = self.0.local_addr().expect("an address").port();
        format!("redis://:{PASSWORD}@127.0.0.1:{port}/1")
    }

    /// Waits until nothing of the volume is left, and forgets who connected before.
    fn rests(&self, agent: &Agent<'_>) {
        agent.run(&["volume", "unmount", "disk", "--no-wait"]);
        until("it to be at rest", || agent.state() == "stopped");
        while self.0.accept().is_ok() {}
    }

    /// Waits until a mount process gives the password, and looks at all processes that name its mount point.
    fn hears_the_password(&self, point: &Path) {
        let mut accepted = None;
        until("the mount process to connect", || {
            accepted = self.0.accept().ok();
            accepted.is_some()
        });
        let (mut connection, _) = accepted.expect("a connection");
        connection.set_nonblocking(false).expect("set");
        connection.set_read_timeout(Some(LIMIT)).expect("set");
        let mut heard = Vec::new();
        while !String::from_utf8_lossy(&heard).contains(PASSWORD) {
            let mut bytes = [0; 512];
            let count = connection.read(&mut bytes).expect("the password comes");
            assert_ne!(count, 0, "{}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&bytes[..count]);
        }
        let processes = processes_naming(point);
        assert!(!processes.is_empty());
        for process in processes {
            for file in ["cmdline", "environ"] {
                // One that has ended meanwhile shows nothing.
                let bytes = fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
                assert!(!holds(&bytes), "{file} of {process}");
            }
        }
    }
}

fn holds(bytes: &[u8]) -> bool {
    bytes
        .windows(PASSWORD.len())
        .any(|part| part == PASSWORD.as_bytes())
}

/// No file of this home holds the password in the open: settings, logs, stores, records.
fn assert_nowhere(volume: &Volume) {
    let mut folders = vec![volume.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("listed") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).expect("read");
                assert!(!holds(&bytes), "{}", entry.path().display());
                files += 1;
            }
        }
    }
    assert!(files > 2, "the home was looked at");
}

fn reason(agent: &Agent<'_>) -> Value {
    agent.only_volume()["state"]["reason"]["code"].clone()
}

fn store(agent: &Agent<'_>) -> (Value, Value) {
    let status = agent.json(&["agent", "secrets"]);
    (status["store"].clone(), status["access"].clone())
}

fn add(agent: &Agent<'_>, server: &Server, point: &Path) {
    let point = point.display().to_string();
    agent.run(&[
        "volume",
        "add",
        &server.url(),
        &point,
        "--name",
        "disk",
        "--no-mount-at-start",
    ]);
}

#[test]
fn a_password_in_the_keyring_outlives_the_agent_and_goes_with_its_volume() {
    let Some(volume) = Volume::home() else { return };
    let Some(session) = Session::start(&volume) else {
        return;
    };
    session.unlock();
    let (server, mount) = (Server::start(), volume.mounted("mount"));
    let agent = Agent::start(&volume);
    assert_eq!(store(&agent), ("keyring".into(), "open".into()));
    add(&agent, &server, mount.point());
    assert_eq!(session.secrets(), 1);
    agent.kill();
    let agent = Agent::start(&volume);
    agent.run(&["volume", "mount", "disk", "--no-wait"]);
    server.hears_the_password(mount.point());
    assert!(!agent.run(&["volume", "list", "--json"]).contains(PASSWORD));
    server.rests(&agent);
    agent.run(&["volume", "remove", "disk"]);
    assert_eq!(session.secrets(), 0);
    assert_nowhere(&volume);
    assert!(!said(&volume).contains(PASSWORD), "{}", said(&volume));
}

#[test]
fn a_locked_keyring_asks_to_be_unlocked_and_the_volume_goes_on_by_itself_then() {
    let Some(volume) = Volume::home() else { return };
    let Some(session) = Session::start(&volume) else {
        return;
    };
    session.unlock();
    let (server, mount) = (Server::start(), volume.mounted("mount"));
    let agent = Agent::start(&volume);
    add(&agent, &server, mount.point());
    agent.kill();
    session.lock();
    let agent = Agent::start(&volume);
    assert_eq!(store(&agent), ("keyring".into(), "locked".into()));
    agent.run(&["volume", "mount", "disk", "--no-wait"]);
    until("the keyring to be asked for", || {
        reason(&agent) == "keyring_locked"
    });
    let state = agent.only_volume()["state"].clone();
    assert_eq!(state["state"], "unconfigured");
    assert!(
        state["reason"]["advice"]
            .as_str()
            .expect("advice")
            .starts_with("Unlock it"),
        "{state}"
    );
    session.unlock();
    server.hears_the_password(mount.point());
    agent.run(&["volume", "unmount", "disk", "--no-wait"]);
}

#[test]
fn a_password_that_is_given_while_the_keyring_is_locked_is_stored_when_it_opens_and_said_to_be_at_risk_until_then()
 {
    let Some(volume) = Volume::home() else { return };
    let Some(session) = Session::start(&volume) else {
        return;
    };
    session.unlock();
    session.lock();
    let (server, mount) = (Server::start(), volume.mounted("mount"));
    let agent = Agent::start(&volume);
    add(&agent, &server, mount.point());
    let notices = || agent.json(&["agent", "status"])["notices"].to_string();
    assert!(
        notices().contains("in the memory of the agent only"),
        "{}",
        notices()
    );
    assert_eq!(session.secrets(), 0);
    // It is of use all the same.
    agent.run(&["volume", "mount", "disk", "--no-wait"]);
    server.hears_the_password(mount.point());
    session.unlock();
    until("the password to be stored", || session.secrets() == 1);
    until("that to be said", || notices() == "[]");
    agent.run(&["volume", "password", "disk", "--forget"]);
    assert_eq!(session.secrets(), 0);
    agent.run(&["volume", "unmount", "disk", "--no-wait"]);
}

#[test]
fn without_a_keyring_a_file_is_chosen_with_a_passphrase_or_a_key_and_the_passwords_go_along() {
    let Some(volume) = Volume::home() else { return };
    let (server, mount) = (Server::start(), volume.mounted("mount"));
    let agent = Agent::start(&volume);
    assert_eq!(store(&agent), ("keyring".into(), "missing".into()));
    add(&agent, &server, mount.point());
    let refused = agent.attempt(&["agent", "secrets", "--store", "file"]);
    assert!(
        text(&refused).contains("MOORAGE_SECRETS_PASSPHRASE"),
        "{}",
        text(&refused)
    );
    assert_eq!(store(&agent).0, "keyring", "nothing was changed");
    let with_passphrase = |arguments: &[&str]| {
        let mut command = program(&volume, arguments);
        let output = command
            .env("MOORAGE_SECRETS_PASSPHRASE", PASSPHRASE)
            .output()
            .expect("started");
        assert!(output.status.success(), "{}", text(&output));
    };
    with_passphrase(&["agent", "secrets", "--store", "file"]);
    assert_eq!(store(&agent), ("encrypted_file".into(), "open".into()));
    agent.kill();

    let agent = Agent::start(&volume);
    assert_eq!(store(&agent), ("encrypted_file".into(), "locked".into()));
    agent.run(&["volume", "mount", "disk", "--no-wait"]);
    until("the passphrase to be asked for", || {
        reason(&agent) == "keyring_locked"
    });
    with_passphrase(&["agent", "secrets", "--unlock"]);
    server.hears_the_password(mount.point());
    server.rests(&agent);
    agent.run(&["agent", "secrets", "--store", "key-file"]);
    let files: Vec<_> = fs::read_dir(volume.path().join(".local/share/moorage/secrets"))
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
    agent.kill();

    let agent = Agent::start(&volume);
    assert_eq!(store(&agent), ("key_file".into(), "open".into()));
    agent.run(&["volume", "mount", "disk", "--no-wait"]);
    server.hears_the_password(mount.point());
    agent.run(&["volume", "unmount", "disk", "--no-wait"]);
    assert_nowhere(&volume);
}

#[test]
fn a_file_whose_passphrase_is_lost_is_left_behind_only_when_that_is_wanted() {
    let Some(volume) = Volume::home() else { return };
    let (server, mount) = (Server::start(), volume.mounted("mount"));
    let agent = Agent::start(&volume);
    let chosen = program(&volume, &["agent", "secrets", "--store", "file"])
        .env("MOORAGE_SECRETS_PASSPHRASE", PASSPHRASE)
        .output()
        .expect("started");
    assert!(chosen.status.success(), "{}", text(&chosen));
    add(&agent, &server, mount.point());
    agent.kill();
    let agent = Agent::start(&volume);
    let refused = agent.attempt(&["agent", "secrets", "--store", "key-file"]);
    assert!(text(&refused).contains("--forget"), "{}", text(&refused));
    agent.run(&["agent", "secrets", "--store", "key-file", "--forget"]);
    assert_eq!(store(&agent), ("key_file".into(), "open".into()));
    agent.run(&["volume", "mount", "disk", "--no-wait"]);
    until("the password to be asked for", || reason(&agent) == "incomplete");
}
