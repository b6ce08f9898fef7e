//! Files, folders, links, times and permissions between two folders.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use moorage_sync::copy::{Action, CopyOptions};

use crate::fixture::{Folders, Told, options, set_time, tree_of, write};

#[tokio::test]
async fn files_are_copied_with_their_times_and_a_second_run_copies_nothing() {
    let folders = Folders::new();
    write(&folders.from("a/b/c.txt"), "deep");
    write(&folders.from("empty"), "");
    write(&folders.from("a-b"), "sorts between a and what is in it");
    set_time(&folders.from("a/b/c.txt"), 7);
    fs::create_dir(folders.from("hollow")).unwrap();

    let report = folders.copied(&options()).await;
    assert_eq!((report.found, report.copied, report.copied_bytes), (3, 3, 37));
    let expected = tree_of([
        ("a", "/"),
        ("a/b", "/"),
        ("a/b/c.txt", "deep"),
        ("a-b", "sorts between a and what is in it"),
        ("empty", ""),
    ]);
    assert_eq!(folders.tree(), expected);
    assert_eq!(
        fs::metadata(folders.to("a/b/c.txt")).unwrap().mtime(),
        1_000_000_007
    );

    let again = folders.copied(&options()).await;
    assert_eq!((again.copied, again.skipped), (0, 3));
}

#[tokio::test]
async fn a_file_larger_than_a_piece_arrives_whole() {
    let folders = Folders::new();
    let content: Vec<u8> = (0..3_500_000u32).map(|n| (n / 7) as u8).collect();
    write(&folders.from("large"), &content);
    folders.copied(&options()).await;
    assert!(fs::read(folders.to("large")).unwrap() == content);
}

#[tokio::test]
async fn links_are_followed_or_copied_as_links() {
    let folders = Folders::new();
    write(&folders.from("file"), "content");
    write(&folders.outside("elsewhere/x"), "outside");
    symlink("file", folders.from("link")).unwrap();
    symlink(folders.outside("elsewhere"), folders.from("folder")).unwrap();
    folders.copied(&options()).await;
    let followed = tree_of([
        ("file", "content"),
        ("link", "content"),
        ("folder", "/"),
        ("folder/x", "outside"),
    ]);
    assert_eq!(folders.tree(), followed);

    let folders_with_links = Folders::new();
    symlink("nowhere", folders_with_links.from("link")).unwrap();
    let links = CopyOptions {
        links: true,
        ..options()
    };
    folders_with_links.copied(&links).await;
    assert_eq!(folders_with_links.tree(), tree_of([("link", "-> nowhere")]));
    assert_eq!(folders_with_links.copied(&links).await.copied, 0);
    fs::remove_file(folders_with_links.from("link")).unwrap();
    symlink("another", folders_with_links.from("link")).unwrap();
    assert_eq!(folders_with_links.copied(&links).await.copied, 1);
    assert_eq!(folders_with_links.tree(), tree_of([("link", "-> another")]));
}

#[tokio::test]
async fn folders_and_permissions_are_copied_on_request() {
    let folders = Folders::new();
    write(&folders.from("a/script"), "#!");
    fs::create_dir(folders.from("a/hollow")).unwrap();
    fs::set_permissions(folders.from("a/script"), fs::Permissions::from_mode(0o751)).unwrap();
    set_time(&folders.from("a/hollow"), 3);
    let all = CopyOptions {
        folders: true,
        permissions: true,
        ..options()
    };
    let report = folders.copied(&all).await;
    assert_eq!((report.found, report.copied), (3, 3));
    let mode = |name: &str| fs::metadata(folders.to(name)).unwrap().mode() & 0o7777;
    assert_eq!(mode("a/script"), 0o751);
    assert_eq!(
        fs::metadata(folders.to("a/hollow")).unwrap().mtime(),
        1_000_000_003
    );

    fs::set_permissions(folders.from("a/script"), fs::Permissions::from_mode(0o700)).unwrap();
    let report = folders.copied(&all).await;
    assert_eq!((report.copied, report.changed), (0, 1));
    assert_eq!(mode("a/script"), 0o700);
}

#[tokio::test]
async fn a_dry_run_tells_and_changes_nothing() {
    let folders = Folders::new();
    write(&folders.from("new"), "1");
    write(&folders.to("extra"), "2");
    let before = folders.tree();
    let mut dry = CopyOptions {
        dry: true,
        ..options()
    };
    dry.deletions.destination = true;
    let told = Told::default();
    let progress = moorage_meta::admin::Progress::default();
    let (source, destination) = (folders.source(), folders.destination());
    let report = moorage_sync::copy::copy(&source, &destination, &dry, &told, &progress)
        .await
        .unwrap();
    assert_eq!((report.copied, report.deleted_destination), (1, 1));
    assert_eq!(folders.tree(), before);
    let mut would = told.would.into_inner().unwrap();
    would.sort();
    let expected = [
        format!("{:?} new", Action::Copy),
        format!("{:?} extra", Action::DeleteDestination),
    ];
    assert_eq!(would, expected);
}

#[tokio::test(start_paused = true)]
async fn the_bandwidth_limit_holds() {
    let folders = Folders::new();
    write(&folders.from("a"), vec![0; 500_000]);
    write(&folders.from("b"), vec![0; 500_000]);
    write(&folders.from("c"), vec![0; 500_000]);
    let slow = CopyOptions {
        bytes_per_second: 100_000,
        ..options()
    };
    let begun = tokio::time::Instant::now();
    folders.copied(&slow).await;
    // The first and the saved-up time pass at once.
    assert!(begun.elapsed().as_secs() >= 9, "{:?}", begun.elapsed());
}
