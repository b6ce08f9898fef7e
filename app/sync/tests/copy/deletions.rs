//! What is deleted, and what never is.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use moorage_sync::copy::CopyOptions;

use crate::fixture::{Folders, options, tree, tree_of, tried, write};

fn deleting_destination() -> CopyOptions {
    let mut options = options();
    options.deletions.destination = true;
    options
}

fn deleting_source() -> CopyOptions {
    let mut options = options();
    options.deletions.source = true;
    options
}

#[tokio::test]
async fn extra_files_go_and_with_dirs_extra_folders_too() {
    let folders = Folders::new();
    write(&folders.from("keep/a"), "1");
    write(&folders.to("keep/b"), "2");
    write(&folders.to("extra/deep/c"), "3");
    folders.copied(&deleting_destination()).await;
    let files_gone = tree_of([
        ("keep", "/"),
        ("keep/a", "1"),
        ("extra", "/"),
        ("extra/deep", "/"),
    ]);
    assert_eq!(folders.tree(), files_gone);

    let with_folders = CopyOptions {
        folders: true,
        ..deleting_destination()
    };
    folders.copied(&with_folders).await;
    assert_eq!(folders.tree(), tree_of([("keep", "/"), ("keep/a", "1")]));
}

#[tokio::test]
async fn what_the_destination_has_goes_from_the_source_after_the_contents_were_compared() {
    let folders = Folders::new();
    write(&folders.from("same"), "1");
    write(&folders.to("same"), "1");
    write(&folders.from("other"), "2");
    write(&folders.to("other"), "3");
    write(&folders.from("new"), "4");
    let (report, failed) = tried(&folders.source(), &folders.destination(), &deleting_source()).await;
    assert_eq!(report.deleted_source, 1);
    assert_eq!(failed.len(), 1);
    assert!(failed[0].contains("other is kept"), "{failed:?}");
    assert_eq!(tree(&folders.from("")), tree_of([("other", "2"), ("new", "4")]));

    let mut after = options();
    after.deletions.source_after = true;
    write(&folders.from("last"), "5");
    fs::remove_file(folders.from("other")).unwrap();
    let report = folders.copied(&after).await;
    assert_eq!((report.copied, report.skipped, report.deleted_source), (1, 1, 1));
    assert_eq!(tree(&folders.from("")), tree_of([("new", "4")]));
    assert_eq!(folders.tree().get("last").map(String::as_str), Some("5"));
}

#[tokio::test]
async fn below_a_folder_that_can_not_be_read_nothing_is_deleted() {
    if rustix::process::geteuid().is_root() {
        println!("skipped: root reads every folder");
        return;
    }
    let folders = Folders::new();
    write(&folders.from("closed/a"), "1");
    write(&folders.to("closed/a"), "1");
    write(&folders.to("closed/b"), "2");
    write(&folders.to("extra"), "3");
    fs::set_permissions(folders.from("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    let (_, failed) = tried(&folders.source(), &folders.destination(), &deleting_destination()).await;
    fs::set_permissions(folders.from("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(
        failed.iter().any(|told| told.starts_with("closed: ")),
        "{failed:?}"
    );
    let expected = tree_of([("closed", "/"), ("closed/a", "1"), ("closed/b", "2")]);
    assert_eq!(folders.tree(), expected);
}
