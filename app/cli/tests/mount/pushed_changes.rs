//! `--push-invalidation`: mounts whose kernel may cache for an hour see what others change at once.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::fixture::{Volume, succeed, text, until};
use crate::redis_server::Server;

const FOR_AN_HOUR: [&str; 6] = [
    "--attr-cache",
    "3600",
    "--entry-cache",
    "3600",
    "--dir-entry-cache",
    "3600",
];

/// A volume in a private Redis server.
async fn volume() -> Option<(Volume, Server)> {
    let volume = Volume::home()?;
    let server = Server::start(&[])?;
    let mut format = volume.program();
    format
        .arg("format")
        .args(["--storage", "file", "--bucket"])
        .arg(volume.path().join("objects"));
    succeed(format.arg(server.url()).arg("testvolume"));
    Some((volume, server))
}

fn pushed() -> Vec<&'static str> {
    [&["--push-invalidation"], FOR_AN_HOUR.as_slice()].concat()
}

fn length(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|found| found.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_mount_changes_is_seen_although_the_kernel_may_cache_it_for_an_hour() {
    let Some((volume, server)) = volume().await else {
        return;
    };
    let (url, pushed) = (server.url(), pushed());
    let one = volume.mount_on(&url, "one", &[]);
    let two = volume.mount_on(&url, "two", &pushed);
    let deaf = volume.mount_on(&url, "deaf", &FOR_AN_HOUR);
    fs::write(one.file("file"), "one").expect("written");
    // Held open, so that the kernel keeps what it knows.
    let mut held = File::open(two.file("file")).expect("opened");
    let unaware = File::open(deaf.file("file")).expect("opened");
    assert_eq!(held.metadata().expect("known").len(), 3);
    assert_eq!(unaware.metadata().expect("known").len(), 3);

    fs::write(one.file("file"), "longer").expect("written");
    until("its length", || length(&two.file("file")) == Some(6));
    let mut content = String::new();
    held.read_to_string(&mut content).expect("read");
    assert_eq!(content, "longer");
    // Without the option the cache is trusted; with it, that was no accident.
    assert_eq!(unaware.metadata().expect("known").len(), 3);

    fs::write(one.file("fresh"), "another file").expect("written");
    fs::rename(one.file("fresh"), one.file("file")).expect("renamed");
    until("what replaced it", || length(&two.file("file")) == Some(12));
    assert_eq!(
        fs::read_to_string(two.file("file")).expect("read"),
        "another file"
    );

    fs::create_dir(one.file("folder")).expect("made");
    fs::write(one.file("folder/inside"), "").expect("written");
    assert!(two.file("folder/inside").exists());
    fs::rename(one.file("folder"), one.file("elsewhere")).expect("renamed");
    until("the folder to be gone", || !two.file("folder").exists());
    assert!(two.file("elsewhere/inside").exists());
    fs::remove_file(one.file("file")).expect("removed");
    until("the file to be gone", || !two.file("file").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_while_nobody_told_is_seen_after_it() {
    let Some((volume, server)) = volume().await else {
        return;
    };
    let (url, pushed) = (server.url(), pushed());
    let one = volume.mount_on(&url, "one", &[]);
    let two = volume.mount_on(&url, "two", &pushed);
    for round in 0..5_u64 {
        fs::write(one.file("file"), vec![b'x'; 2 * round as usize + 1]).expect("written");
        until("the file", || length(&two.file("file")) == Some(2 * round + 1));
        cut(&server).await;
        fs::write(one.file("file"), vec![b'x'; 2 * round as usize + 2]).expect("written");
        until("its length", || length(&two.file("file")) == Some(2 * round + 2));
    }
}

/// Ends every connection of a client.
async fn cut(server: &Server) {
    let mut other = tokio::net::UnixStream::connect(server.socket())
        .await
        .expect("it listens");
    other
        .write_all(b"CLIENT KILL TYPE normal SKIPME yes\r\n")
        .await
        .expect("asked");
    let mut answer = [0; 64];
    let length = other.read(&mut answer).await.expect("answered");
    assert!(answer[..length].starts_with(b":"), "{answer:?}");
}

#[test]
fn a_database_that_tells_nothing_is_refused_with_what_to_do() {
    let Some(volume) = Volume::format(&[]) else { return };
    let (point, mut mount) = volume.mount_command("point");
    let output = mount
        .args(["-d", "--push-invalidation"])
        .arg(volume.url())
        .arg(&point)
        .output()
        .expect("the program starts");
    assert!(!output.status.success());
    let told = text(&output);
    assert!(told.contains("does not tell what other clients change"), "{told}");
    assert!(told.contains("Mount without --push-invalidation"), "{told}");
}
