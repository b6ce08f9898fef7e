//! Mounts in the background: made, found, killed, taken away.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use moorage_host::ProcessIdentity;
use serde_json::Value;

use crate::home::{Agent, Home, text};
use crate::program;

/// Longest that anything here may take on a loaded machine.
const LIMIT: Duration = Duration::from_secs(120);

/// All of them: the runner of tests is not in this program.
pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "a_mount_stays_when_its_command_has_ended_and_ends_with_umount",
        a_mount_stays_when_its_command_has_ended_and_ends_with_umount,
    ),
    (
        "a_mount_that_is_not_made_says_why_to_whoever_asked",
        a_mount_that_is_not_made_says_why_to_whoever_asked,
    ),
    (
        "a_mount_that_is_killed_is_made_again",
        a_mount_that_is_killed_is_made_again,
    ),
    (
        "a_dead_mount_that_is_unmounted_does_not_come_back",
        a_dead_mount_that_is_unmounted_does_not_come_back,
    ),
    (
        "a_mount_ends_by_force_and_with_all_others",
        a_mount_ends_by_force_and_with_all_others,
    ),
    (
        "an_agent_mounts_and_unmounts_and_its_death_does_not",
        an_agent_mounts_and_unmounts_and_its_death_does_not,
    ),
    (
        "an_agent_brings_back_a_mount_that_lost_its_supervisor_too",
        an_agent_brings_back_a_mount_that_lost_its_supervisor_too,
    ),
];

/// A user with a volume, on a computer with the driver.
struct Computer {
    home: Home,
    url: String,
    point: PathBuf,
}

impl Computer {
    fn new() -> Computer {
        let home = Home::running(std::env::current_exe().expect("this program"));
        let driver = program::install_driver(home.path());
        // SAFETY: the tests run one after the other, and no thread of an earlier one reads variables.
        unsafe { std::env::set_var(program::DRIVER, driver) };
        let url = home.volume();
        let point = home.path().join("Disk");
        Computer { home, url, point }
    }

    fn mount(&self) -> Value {
        self.home.json(&["mount", "-d", &self.url, text(&self.point)])
    }

    /// What is on record of the mount.
    fn record(&self) -> Option<Value> {
        let folder = self.home.path().join(r"Local\Moorage\state\mounts");
        let files = fs::read_dir(folder).ok()?.flatten();
        let mut records = files.filter(|file| file.path().extension().is_some_and(|ending| ending == "json"));
        serde_json::from_slice(&fs::read(records.next()?.path()).ok()?).ok()
    }

    /// The process that serves the mount.
    fn server(&self) -> ProcessIdentity {
        process(&self.record().expect("a record"))
    }

    /// Kills the process that serves the mount, and takes away what the driver would have taken away with it.
    fn kill_server(&self) -> ProcessIdentity {
        let server = self.server();
        moorage_host::end_at_once(server.pid).expect("killed");
        until(|| !server.is_running());
        fs::remove_dir(&self.point).expect("taken away");
        server
    }
}

fn process(record: &Value) -> ProcessIdentity {
    ProcessIdentity {
        pid: record["pid"].as_u64().expect("a number") as u32,
        start: record["started"].as_u64().expect("a number"),
    }
}

fn until(mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < LIMIT, "it takes too long");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn a_mount_stays_when_its_command_has_ended_and_ends_with_umount() {
    let computer = Computer::new();
    let mounted = computer.mount();
    assert_eq!(mounted["Volume"], "disk", "{mounted}");
    assert_eq!(mounted["MountPoint"], text(&computer.point), "{mounted}");
    let server = computer.server();
    assert!(server.is_running() && computer.point.exists());
    let taken = computer
        .home
        .refused(&["mount", "-d", &computer.url, text(&computer.point)]);
    assert!(taken.contains("exists already"), "{taken}");
    computer.home.succeed(&["umount", text(&computer.point)]);
    assert!(!server.is_running(), "umount waits for its end");
    assert!(!computer.point.exists() && computer.record().is_none());
    let absent = computer.home.refused(&["umount", text(&computer.point)]);
    assert!(absent.contains("no volume is mounted"), "{absent}");
}

fn a_mount_that_is_not_made_says_why_to_whoever_asked() {
    let computer = Computer::new();
    let url = format!("sqlite3://{}", text(&computer.home.path().join("none.db")));
    let said = computer
        .home
        .refused(&["mount", "-d", &url, text(&computer.point)]);
    assert!(said.contains("moorage format"), "{said}");
    assert!(!computer.point.exists() && computer.record().is_none());
}

fn a_mount_that_is_killed_is_made_again() {
    let computer = Computer::new();
    computer.mount();
    let killed = computer.kill_server();
    until(|| {
        let record = computer.record().map(|record| process(&record));
        computer.point.exists() && record.is_some_and(|new| new != killed && new.is_running())
    });
    computer.home.succeed(&["umount", text(&computer.point)]);
    assert!(!computer.point.exists());
}

fn a_dead_mount_that_is_unmounted_does_not_come_back() {
    let computer = Computer::new();
    computer.mount();
    let supervisor = process(&computer.record().expect("a record")["supervisor"]);
    // What the driver would take away stays, so that it can not be made again.
    let server = computer.server();
    moorage_host::end_at_once(server.pid).expect("killed");
    until(|| !server.is_running());
    until(|| {
        // While another process tries to mount, the record is that one's.
        computer.home.output(&["umount", text(&computer.point)]);
        computer.record().is_none()
    });
    until(|| !supervisor.is_running());
    assert!(computer.record().is_none());
}

fn a_mount_ends_by_force_and_with_all_others() {
    let computer = Computer::new();
    let by_force = ["umount", "--force", text(&computer.point)];
    for arguments in [&by_force[..], &["umount", "--all"]] {
        computer.mount();
        let server = computer.server();
        computer.home.succeed(arguments);
        assert!(!server.is_running() && !computer.point.exists(), "{arguments:?}");
    }
    computer.home.succeed(&["umount", "--all"]);
}

fn an_agent_mounts_and_unmounts_and_its_death_does_not() {
    let computer = Computer::new();
    let (home, point) = (&computer.home, text(&computer.point));
    let state = || home.json(&["volume", "list"])[0]["state"]["state"].clone();
    let agent = Agent::start(home);
    home.succeed(&["volume", "add", &computer.url, point]);
    home.succeed(&["volume", "mount", "Disk"]);
    until(|| state() == "mounted");
    let server = computer.server();
    agent.kill();
    assert!(server.is_running() && computer.point.exists());
    let agent = Agent::start(home);
    until(|| state() == "mounted");
    assert_eq!(home.json(&["agent", "status"])["pid"], agent.pid());
    assert_eq!(computer.server(), server, "it is the same mount");
    home.succeed(&["volume", "unmount", "Disk"]);
    until(|| state() == "stopped");
    assert!(!server.is_running() && !computer.point.exists());
    agent.stop();
}

fn an_agent_brings_back_a_mount_that_lost_its_supervisor_too() {
    let computer = Computer::new();
    let (home, point) = (&computer.home, text(&computer.point));
    let state = || home.json(&["volume", "list"])[0]["state"]["state"].clone();
    let agent = Agent::start(home);
    home.succeed(&["volume", "add", &computer.url, point]);
    home.succeed(&["volume", "mount", "Disk"]);
    until(|| state() == "mounted");
    let supervisor = computer.record().expect("a record")["supervisor"]["pid"]
        .as_u64()
        .expect("a number");
    moorage_host::end_at_once(supervisor as u32).expect("killed");
    let killed = computer.kill_server();
    until(|| {
        let record = computer.record().map(|record| process(&record));
        record.is_some_and(|new| new != killed && new.is_running()) && computer.point.exists()
    });
    until(|| ["mounted", "degraded"].iter().any(|word| state() == *word));
    home.succeed(&["volume", "unmount", "Disk"]);
    until(|| state() == "stopped");
    agent.stop();
}
