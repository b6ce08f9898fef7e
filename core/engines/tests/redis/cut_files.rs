//! Files with chunks that their length does not tell of.

use moorage_meta::admin::{CheckOptions, Defect, Progress, ReclaimMode};
use moorage_meta::{Context, Key, Meta, Scan, UnlinkOptions};
use moorage_model::{ChunkIndex, Ino, Slice, Timestamp};

use crate::redis_server::Server;
use crate::volume::{client, format, name};

/// Chunks between the data of a file, more than are looked for behind its end.
const GAP: u32 = 1_000;

async fn write(meta: &Meta, ino: Ino, chunk: ChunkIndex) {
    let slice = Slice {
        pos: 0,
        id: meta.allocate_slice().await.unwrap(),
        size: 4096,
        off: 0,
        len: 4096,
    };
    meta.write_slices(ino, &[(chunk, slice)], Timestamp::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_file_that_was_cut_and_deleted_leaves_behind_a_gap_is_found_and_removed() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    format(&server.url(), 0).await;
    let meta = client(&server.url()).await;
    let root = Context::root();
    for (file, kept) in [("cut", false), ("whole", true)] {
        let made = meta.create(&root, Ino::ROOT, &name(file), 0o644, 0).await;
        let ino = made.unwrap().ino;
        write(&meta, ino, ChunkIndex(0)).await;
        write(&meta, ino, ChunkIndex(GAP)).await;
        if !kept {
            meta.truncate(&root, ino, 1).await.unwrap();
            meta.unlink(&root, Ino::ROOT, &name(file), UnlinkOptions::default())
                .await
                .unwrap();
            meta.flush_deletions().await.unwrap();
        }
    }
    let progress = Progress::default();
    let report = meta.check(CheckOptions::default(), &progress).await.unwrap();
    let defects: Vec<Defect> = report.findings.iter().map(|finding| finding.defect).collect();
    assert_eq!(defects, [Defect::OrphanedChunk], "{:?}", report.findings);
    let removed = meta
        .reclaim_orphaned_chunks(ReclaimMode::Delete, &progress)
        .await
        .unwrap();
    assert_eq!((removed.count, removed.bytes), (1, 4096));
    let left = meta.engine().scan(&Scan::AllChunks, None, 10).await.unwrap();
    let left: Vec<ChunkIndex> = left
        .items
        .iter()
        .filter_map(|(key, _)| match key {
            Key::Chunk(_, chunk) => Some(*chunk),
            _ => None,
        })
        .collect();
    assert_eq!(left, [ChunkIndex(0), ChunkIndex(GAP)]);
    let report = meta.check(CheckOptions::default(), &progress).await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}
