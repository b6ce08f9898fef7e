//! One agent for one user, and for nobody else.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Output;

use moorage_control::stopped_file;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fixture::{Volume, text};
use crate::running::{Agent, program, socket};

/// User and group that own nothing.
const NOBODY: u32 = 65_534;

#[test]
fn a_second_agent_is_refused_and_the_first_one_goes_on() {
    let Some(volume) = Volume::home() else { return };
    let agent = Agent::start(&volume);
    // Also from another login, whose sockets are elsewhere.
    for runtime in ["run", "run of another login"] {
        let second = program(&volume, &["agent", "run"])
            .env("XDG_RUNTIME_DIR", volume.path().join(runtime))
            .output()
            .expect("the program starts");
        assert_eq!(second.status.code(), Some(4), "{}", text(&second));
        assert!(
            text(&second).contains(&agent.pid().to_string()),
            "{}",
            text(&second)
        );
    }
    assert_eq!(agent.json(&["agent", "status"])["pid"], agent.pid());
}

#[test]
fn an_agent_can_be_started_after_one_was_stopped_or_killed() {
    let Some(volume) = Volume::home() else { return };
    let agent = Agent::start(&volume);
    agent.run(&["agent", "stop"]);
    agent.ends();
    let agent = Agent::start(&volume);
    agent.kill();
    assert!(socket(&volume).exists(), "a stale socket stays");
    let agent = Agent::start(&volume);
    assert_eq!(agent.json(&["agent", "status"])["pid"], agent.pid());
}

#[test]
fn whoever_ends_an_agent_in_order_leaves_a_mark_and_what_kills_it_leaves_none() {
    let Some(volume) = Volume::home() else { return };
    let mark = stopped_file::path(&volume.path().join("run/moorage"));
    let agent = Agent::start(&volume);
    assert!(!stopped_file::is_set(&mark));
    agent.run(&["agent", "stop"]);
    agent.ends();
    assert!(stopped_file::is_set(&mark), "a command ended it");
    let agent = Agent::start(&volume);
    assert!(!stopped_file::is_set(&mark), "it runs again");
    agent.kill();
    assert!(!stopped_file::is_set(&mark), "nobody meant it to end");
    let agent = Agent::start(&volume);
    let pid = i32::try_from(agent.pid()).expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("ours");
    agent.ends();
    assert!(stopped_file::is_set(&mark), "a service manager ended it");
}

#[test]
fn another_user_is_refused_even_where_the_folder_lets_everyone_in() {
    let Some(volume) = Volume::home() else { return };
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: only root can act as another user");
        return;
    }
    open_to_all(volume.path());
    // The build may lie where others can not pass.
    let own_program = volume.path().join("moorage");
    let built = env!("CARGO_BIN_EXE_moorage");
    fs::hard_link(built, &own_program)
        .or_else(|_| fs::copy(built, &own_program).map(drop))
        .expect("the program in this home");
    let agent = Agent::start(&volume);
    let as_nobody = || -> Output {
        let mut command = std::process::Command::new(&own_program);
        command
            .args(["agent", "status"])
            .env_clear()
            .env("HOME", volume.path())
            .env("XDG_RUNTIME_DIR", volume.path().join("run"))
            .uid(NOBODY)
            .gid(NOBODY);
        command.output().expect("the program starts")
    };
    open_to_all(&volume.path().join("run"));
    let kept_out = as_nobody();
    assert_eq!(kept_out.status.code(), Some(5), "{}", text(&kept_out));
    let socket = socket(&volume);
    for path in [socket.parent().expect("a folder"), &socket] {
        open_to_all(path);
    }
    let refused = as_nobody();
    assert_eq!(refused.status.code(), Some(5), "{}", text(&refused));
    assert!(text(&refused).contains("another user"), "{}", text(&refused));
    assert_eq!(agent.json(&["agent", "status"])["pid"], agent.pid());
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(0o777)).expect("opened to all");
}
