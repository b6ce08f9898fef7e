//! Symbolic links.

use moorage_model::Ino;
use moorage_vfs::Caller;
use windows_sys::Win32::Storage::FileSystem::{FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT};

use crate::driver::{ALL, Disposition, FILE, FOLDER, LINK};
use crate::fixture::Mounted;

const NAME_NOT_FOUND: u32 = 0xC000_0034;
const SYMLINK_TAG: u32 = 0xA000_000C;

/// Makes a link in the root as a client of Linux does.
fn link_on_linux(mounted: &Mounted, name: &str, target: &str) {
    let caller = Caller::root();
    let making = mounted
        .vfs
        .symlink(&caller, Ino::ROOT, name.as_bytes(), target.as_bytes());
    mounted.runtime.block_on(making).expect("made");
}

fn filled() -> Mounted {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let folder = driver
        .create("\\folder", Disposition::Create, FOLDER)
        .expect("made");
    driver.close(folder);
    let file = driver
        .create("\\folder\\file", Disposition::Create, FILE)
        .expect("made");
    driver.write(file, 0, b"behind").expect("written");
    driver.close(file);
    mounted
}

/// The data of a link to this target, which is on the same volume, as `CreateSymbolicLink` hands them over.
fn data(target: &str) -> Vec<u8> {
    let text: Vec<u8> = target.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = text.len() as u16;
    let mut data = SYMLINK_TAG.to_le_bytes().to_vec();
    for number in [12 + 2 * length, 0, 0, length, length, length] {
        data.extend(number.to_le_bytes());
    }
    data.extend(1_u32.to_le_bytes());
    data.extend_from_slice(&text);
    data.extend_from_slice(&text);
    data
}

#[test]
fn links_of_linux_lead_where_they_lead_there() {
    let mounted = filled();
    let driver = mounted.driver;
    for (name, target) in [
        ("to-file", "folder/file"),
        ("from-root", "/folder/file"),
        ("over", "folder/../folder/./file"),
        ("to-link", "to-file"),
    ] {
        link_on_linux(&mounted, name, target);
        let file = driver
            .open(&format!("\\{name}"))
            .unwrap_or_else(|status| panic!("{name}: {status:#x}"));
        assert_eq!(driver.content(file), b"behind", "{name}");
        driver.close(file);
    }
    link_on_linux(&mounted, "to-folder", "folder");
    let file = driver
        .open("\\to-folder\\FILE")
        .expect("behind a link, by other letters");
    assert_eq!(driver.content(file), b"behind");
    driver.close(file);
    assert_eq!(driver.names("\\to-folder"), ["file"]);
    link_on_linux(&mounted, "dangling", "none");
    assert_eq!(driver.open("\\dangling").map(drop), Err(NAME_NOT_FOUND));
    link_on_linux(&mounted, "round", "round");
    assert!(
        driver.open("\\round").is_err(),
        "it leads nowhere, and that is said"
    );
}

#[test]
fn a_link_is_listed_as_one_and_one_to_a_folder_as_a_folder() {
    let mounted = filled();
    let driver = mounted.driver;
    for (name, target) in [
        ("to-file", "folder/file"),
        ("to-folder", "to-other"),
        ("to-other", "folder/."),
        ("none", "x"),
    ] {
        link_on_linux(&mounted, name, target);
    }
    let root = driver.create("\\", Disposition::Open, FOLDER).expect("opened");
    let entries = driver.list(root);
    driver.close(root);
    for (name, attributes) in [
        ("to-file", FILE_ATTRIBUTE_REPARSE_POINT),
        ("none", FILE_ATTRIBUTE_REPARSE_POINT),
        (
            "to-folder",
            FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY,
        ),
    ] {
        let entry = entries.iter().find(|entry| entry.name == name).expect(name);
        assert_eq!(
            (entry.info.FileAttributes, entry.info.ReparseTag),
            (attributes, SYMLINK_TAG),
            "{name}"
        );
    }
}

#[test]
fn a_link_is_made_read_renamed_and_deleted_as_one() {
    let mounted = filled();
    let driver = mounted.driver;
    for (path, options, target) in [
        ("\\to-file", FILE, "folder\\file"),
        ("\\to-folder", FOLDER, "folder"),
    ] {
        let link = driver
            .create(path, Disposition::Create, options | LINK)
            .expect("made");
        driver
            .set_link(link, path, &data(target))
            .unwrap_or_else(|status| panic!("{path}: {status:#x}"));
        assert_eq!(
            driver.link(link, path).as_deref(),
            Ok(data(target).as_slice()),
            "{path}"
        );
        driver.close(link);
    }
    let stored = mounted.stored(b"to-file").expect("stored");
    let target = mounted
        .runtime
        .block_on(mounted.vfs.readlink(stored.ino))
        .expect("a link");
    assert_eq!(target, b"folder/file", "as Linux writes it");
    let file = driver.open("\\to-folder\\file").expect("through the link");
    assert_eq!(driver.content(file), b"behind");
    driver.close(file);

    let link = driver
        .create_with("\\to-folder", Disposition::Open, LINK, ALL, 0)
        .expect("the link itself");
    driver
        .rename(link, "\\to-folder", "\\renamed", false)
        .expect("renamed");
    driver.mark_deleted(link, "\\renamed").expect("a link is empty");
    driver.close_deleting(link, "\\renamed");
    assert_eq!(driver.names("\\"), ["folder", "to-file"]);
    assert_eq!(driver.names("\\folder"), ["file"], "what it led to is there");
}
