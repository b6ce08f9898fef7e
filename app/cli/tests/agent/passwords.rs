//! Passwords reach the mount process through a pipe, and nothing else.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;

use crate::fixture::{LIMIT, Volume, processes_naming};
use crate::running::{Agent, program, said, settings};

const PASSWORD: &str = "hunter2-is-nowhere";

#[test]
fn a_password_reaches_the_server_and_is_in_no_argument_environment_log_or_file() {
    let Some(volume) = Volume::home() else { return };
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    let url = format!("redis://:{PASSWORD}@127.0.0.1:{port}/1");
    let point = mount.point().display().to_string();
    agent.run(&["volume", "add", &url, &point, "--name", "disk"]);
    agent.run(&["volume", "mount", "disk", "--no-wait"]);
    // A server of Redis that hears the password and then says nothing: so the mount process is there to be looked at.
    let (mut connection, _) = server.accept().expect("the mount process connects");
    connection.set_read_timeout(Some(LIMIT)).expect("set");
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains(PASSWORD) {
        let mut bytes = [0; 512];
        let count = connection.read(&mut bytes).expect("the password comes");
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&heard));
        heard.extend_from_slice(&bytes[..count]);
    }
    let processes = processes_naming(mount.point());
    assert!(!processes.is_empty());
    for process in processes {
        for file in ["cmdline", "environ"] {
            // One that has ended meanwhile shows nothing.
            let bytes = fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
            assert!(
                !String::from_utf8_lossy(&bytes).contains(PASSWORD),
                "{file} of {process}"
            );
        }
    }
    let kept = fs::read_to_string(settings(&volume)).expect("the list");
    assert!(kept.contains("redis://") && !kept.contains(PASSWORD), "{kept}");
    assert!(!agent.run(&["volume", "list", "--json"]).contains(PASSWORD));
    agent.run(&["volume", "unmount", "disk", "--no-wait"]);
    assert!(!said(&volume).contains(PASSWORD), "{}", said(&volume));
}

#[test]
fn a_line_of_secrets_that_can_not_be_read_is_refused_without_being_shown() {
    use std::io::Write as _;
    use std::process::Stdio;

    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let point = mount.point().display().to_string();
    let arguments = [
        "mount",
        "-d",
        "--json",
        "--secrets-from-stdin",
        &volume.url(),
        &point,
    ];
    let mut child = program(&volume, &arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("piped");
    writeln!(pipe, "{{\"metadata_password\": {PASSWORD:?}, ").expect("sent");
    drop(pipe);
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    let error: serde_json::Value = serde_json::from_str(said.trim()).expect("JSON");
    assert_eq!(error["kind"], "InvalidArgument");
    assert!(!said.contains(PASSWORD), "{said}");
}
