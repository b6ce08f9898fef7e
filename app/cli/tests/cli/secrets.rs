//! Secrets stay where they belong: never in output, logs or the process list.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use crate::program::{Place, finish};

const SECRET: &str = "s3cr3t-that-nobody-may-see";
const TOKEN: &str = "t0k3n-that-nobody-may-see";

#[test]
fn no_command_prints_a_secret() {
    let place = Place::new();
    let url = place.volume(&[
        "--access-key",
        "me",
        "--secret-key",
        SECRET,
        "--session-token",
        TOKEN,
    ]);
    for arguments in [
        vec!["status", &url],
        vec!["status", "--json", &url],
        vec!["config", &url],
        vec!["config", "--json", "--trash-days", "2", &url],
        vec!["-vvv", "fsck", &url],
        vec!["format", "--json", &url, "disk"],
    ] {
        let run = place.run(&arguments).ends_with(0);
        for secret in [SECRET, TOKEN] {
            assert!(!run.out.contains(secret), "{arguments:?} prints it: {}", run.out);
            assert!(!run.err.contains(secret), "{arguments:?} logs it: {}", run.err);
        }
    }
    let shown = place.run(&["config", "--json", &url]).ends_with(0).json();
    assert_eq!(shown["SecretKey"], "removed");
}

#[test]
fn the_database_does_not_hold_a_secret_in_the_open() {
    let place = Place::new();
    place.volume(&["--secret-key", SECRET]);
    let database = fs::read(place.path("meta.db")).expect("the database");
    let found = database
        .windows(SECRET.len())
        .any(|window| window == SECRET.as_bytes());
    assert!(!found);
}

#[test]
fn secrets_come_from_the_environment() {
    let place = Place::new();
    let (url, bucket) = (place.url("meta.db"), place.path("objects").display().to_string());
    let mut format = place.command(&["format", "--json", "--bucket", &bucket, &url, "disk"]);
    let made = finish(format.env("ACCESS_KEY", "me").env("SECRET_KEY", SECRET))
        .ends_with(0)
        .json();
    assert_eq!(
        (&made["AccessKey"], &made["SecretKey"]),
        (&"me".into(), &"removed".into())
    );
}

#[test]
fn an_error_does_not_repeat_the_password_of_a_url() {
    let place = Place::new();
    for url in [
        format!("redis://me:{SECRET}@localhost:1/1"),
        format!("floppy://me:{SECRET}@host/db"),
        format!("mysql://me:{SECRET}@(localhost:1)/db"),
    ] {
        let run = place.run(&["-vvv", "status", &url]);
        assert_ne!(run.code, 0);
        assert!(
            !run.err.contains(SECRET) && !run.out.contains(SECRET),
            "{}",
            run.err
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_list_shows_no_secret() {
    let place = Place::new();
    let pipe = place.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    // Reading the key file blocks until somebody writes into the pipe.
    let key = pipe.display().to_string();
    let arguments = [
        "format",
        "--secret-key",
        SECRET,
        "--session-token",
        TOKEN,
        "--encrypt-rsa-key",
        &key,
        &place.url("meta.db"),
        "disk",
    ];
    let mut child = place
        .command(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    // Opening for writing returns once the program reads.
    let writer = fs::File::options().write(true).open(&pipe).expect("the pipe");
    let mut shown = String::new();
    fs::File::open(format!("/proc/{}/cmdline", child.id()))
        .and_then(|mut file| file.read_to_string(&mut shown))
        .expect("the command line");
    drop(writer);
    child.wait().expect("the program ends");
    assert!(shown.contains("--secret-key"), "{shown}");
    assert!(!shown.contains(SECRET) && !shown.contains(TOKEN), "{shown}");
}

#[test]
fn a_password_in_the_address_of_the_bucket_is_shown_nowhere() {
    let place = Place::new();
    let url = place.url("meta.db");
    let bucket = format!("https://me:{SECRET}@127.0.0.1:1/folder?token={TOKEN}");
    let mut commands = vec![];
    let format = [
        "format",
        "--storage",
        "webdav",
        "--bucket",
        &bucket,
        "--json",
        &url,
        "disk",
    ];
    let mut made = place.command(&format);
    commands.push(finish(made.env("MOORAGE_NO_CHECK_OBJECT_STORAGE", "1")).ends_with(0));
    for arguments in [
        vec!["status", &url],
        vec!["status", "--json", &url],
        vec!["config", &url],
        vec!["config", "--json", &url],
        vec!["format", "--no-update", &url, "disk"],
        // The store does not answer.
        vec!["-vvv", "format", "--secret-key", "another", &url, "disk"],
        // A folder is needed.
        vec!["config", "--storage", "file", "--bucket", &bucket, &url],
    ] {
        commands.push(place.run(&arguments));
    }
    for run in commands {
        for secret in [SECRET, TOKEN] {
            assert!(!run.out.contains(secret) && !run.err.contains(secret), "{run:?}");
        }
    }
    let shown = place.run(&["config", "--json", &url]).ends_with(0).json();
    assert_eq!(shown["Bucket"], "https://me:****@127.0.0.1:1/folder?token=****");
}

#[cfg(unix)]
#[test]
fn a_new_database_is_for_its_owner_alone_and_an_open_one_is_pointed_out() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let url = place.volume(&[]);
    let database = place.path("meta.db");
    let mode = fs::metadata(&database)
        .expect("the database")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(place.run(&["status", &url]).ends_with(0).err, "");
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).expect("other permissions");
    let run = place.run(&["status", &url]).ends_with(0);
    assert!(
        run.err.contains("mode 644") && run.err.contains("chmod 600"),
        "{}",
        run.err
    );
    assert!(!run.err.contains('\u{1b}'), "colours in a pipe: {:?}", run.err);
    let mode = fs::metadata(&database)
        .expect("the database")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o644, "it was changed");
}
