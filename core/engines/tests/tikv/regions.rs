//! The records of a volume are in several regions.

use moorage_engines::open;
use moorage_meta::{Key, Record, Scan};
use moorage_model::{ChunkIndex, Ino, NodeType};

use crate::clients;
use crate::conformance::samples::{entry, file, name, slice};
use crate::conformance::{Fresh, conflicts, counters, isolation, read, records, scan_all, scans, write};
use crate::tikv_server::Server;

/// Between nodes, in the middle of directory 3, and before the counters.
pub(crate) const BORDERS: [&[u8]; 4] = [
    b"volume\xFDA\x03\0\0\0\0\0\0\0Dn\x80",
    b"volume\xFDA\x05\0\0\0\0\0\0\0I",
    b"volume\xFDA\x07",
    b"volume\xFDC",
];

async fn spread() -> Option<Fresh> {
    clients(Server::with_regions(&BORDERS)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_of_several_regions_are_stored_and_listed() {
    let Some(fresh) = spread().await else { return };
    records::every_kind_of_record_is_stored_read_back_replaced_and_deleted(&fresh).await;
    scans::pages_cover_every_record_once_in_order(&fresh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_of_several_regions_are_one() {
    let Some(fresh) = spread().await else { return };
    isolation::records_of_one_job_appear_together(&fresh).await;
    conflicts::a_removed_directory_gets_no_entry(&fresh).await;
    counters::relative_writes_of_many_tasks_all_count(&fresh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_that_prefers_one_phase_commits_across_regions() {
    let Some(server) = Server::with_regions(&BORDERS) else {
        return;
    };
    let engine = open(&server.url(), None).unwrap();
    for ino in 2..30 {
        write(engine.as_ref(), move |txn| {
            txn.insert(
                Key::Edge(Ino(3), name(format!("n{ino}"))),
                entry(NodeType::File, ino),
            );
            txn.insert(Key::Node(Ino(ino)), Record::Node(file(Ino(3))));
            txn.append_slices(Ino(7), ChunkIndex(0), &[slice(ino, 0, 10)]);
        })
        .await
        .unwrap();
        assert!(read(engine.as_ref(), &Key::Node(Ino(ino))).await.is_some());
    }
    assert_eq!(scan_all(engine.as_ref(), &Scan::Edges(Ino(3)), 5).await.len(), 28);
    let chunk = read(engine.as_ref(), &Key::Chunk(Ino(7), ChunkIndex(0))).await;
    assert!(matches!(chunk, Some(Record::Chunk(slices)) if slices.len() == 28));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_region_that_is_split_while_a_client_uses_it_is_found_again() {
    let Some(server) = Server::start() else { return };
    for url in [server.url(), server.two_phase_url()] {
        let engine = open(&url, None).unwrap();
        for (ino, border) in [
            (10, b"volume\xFDA\x0B"),
            (20, b"volume\xFDA\x15"),
            (30, b"volume\xFDA\x1F"),
        ] {
            for ino in [ino, ino + 5] {
                write(engine.as_ref(), move |txn| {
                    txn.put(Key::Node(Ino(ino)), Record::Node(file(Ino(1))));
                    txn.put(Key::Node(Ino(ino + 1)), Record::Node(file(Ino(1))));
                })
                .await
                .unwrap();
                server.split(border);
            }
        }
        assert_eq!(scan_all(engine.as_ref(), &Scan::AllNodes, 5).await.len(), 12);
        engine.wipe().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_find_regions_that_moved_or_are_busy() {
    let Some(server) = Server::with_regions(&BORDERS) else {
        return;
    };
    let engine = open(&server.url(), None).unwrap();
    write(engine.as_ref(), |txn| {
        for ino in 2..20 {
            txn.put(Key::Node(Ino(ino)), Record::Node(file(Ino(3))));
            txn.insert(
                Key::Edge(Ino(3), name(format!("n{ino}"))),
                entry(NodeType::File, ino),
            );
        }
    })
    .await
    .unwrap();
    for kind in [
        "NotLeader",
        "EpochNotMatch",
        "RegionNotFound",
        "StaleCommand",
        "ServerIsBusy",
    ] {
        for method in ["KvGet", "KvBatchGet", "KvScan"] {
            // More often than there are regions.
            server.fail(method, kind, 7);
            let found = read(engine.as_ref(), &Key::Node(Ino(9))).await;
            assert!(found.is_some(), "{method} {kind}");
            let listed = scan_all(engine.as_ref(), &Scan::Edges(Ino(3)), 5).await;
            assert_eq!(listed.len(), 18, "{method} {kind}");
            server.fail("none", "", 0);
        }
    }
}
