//! fsck: entries that lie in no directory.

use moorage_meta::admin::{CheckOptions, CheckReport, Defect, Progress, RepairState};
use moorage_meta::{Key, Record};
use moorage_model::{Entry, Ino, NodeType};

use crate::volume::{Volume, name, on_each_engine};

async fn repair(volume: &Volume) -> CheckReport {
    let options = CheckOptions {
        repair: true,
        ..CheckOptions::default()
    };
    volume.meta.check(options, &Progress::default()).await.unwrap()
}

/// Loses a directory of the root: its node and its entry.
async fn lose(volume: &Volume, text: &str, ino: Ino) {
    volume.tamper(Key::Edge(Ino::ROOT, name(text)), None).await;
    volume.tamper(Key::Node(ino), None).await;
}

/// Moves the entry of something in the root into something else, as damage of its record does.
async fn misplace(volume: &Volume, text: &str, place: Ino) {
    let key = Key::Edge(Ino::ROOT, name(text));
    let record = volume
        .engine
        .read(std::slice::from_ref(&key))
        .await
        .unwrap()
        .remove(0);
    volume.tamper(key, None).await;
    volume.tamper(Key::Edge(place, name(text)), record).await;
}

async fn assert_repaired_at_once(volume: &Volume) {
    let found = volume.check().await;
    let states: Vec<_> = found
        .findings
        .iter()
        .filter(|one| one.defect == Defect::MissingDirectory)
        .map(|one| &one.repair)
        .collect();
    assert!(!states.is_empty(), "{:#?}", found.findings);
    assert!(
        states.iter().all(|state| **state == RepairState::Possible),
        "{:#?}",
        found.findings
    );
    let repaired = repair(volume).await;
    assert_eq!(repaired.worst(), None, "{:#?}", repaired.findings);
    // What left a directory drifts in its numbers, which are notes.
    repair(volume).await;
    volume.assert_whole().await;
}

#[tokio::test]
async fn a_directory_that_is_gone_with_its_name_comes_back_with_all_names_it_had() {
    on_each_engine(
        |_| {},
        async |volume| {
            let gone = volume.mkdir(Ino::ROOT, "gone").await;
            let below = volume.mkdir(gone, "below").await;
            let deep = volume.file(below, "deep", 100).await;
            let file = volume.file(gone, "file", 70_000).await;
            volume
                .meta
                .link(&volume.root, file, Ino::ROOT, &name("linked"))
                .await
                .unwrap();
            lose(volume, "gone", gone).await;
            // The lower one is gone too: it comes back in its place.
            volume.tamper(Key::Node(below), None).await;
            assert_repaired_at_once(volume).await;
            for (path, ino) in [("file", file), ("below", below), ("below/deep", deep)] {
                let path = format!("/lost+found/{gone}/{path}");
                assert_eq!(volume.find(&path).await, Some(ino), "{path}");
            }
            assert_eq!(volume.meta.getattr(file).await.unwrap().nlink, 2);
        },
    )
    .await;
}

#[tokio::test]
async fn what_lies_in_no_possible_directory_gets_names_in_lost_and_found() {
    on_each_engine(
        |_| {},
        async |volume| {
            let folder = volume.mkdir(Ino::ROOT, "folder").await;
            let inner = volume.file(folder, "inner", 100).await;
            let file = volume.file(Ino::ROOT, "file", 100).await;
            let linked = volume.file(Ino::ROOT, "linked", 100).await;
            volume
                .meta
                .link(&volume.root, linked, Ino::ROOT, &name("other"))
                .await
                .unwrap();
            let holder = volume.file(Ino::ROOT, "holder", 100).await;
            // A number that was never given out, and a file.
            misplace(volume, "folder", Ino(1 << 40)).await;
            misplace(volume, "file", Ino(1 << 40)).await;
            misplace(volume, "linked", holder).await;
            assert_repaired_at_once(volume).await;
            for (path, ino) in [
                (folder.to_string(), folder),
                (format!("{folder}/inner"), inner),
                (file.to_string(), file),
                (linked.to_string(), linked),
            ] {
                let path = format!("/lost+found/{path}");
                assert_eq!(volume.find(&path).await, Some(ino), "{path}");
            }
            assert_eq!(volume.find("/other").await, Some(linked));
            assert_eq!(volume.meta.getattr(linked).await.unwrap().nlink, 2);
            let read = volume.engine.read(&[Key::Node(Ino(1 << 40))]).await.unwrap();
            assert_eq!(
                read,
                [None],
                "no directory gets a number that may be given out later"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn what_has_its_name_elsewhere_keeps_only_that_one() {
    on_each_engine(
        |_| {},
        async |volume| {
            let folder = volume.mkdir(Ino::ROOT, "folder").await;
            let entry = Entry {
                kind: NodeType::Directory,
                ino: folder,
            };
            let stray = Key::Edge(Ino(1 << 40), name("stray"));
            volume.tamper(stray, Some(Record::Edge(entry))).await;
            assert_repaired_at_once(volume).await;
            assert_eq!(volume.find("/folder").await, Some(folder));
            assert_eq!(volume.find(&format!("/lost+found/{folder}")).await, None);
        },
    )
    .await;
}

#[tokio::test]
async fn a_directory_without_node_and_with_entries_is_one_whatever_its_entry_says() {
    on_each_engine(
        |_| {},
        async |volume| {
            let folder = volume.mkdir(Ino::ROOT, "folder").await;
            let inner = volume.file(folder, "inner", 100).await;
            let entry = Entry {
                kind: NodeType::File,
                ino: folder,
            };
            let key = Key::Edge(Ino::ROOT, name("folder"));
            volume.tamper(key, Some(Record::Edge(entry))).await;
            volume.tamper(Key::Node(folder), None).await;
            repair(volume).await;
            assert_eq!(volume.find("/folder/inner").await, Some(inner));
            repair(volume).await;
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn lost_and_found_is_no_change_of_another_client() {
    on_each_engine(
        |_| {},
        async |volume| {
            volume.file(Ino::ROOT, "lost", 100).await;
            volume.tamper(Key::Edge(Ino::ROOT, name("lost")), None).await;
            let report = repair(volume).await;
            let counters = report
                .findings
                .iter()
                .filter(|one| one.defect == Defect::UsageCounter);
            assert_eq!(counters.count(), 0, "{:#?}", report.findings);
            assert_eq!(report.worst(), None, "{:#?}", report.findings);
        },
    )
    .await;
}
