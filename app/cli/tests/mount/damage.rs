//! Objects that are gone or cut: the check names the file, and only that file is hurt.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fixture::{Volume, succeed, text};

/// A volume with two files, unmounted, and the object of the first one.
fn two_files(volume: &Volume) -> PathBuf {
    let mounted = volume.mount("mnt", &[]);
    fs::write(mounted.file("first"), vec![1; 5000]).expect("a file");
    let objects = blocks(&volume.path().join("objects"));
    fs::write(mounted.file("second"), vec![2; 5000]).expect("a file");
    succeed(volume.program().arg("umount").arg(mounted.point()));
    assert_eq!(objects.len(), 1, "{objects:?}");
    objects.into_iter().next().expect("an object")
}

fn blocks(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(blocks(&path));
        } else if path.components().any(|part| part.as_os_str() == "chunks") {
            found.push(path);
        }
    }
    found
}

/// The check ends with the code for damage and names the first file only.
fn check_names_the_first(volume: &Volume, options: &[&str], defect: &str) {
    let output = volume
        .program()
        .args(["fsck", "--json"])
        .args(options)
        .arg(volume.url())
        .output()
        .expect("it starts");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(7), "{said}");
    assert!(said.contains(defect) && said.contains("/first"), "{said}");
    assert!(!said.contains("/second"), "{said}");
}

#[test]
fn a_missing_object_is_found_by_the_check_and_hurts_one_file() {
    let Some(volume) = Volume::format(&[]) else {
        return;
    };
    let object = two_files(&volume);
    fs::remove_file(object).expect("the object");
    check_names_the_first(&volume, &[], "missing-object");
    let mounted = volume.mount("mnt", &[]);
    assert!(fs::read(mounted.file("first")).is_err());
    assert_eq!(
        fs::read(mounted.file("second")).expect("the other file"),
        vec![2; 5000]
    );
}

#[test]
fn a_cut_object_is_found_by_the_check_and_never_read_as_whole() {
    let Some(volume) = Volume::format(&[]) else {
        return;
    };
    let object = two_files(&volume);
    fs::write(object, vec![1; 100]).expect("the object");
    check_names_the_first(&volume, &[], "wrong-object-size");
    let mounted = volume.mount("mnt", &[]);
    assert!(fs::read(mounted.file("first")).is_err());
}

#[test]
fn an_object_that_can_not_be_opened_is_found_when_contents_are_read() {
    let Some(volume) = Volume::format(&["--compress", "lz4"]) else {
        return;
    };
    let object = two_files(&volume);
    let whole = fs::read(&object).expect("the object");
    fs::write(object, &whole[..whole.len() - 1]).expect("the object");
    let plain = volume.program().arg("fsck").arg(volume.url()).output();
    let said = text(&plain.expect("it starts"));
    assert!(said.contains("Contents of objects were not read"), "{said}");
    check_names_the_first(&volume, &["--verify-contents"], "damaged-object");
    check_names_the_first(
        &volume,
        &["--verify-contents", "--path", "/first"],
        "damaged-object",
    );
}
