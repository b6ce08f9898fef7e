//! What programs do: requests in the order in which they were seen.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use moorage_model::{Ino, NodeType};
use moorage_vfs::{Caller, NewNode};
use windows_sys::Win32::Storage::FileSystem::FILE_ATTRIBUTE_HIDDEN;

use crate::driver::{ALL, ATTRIBUTES, Disposition, Driver, FILE, FOLDER, Handle, READ};
use crate::fixture::Mounted;

const NAME_NOT_FOUND: u32 = 0xC000_0034;
const END_OF_FILE: u32 = 0xC000_0011;

/// Longest time that any of these requests may take, on a busy machine too: a second handle must not wait for the first.
const PATIENCE: Duration = Duration::from_secs(5);
/// Reading and writing content (winnt.h, `FILE_GENERIC_READ | FILE_GENERIC_WRITE`).
const READ_WRITE: u32 = 0x0012_019F;
/// Names in a large folder.
const MANY: usize = 20_000;

fn make(driver: Driver, path: &str, content: &[u8]) {
    let file = driver.create(path, Disposition::Create, FILE).expect("made");
    driver.write(file, 0, content).expect("written");
    driver.close(file);
}

fn delete(driver: Driver, path: &str) {
    let file = driver.open(path).expect("opened");
    driver.mark_deleted(file, path).expect("marked");
    driver.close_deleting(file, path);
}

fn rename(driver: Driver, from: &str, to: &str, replace: bool) {
    let file = driver.open(from).expect("opened");
    driver.rename(file, from, to, replace).expect("renamed");
    driver.close(file);
}

fn content(driver: Driver, path: &str) -> Vec<u8> {
    let file = driver.open(path).expect("opened");
    let content = driver.content(file);
    driver.close(file);
    content
}

#[test]
fn a_document_that_is_saved_by_way_of_two_other_names_is_there_and_whole() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    make(driver, "\\letter.docx", b"old");
    let reader = driver
        .create_with("\\Letter.docx", Disposition::Open, FILE, READ, 0)
        .expect("opened");
    let owner = driver
        .create_with(
            "\\~$letter.docx",
            Disposition::Create,
            FILE,
            ALL,
            FILE_ATTRIBUTE_HIDDEN,
        )
        .expect("made");
    driver.write(owner, 0, b"somebody").expect("written");
    for round in 0..3_u8 {
        let saved = vec![b'a' + round; 100_000];
        assert_eq!(driver.open("\\1234ABCD.tmp").map(drop), Err(NAME_NOT_FOUND));
        let new = driver
            .create("\\1234ABCD.tmp", Disposition::Create, FILE)
            .expect("made");
        for (number, part) in saved.chunks(4096).enumerate() {
            driver.write(new, number as u64 * 4096, part).expect("written");
        }
        driver.set_size(new, saved.len() as u64).expect("set");
        driver.flush(Some(new)).expect("flushed");
        driver.close(new);
        rename(driver, "\\letter.docx", "\\5678EF01.tmp", false);
        rename(driver, "\\1234abcd.TMP", "\\letter.docx", false);
        delete(driver, "\\5678EF01.tmp");
        assert_eq!(content(driver, "\\LETTER.DOCX"), saved);
        assert_eq!(driver.names("\\"), ["letter.docx", "~$letter.docx"]);
    }
    assert_eq!(driver.content(reader), b"old", "who read it reads on");
    driver.close(reader);
    driver.close_deleting(owner, "\\~$letter.docx");
    assert_eq!(driver.names("\\"), ["letter.docx"]);
}

#[test]
fn a_file_that_takes_the_place_of_another_in_one_step_is_never_missing() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    make(driver, "\\settings.json", b"0");
    let (stop, stopped) = channel::<()>();
    let watching = thread::spawn(move || {
        let mut looks = 0;
        while stopped.try_recv().is_err() {
            let file = driver
                .create_with("\\Settings.json", Disposition::Open, FILE, ATTRIBUTES, 0)
                .expect("it is there at every moment");
            driver.close(file);
            looks += 1;
        }
        looks
    });
    for number in 1..100 {
        make(driver, "\\settings.tmp", number.to_string().as_bytes());
        rename(driver, "\\settings.tmp", "\\settings.json", true);
    }
    stop.send(()).expect("it watches");
    assert!(watching.join().expect("it ended") > 0);
    assert_eq!(content(driver, "\\settings.json"), b"99");
}

/// Runs work that has to end soon on a thread of its own.
fn soon<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, told) = channel();
    thread::spawn(move || drop(done.send(work())));
    told.recv_timeout(PATIENCE)
        .unwrap_or_else(|_| panic!("{what} hangs"))
}

#[test]
fn a_second_handle_of_a_file_never_waits_for_the_first() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    make(driver, "\\shared", &[7; 200_000]);
    for (first, second) in [
        (READ, READ),
        (READ, READ_WRITE),
        (READ_WRITE, READ),
        (READ_WRITE, READ_WRITE),
    ] {
        let open = move |access| {
            driver
                .create_with("\\shared", Disposition::Open, FILE, access, 0)
                .expect("opened")
        };
        let what = format!("{second:#x} beside {first:#x}");
        let one = open(first);
        if first == READ_WRITE {
            driver.write(one, 0, b"first").expect("written");
        }
        soon(&what, move || {
            let other = open(second);
            if second == READ_WRITE {
                driver.write(other, 5, b"second").expect("written");
                driver.flush(Some(other)).expect("flushed");
            }
            let seen = driver.content(other);
            assert_eq!(seen.len(), 200_000);
            driver.close(other);
        });
        if second == READ_WRITE {
            assert_eq!(
                driver.read(one, 5, 6).as_deref(),
                Ok(b"second".as_slice()),
                "{what}"
            );
        }
        soon(&what, move || driver.close(one));
    }
    assert_eq!(
        content(driver, "\\shared").get(..11),
        Some(b"firstsecond".as_slice())
    );
}

#[test]
fn many_threads_that_make_write_rename_and_delete_all_come_to_an_end() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            thread::spawn(move || {
                for number in 0..50 {
                    let (from, to) = (format!("\\w{worker}-{number}"), format!("\\W{worker}-moved"));
                    make(driver, &from, from.as_bytes());
                    rename(driver, &from, &to, true);
                    assert_eq!(content(driver, &to.to_lowercase()), from.as_bytes());
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().expect("no thread failed");
    }
    assert_eq!(
        driver.names("\\"),
        ["W0-moved", "W1-moved", "W2-moved", "W3-moved"]
    );
}

/// A file as it has to be, beside the one that is.
struct Model {
    bytes: Vec<u8>,
    seed: u64,
}

impl Model {
    /// A number below a limit; always the same ones (a linear congruential generator with the numbers of MMIX).
    fn below(&mut self, limit: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % limit
    }

    fn write(&mut self, offset: usize, data: &[u8]) {
        if self.bytes.len() < offset + data.len() {
            self.bytes.resize(offset + data.len(), 0);
        }
        self.bytes[offset..offset + data.len()].copy_from_slice(data);
    }
}

#[test]
fn reads_and_writes_anywhere_are_those_of_one_file() {
    const LONGEST: u64 = 300_000;
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let mut model = Model {
        bytes: Vec::new(),
        seed: 20_261_128,
    };
    let open = || -> Handle {
        driver
            .create("\\random", Disposition::OpenIf, FILE)
            .expect("opened")
    };
    let mut file = open();
    for step in 0..1500_u32 {
        let offset = model.below(LONGEST);
        let length = model.below(20_000) as usize;
        match model.below(10) {
            0..=3 => {
                let data: Vec<u8> = (0..length).map(|at| (at as u32 ^ step) as u8).collect();
                driver.write(file, offset, &data).expect("written");
                if !data.is_empty() {
                    model.write(offset as usize, &data);
                }
            }
            4 => {
                let end = model.bytes.len();
                driver.write(file, u64::MAX, b"appended").expect("written");
                model.write(end, b"appended");
            }
            5..=7 => {
                let expected = model.bytes.get(offset as usize..).unwrap_or_default();
                let expected = &expected[..expected.len().min(length.max(1))];
                match driver.read(file, offset, length.max(1) as u32) {
                    Ok(read) => assert_eq!(read, expected, "step {step} at {offset}"),
                    Err(status) => assert!(
                        status == END_OF_FILE && expected.is_empty(),
                        "step {step}: {status:#x}"
                    ),
                }
            }
            8 => {
                driver.set_size(file, offset).expect("set");
                model.bytes.resize(offset as usize, 0);
            }
            _ => {
                driver.close(file);
                file = open();
                assert_eq!(file.info.FileSize, model.bytes.len() as u64, "step {step}");
            }
        }
    }
    assert!(driver.content(file) == model.bytes, "the whole file");
    driver.close(file);
}

#[test]
fn in_a_large_folder_a_missing_name_costs_no_reading_of_it() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let folder = driver
        .create("\\Large", Disposition::Create, FOLDER)
        .expect("made");
    driver.close(folder);
    let large = mounted.stored(b"Large").expect("stored").ino;
    let caller = Caller::root();
    let node = NewNode {
        kind: NodeType::File,
        mode: 0o644,
        umask: 0,
        rdev: 0,
    };
    mounted.runtime.block_on(async {
        for number in 0..MANY {
            let name = format!("Entry {number}");
            mounted
                .vfs
                .mknod(&caller, large, name.as_bytes(), node)
                .await
                .expect("made");
        }
    });
    assert_ne!(large, Ino::ROOT);
    let listed = soon("listing", move || driver.names("\\large").len());
    assert_eq!(listed, MANY);
    // Twice as many entries would be read for each name without an index, forty million in all.
    soon("looking for names", move || {
        for number in 0..1000 {
            assert_eq!(
                driver.open(&format!("\\LARGE\\none {number}")).map(drop),
                Err(NAME_NOT_FOUND)
            );
            let file = driver
                .create_with(
                    &format!("\\large\\ENTRY {number}"),
                    Disposition::Open,
                    FILE,
                    ATTRIBUTES,
                    0,
                )
                .expect("found by other letters");
            driver.close(file);
        }
    });
}
