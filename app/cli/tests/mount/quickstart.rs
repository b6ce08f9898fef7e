//! The first command of a new user.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fixture::{Volume, end_of, is_mounted, succeed, text, until};

fn start(home: &Volume, arguments: &[&str]) -> (Child, String) {
    let mut child = home
        .program()
        .arg("quickstart")
        .args(arguments)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut said = String::new();
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    for line in lines.map_while(Result::ok) {
        said.push_str(&line);
        said.push('\n');
        if line.starts_with("A real one") {
            break;
        }
    }
    (child, said)
}

fn stop(mut child: Child) {
    kill(
        Pid::from_raw(i32::try_from(child.id()).expect("pid")),
        Signal::SIGINT,
    )
    .expect("ours");
    assert!(end_of(&mut child).success());
}

#[test]
fn a_second_quickstart_finds_the_files_of_the_first() {
    let Some(home) = Volume::home() else { return };
    let folder = home.path().join("Moorage");
    let (child, said) = start(&home, &[]);
    for part in [
        folder.to_str().expect("UTF-8"),
        "Ctrl-C",
        ".local/share/moorage",
        "moorage format",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    fs::write(folder.join("hello"), b"world").expect("written");
    stop(child);
    assert!(!is_mounted(&folder));
    assert!(!folder.join("hello").exists());
    let elsewhere = home.path().join("some/where");
    let (child, _) = start(&home, &[elsewhere.to_str().expect("UTF-8")]);
    assert_eq!(fs::read(elsewhere.join("hello")).expect("read"), b"world");
    stop(child);
}

#[test]
fn a_quickstart_that_was_killed_is_started_again_in_place() {
    let Some(home) = Volume::home() else { return };
    let folder = home.path().join("Moorage");
    let (mut child, _) = start(&home, &[]);
    fs::write(folder.join("kept"), b"before").expect("written");
    child.kill().expect("ours");
    end_of(&mut child);
    // The kernel has forgotten the attributes of the folder by now.
    until("the mount to be dead", || fs::symlink_metadata(&folder).is_err());
    let (child, said) = start(&home, &[]);
    assert!(said.contains("A real one"), "{said}");
    assert_eq!(fs::read(folder.join("kept")).expect("read"), b"before");
    stop(child);
}

#[test]
fn the_commands_that_a_quickstart_prints_take_a_folder_with_a_space() {
    let Some(home) = Volume::home() else { return };
    let folder = home.path().join("my files");
    let path = folder.to_str().expect("UTF-8");
    let (child, said) = start(&home, &[path]);
    assert!(said.contains(&format!("`moorage umount '{path}'`")), "{said}");
    assert!(said.contains(&format!(".db' '{path}'\n")), "{said}");
    stop(child);
}

#[test]
fn a_quickstart_knows_its_own_mount_from_one_of_another_volume() {
    let Some(home) = Volume::home() else { return };
    let (own, other) = (home.path().join("Moorage"), home.path().join("other"));
    let url = format!("sqlite3://{}", home.path().join("other.db").display());
    let mut format = home.program();
    let format = format.args(["format", "--storage", "file", "--bucket"]);
    succeed(format.arg(home.path().join("objects")).args([&url, "quickstart"]));
    let mounted = home.mount_on(&url, "other", &[]);
    let again = |folder: &std::path::Path| {
        let mut quickstart = home.program();
        quickstart
            .arg("quickstart")
            .arg(folder)
            .output()
            .expect("a program")
    };
    let refused = again(&other);
    assert!(!refused.status.success());
    assert!(text(&refused).contains("is mounted at"), "{}", text(&refused));
    assert!(mounted.umount(&[]).status.success());

    let (child, _) = start(&home, &[]);
    let found = again(&own);
    assert!(found.status.success(), "{}", text(&found));
    assert!(text(&found).contains("is mounted already"), "{}", text(&found));
    stop(child);
}

#[test]
fn a_home_that_no_metadata_url_can_name_is_refused_before_anything_is_made() {
    let Some(home) = Volume::home() else { return };
    let odd = home.path().join("who?");
    fs::create_dir(&odd).expect("a folder");
    let mut quickstart = home.program();
    let refused = quickstart
        .arg("quickstart")
        .env("HOME", &odd)
        .output()
        .expect("a program");
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    assert!(text(&refused).contains("XDG_DATA_HOME"), "{}", text(&refused));
    let made = |folder| fs::read_dir(folder).expect("a folder").count();
    assert_eq!((made(home.path()), made(&odd)), (1, 0));
}
