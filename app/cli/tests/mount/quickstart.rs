//! The first command of a new user.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fixture::{Volume, end_of, is_mounted};

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
