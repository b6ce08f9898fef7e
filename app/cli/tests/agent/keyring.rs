//! A message bus and a GNOME keyring in the home of a test.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::fixture::{Volume, succeed};
use crate::running::bus_file;

/// Password of the keyring.
const PASSWORD: &str = "of the keyring";
/// What the service is called on the bus.
const SERVICE: &str = "org.freedesktop.secrets";
/// The keyring that opens at login.
const LOGIN: &str = "/org/freedesktop/secrets/collection/login";

/// The session. Bus and keyring end with it.
pub(crate) struct Session<'a> {
    volume: &'a Volume,
    address: String,
    bus: Child,
}

impl<'a> Session<'a> {
    /// Starts a bus for the programs of this home; `None` without what it takes, which is said.
    pub(crate) fn start(volume: &'a Volume) -> Option<Session<'a>> {
        let programs = ["/usr/bin/dbus-daemon", "/usr/bin/gnome-keyring-daemon"];
        if let Some(missing) = programs.into_iter().find(|program| !Path::new(program).exists()) {
            println!("SKIPPED: no {missing}");
            return None;
        }
        fs::create_dir_all(volume.path().join("run")).expect("folder of the login");
        let (bus, address) = message_bus(volume);
        fs::write(bus_file(volume), &address).expect("written");
        Some(Session { volume, address, bus })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("HOME", self.volume.path())
            .env("XDG_RUNTIME_DIR", self.volume.path().join("run"))
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("DISPLAY")
            .stdin(Stdio::null());
        command
    }

    /// Starts an open keyring; in place of a locked one, if there is one.
    pub(crate) fn unlock(&self) {
        let mut daemon = self
            .command("gnome-keyring-daemon")
            .args(["--replace", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a keyring");
        let mut pipe = daemon.stdin.take().expect("piped");
        pipe.write_all(PASSWORD.as_bytes()).expect("sent");
        drop(pipe);
        daemon.wait().expect("ended");
        // Returns once it is on the bus.
        succeed(
            self.command("gnome-keyring-daemon")
                .args(["--start", "--components=secrets"]),
        );
    }

    /// Locks the keyring.
    pub(crate) fn lock(&self) {
        let method = "org.freedesktop.Secret.Service.Lock";
        let keyring = format!("array:objpath:{LOGIN}");
        self.ask(method, &keyring);
    }

    /// How many secrets of Moorage there are.
    pub(crate) fn secrets(&self) -> usize {
        let method = "org.freedesktop.Secret.Service.SearchItems";
        let found = self.ask(method, "dict:string:string:service,moorage");
        found.matches(LOGIN).count()
    }

    fn ask(&self, method: &str, argument: &str) -> String {
        let destination = format!("--dest={SERVICE}");
        let arguments = [
            "--session",
            "--print-reply",
            &destination,
            "/org/freedesktop/secrets",
            method,
            argument,
        ];
        succeed(self.command("dbus-send").args(arguments))
    }
}

/// A message bus for programs of this home, and its address.
pub(crate) fn message_bus(volume: &Volume) -> (Child, String) {
    // It starts nothing by itself: a test says when there is a keyring.
    let configuration = volume.path().join("bus.conf");
    fs::write(&configuration, CONFIGURATION).expect("written");
    let mut bus = Command::new("dbus-daemon")
        .arg(format!("--config-file={}", configuration.display()))
        .args(["--nofork", "--print-address"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a bus");
    let mut address = String::new();
    let output = bus.stdout.take().expect("piped");
    BufReader::new(output)
        .read_line(&mut address)
        .expect("its address");
    (bus, address.trim().to_owned())
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // The keyring ends with its bus.
        let _ended = self.bus.kill();
        let _reaped = self.bus.wait();
    }
}

const CONFIGURATION: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"#;
