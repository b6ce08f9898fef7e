//! Folders, listings, sizes and rights.

use windows_sys::Win32::Storage::FileSystem::FILE_ATTRIBUTE_DIRECTORY;

use crate::driver::{Disposition, FILE, FOLDER};
use crate::fixture::Mounted;

const NAME_NOT_FOUND: u32 = 0xC000_0034;
const DIRECTORY_NOT_EMPTY: u32 = 0xC000_0101;
const CANNOT_DELETE: u32 = 0xC000_0121;

/// Entries whose listing takes many buffers.
const MANY: usize = 2500;

#[test]
fn a_long_folder_is_listed_once_each_in_many_parts() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let folder = driver
        .create("\\many", Disposition::Create, FOLDER)
        .expect("made");
    driver.close(folder);
    for number in 0..MANY {
        let file = driver
            .create(&format!("\\many\\file-{number:05}"), Disposition::Create, FILE)
            .expect("made");
        driver.close(file);
    }
    let names = driver.names("\\many");
    assert_eq!(names.len(), MANY);
    assert!(
        names
            .iter()
            .enumerate()
            .all(|(number, name)| *name == format!("file-{number:05}"))
    );

    let folder = driver
        .create("\\many", Disposition::Open, FOLDER)
        .expect("opened");
    let dots: Vec<String> = driver
        .list(folder)
        .into_iter()
        .map(|entry| entry.name)
        .take(2)
        .collect();
    assert_eq!(dots, [".", ".."]);
    // The driver asks behind any of the names that it got, also behind one from long ago.
    let (first, _) = driver.list_part(folder, None).expect("a part");
    let (second, _) = driver.list_part(folder, Some(&first[9].name)).expect("a part");
    assert_eq!(second[0].name, first[10].name);
    driver
        .list_part(folder, Some(&second[second.len() - 1].name))
        .expect("a part");
    let (again, _) = driver.list_part(folder, Some(&first[5].name)).expect("a part");
    assert_eq!(again[0].name, first[6].name);
    driver.close(folder);
}

#[test]
fn an_entry_is_found_by_its_name_without_a_listing() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let file = driver.create("\\file", Disposition::Create, FILE).expect("made");
    driver.write(file, 0, b"1234").expect("written");
    driver.close(file);
    let root = driver.create("\\", Disposition::Open, FOLDER).expect("opened");
    let found = driver.entry(root, "file").expect("found");
    assert_eq!((found[0].name.as_str(), found[0].info.FileSize), ("file", 4));
    assert!(
        driver.entry(root, "none").is_ok_and(|found| found.is_empty()),
        "there is no such entry"
    );
    driver.close(root);
}

#[test]
fn only_an_empty_folder_is_deleted() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let folder = driver
        .create("\\folder", Disposition::Create, FOLDER)
        .expect("made");
    assert_eq!(folder.info.FileAttributes, FILE_ATTRIBUTE_DIRECTORY);
    let file = driver
        .create("\\folder\\file", Disposition::Create, FILE)
        .expect("made");
    assert_eq!(driver.mark_deleted(folder, "\\folder"), Err(DIRECTORY_NOT_EMPTY));
    driver.close_deleting(file, "\\folder\\file");
    driver.mark_deleted(folder, "\\folder").expect("it is empty");
    driver.close_deleting(folder, "\\folder");
    assert_eq!(driver.open("\\folder").map(drop), Err(NAME_NOT_FOUND));
    let root = driver.create("\\", Disposition::Open, FOLDER).expect("opened");
    assert_eq!(driver.mark_deleted(root, "\\"), Err(CANNOT_DELETE));
    driver.close(root);
}

#[test]
fn a_folder_is_renamed_with_all_that_is_in_it() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    for path in ["\\a", "\\a\\b"] {
        let folder = driver.create(path, Disposition::Create, FOLDER).expect("made");
        driver.close(folder);
    }
    let file = driver
        .create("\\a\\b\\file", Disposition::Create, FILE)
        .expect("made");
    driver.close(file);
    let folder = driver.open("\\a").expect("opened");
    driver.rename(folder, "\\a", "\\c", false).expect("renamed");
    driver.close(folder);
    assert_eq!(driver.names("\\c\\b"), ["file"]);
}

#[test]
fn the_volume_tells_its_name_and_sizes() {
    let mounted = Mounted::new();
    let info = mounted.driver.volume();
    assert!(info.TotalSize > info.FreeSize / 2 && info.FreeSize > 0);
    let units = usize::from(info.VolumeLabelLength) / 2;
    assert_eq!(String::from_utf16_lossy(&info.VolumeLabel[..units]), "photos");
}

#[test]
fn everything_belongs_to_the_user_who_mounted() {
    let mounted = Mounted::new();
    let driver = mounted.driver;
    let file = driver.create("\\file", Disposition::Create, FILE).expect("made");
    let root = driver.create("\\", Disposition::Open, FOLDER).expect("opened");
    assert!(!driver.security(file).is_empty());
    assert_eq!(driver.security(file), driver.security(root));
    driver.close(file);
    driver.close(root);
}
