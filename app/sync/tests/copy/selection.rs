//! Which files are copied.

use std::fs;

use moorage_sync::copy::CopyOptions;

use crate::fixture::{Folders, excluding, options, set_time, tree_of, write};

/// `same`, `longer`, `newer` and `older` on both sides, `new` in the source, `extra` in the destination.
fn both() -> Folders {
    let folders = Folders::new();
    for (name, from, to, time) in [
        ("same", "1", "1", 0),
        ("longer", "22", "2", 0),
        ("newer", "3", "4", 10),
        ("older", "55", "6", 0),
    ] {
        write(&folders.from(name), from);
        write(&folders.to(name), to);
        set_time(&folders.from(name), time);
        set_time(&folders.to(name), if name == "older" { 10 } else { 0 });
    }
    write(&folders.from("new"), "7");
    write(&folders.to("extra"), "8");
    folders
}

async fn changed(change: impl FnOnce(&mut CopyOptions)) -> Vec<String> {
    let folders = both();
    let before = folders.tree();
    let mut options = options();
    change(&mut options);
    folders.copied(&options).await;
    let after = folders.tree();
    let differs = |name: &&String| before.get(*name) != after.get(*name);
    let mut names: Vec<String> = after.keys().filter(differs).cloned().collect();
    names.extend(before.keys().filter(|name| !after.contains_key(*name)).cloned());
    names
}

#[tokio::test]
async fn without_options_sizes_decide() {
    assert_eq!(changed(|_| {}).await, ["longer", "new", "older"]);
}

#[tokio::test]
async fn update_goes_by_time_alone() {
    assert_eq!(changed(|o| o.selection.update = true).await, ["new", "newer"]);
}

#[tokio::test]
async fn force_update_copies_all() {
    let names = changed(|o| o.selection.force_update = true).await;
    assert_eq!(names, ["longer", "new", "newer", "older"]);
}

#[tokio::test]
async fn existing_makes_nothing_new_and_ignore_existing_changes_nothing() {
    assert_eq!(
        changed(|o| o.selection.existing = true).await,
        ["longer", "older"]
    );
    assert_eq!(changed(|o| o.selection.ignore_existing = true).await, ["new"]);
}

#[tokio::test]
async fn check_all_finds_what_size_and_time_hide() {
    let names = changed(|o| o.checks.all = true).await;
    assert_eq!(names, ["longer", "new", "newer", "older"]);
}

#[tokio::test]
async fn what_is_excluded_is_neither_copied_nor_deleted() {
    let names = changed(|o| {
        o.filter = excluding("[a-l]*");
        o.deletions.destination = true;
    });
    assert_eq!(names.await, ["new", "older"]);
}

#[tokio::test]
async fn a_limit_ends_the_copy_early() {
    let names = changed(|o| {
        o.limit = Some(2);
        o.selection.force_update = true;
    });
    assert_eq!(names.await, ["longer", "new"]);
}

#[tokio::test]
async fn check_new_reads_the_copies_back() {
    let folders = both();
    let mut options = options();
    options.checks.new = true;
    let report = folders.copied(&options).await;
    assert_eq!((report.copied, report.checked, report.checked_bytes), (3, 3, 5));
    let expected = fs::read(folders.from("new")).unwrap();
    assert_eq!(fs::read(folders.to("new")).unwrap(), expected);
    assert_eq!(folders.tree().len(), tree_of([]).len() + 6);
}
