//! Names and trees that want to lead somewhere else.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use bytes::Bytes;
use moorage_chunk::ObjectStore as _;
use moorage_sync::copy::CopyOptions;

use crate::fixture::{Folders, objects, options, tree, tree_of, tried, write};

#[tokio::test]
async fn a_link_in_the_destination_leads_nowhere() {
    let folders = Folders::new();
    write(&folders.from("a/file"), "new");
    write(&folders.from("b"), "longer than before");
    write(&folders.outside("elsewhere/file"), "old");
    symlink(folders.outside("elsewhere"), folders.to("a")).unwrap();
    symlink(folders.outside("elsewhere/file"), folders.to("b")).unwrap();
    let (report, failed) = tried(&folders.source(), &folders.destination(), &options()).await;
    assert_eq!((report.copied, report.failed), (1, 1));
    assert!(failed[0].starts_with("a/file: "), "{failed:?}");
    assert_eq!(tree(&folders.outside("elsewhere")), tree_of([("file", "old")]));
    assert_eq!(fs::read_to_string(folders.to("b")).unwrap(), "longer than before");

    let mut deleting = options();
    deleting.deletions.destination = true;
    fs::remove_dir_all(folders.from("a")).unwrap();
    tried(&folders.source(), &folders.destination(), &deleting).await;
    assert_eq!(tree(&folders.outside("elsewhere")), tree_of([("file", "old")]));
    assert!(!folders.to("a").is_symlink());
}

#[tokio::test]
async fn keys_that_are_no_paths_are_named_and_the_rest_is_copied() {
    let folders = Folders::new();
    let (store, side) = objects();
    for key in [
        "below/../up",
        "below/a//b",
        "below//c",
        "below/./d",
        "below/good",
        "other/x",
    ] {
        store.put(key, Bytes::from_static(b"x")).await.unwrap();
    }
    let (report, failed) = tried(&side, &folders.destination(), &options()).await;
    assert_eq!((report.copied, report.failed), (1, 4), "{failed:?}");
    assert!(
        failed.iter().any(|told| told.contains("below/../up")),
        "{failed:?}"
    );
    assert_eq!(folders.tree(), tree_of([("good", "x")]));
    assert!(!folders.outside("up").exists());
}

#[tokio::test]
async fn names_of_any_bytes_are_copied_between_folders_and_refused_by_objects() {
    let folders = Folders::new();
    let names: [&[u8]; 5] = [b"\xff\xfe", b"new\nline", b"-rf", b" ", b"*?[a]\\"];
    for name in names {
        write(&folders.from("").join(OsStr::from_bytes(name)), name);
    }
    folders.copied(&options()).await;
    for name in names {
        let copy = folders.to("").join(OsStr::from_bytes(name));
        assert_eq!(fs::read(copy).unwrap(), name);
    }
    let (_, side) = objects();
    let (report, failed) = tried(&folders.source(), &side, &options()).await;
    assert_eq!((report.copied, report.failed), (4, 1), "{failed:?}");
    assert!(failed[0].contains("UTF-8"), "{failed:?}");
}

#[tokio::test]
async fn a_link_that_leads_up_ends_the_descent() {
    let folders = Folders::new();
    write(&folders.from("a/b/file"), "1");
    symlink("../..", folders.from("a/b/up")).unwrap();
    symlink("nowhere", folders.from("dangling")).unwrap();
    let (report, failed) = tried(&folders.source(), &folders.destination(), &options()).await;
    assert_eq!((report.copied, report.failed), (1, 2), "{failed:?}");
    assert!(
        failed.iter().any(|told| told.starts_with("a/b/up: ")),
        "{failed:?}"
    );
    assert!(
        failed.iter().any(|told| told.starts_with("dangling: ")),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_pipe_keeps_nobody_waiting() {
    let folders = Folders::new();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folders.from("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let report = folders.copied(&options()).await;
    assert_eq!((report.copied, report.skipped), (0, 1));
}

#[tokio::test]
async fn a_folder_in_the_place_of_a_file_is_told_and_left() {
    let folders = Folders::new();
    write(&folders.from("x"), "file");
    write(&folders.to("x/inside"), "folder");
    let all = CopyOptions {
        folders: true,
        ..options()
    };
    let (report, failed) = tried(&folders.source(), &folders.destination(), &all).await;
    assert_eq!(report.failed, 1, "{failed:?}");
    assert_eq!(folders.tree(), tree_of([("x", "/"), ("x/inside", "folder")]));
}
