//! fsck: what it finds and what it repairs.

use std::collections::HashSet;

use moorage_chunk::BlockId;
use moorage_meta::admin::{CheckOptions, CheckReport, CheckScope, Defect, Progress, Severity};
use moorage_meta::{Key, Record};
use moorage_model::{Attr, Counter, DirStat, Entry, Gid, Ino, NodeType, Timestamp, Uid};
use moorage_vfs::volume_check::{ObjectCheckOptions, check_objects};

use crate::volume::{Volume, name, on_each_engine};

async fn repair(volume: &Volume) -> CheckReport {
    let options = CheckOptions {
        repair: true,
        ..CheckOptions::default()
    };
    volume.meta.check(options, &Progress::default()).await.unwrap()
}

async fn node(volume: &Volume, ino: Ino) -> Attr {
    volume.meta.getattr(ino).await.unwrap()
}

fn defects(report: &CheckReport) -> Vec<Defect> {
    let mut defects: Vec<Defect> = report.findings.iter().map(|finding| finding.defect).collect();
    defects.sort_unstable();
    defects.dedup();
    defects
}

async fn make_tree(volume: &Volume) -> (Ino, Ino) {
    let directory = volume.mkdir(Ino::ROOT, "d").await;
    volume.mkdir(directory, "e").await;
    let file = volume.file(directory, "file", 70_000).await;
    volume
        .meta
        .link(&volume.root, file, Ino::ROOT, &name("other"))
        .await
        .unwrap();
    volume.symlink(directory, "link", "file").await;
    (directory, file)
}

#[tokio::test]
async fn a_volume_made_by_verbs_has_no_finding() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        async |volume| {
            make_tree(volume).await;
            volume.unlink(Ino::ROOT, "other").await;
            let report = volume.check().await;
            assert_eq!(report.findings, []);
            assert_eq!(report.worst(), None);
            assert!(report.counts.nodes >= 6 && report.counts.slices == 1);
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn the_check_of_a_folder_counts_what_it_looked_at() {
    on_each_engine(
        |_| {},
        async |volume| {
            let (directory, file) = make_tree(volume).await;
            for (top, nodes, entries) in [(directory, 4, 3), (file, 1, 0)] {
                let scope = CheckScope::Tree(top);
                let options = CheckOptions {
                    scope,
                    ..CheckOptions::default()
                };
                let progress = Progress::default();
                let mut report = volume.meta.check(options, &progress).await.unwrap();
                let options = ObjectCheckOptions {
                    scope,
                    ..ObjectCheckOptions::default()
                };
                let progress = Progress::default();
                let objects = check_objects(
                    &volume.meta,
                    volume.store.as_ref(),
                    options,
                    &HashSet::new,
                    &progress,
                )
                .await;
                report.merge(objects.unwrap());
                if scope == CheckScope::Volume {
                    let told = progress.counts();
                    assert_eq!((told.done, told.expected), (2, 2), "objects, each counted once");
                }
                assert_eq!(report.findings, []);
                let counts = report.counts;
                assert_eq!((counts.nodes, counts.entries), (nodes, entries));
                assert_eq!((counts.slices, counts.objects), (1, 2));
            }
        },
    )
    .await;
}

/// Damages a volume, sees the defect, repairs it, sees a whole volume.
async fn damage_and_repair(volume: &Volume, key: Key, record: Option<Record>, expected: &[Defect]) {
    volume.tamper(key.clone(), record).await;
    let found = volume.check().await;
    assert_eq!(defects(&found), expected, "{key:?}: {:#?}", found.findings);
    let repaired = repair(volume).await;
    assert_eq!(repaired.worst(), None, "{key:?}: {:#?}", repaired.findings);
    assert!(repaired.repaired > 0);
    assert_eq!(
        repair(volume).await.findings,
        [],
        "{key:?}: a second repair has nothing to do"
    );
}

#[tokio::test]
async fn wrong_numbers_are_found_and_repaired() {
    on_each_engine(
        |_| {},
        async |volume| {
            let (directory, file) = make_tree(volume).await;
            let links = |mut attr: Attr, nlink| {
                attr.nlink = nlink;
                Some(Record::Node(attr))
            };
            let attr = node(volume, directory).await;
            damage_and_repair(volume, Key::Node(directory), links(attr, 9), &[Defect::LinkCount]).await;
            let attr = node(volume, file).await;
            damage_and_repair(volume, Key::Node(file), links(attr, 5), &[Defect::LinkCount]).await;
            let stat = Some(Record::DirStat(DirStat::default()));
            damage_and_repair(
                volume,
                Key::DirStat(directory),
                stat,
                &[Defect::DirectoryStatistics],
            )
            .await;
            let counter = Key::Counter(Counter::UsedSpace);
            let wrong = Some(Record::Counter(-4096));
            damage_and_repair(volume, counter, wrong, &[Defect::UsageCounter]).await;
        },
    )
    .await;
}

#[tokio::test]
async fn drifted_statistics_and_counters_are_only_notes() {
    on_each_engine(
        |_| {},
        async |volume| {
            let (directory, _) = make_tree(volume).await;
            let stat = Record::DirStat(DirStat::default());
            volume.tamper(Key::DirStat(directory), Some(stat)).await;
            volume
                .tamper(Key::Counter(Counter::TotalInodes), Some(Record::Counter(1)))
                .await;
            assert_eq!(volume.check().await.worst(), Some(Severity::Note));
        },
    )
    .await;
}

#[tokio::test]
async fn an_entry_without_a_node_goes_and_a_directory_comes_back_with_its_entries() {
    on_each_engine(
        |_| {},
        async |volume| {
            let (directory, _) = make_tree(volume).await;
            let ghost = Entry {
                kind: NodeType::File,
                ino: Ino(77_777),
            };
            volume
                .tamper(Key::Edge(directory, name("ghost")), Some(Record::Edge(ghost)))
                .await;
            assert!(defects(&volume.check().await).contains(&Defect::MissingNode));
            repair(volume).await;
            assert_eq!(volume.find("/d/ghost").await, None);
            assert_eq!(repair(volume).await.worst(), None);

            volume.tamper(Key::Node(directory), None).await;
            let report = volume.check().await;
            assert_eq!(report.worst(), Some(Severity::Error));
            assert!(
                !defects(&report).contains(&Defect::Orphan),
                "{:#?}",
                report.findings
            );
            repair(volume).await;
            assert!(volume.find("/d/file").await.is_some());
            assert_eq!(node(volume, directory).await.nlink, 3);
            assert_eq!(repair(volume).await.worst(), None);
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn an_orphan_gets_a_name_in_lost_and_found() {
    on_each_engine(
        |_| {},
        async |volume| {
            let (directory, _) = make_tree(volume).await;
            let lost = volume.file(directory, "lost", 100).await;
            volume.tamper(Key::Edge(directory, name("lost")), None).await;
            let report = volume.check().await;
            assert!(
                defects(&report).contains(&Defect::Orphan),
                "{:#?}",
                report.findings
            );
            repair(volume).await;
            assert_eq!(volume.find(&format!("/lost+found/{lost}")).await, Some(lost));
            repair(volume).await;
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_node_that_says_another_parent_is_corrected() {
    on_each_engine(
        |_| {},
        async |volume| {
            let (directory, _) = make_tree(volume).await;
            let other = volume.mkdir(Ino::ROOT, "elsewhere").await;
            let mut attr = node(volume, directory).await;
            attr.parent = other;
            let wrong = Some(Record::Node(attr));
            damage_and_repair(volume, Key::Node(directory), wrong, &[Defect::WrongParent]).await;
            assert_eq!(node(volume, directory).await.parent, Ino::ROOT);
        },
    )
    .await;
}

#[tokio::test]
async fn directories_inside_each_other_are_a_loop_that_a_repair_takes_to_lost_and_found() {
    on_each_engine(
        |_| {},
        async |volume| {
            let a = volume.mkdir(Ino::ROOT, "a").await;
            let b = volume.mkdir(a, "b").await;
            let entry = Record::Edge(Entry {
                kind: NodeType::Directory,
                ino: a,
            });
            volume.tamper(Key::Edge(b, name("a")), Some(entry)).await;
            volume.tamper(Key::Edge(Ino::ROOT, name("a")), None).await;
            let mut attr = node(volume, a).await;
            attr.parent = b;
            volume.tamper(Key::Node(a), Some(Record::Node(attr))).await;
            let report = volume.check().await;
            let loops = report.findings.iter().filter(|one| one.defect == Defect::Loop);
            assert_eq!(loops.count(), 1, "{:#?}", report.findings);
            repair(volume).await;
            assert_eq!(volume.find(&format!("/lost+found/{a}/b")).await, Some(b));
            assert_eq!(volume.find(&format!("/lost+found/{a}/b/a")).await, None);
            repair(volume).await;
            assert_eq!(volume.check().await.findings, []);
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_directory_whose_name_lies_inside_it_goes_to_lost_and_found() {
    on_each_engine(
        |_| {},
        async |volume| {
            for inside in ["", "e"] {
                let (directory, _) = make_tree(volume).await;
                let holder = match inside {
                    "" => directory,
                    name => volume.find(&format!("/d/{name}")).await.unwrap(),
                };
                let entry = Record::Edge(Entry {
                    kind: NodeType::Directory,
                    ino: directory,
                });
                volume.tamper(Key::Edge(Ino::ROOT, name("d")), None).await;
                volume.tamper(Key::Edge(holder, name("d")), Some(entry)).await;
                let report = volume.check().await;
                assert!(defects(&report).contains(&Defect::Loop), "{:#?}", report.findings);
                let report = repair(volume).await;
                assert!(report.worst() <= Some(Severity::Note), "{:#?}", report.findings);
                let home = volume.find("/lost+found").await.unwrap();
                assert_eq!(node(volume, directory).await.parent, home);
                let found = format!("/lost+found/{directory}");
                assert!(volume.find(&format!("{found}/file")).await.is_some());
                assert_eq!(volume.find(&format!("{found}/{inside}/d")).await, None);
                repair(volume).await;
                assert_eq!(volume.check().await.findings, []);
                volume.assert_whole().await;
                volume.unlink(Ino::ROOT, "other").await;
            }
        },
    )
    .await;
}

#[tokio::test]
async fn owners_of_slices_are_compared_with_the_records() {
    on_each_engine(
        |_| {},
        async |volume| {
            let (_, file) = make_tree(volume).await;
            let info = volume
                .meta
                .info(file, Default::default(), &Progress::default())
                .await;
            let slice = info.unwrap().chunks[0].1[0];
            let key = Key::SliceRef(slice.id, slice.size);
            damage_and_repair(
                volume,
                key.clone(),
                Some(Record::Owners(3)),
                &[Defect::SliceOwners],
            )
            .await;
            volume.tamper(key.clone(), Some(Record::Owners(0))).await;
            assert_eq!(
                volume.check().await.worst(),
                Some(Severity::Error),
                "its data would be deleted"
            );
            assert_eq!(repair(volume).await.worst(), None);
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn missing_and_short_objects_name_their_files() {
    on_each_engine(
        |_| {},
        async |volume| {
            let (directory, file) = make_tree(volume).await;
            let second = volume.file(directory, "second", 10).await;
            let objects = volume.objects().await;
            volume.store.delete(&objects[1]).await.unwrap();
            for scope in [
                CheckScope::Volume,
                CheckScope::Tree(Ino::ROOT),
                CheckScope::Tree(directory),
            ] {
                let options = ObjectCheckOptions {
                    scope,
                    ..ObjectCheckOptions::default()
                };
                let report = check_objects(
                    &volume.meta,
                    volume.store.as_ref(),
                    options,
                    &HashSet::new,
                    &Progress::default(),
                )
                .await
                .unwrap();
                assert_eq!(defects(&report), [Defect::MissingObject], "{scope:?}");
                assert!(
                    report.findings[0].message.contains(&objects[1]),
                    "{:?}",
                    report.findings
                );
                assert!(
                    report.findings[0].message.contains(&format!("inode {file}")),
                    "{:?}",
                    report.findings
                );
            }
            let only_here = HashSet::from([BlockId::parse(&objects[1]).unwrap()]);
            let options = ObjectCheckOptions::default();
            let staged = || only_here.clone();
            let report = check_objects(
                &volume.meta,
                volume.store.as_ref(),
                options,
                &staged,
                &Progress::default(),
            )
            .await
            .unwrap();
            assert_eq!(defects(&report), [Defect::NotUploaded]);
            assert_eq!(report.worst(), Some(Severity::Note), "nothing is wrong with it");
            let short = objects.last().unwrap();
            volume
                .store
                .put(short, bytes::Bytes::from_static(b"short"))
                .await
                .unwrap();
            let options = ObjectCheckOptions {
                scope: CheckScope::Tree(second),
                ..ObjectCheckOptions::default()
            };
            let report = check_objects(
                &volume.meta,
                volume.store.as_ref(),
                options,
                &HashSet::new,
                &Progress::default(),
            )
            .await
            .unwrap();
            assert_eq!(defects(&report), [Defect::WrongObjectSize]);
        },
    )
    .await;
}

#[tokio::test]
async fn a_deleted_file_that_nobody_holds_open_is_deleted_for_good() {
    on_each_engine(
        |_| {},
        async |volume| {
            // One that the counter has given out.
            let gone = Ino(volume.create(Ino::ROOT, "last").await.0 + 1);
            let mut attr = Attr::new(
                NodeType::File,
                0o644,
                Uid::ROOT,
                Gid(0),
                Timestamp::new(1, 0),
                Ino::ROOT,
            );
            attr.nlink = 0;
            volume.tamper(Key::Node(gone), Some(Record::Node(attr))).await;
            damage_and_repair_orphan(volume, gone).await;
        },
    )
    .await;
}

async fn damage_and_repair_orphan(volume: &Volume, gone: Ino) {
    assert_eq!(defects(&volume.check().await), [Defect::Orphan]);
    assert_eq!(repair(volume).await.worst(), None);
    let records = volume
        .engine
        .read(&[Key::Node(gone), Key::DeletedFile(gone, 0)])
        .await;
    let records = records.unwrap();
    assert!(records[0].is_none() && records[1].is_some());
}

#[tokio::test]
async fn references_to_nothing_and_contradicting_records_are_found() {
    on_each_engine(
        |setting| setting.enable_acl = true,
        async |volume| {
            let (directory, file) = make_tree(volume).await;
            let mut attr = node(volume, directory).await;
            attr.default_acl = moorage_model::AclId(12);
            let before = node(volume, directory).await;
            volume
                .tamper(Key::Node(directory), Some(Record::Node(attr)))
                .await;
            assert_eq!(defects(&volume.check().await), [Defect::MissingAcl]);
            volume
                .tamper(Key::Node(directory), Some(Record::Node(before)))
                .await;
            let record = Some(Record::DeletedFile(1));
            damage_and_repair(
                volume,
                Key::DeletedFile(file, 70_000),
                record,
                &[Defect::DeletedButPresent],
            )
            .await;
            volume.meta.clean_up_files().await.unwrap();
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn missing_statistics_are_no_finding_and_a_repair_makes_them() {
    on_each_engine(
        |_| {},
        async |volume| {
            let (directory, _) = make_tree(volume).await;
            let key = Key::DirStat(directory);
            let before = volume.engine.read(std::slice::from_ref(&key)).await.unwrap();
            assert!(before[0].is_some());
            volume.tamper(key.clone(), None).await;
            assert_eq!(volume.check().await.findings, []);
            assert_eq!(repair(volume).await.findings, []);
            assert_eq!(volume.engine.read(&[key]).await.unwrap(), before);
        },
    )
    .await;
}

#[tokio::test]
async fn a_directory_with_two_names_is_an_error() {
    on_each_engine(
        |_| {},
        async |volume| {
            let (directory, _) = make_tree(volume).await;
            let entry = Record::Edge(Entry {
                kind: NodeType::Directory,
                ino: directory,
            });
            volume
                .tamper(Key::Edge(Ino::ROOT, name("second")), Some(entry))
                .await;
            let report = volume.check().await;
            assert!(
                defects(&report).contains(&Defect::SecondName),
                "{:#?}",
                report.findings
            );
            assert_eq!(report.worst(), Some(Severity::Error));
        },
    )
    .await;
}
