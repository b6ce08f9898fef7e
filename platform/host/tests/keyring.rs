//! Secrets in a real keyring: each test has a message bus and a GNOME keyring of its own, in a home of its own. Without
//! these programs they say loudly that they were skipped.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, clippy::print_stdout, reason = "these are tests")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use moorage_host::secrets::{Keyring, SecretError, SecretErrorKind, SecretName, SecretStore as _};
use secret_service::EncryptionType;
use secret_service::blocking::SecretService;

/// Set within the session of a test.
const INSIDE: &str = "MOORAGE_TEST_SESSION";
/// Password of the keyring.
const PASSWORD: &str = "of the keyring";
const SECRET: &str = "hunter2-is-nowhere";
/// Longer than a session takes on a loaded machine.
const LIMIT_SECONDS: &str = "120";
/// No call but the one that asks a person may take longer.
const BOUND: Duration = Duration::from_secs(15);

/// A bus that starts nothing.
const BARE_BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"#;

/// Whether this process is in a session of its own already. If not, the test of this name is run in one, and its outcome is
/// that of this one.
fn is_inside(test: &str, configuration: Option<&str>) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if !["/usr/bin/dbus-run-session", "/usr/bin/gnome-keyring-daemon"]
        .iter()
        .all(|program| Path::new(program).exists())
    {
        println!("SKIPPED: no dbus-run-session or no gnome-keyring-daemon");
        return false;
    }
    let home = tempfile::tempdir().expect("a folder");
    let runtime = home.path().join("run");
    fs::create_dir(&runtime).expect("made");
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", LIMIT_SECONDS, "dbus-run-session"]);
    if let Some(configuration) = configuration {
        let file = home.path().join("bus.conf");
        fs::write(&file, configuration).expect("written");
        command.arg("--config-file").arg(file);
    }
    command
        .arg("--")
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", &runtime)
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_CACHE_HOME")
        .env_remove("DISPLAY")
        .env_remove("DBUS_SESSION_BUS_ADDRESS");
    let output = command.output().expect("started");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{}", said.concat());
    false
}

/// Starts the keyring of this session, or an open one in place of a locked one.
fn unlock() {
    let mut daemon = Command::new("gnome-keyring-daemon")
        .args(["--replace", "--unlock", "--components=secrets"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let mut pipe = daemon.stdin.take().expect("piped");
    pipe.write_all(PASSWORD.as_bytes()).expect("sent");
    drop(pipe);
    daemon.wait().expect("ended");
    // Returns once it is on the bus.
    let started = Command::new("gnome-keyring-daemon")
        .args(["--start", "--components=secrets"])
        .output()
        .expect("started");
    assert!(started.status.success());
}

fn lock() {
    let service = SecretService::connect(EncryptionType::Plain).expect("a keyring");
    let collection = service.get_default_collection().expect("a keyring");
    collection.lock().expect("locked");
    assert!(collection.is_locked().expect("asked"));
}

fn name() -> SecretName {
    SecretName::new("volume", "metadata_password")
}

fn in_time<T>(call: impl FnOnce() -> Result<T, SecretError>) -> Result<T, SecretError> {
    let begun = Instant::now();
    let outcome = call();
    assert!(begun.elapsed() < BOUND, "it took {:?}", begun.elapsed());
    outcome
}

fn refusal<T: std::fmt::Debug>(call: impl FnOnce() -> Result<T, SecretError>) -> SecretErrorKind {
    let error = in_time(call).expect_err("refused");
    assert!(!error.advice().is_empty(), "{error}");
    println!("{error}: {:?}. {}", error.cause(), error.advice());
    error.kind()
}

fn read(keyring: &Keyring) -> Option<String> {
    let secret = in_time(|| keyring.read(&name())).expect("read");
    secret.map(|secret| secret.as_str().to_owned())
}

#[test]
fn a_secret_is_kept_replaced_and_removed() {
    if !is_inside("a_secret_is_kept_replaced_and_removed", None) {
        return;
    }
    unlock();
    let keyring = Keyring::new();
    in_time(|| keyring.access()).expect("open");
    assert_eq!(read(&keyring), None);
    in_time(|| keyring.remove(&name())).expect("nothing to remove");
    in_time(|| keyring.write(&name(), "first")).expect("kept");
    in_time(|| keyring.write(&name(), SECRET)).expect("replaced");
    assert_eq!(read(&Keyring::new()).as_deref(), Some(SECRET));
    in_time(|| keyring.remove(&name())).expect("removed");
    assert_eq!(read(&keyring), None);
}

#[test]
fn a_locked_keyring_says_so_at_once_and_works_again_when_it_is_open() {
    if !is_inside(
        "a_locked_keyring_says_so_at_once_and_works_again_when_it_is_open",
        None,
    ) {
        return;
    }
    unlock();
    let keyring = Keyring::new();
    in_time(|| keyring.write(&name(), SECRET)).expect("kept");
    lock();
    assert_eq!(refusal(|| keyring.access()), SecretErrorKind::Locked);
    assert_eq!(refusal(|| keyring.read(&name())), SecretErrorKind::Locked);
    assert_eq!(
        refusal(|| keyring.write(&name(), "other")),
        SecretErrorKind::Locked
    );
    assert_eq!(refusal(|| keyring.remove(&name())), SecretErrorKind::Locked);
    unlock();
    assert_eq!(read(&keyring).as_deref(), Some(SECRET));
}

#[test]
fn a_session_without_a_keyring_service_has_no_keyring() {
    if !is_inside(
        "a_session_without_a_keyring_service_has_no_keyring",
        Some(BARE_BUS),
    ) {
        return;
    }
    let keyring = Keyring::new();
    assert_eq!(refusal(|| keyring.access()), SecretErrorKind::Absent);
    assert_eq!(refusal(|| keyring.read(&name())), SecretErrorKind::Absent);
    // One that is started later is found.
    unlock();
    in_time(|| keyring.write(&name(), SECRET)).expect("kept");
}

#[test]
fn a_service_without_a_keyring_is_not_taken_for_one_that_holds_nothing() {
    if !is_inside(
        "a_service_without_a_keyring_is_not_taken_for_one_that_holds_nothing",
        None,
    ) {
        return;
    }
    // The bus starts the service; nobody has made a keyring in this home.
    assert_eq!(refusal(|| Keyring::new().read(&name())), SecretErrorKind::Absent);
}

#[test]
fn a_computer_without_a_message_bus_has_no_keyring() {
    let test = "a_computer_without_a_message_bus_has_no_keyring";
    if std::env::var_os(INSIDE).is_some() {
        assert_eq!(refusal(|| Keyring::new().access()), SecretErrorKind::Absent);
        return;
    }
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
        .output()
        .expect("started");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
