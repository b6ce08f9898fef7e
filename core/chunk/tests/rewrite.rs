//! Compaction of slices.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use moorage_chunk::{ChunkConfig, ChunkStore, MemoryStore, ObjectStore};
use moorage_model::{ErrorKind, Segment, SliceId, TierId};

const BLOCK: u32 = 64 << 10;

async fn open(store: &Arc<MemoryStore>) -> Arc<ChunkStore> {
    let config = ChunkConfig {
        block_size: BLOCK,
        buffer_size: 4 << 20,
        ..ChunkConfig::default()
    };
    ChunkStore::open(store.clone(), config, "u").await.unwrap()
}

fn pattern(len: usize, seed: u32) -> Vec<u8> {
    (0..len as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8)
        .collect()
}

async fn write(chunks: &Arc<ChunkStore>, id: u64, data: &[u8]) {
    let mut slice = chunks.new_slice(TierId(0));
    slice.set_id(SliceId(id));
    slice.write_at(0, data).await.unwrap();
    slice.finish().await.unwrap();
}

fn segment(pos: u32, id: u64, size: usize, off: u32, len: u32) -> Segment {
    Segment {
        pos,
        id: SliceId(id),
        size: size as u32,
        off,
        len,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rewrite_joins_pieces_of_slices_and_holes_in_order() {
    let store = Arc::new(MemoryStore::new());
    let chunks = open(&store).await;
    let (one, two) = (pattern(3_000_000, 1), pattern(100_000, 2));
    write(&chunks, 1, &one).await;
    write(&chunks, 2, &two).await;
    let start = 500;
    let segments = [
        segment(start, 1, one.len(), 7, 2_500_000),
        segment(start + 2_500_000, 0, 0, 0, 1_500_000),
        segment(start + 4_000_000, 2, two.len(), 99_000, 1000),
    ];
    let size = chunks.rewrite(&segments, SliceId(3), TierId(0)).await.unwrap();
    assert_eq!(size, 4_001_000);
    let mut want = one[7..2_500_007].to_vec();
    want.resize(4_000_000, 0);
    want.extend_from_slice(&two[99_000..]);
    let fresh = open(&store).await;
    assert!(fresh.read(SliceId(3), size, 0, size).await.unwrap() == want);
}

#[tokio::test]
async fn a_rewrite_that_misses_an_object_leaves_none_behind() {
    let store = Arc::new(MemoryStore::new());
    let chunks = open(&store).await;
    let one = pattern(1_000_000, 1);
    write(&chunks, 1, &one).await;
    let before = store.list("", None, 100).await.unwrap().len();
    let segments = [
        segment(0, 1, one.len(), 0, 1_000_000),
        segment(1_000_000, 9, 5000, 0, 5000),
    ];
    let error = chunks
        .rewrite(&segments, SliceId(3), TierId(0))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("9_0_5000"), "{error}");
    assert_eq!(store.list("", None, 100).await.unwrap().len(), before);
}

#[tokio::test]
async fn segments_with_a_gap_are_refused() {
    let chunks = open(&Arc::new(MemoryStore::new())).await;
    let gap = [segment(0, 0, 0, 0, 10), segment(11, 0, 0, 0, 10)];
    for segments in [&gap[..], &[]] {
        let error = chunks.rewrite(segments, SliceId(3), TierId(0)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}
