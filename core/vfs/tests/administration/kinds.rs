//! fsck: entries and nodes that contradict each other in what a node is.

use moorage_meta::admin::{CheckOptions, CheckReport, Defect, Progress, RepairState, Severity};
use moorage_meta::{Key, Record};
use moorage_model::{Attr, Entry, Ino, NodeType};

use crate::volume::{Volume, name, on_each_engine, serious};

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

async fn entry(volume: &Volume, parent: Ino, text: &str) -> Entry {
    let found = volume.engine.lookup(parent, &name(text)).await.unwrap();
    found.unwrap().0
}

/// A node that says another kind than it has.
async fn damage_node(volume: &Volume, ino: Ino, kind: NodeType) {
    let attr = Attr {
        kind,
        ..node(volume, ino).await
    };
    volume.tamper(Key::Node(ino), Some(Record::Node(attr))).await;
}

/// An entry that says another kind than its node has.
async fn damage_entry(volume: &Volume, parent: Ino, text: &str, kind: NodeType) {
    let ino = entry(volume, parent, text).await.ino;
    let key = Key::Edge(parent, name(text));
    volume.tamper(key, Some(Record::Edge(Entry { kind, ino }))).await;
}

/// Directories, files and a symlink of the root by name.
async fn make_tree(volume: &Volume) -> Vec<(&'static str, NodeType)> {
    let full = volume.mkdir(Ino::ROOT, "full").await;
    let below = volume.mkdir(full, "below").await;
    volume.file(below, "file", 70_000).await;
    volume.file(full, "file", 100).await;
    volume.mkdir(Ino::ROOT, "bare").await;
    volume.file(Ino::ROOT, "long", 70_000).await;
    let linked = volume.file(Ino::ROOT, "linked", 100).await;
    volume
        .meta
        .link(&volume.root, linked, full, &name("other"))
        .await
        .unwrap();
    volume.symlink(Ino::ROOT, "link", "full").await;
    vec![
        ("full", NodeType::Directory),
        ("bare", NodeType::Directory),
        ("long", NodeType::File),
        ("linked", NodeType::File),
        ("link", NodeType::Symlink),
    ]
}

/// Sees that one kind is wrong and nothing else, and that a repair makes all right at once.
async fn assert_repaired(volume: &Volume, text: &str, kind: NodeType, damage: &str) {
    let found = volume.check().await;
    // Every name of a hard-linked node contradicts it.
    let wrong = found
        .findings
        .iter()
        .filter(|one| one.defect == Defect::WrongKind);
    let (wrong, serious) = (wrong.count(), serious(&found).len());
    assert!(
        wrong > 0 && wrong == serious,
        "{text} {damage}: {:#?}",
        found.findings
    );
    let repaired = repair(volume).await;
    assert_eq!(
        repaired.worst(),
        None,
        "{text} {damage}: {:#?}",
        repaired.findings
    );
    let ino = entry(volume, Ino::ROOT, text).await.ino;
    assert_eq!(entry(volume, Ino::ROOT, text).await.kind, kind, "{text} {damage}");
    assert_eq!(node(volume, ino).await.kind, kind, "{text} {damage}");
    assert!(volume.find("/full/below/file").await.is_some());
    assert_eq!(volume.find("/lost+found").await, None, "{text} {damage}");
    volume.assert_whole().await;
}

#[tokio::test]
async fn a_node_of_a_wrong_kind_is_put_right_by_its_entry_and_what_it_holds() {
    on_each_engine(
        |_| {},
        async |volume| {
            for (text, kind) in make_tree(volume).await {
                for wrong in [
                    NodeType::File,
                    NodeType::Directory,
                    NodeType::Symlink,
                    NodeType::Fifo,
                ] {
                    if wrong != kind {
                        let ino = entry(volume, Ino::ROOT, text).await.ino;
                        damage_node(volume, ino, wrong).await;
                        assert_repaired(volume, text, kind, &format!("node says {wrong:?}")).await;
                    }
                }
            }
        },
    )
    .await;
}

#[tokio::test]
async fn an_entry_of_a_wrong_kind_is_put_right_by_its_node_and_what_that_holds() {
    on_each_engine(
        |_| {},
        async |volume| {
            for (text, kind) in make_tree(volume).await {
                for wrong in [
                    NodeType::File,
                    NodeType::Directory,
                    NodeType::Symlink,
                    NodeType::Fifo,
                ] {
                    if wrong != kind {
                        damage_entry(volume, Ino::ROOT, text, wrong).await;
                        assert_repaired(volume, text, kind, &format!("entry says {wrong:?}")).await;
                    }
                }
            }
        },
    )
    .await;
}

#[tokio::test]
async fn what_nothing_decides_is_reported_and_left_as_it_is() {
    on_each_engine(
        |_| {},
        async |volume| {
            // An empty file and a pipe have the same records.
            let empty = volume.create(Ino::ROOT, "empty").await;
            damage_entry(volume, Ino::ROOT, "empty", NodeType::Fifo).await;
            // A directory with entries and content, and with the length of a file.
            let both = volume.mkdir(Ino::ROOT, "both").await;
            volume.file(both, "file", 100).await;
            let long = volume.file(Ino::ROOT, "long", 100).await;
            let keys = [Key::Chunk(long, moorage_model::ChunkIndex(0))];
            let slices = volume.engine.read(&keys).await.unwrap().remove(0);
            volume
                .tamper(Key::Chunk(both, moorage_model::ChunkIndex(0)), slices)
                .await;
            let mut attr = node(volume, both).await;
            (attr.kind, attr.length) = (NodeType::File, 100);
            volume.tamper(Key::DirStat(both), None).await;
            volume.tamper(Key::Node(both), Some(Record::Node(attr))).await;
            let records = [Key::Node(empty), Key::Node(both), Key::Node(Ino::ROOT)];
            let before = volume.engine.read(&records).await.unwrap();
            for report in [volume.check().await, repair(volume).await] {
                let wrong = report
                    .findings
                    .iter()
                    .filter(|one| one.defect == Defect::WrongKind);
                let states: Vec<_> = wrong.map(|one| (one.severity, &one.repair)).collect();
                let left = (Severity::Error, &RepairState::Impossible);
                assert_eq!(states, [left, left], "{:#?}", report.findings);
            }
            assert_eq!(volume.engine.read(&records).await.unwrap(), before);
            assert_eq!(entry(volume, Ino::ROOT, "empty").await.kind, NodeType::Fifo);
            assert_eq!(entry(volume, Ino::ROOT, "both").await.kind, NodeType::Directory);
            assert!(volume.engine.lookup(both, &name("file")).await.unwrap().is_some());
        },
    )
    .await;
}
