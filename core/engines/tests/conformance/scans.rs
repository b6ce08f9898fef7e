//! Pages of ranges.

use std::collections::BTreeSet;

use moorage_meta::{Key, Record, Scan, run};
use moorage_model::{CHUNK_SIZE, Ino, Name, NodeType, SessionId};

use super::samples::{entry, name, of_every_kind};
use super::{Fresh, scan_all, write};

/// Names of directory 3 that differ in their last byte only, in ascending order.
fn names() -> Vec<Name> {
    (1..=255_u8)
        .filter(|byte| *byte != b'/')
        .map(|byte| name([b'n', byte]))
        .collect()
}

async fn fill(fresh: &Fresh) {
    write(fresh.engine.as_ref(), |txn| {
        // Neighbours whose entries must not show.
        for directory in [2, 4] {
            txn.insert(Key::Edge(Ino(directory), name("other")), entry(NodeType::File, 9));
        }
        for (number, name) in (100..).zip(names()) {
            txn.insert(Key::Edge(Ino(3), name), entry(NodeType::File, number));
        }
    })
    .await
    .unwrap();
}

fn name_of(item: &(Key, Record)) -> Name {
    match &item.0 {
        Key::Edge(Ino(3), name) => name.clone(),
        other => panic!("{other} is no entry of directory 3"),
    }
}

pub(crate) async fn pages_cover_every_record_once_in_order(fresh: &Fresh) {
    fill(fresh).await;
    for limit in [1, 7, 254, 255, 1000] {
        let found = scan_all(fresh.engine.as_ref(), &Scan::Edges(Ino(3)), limit).await;
        assert_eq!(
            found.iter().map(name_of).collect::<Vec<_>>(),
            names(),
            "in pages of {limit}"
        );
        let mut listed: Vec<Name> = Vec::new();
        loop {
            let page = fresh
                .engine
                .read_directory(Ino(3), listed.last(), limit, false)
                .await
                .unwrap();
            if page.is_empty() {
                break;
            }
            listed.extend(page.into_iter().map(|item| item.name));
        }
        assert_eq!(listed, names(), "listed in pages of {limit}");
    }
    let page = fresh.engine.scan(&Scan::Edges(Ino(3)), None, 254).await.unwrap();
    assert!(!page.more, "254 of 254 entries and more");
    let page = fresh.engine.scan(&Scan::Edges(Ino(3)), None, 253).await.unwrap();
    assert!(page.more, "253 of 254 entries and no more");
}

pub(crate) async fn a_page_continues_behind_a_key_that_is_gone(fresh: &Fresh) {
    fill(fresh).await;
    let first = fresh.engine.scan(&Scan::Edges(Ino(3)), None, 10).await.unwrap();
    let last = first.items.last().unwrap().0.clone();
    let gone = last.clone();
    write(fresh.engine.as_ref(), move |txn| txn.delete(gone.clone()))
        .await
        .unwrap();
    let second = fresh
        .engine
        .scan(&Scan::Edges(Ino(3)), Some(&last), 10)
        .await
        .unwrap();
    assert_eq!(
        second.items.iter().map(name_of).collect::<Vec<_>>(),
        names()[10..20]
    );
}

pub(crate) async fn entries_that_stay_are_listed_once_while_others_come_and_go(fresh: &Fresh) {
    fill(fresh).await;
    let mut seen: Vec<Name> = Vec::new();
    let mut round = 0_u8;
    loop {
        let page = fresh
            .engine
            .read_directory(Ino(3), seen.last(), 16, true)
            .await
            .unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|item| item.name));
        round += 1;
        write(fresh.engine.as_ref(), move |txn| {
            // Before, at and behind the position.
            for prefix in ["a", "n@", "z"] {
                let numbered = |number: u8| Key::Edge(Ino(3), name(format!("{prefix}{number:03}")));
                txn.put(numbered(round.min(10)), entry(NodeType::File, 5));
                txn.delete(numbered(round - 1));
            }
        })
        .await
        .unwrap();
    }
    let kept: Vec<Name> = seen
        .iter()
        .filter(|name| name.as_bytes().len() == 2)
        .cloned()
        .collect();
    assert_eq!(kept, names());
    let distinct: BTreeSet<&Name> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "a name was listed twice");
}

pub(crate) async fn a_scan_in_a_transaction_sees_its_own_writes(fresh: &Fresh) {
    fill(fresh).await;
    run(fresh.engine.as_ref(), "scan", |txn| {
        Box::pin(async move {
            txn.delete(Key::Edge(Ino(3), names()[0].clone()));
            txn.insert(Key::Edge(Ino(3), name("zz")), entry(NodeType::File, 5));
            let found = scan_all(&*txn, &Scan::Edges(Ino(3)), 50).await;
            let mut expected = names()[1..].to_vec();
            expected.push(name("zz"));
            assert_eq!(found.iter().map(name_of).collect::<Vec<_>>(), expected);
            let listed = txn.read_directory(Ino(3), Some(&names()[252]), 10, false).await?;
            assert_eq!(
                listed.into_iter().map(|item| item.name).collect::<Vec<_>>(),
                expected[252..]
            );
            Ok(())
        })
    })
    .await
    .unwrap();
}

pub(crate) async fn every_range_holds_its_records_and_no_others(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    write(engine, |txn| {
        for (key, first, _) in of_every_kind() {
            txn.insert(key, first);
        }
    })
    .await
    .unwrap();
    let stored = |wanted: fn(&Key) -> bool| -> Vec<(Key, Record)> {
        let all = of_every_kind().into_iter().map(|(key, first, _)| (key, first));
        all.filter(|(key, _)| wanted(key)).collect()
    };
    let edges = stored(|key| matches!(key, Key::Edge(..)));
    let locks = stored(|key| matches!(key, Key::FileLock(..) | Key::RecordLocks(..)));
    let sustained = stored(|key| matches!(key, Key::Sustained(..)));
    let chunks = stored(|key| matches!(key, Key::Chunk(..)));
    let ranges = [
        (Scan::Edges(Ino(1)), edges.clone()),
        (Scan::Edges(Ino(2)), Vec::new()),
        (Scan::AllEdges, edges),
        (Scan::AllNodes, stored(|key| matches!(key, Key::Node(_)))),
        (Scan::Xattrs(Ino(7)), stored(|key| matches!(key, Key::Xattr(..)))),
        (Scan::Xattrs(Ino(8)), Vec::new()),
        (Scan::AllXattrs, stored(|key| matches!(key, Key::Xattr(..)))),
        (Scan::Chunks(Ino(7)), chunks.clone()),
        (Scan::Chunks(Ino(6)), Vec::new()),
        (Scan::DeletedChunks(Ino(7), CHUNK_SIZE), chunks.clone()),
        (Scan::DeletedChunks(Ino(7), 0), chunks.clone()),
        (Scan::DeletedChunks(Ino(6), CHUNK_SIZE), Vec::new()),
        (Scan::AllChunks, chunks),
        (Scan::SliceRefs, stored(|key| matches!(key, Key::SliceRef(..)))),
        (Scan::DeadSlices, Vec::new()),
        (
            Scan::DelayedSlices,
            stored(|key| matches!(key, Key::DelayedSlices(..))),
        ),
        (Scan::Sessions, stored(|key| matches!(key, Key::Session(_)))),
        (Scan::Sustained(SessionId(4)), sustained.clone()),
        (Scan::Sustained(SessionId(5)), Vec::new()),
        (Scan::AllSustained, sustained),
        (
            Scan::DeletedFiles,
            stored(|key| matches!(key, Key::DeletedFile(..))),
        ),
        (
            Scan::FileLocks(Ino(7)),
            stored(|key| matches!(key, Key::FileLock(..))),
        ),
        (
            Scan::RecordLocks(Ino(7)),
            stored(|key| matches!(key, Key::RecordLocks(..))),
        ),
        (Scan::FileLocks(Ino(8)), Vec::new()),
        (Scan::SessionLocks(SessionId(4)), locks),
        (Scan::SessionLocks(SessionId(5)), Vec::new()),
        (Scan::DirStats, stored(|key| matches!(key, Key::DirStat(_)))),
        (Scan::Quotas, stored(|key| matches!(key, Key::Quota(_)))),
        (Scan::Detached, stored(|key| matches!(key, Key::Detached(_)))),
        (Scan::Acls, stored(|key| matches!(key, Key::Acl(_)))),
    ];
    for (range, expected) in ranges {
        for limit in [1, 100] {
            let mut found = scan_all(engine, &range, limit).await;
            found.sort_by(|(a, _), (b, _)| a.cmp(b));
            assert_eq!(found, expected, "{range:?} in pages of {limit}");
        }
    }
}
