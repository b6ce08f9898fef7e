//! Files: making, reading, writing, renaming, deleting.

use moorage_vfs::VfsOptions;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_NORMAL, FILE_ATTRIBUTE_READONLY, FILE_ATTRIBUTE_SYSTEM,
};

use crate::driver::{ATTRIBUTES, Disposition, FILE, FOLDER, READ};
use crate::fixture::Mounted;

const NAME_NOT_FOUND: u32 = 0xC000_0034;
const NAME_COLLISION: u32 = 0xC000_0035;
const PATH_NOT_FOUND: u32 = 0xC000_003A;
const ACCESS_DENIED: u32 = 0xC000_0022;
const END_OF_FILE: u32 = 0xC000_0011;
const MEDIA_WRITE_PROTECTED: u32 = 0xC000_00A2;
const CANNOT_DELETE: u32 = 0xC000_0121;
const NOT_A_DIRECTORY: u32 = 0xC000_0103;
const IS_A_DIRECTORY: u32 = 0xC000_00BA;

/// Attributes that stay as they are.
const UNCHANGED: u32 = u32::MAX;

#[test]
fn what_is_written_is_read_back_and_kept() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let file = driver
        .create("\\note.txt", Disposition::Create, FILE)
        .expect("made");
    assert_eq!(driver.write(file, 0, b"hello"), Ok(5));
    assert_eq!(driver.write(file, u64::MAX, b" wine"), Ok(10), "at the end");
    assert_eq!(driver.read(file, 0, 100).as_deref(), Ok(b"hello wine".as_slice()));
    assert_eq!(driver.read(file, 10, 1), Err(END_OF_FILE));
    driver.close(file);

    let file = driver
        .create_with("\\note.txt", Disposition::Open, 0, READ, 0)
        .expect("opened");
    assert_eq!(file.info.FileSize, 10);
    assert_eq!(file.info.AllocationSize, 4096);
    assert_eq!(driver.content(file), b"hello wine");
    driver.close(file);
    assert_eq!(mounted.stored(b"note.txt").expect("stored").attr.length, 10);
}

#[test]
fn a_write_of_the_cache_changes_nothing_behind_the_end() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let file = driver.create("\\page", Disposition::Create, FILE).expect("made");
    driver.write(file, 0, b"12345").expect("written");
    assert_eq!(driver.write_as(file, 3, b"abcdef", true), Ok(5));
    assert_eq!(driver.content(file), b"123ab");
    assert_eq!(driver.write_as(file, 8, b"abcdef", true), Ok(5));
    driver.close(file);
}

#[test]
fn each_disposition_does_what_its_name_says() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    assert_eq!(driver.open("\\file").map(drop), Err(NAME_NOT_FOUND));
    assert_eq!(
        driver.create("\\file", Disposition::Overwrite, FILE).map(drop),
        Err(NAME_NOT_FOUND)
    );
    for made in [
        Disposition::Create,
        Disposition::OpenIf,
        Disposition::OverwriteIf,
        Disposition::Supersede,
    ] {
        let file = driver
            .create("\\file", made, FILE)
            .unwrap_or_else(|status| panic!("{made:?}: {status:#x}"));
        driver.write(file, 0, b"kept").expect("written");
        driver.close(file);
        assert_eq!(
            driver.create("\\file", Disposition::Create, FILE).map(drop),
            Err(NAME_COLLISION)
        );
        for opened in [Disposition::Open, Disposition::OpenIf] {
            let file = driver.create("\\file", opened, FILE).expect("opened");
            assert_eq!(driver.content(file), b"kept", "{opened:?}");
            driver.close(file);
        }
        for emptied in [
            Disposition::Overwrite,
            Disposition::OverwriteIf,
            Disposition::Supersede,
        ] {
            let file = driver.create("\\file", emptied, FILE).expect("opened");
            assert_eq!(file.info.FileSize, 0, "{emptied:?}");
            driver.write(file, 0, b"new").expect("written");
            driver.close(file);
        }
        let file = driver.open("\\file").expect("opened");
        driver.close_deleting(file, "\\file");
        assert_eq!(driver.open("\\file").map(drop), Err(NAME_NOT_FOUND));
    }
}

#[test]
fn a_missing_folder_and_a_missing_file_are_told_apart() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    assert_eq!(driver.open("\\none\\file").map(drop), Err(PATH_NOT_FOUND));
    assert_eq!(
        driver.create("\\none\\file", Disposition::Create, FILE).map(drop),
        Err(PATH_NOT_FOUND)
    );
    let file = driver.create("\\file", Disposition::Create, FILE).expect("made");
    driver.close(file);
    assert_eq!(driver.open("\\file\\below").map(drop), Err(PATH_NOT_FOUND));
    assert_eq!(
        driver.create("\\file", Disposition::Open, FOLDER).map(drop),
        Err(NOT_A_DIRECTORY)
    );
    assert_eq!(
        driver.create("\\", Disposition::Open, FILE).map(drop),
        Err(IS_A_DIRECTORY)
    );
}

#[test]
fn sizes_are_set_and_allocations_only_cut() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let file = driver.create("\\sized", Disposition::Create, FILE).expect("made");
    assert_eq!(
        driver.set_size(file, 100_000).expect("extended").FileSize,
        100_000
    );
    assert_eq!(driver.read(file, 99_999, 10).as_deref(), Ok([0].as_slice()));
    assert_eq!(
        driver.set_allocation(file, 1 << 30).expect("taken").FileSize,
        100_000
    );
    assert_eq!(driver.set_allocation(file, 4096).expect("cut").FileSize, 4096);
    assert_eq!(driver.set_size(file, 0).expect("emptied").FileSize, 0);
    driver.close(file);
}

#[test]
fn attributes_and_times_are_kept_to_100_ns() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let hidden = FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM;
    let file = driver
        .create_with(
            "\\desktop.ini",
            Disposition::Create,
            FILE,
            crate::driver::ALL,
            hidden,
        )
        .expect("made");
    assert_eq!(file.info.FileAttributes, hidden);
    let (access, write) = (132_000_000_000_000_001, 133_000_000_000_000_007);
    let info = driver.set_basic(file, UNCHANGED, access, write).expect("set");
    assert_eq!(
        (info.LastAccessTime, info.LastWriteTime, info.FileAttributes),
        (access, write, hidden)
    );
    driver
        .set_basic(file, FILE_ATTRIBUTE_READONLY, 0, 0)
        .expect("set");
    driver.close(file);

    let entry = mounted.stored(b"desktop.ini").expect("stored");
    assert_eq!(entry.attr.mode, 0o444);
    let file = driver
        .create_with("\\desktop.ini", Disposition::Open, 0, ATTRIBUTES, 0)
        .expect("opened");
    assert_eq!(file.info.FileAttributes, FILE_ATTRIBUTE_READONLY);
    assert_eq!(
        (file.info.LastAccessTime, file.info.LastWriteTime),
        (access, write)
    );
    assert_eq!(
        driver.mark_deleted(file, "\\desktop.ini"),
        Err(CANNOT_DELETE),
        "it can only be read"
    );
    driver.close(file);
    assert_eq!(
        driver.open("\\desktop.ini").map(drop),
        Err(ACCESS_DENIED),
        "it can only be read"
    );

    let file = driver
        .create_with("\\desktop.ini", Disposition::Open, 0, ATTRIBUTES | 0x100, 0)
        .expect("attributes can be written");
    let info = driver.set_basic(file, FILE_ATTRIBUTE_NORMAL, 0, 0).expect("set");
    assert_eq!(info.FileAttributes, FILE_ATTRIBUTE_NORMAL);
    driver.close(file);
}

#[test]
fn a_file_is_renamed_and_replaced_only_when_that_is_asked_for() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    for (path, content) in [("\\from", b"from".as_slice()), ("\\to", b"to")] {
        let file = driver.create(path, Disposition::Create, FILE).expect("made");
        driver.write(file, 0, content).expect("written");
        driver.close(file);
    }
    let file = driver.open("\\from").expect("opened");
    driver.rename(file, "\\from", "\\moved", false).expect("renamed");
    assert_eq!(
        driver.rename(file, "\\moved", "\\none\\to", false),
        Err(PATH_NOT_FOUND)
    );
    driver.rename(file, "\\moved", "\\to", true).expect("replaced");
    driver.close(file);
    assert_eq!(driver.names("\\"), ["to"]);
    let file = driver.open("\\to").expect("opened");
    assert_eq!(driver.content(file), b"from");
    driver.close(file);
}

#[test]
fn a_deleted_file_is_there_for_whoever_has_it_open() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let file = driver.create("\\file", Disposition::Create, FILE).expect("made");
    driver.write(file, 0, b"still there").expect("written");
    let other = driver.open("\\file").expect("opened");
    driver.mark_deleted(other, "\\file").expect("marked");
    assert_eq!(driver.names("\\"), ["file"], "it goes when it is closed");
    driver.close_deleting(other, "\\file");
    assert_eq!(driver.open("\\file").map(drop), Err(NAME_NOT_FOUND));
    assert_eq!(driver.content(file), b"still there");
    driver.write(file, 0, b"STILL").expect("written");
    assert_eq!(driver.info(file).expect("told").FileSize, 11);
    assert_eq!(driver.content(file), b"STILL there");
    let again = driver
        .create("\\file", Disposition::Create, FILE)
        .expect("the name is free");
    assert_eq!(driver.content(again), b"");
    driver.close(again);
    driver.close(file);
}

#[test]
fn what_was_written_is_stored_when_it_is_closed_and_the_cache_may_write_on() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let file = driver.create("\\late", Disposition::Create, FILE).expect("made");
    driver.write(file, 0, b"early").expect("written");
    driver.clean_up(file, None);
    assert_eq!(mounted.stored(b"late").expect("stored").attr.length, 5);
    driver.write_as(file, 0, b"EARLY", true).expect("of the cache");
    driver.let_go(file);
    let file = driver.open("\\late").expect("opened");
    assert_eq!(driver.content(file), b"EARLY");
    driver.flush(Some(file)).expect("flushed");
    driver.close(file);
    driver.flush(None).expect("all flushed");
}

#[test]
fn a_mount_that_only_reads_refuses_every_change() {
    let mounted = Mounted::with(VfsOptions {
        read_only: true,
        ..VfsOptions::default()
    });
    let driver = mounted.driver;
    assert_eq!(
        driver.create("\\new", Disposition::Create, FILE).map(drop),
        Err(MEDIA_WRITE_PROTECTED)
    );
    assert_eq!(
        driver.create("\\new", Disposition::Create, FOLDER).map(drop),
        Err(MEDIA_WRITE_PROTECTED)
    );
    assert_eq!(driver.names("\\").len(), 0);
}

#[test]
fn names_that_windows_does_not_allow_are_reached() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let file = driver
        .create("\\a\u{f03a}b\u{f02e}", Disposition::Create, FILE)
        .expect("made");
    driver.write(file, 0, b"x").expect("written");
    driver.close(file);
    assert_eq!(
        mounted
            .stored(b"a:b.")
            .expect("stored as it is meant")
            .attr
            .length,
        1
    );
    assert_eq!(driver.names("\\"), ["a\u{f03a}b\u{f02e}"]);
    let file = driver.open("\\a\u{f03a}b\u{f02e}").expect("found again");
    driver.close(file);
}
