//! Sleep of the computer, as logind tells of it, on a message bus of the test's own.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::sync::atomic::Ordering;

use zbus::blocking::connection;

use crate::figures::{only_here, truth, write_durably};
use crate::fixture::{Volume, until};
use crate::keyring::message_bus;
use crate::remote::RemoteVolume;
use crate::running::{Agent, system_bus_file};
use crate::server::Mood;

/// The system's bus, and logind on it. They end with the test.
struct System {
    bus: Child,
    login: zbus::blocking::Connection,
}

impl System {
    /// `None` without a daemon for a bus, which is said.
    fn start(volume: &Volume) -> Option<System> {
        if !Path::new("/usr/bin/dbus-daemon").exists() {
            println!("SKIPPED: no dbus-daemon");
            return None;
        }
        let (bus, address) = message_bus(volume);
        fs::write(system_bus_file(volume), &address).expect("written");
        let login = connection::Builder::address(address.as_str())
            .and_then(|builder| builder.name("org.freedesktop.login1"))
            .and_then(connection::Builder::build)
            .expect("on the bus");
        Some(System { bus, login })
    }

    fn sleeps(&self, begins: bool) {
        let (path, interface) = ("/org/freedesktop/login1", "org.freedesktop.login1.Manager");
        self.login
            .emit_signal(None::<&str>, path, interface, "PrepareForSleep", &begins)
            .expect("said");
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ended = self.bus.kill();
        let _reaped = self.bus.wait();
    }
}

#[test]
fn after_a_sleep_an_upload_that_hangs_is_made_again_at_once() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let Some(system) = System::start(&remote.volume) else {
        return;
    };
    let mount = remote.volume.mounted("mount");
    let agent = Agent::start(&remote.volume);
    agent.add(&["--mount"]);
    let puts = || remote.server.puts.load(Ordering::Relaxed);
    // Connections of before are there, and nothing comes back on them any more.
    remote.server.be(Mood::Silent);
    let before = puts();
    write_durably(&mount.file("file"), 1);
    until("the upload to hang", || puts() > before);
    let hanging = puts();
    system.sleeps(true);
    system.sleeps(false);
    // Its own deadline is a minute, and a line in doubt gets no uploads.
    until("the upload to be made again", || puts() > hanging);
    assert!(only_here(&truth(&agent)).is_some(), "{}", truth(&agent));
    remote.server.be(Mood::Well);
    until("all to be stored", || truth(&agent)["truth"] == "stored");
}
