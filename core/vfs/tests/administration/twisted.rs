//! Entries that lead back up the tree, or have names that mean something else.

use std::sync::Arc;
use std::time::Duration;

use moorage_meta::admin::{CheckOptions, Defect, Progress, Severity};
use moorage_meta::{Counting, Key, Meta, MetaOptions, QuotaLimits, Record};
use moorage_model::{Counter, Entry, ErrorKind, Ino, Name, NodeType, QuotaKey, SystemClock};

use crate::volume::{Volume, name, on_each_engine};

/// Longer than any walk of a few directories takes.
const END: Duration = Duration::from_secs(30);

async fn add_entry(volume: &Volume, parent: Ino, text: &str, kind: NodeType, ino: Ino) {
    let entry = Record::Edge(Entry { kind, ino });
    let key = Key::Edge(parent, Name::new(text.as_bytes()).unwrap());
    volume.tamper(key, Some(entry)).await;
}

async fn repair(volume: &Volume) {
    let options = CheckOptions {
        repair: true,
        ..CheckOptions::default()
    };
    for _ in 0..2 {
        volume.meta.check(options, &Progress::default()).await.unwrap();
    }
    assert_eq!(volume.check().await.worst(), None);
}

#[tokio::test]
async fn walks_of_a_directory_that_lies_below_itself_end() {
    on_each_engine(
        |_| {},
        async |volume| {
            let directory = volume.mkdir(Ino::ROOT, "d").await;
            add_entry(volume, directory, "loop", NodeType::Directory, directory).await;
            let progress = Progress::default();
            let sum = volume.meta.tree_usage(directory, 2, &progress);
            let sum = tokio::time::timeout(END, sum).await.unwrap();
            assert_eq!(sum.unwrap_err().kind(), ErrorKind::Corrupt);
            let key = QuotaKey::Directory(directory);
            let set = volume
                .meta
                .set_quota(key, QuotaLimits::default(), Counting::Entries);
            let set = tokio::time::timeout(END, set).await.unwrap();
            assert_eq!(set.unwrap_err().kind(), ErrorKind::Corrupt);
        },
    )
    .await;
}

#[tokio::test]
async fn an_entry_that_leads_back_up_is_an_error_that_a_repair_removes() {
    for kind in [NodeType::Directory, NodeType::File] {
        on_each_engine(
            |_| {},
            async |volume| {
                let directory = volume.mkdir(Ino::ROOT, "d").await;
                let below = volume.mkdir(directory, "e").await;
                volume.file(below, "file", 100).await;
                for up in [Ino::ROOT, directory] {
                    add_entry(volume, below, "up", kind, up).await;
                    let report = volume.check().await;
                    let second = report
                        .findings
                        .iter()
                        .find(|one| one.defect == Defect::SecondName);
                    assert_eq!(
                        second.map(|one| one.severity),
                        Some(Severity::Error),
                        "{:#?}",
                        report.findings
                    );
                    repair(volume).await;
                    assert_eq!(volume.find("d/e/up").await, None);
                    assert!(volume.find("d/e/file").await.is_some());
                }
            },
        )
        .await;
    }
}

#[tokio::test]
async fn an_entry_with_a_reserved_name_is_an_error_and_a_repair_gives_it_another() {
    on_each_engine(
        |_| {},
        async |volume| {
            let directory = volume.mkdir(Ino::ROOT, "d").await;
            for (parent, text) in [(directory, ".."), (directory, "."), (Ino::ROOT, ".trash")] {
                let ino = volume.file(parent, "file", 100).await;
                add_entry(volume, parent, text, NodeType::File, ino).await;
                volume.tamper(Key::Edge(parent, name("file")), None).await;
                let report = volume.check().await;
                assert!(
                    report
                        .findings
                        .iter()
                        .any(|one| one.defect == Defect::ReservedName),
                    "{text}: {:#?}",
                    report.findings
                );
                repair(volume).await;
                let renamed = name(&format!("renamed-{ino}"));
                let found = volume.meta.lookup(&volume.root, parent, &renamed).await.unwrap();
                assert_eq!(found.0, ino);
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_slice_counter_that_lies_behind_gives_no_id_that_a_slice_has() {
    on_each_engine(
        |_| {},
        async |volume| {
            volume.file(Ino::ROOT, "old", 100).await;
            let open = || {
                Meta::open(
                    Arc::clone(&volume.engine),
                    MetaOptions::default(),
                    Arc::new(SystemClock),
                )
            };
            let opened = open().await.unwrap();
            volume
                .tamper(Key::Counter(Counter::NextChunk), Some(Record::Counter(1)))
                .await;
            let refused = open().await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Corrupt, "{refused}");
            let refused = opened.allocate_slice().await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Corrupt, "{refused}");
        },
    )
    .await;
}
