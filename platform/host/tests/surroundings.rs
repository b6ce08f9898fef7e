//! What NetworkManager, UPower and logind say, on a message bus of the test's own.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use moorage_host::{HostEvent, Surroundings, host_events_at};
use zbus::blocking::fdo::DBusProxy;
use zbus::blocking::{Connection, connection};
use zbus::zvariant::{ObjectPath, Value};

/// Longest that an event may take on a loaded machine.
const LIMIT: Duration = Duration::from_secs(60);

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

/// A program on the bus, with a name or without.
fn program(bus: &Bus, name: Option<&'static str>) -> Connection {
    connection::Builder::address(bus.address.as_str())
        .and_then(|builder| match name {
            Some(name) => builder.name(name),
            None => Ok(builder),
        })
        .and_then(connection::Builder::build)
        .expect("on the bus")
}

/// Says that the computer is about to sleep, or that it woke. Returns when the bus has it.
fn say_sleep(of: &Connection, begins: bool) {
    let (path, interface) = ("/org/freedesktop/login1", "org.freedesktop.login1.Manager");
    of.emit_signal(None::<&str>, path, interface, "PrepareForSleep", &begins)
        .expect("said");
    DBusProxy::new(of)
        .and_then(|bus| Ok(bus.get_id()?))
        .expect("heard");
}

fn say_network(of: &Connection, property: &str, value: Value<'_>) {
    let changed = HashMap::from([(property, value)]);
    let (network, none) = ("org.freedesktop.NetworkManager", Vec::<&str>::new());
    of.emit_signal(
        None::<&str>,
        "/org/freedesktop/NetworkManager",
        "org.freedesktop.DBus.Properties",
        "PropertiesChanged",
        &(network, changed, none),
    )
    .expect("said");
}

#[test]
fn sleep_and_a_network_that_comes_are_told_and_strangers_are_not_believed() {
    let Some(bus) = Bus::start() else { return };
    let login = program(&bus, Some("org.freedesktop.login1"));
    let network = program(&bus, Some("org.freedesktop.NetworkManager"));
    let stranger = program(&bus, None);
    let mut events = host_events_at(&bus.address).expect("listening");
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        while let Ok(event) = events.next() {
            if tell.send(event).is_err() {
                return;
            }
        }
    });
    let next = || told.recv_timeout(LIMIT).expect("an event");
    say_sleep(&stranger, false);
    say_sleep(&login, true);
    assert_eq!(next(), HostEvent::Sleeping);
    say_sleep(&login, false);
    assert_eq!(next(), HostEvent::Woke);
    say_network(&network, "State", Value::U32(20));
    say_network(&network, "WirelessEnabled", Value::Bool(true));
    let none = ObjectPath::try_from("/").expect("a path");
    say_network(&network, "PrimaryConnection", Value::ObjectPath(none));
    say_network(&network, "State", Value::U32(70));
    assert_eq!(next(), HostEvent::Online);
    let other = ObjectPath::try_from("/org/freedesktop/NetworkManager/ActiveConnection/2").expect("a path");
    say_network(&network, "PrimaryConnection", Value::ObjectPath(other));
    assert_eq!(next(), HostEvent::Online);
    drop(bus);
    assert!(told.recv_timeout(LIMIT).is_err(), "the end of the bus is noticed");
}
