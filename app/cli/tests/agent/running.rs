//! An agent that runs in the home of a test.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::fixture::{Volume, end_of, succeed, text, until};

/// A command of the program for the agent in this home.
pub(crate) fn program(volume: &Volume, arguments: &[&str]) -> Command {
    let mut command = volume.program();
    command
        .env("XDG_RUNTIME_DIR", volume.path().join("run"))
        .env("DBUS_SESSION_BUS_ADDRESS", address(&bus_file(volume)))
        .env("DBUS_SYSTEM_BUS_ADDRESS", address(&system_bus_file(volume)))
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("META_PASSWORD")
        .args(arguments);
    command
}

/// Where a test with a message bus of its own names it. Without one there is none: the keyring of whoever runs the tests is
/// left alone.
pub(crate) fn bus_file(volume: &Volume) -> PathBuf {
    volume.path().join("bus")
}

/// The same of the system's message bus: nobody tells a test that the computer of whoever runs it sleeps.
pub(crate) fn system_bus_file(volume: &Volume) -> PathBuf {
    volume.path().join("system-bus")
}

fn address(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|_| "unix:path=/nowhere/bus".to_owned())
}

/// The socket of the agent in this home.
pub(crate) fn socket(volume: &Volume) -> PathBuf {
    volume.path().join("run/moorage/agent.sock")
}

/// The settings file of the agent in this home.
pub(crate) fn settings(volume: &Volume) -> PathBuf {
    volume.path().join(".config/moorage/agent.json")
}

/// A running agent; killed when dropped.
pub(crate) struct Agent<'a> {
    volume: &'a Volume,
    child: Child,
}

impl<'a> Agent<'a> {
    /// Starts one and waits until it can be connected to.
    pub(crate) fn start(volume: &'a Volume) -> Agent<'a> {
        fs::create_dir_all(volume.path().join("run")).expect("folder of the login");
        let log = File::options()
            .create(true)
            .append(true)
            .open(volume.path().join("agent.log"))
            .expect("log");
        let mut child = program(volume, &["agent", "run"])
            .stderr(log)
            .spawn()
            .expect("the program starts");
        until("the agent to answer", || {
            let ended = child.try_wait().expect("a child of ours");
            assert!(ended.is_none(), "the agent ended: {}", said(volume));
            UnixStream::connect(socket(volume)).is_ok()
        });
        Agent { volume, child }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs a command that has to succeed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        succeed(&mut program(self.volume, arguments))
    }

    /// Runs a command that may fail.
    pub(crate) fn attempt(&self, arguments: &[&str]) -> Output {
        program(self.volume, arguments)
            .output()
            .expect("the program starts")
    }

    /// What a command prints with `--json`.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = program(self.volume, arguments)
            .arg("--json")
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// The one volume of the list.
    pub(crate) fn only_volume(&self) -> Value {
        let volumes = self.json(&["volume", "list"]);
        let volumes = volumes.as_array().expect("a list");
        assert_eq!(volumes.len(), 1, "{volumes:?}");
        volumes[0].clone()
    }

    /// The word of the only volume's state.
    pub(crate) fn state(&self) -> String {
        let volume = self.only_volume();
        volume["state"]["state"].as_str().expect("a word").to_owned()
    }

    /// Adds the volume of this home under the name `disk`.
    pub(crate) fn add(&self, options: &[&str]) {
        let (url, point) = (self.volume.url(), self.volume.path().join("mount"));
        let point = point.display().to_string();
        let add = ["volume", "add", &url, &point, "--name", "disk"];
        self.run(&[&add, options].concat());
    }

    /// Kills it as a crash does.
    pub(crate) fn kill(mut self) {
        self.kill_now();
    }

    /// Waits for its end, which something else causes.
    pub(crate) fn ends(mut self) {
        let status = end_of(&mut self.child);
        assert!(status.success(), "{status}: {}", said(self.volume));
    }

    fn kill_now(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
            return;
        }
        let pid = i32::try_from(self.child.id()).expect("a pid");
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("ours");
        end_of(&mut self.child);
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        self.kill_now();
    }
}

/// What the agents of this home said.
pub(crate) fn said(volume: &Volume) -> String {
    fs::read_to_string(volume.path().join("agent.log")).unwrap_or_default()
}

/// Commands with this word that work on the volume of this home.
pub(crate) fn processes(home: &Volume, word: &str) -> usize {
    let (url, word) = (home.url(), format!("\0{word}\0"));
    fs::read_dir("/proc")
        .expect("processes")
        .filter_map(|process| fs::read_to_string(process.ok()?.path().join("cmdline")).ok())
        .filter(|line| line.contains(&word) && line.contains(&url))
        .count()
}
