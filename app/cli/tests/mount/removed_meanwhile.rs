//! Files that some make and write while others remove them.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fixture::{Mounted, Volume};

/// Processes of the claim that make files.
const MAKERS: usize = 4;
/// Files that each of them makes.
const ROUNDS: usize = 500;
/// Names that all of them share.
const NAMES: usize = 2;
/// Threads that read a file which is replaced.
const READERS: usize = 4;
/// Times that each of them opens it.
const LOOKS: usize = 2_000;
/// Threads that replace it.
const WRITERS: usize = 2;

fn shared_name(mount: &Mounted<'_>, turn: usize) -> PathBuf {
    mount.file(&format!("f{}", turn % NAMES))
}

/// Makes or opens a file and uses it in each way that asks the volume for it; then whoever holds it has a file, with or
/// without a name. What one empties another does not read.
fn use_one(path: PathBuf, empties: bool) -> std::io::Result<()> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(empties)
        .open(path)?;
    file.write_all_at(b"content", 0)?;
    file.metadata()?;
    file.sync_all()?;
    if !empties {
        let mut content = [0; 7];
        file.read_exact_at(&mut content, 0)?;
        assert_eq!(&content, b"content");
    }
    Ok(())
}

fn every_maker_has_a_file(options: &[&str], empties: bool) {
    let Some(volume) = Volume::format(options) else {
        return;
    };
    let mount = volume.mount("mount", &[]);
    let making = AtomicUsize::new(MAKERS);
    std::thread::scope(|scope| {
        for maker in 0..MAKERS {
            let (mount, making) = (&mount, &making);
            scope.spawn(move || {
                let failed = (0..ROUNDS).find_map(|_| use_one(shared_name(mount, maker), empties).err());
                making.fetch_sub(1, Ordering::Release);
                assert!(failed.is_none(), "{failed:?}");
            });
        }
        for remover in 0..NAMES {
            let (mount, making) = (&mount, &making);
            scope.spawn(move || {
                while making.load(Ordering::Acquire) > 0 {
                    if let Err(error) = fs::remove_file(shared_name(mount, remover)) {
                        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                    }
                }
            });
        }
    });
    assert!(mount.umount(&[]).status.success());
}

#[test]
fn who_makes_or_opens_a_file_has_it_whoever_removes_it_meanwhile() {
    every_maker_has_a_file(&["--trash-days", "0"], false);
}

#[test]
fn who_makes_or_opens_a_file_has_it_whoever_moves_it_to_the_trash_meanwhile() {
    every_maker_has_a_file(&["--trash-days", "1"], false);
}

#[test]
fn who_makes_or_empties_a_file_has_it_whoever_moves_it_to_the_trash_meanwhile() {
    every_maker_has_a_file(&["--trash-days", "1"], true);
}

/// Writes over a name as editors do: a new file takes the place of the old one.
fn replace(mount: &Mounted<'_>, writer: usize) -> std::io::Result<()> {
    let new = mount.file(&format!("new{writer}"));
    fs::write(&new, b"content")?;
    fs::rename(&new, mount.file("name"))
}

fn every_reader_finds_the_file(options: &[&str]) {
    let Some(volume) = Volume::format(options) else {
        return;
    };
    let mount = volume.mount("mount", &[]);
    let made = replace(&mount, 0);
    assert!(made.is_ok(), "{made:?}");
    let reading = AtomicUsize::new(READERS);
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            let (mount, reading) = (&mount, &reading);
            scope.spawn(move || {
                let found = (0..LOOKS).map(|_| fs::read(mount.file("name")));
                let wrong = found
                    .enumerate()
                    .find(|(_, read)| !matches!(read, Ok(read) if read == b"content"));
                reading.fetch_sub(1, Ordering::Release);
                assert!(wrong.is_none(), "{wrong:?}");
            });
        }
        for writer in 0..WRITERS {
            let (mount, reading) = (&mount, &reading);
            scope.spawn(move || {
                while reading.load(Ordering::Acquire) > 0 {
                    let replaced = replace(mount, writer);
                    assert!(replaced.is_ok(), "{replaced:?}");
                }
            });
        }
    });
    assert!(mount.umount(&[]).status.success());
}

#[test]
fn a_file_that_is_replaced_all_the_time_is_read_whole_each_time() {
    every_reader_finds_the_file(&["--trash-days", "0"]);
}

#[test]
fn a_file_that_is_replaced_all_the_time_is_read_whole_each_time_where_there_is_a_trash() {
    every_reader_finds_the_file(&["--trash-days", "1"]);
}
