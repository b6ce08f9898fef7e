//! What NetworkManager and UPower say, on a message bus of the test's own.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use moorage_host::Surroundings;
use zbus::blocking::connection;

struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    /// Absent where there is no daemon for one.
    fn start() -> Option<Bus> {
        let started = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut daemon) = started else {
            eprintln!("SKIPPED: no dbus-daemon");
            return None;
        };
        let mut address = String::new();
        let output = daemon.stdout.take().expect("piped");
        BufReader::new(output)
            .read_line(&mut address)
            .expect("an address");
        Some(Bus {
            daemon,
            address: address.trim().to_owned(),
        })
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.daemon.kill().expect("it runs");
        self.daemon.wait().expect("it ended");
    }
}

struct Network(u32);

#[zbus::interface(name = "org.freedesktop.NetworkManager")]
impl Network {
    #[zbus(property)]
    fn metered(&self) -> u32 {
        self.0
    }
}

struct Power(bool);

#[zbus::interface(name = "org.freedesktop.UPower")]
impl Power {
    #[zbus(property)]
    fn on_battery(&self) -> bool {
        self.0
    }
}

#[test]
fn what_nobody_says_is_not_known() {
    let Some(bus) = Bus::start() else { return };
    assert_eq!(Surroundings::at(&bus.address), Surroundings::default());
    assert_eq!(
        Surroundings::at("unix:path=/nowhere/bus"),
        Surroundings::default()
    );
}

#[test]
fn a_metered_connection_and_a_battery_are_seen() {
    let Some(bus) = Bus::start() else { return };
    for (said, metered) in [
        (0, None),
        (1, Some(true)),
        (2, Some(false)),
        (3, Some(true)),
        (4, Some(false)),
        (9, None),
    ] {
        let _network = connection::Builder::address(bus.address.as_str())
            .and_then(|builder| builder.name("org.freedesktop.NetworkManager"))
            .and_then(|builder| builder.serve_at("/org/freedesktop/NetworkManager", Network(said)))
            .and_then(connection::Builder::build)
            .expect("it serves");
        assert_eq!(Surroundings::at(&bus.address).metered, metered, "{said}");
    }
    for battery in [true, false] {
        let _power = connection::Builder::address(bus.address.as_str())
            .and_then(|builder| builder.name("org.freedesktop.UPower"))
            .and_then(|builder| builder.serve_at("/org/freedesktop/UPower", Power(battery)))
            .and_then(connection::Builder::build)
            .expect("it serves");
        let seen = Surroundings::at(&bus.address);
        assert_eq!((seen.metered, seen.on_battery), (None, Some(battery)));
    }
}
