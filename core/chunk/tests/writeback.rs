//! Write-back through the chunk store: outages, restarts, deletions, draining.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod faulty;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use faulty::{FaultyStore, until};
use moorage_chunk::{
    BlockId, BlockPlace, CacheConfig, ChunkConfig, ChunkStore, Compression, Hold, LeftBlocks, ObjectStore,
    StagedFiles, UploadState, WritebackConfig, blocks, left_blocks, staged_blocks, staged_files,
};
use moorage_model::{ErrorKind, Ino, SliceId, TierId};

const UUID: &str = "0d458371-14c0-4fab-b5df-7ab19990e31c";

fn config(dir: &Path) -> ChunkConfig {
    ChunkConfig {
        block_size: 64 << 10,
        buffer_size: 300 << 10,
        retries: 0,
        max_uploads: 1,
        get_timeout: Duration::from_millis(300),
        put_timeout: Duration::from_millis(300),
        writeback: Some(WritebackConfig {
            dir: dir.to_owned(),
            ..WritebackConfig::default()
        }),
        ..ChunkConfig::default()
    }
}

async fn write(chunks: &Arc<ChunkStore>, id: u64, len: usize) -> Vec<u8> {
    write_of(chunks, None, id, len).await
}

async fn write_of(chunks: &Arc<ChunkStore>, owner: Option<Ino>, id: u64, len: usize) -> Vec<u8> {
    let data: Vec<u8> = (0..len as u64).map(|n| (n * 7 + n / 300 + id) as u8).collect();
    let mut slice = chunks.new_slice(TierId(0));
    if let Some(owner) = owner {
        slice.set_owner(owner);
    }
    slice.set_id(SliceId(id));
    slice.write_at(0, &data).await.unwrap();
    slice.finish().await.unwrap();
    data
}

async fn check(chunks: &Arc<ChunkStore>, id: u64, data: &[u8]) {
    let size = data.len() as u32;
    for (off, len) in [(0, size), (70_000, 10), (3, 5000)] {
        let read = chunks.read(SliceId(id), size, off, len).await.unwrap();
        assert!(
            read == data[off as usize..(off + len) as usize],
            "slice {id}, {off}+{len}"
        );
    }
}

fn slices(keys: &[String]) -> Vec<u64> {
    keys.iter()
        .map(|key| BlockId::parse(key).unwrap().slice.0)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_store_is_not_noticed_until_it_is_back() {
    for compression in [Compression::None, Compression::Lz4] {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(FaultyStore::default());
        store.down.store(true, SeqCst);
        let config = ChunkConfig {
            compression,
            ..config(dir.path())
        };
        let chunks = ChunkStore::open(store.clone(), config, UUID).await.unwrap();
        let data = write(&chunks, 1, 200_000).await;
        write(&chunks, 2, 100_000).await;
        write(&chunks, 3, 10_000).await;
        assert_eq!(chunks.pending().blocks, 7);
        assert!(chunks.pending().bytes > 0);
        check(&chunks, 1, &data).await;
        let error = chunks.drain(|_| ()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        store.down.store(false, SeqCst);
        let mut heard = Vec::new();
        loop {
            // The first try after an outage may still be one that began in it.
            if chunks.drain(|pending| heard.push(pending.blocks)).await.is_ok() {
                break;
            }
        }
        assert_eq!(heard.last(), Some(&0));
        assert_eq!(chunks.pending().blocks, 0);
        assert_eq!(chunks.pending().last_error, None);
        let keys = store.stored.lock().unwrap().clone();
        assert!(slices(&keys).is_sorted(), "uploads go in order: {keys:?}");
        check(&chunks, 1, &data).await;
        assert_eq!(chunks.stats().staged_blocks, 7);
    }
}

/// Runs a client in a runtime of its own that ends without a word, as a killed process does.
fn killed_client(store: &Arc<FaultyStore>, dir: &Path, ids: std::ops::Range<u64>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let chunks = ChunkStore::open(store.clone(), config(dir), UUID).await.unwrap();
        for id in ids {
            write(&chunks, id, 100_000).await;
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
}

#[test]
fn what_a_killed_process_left_is_uploaded_in_order_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    store.down.store(true, SeqCst);
    killed_client(&store, dir.path(), 1..4);
    killed_client(&store, dir.path(), 4..6);
    assert_eq!(store.stored.lock().unwrap().len(), 0);
    store.down.store(false, SeqCst);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let chunks = ChunkStore::open(store.clone(), config(dir.path()), UUID)
            .await
            .unwrap();
        chunks.drain(|_| ()).await.unwrap();
        let keys = store.stored.lock().unwrap().clone();
        assert_eq!(keys.len(), 10);
        assert!(slices(&keys).is_sorted(), "{keys:?}");
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_slices_are_not_uploaded_and_leave_no_object() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    store.down.store(true, SeqCst);
    let chunks = ChunkStore::open(store.clone(), config(dir.path()), UUID)
        .await
        .unwrap();
    write(&chunks, 1, 100_000).await;
    write(&chunks, 2, 100_000).await;
    // The deletion of the objects fails with the store, that of the staged blocks does not.
    chunks.remove(SliceId(1), 100_000).await.unwrap_err();
    store.down.store(false, SeqCst);
    chunks.remove(SliceId(1), 100_000).await.unwrap();
    until("the rest is uploaded", || chunks.pending().blocks == 0).await;
    let left = store.list("", None, 10).await.unwrap();
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|(key, _)| key.contains("/2_")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_in_the_staging_folder_blocks_go_to_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    let mut config = config(dir.path());
    config.writeback.as_mut().unwrap().max_bytes = 10_000;
    let chunks = ChunkStore::open(store.clone(), config, UUID).await.unwrap();
    let data = write(&chunks, 1, 200_000).await;
    assert_eq!(chunks.stats().staging_bypassed, 3);
    chunks.drain(|_| ()).await.unwrap();
    assert_eq!(store.stored.lock().unwrap().len(), 4);
    check(&chunks, 1, &data).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_store_bounds_memory_and_opens_the_circuit() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    let config = ChunkConfig {
        writeback: None,
        retries: 50,
        max_uploads: 20,
        ..config(dir.path())
    };
    let chunks = ChunkStore::open(store.clone(), config, UUID).await.unwrap();
    let data = write(&chunks, 1, 100_000).await;
    store.down.store(true, SeqCst);
    let writers: Vec<_> = (2..12)
        .map(|id| {
            let chunks = Arc::clone(&chunks);
            tokio::spawn(async move { write(&chunks, id, 300_000).await.len() })
        })
        .collect();
    until("the circuit is open: reads fail at once", || {
        let (used, limit) = chunks.buffers();
        assert!(used <= limit, "{used} of {limit} bytes of buffers");
        store.calls.load(SeqCst) > 20
    })
    .await;
    tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let error = chunks.read(SliceId(99), 1000, 0, 1000).await.unwrap_err();
            if error.kind() == ErrorKind::Unavailable && error.to_string().contains("waits for it") {
                return;
            }
        }
    })
    .await
    .expect("the circuit opens");
    let start = std::time::Instant::now();
    for id in 100..120 {
        chunks.read(SliceId(id), 1000, 0, 1000).await.unwrap_err();
    }
    let spent = start.elapsed();
    assert!(
        spent < Duration::from_secs(5),
        "20 reads of a dead store took {spent:?}"
    );
    let (used, limit) = chunks.buffers();
    assert!(used <= limit);
    store.down.store(false, SeqCst);
    for writer in writers {
        tokio::time::timeout(Duration::from_secs(40), writer)
            .await
            .expect("writers go on by themselves")
            .unwrap();
    }
    check(&chunks, 1, &data).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploaded_blocks_move_into_the_cache() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    let config = ChunkConfig {
        compression: Compression::Lz4,
        cache: Some(CacheConfig {
            dirs: vec![dir.path().to_owned()],
            size_bytes: 10 << 20,
            free_space_ratio: 0.0,
        }),
        ..config(dir.path())
    };
    let chunks = ChunkStore::open(store.clone(), config, UUID).await.unwrap();
    let data = write(&chunks, 1, 200_000).await;
    chunks.drain(|_| ()).await.unwrap();
    assert_eq!(chunks.stats().cache_blocks, 4);
    let staged = std::fs::read_dir(dir.path().join(UUID).join("staging-0"))
        .unwrap()
        .count();
    assert_eq!(staged, 1, "only the lock is left");
    store.down.store(true, SeqCst);
    check(&chunks, 1, &data).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_living_mount_has_staged_is_read_by_another_and_uploaded_once() {
    for compression in [Compression::None, Compression::Lz4] {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(FaultyStore::default());
        store.down.store(true, SeqCst);
        let config = ChunkConfig {
            compression,
            ..config(dir.path())
        };
        let old = ChunkStore::open(store.clone(), config.clone(), UUID)
            .await
            .unwrap();
        let before = write(&old, 1, 200_000).await;
        let new = ChunkStore::open(store.clone(), config, UUID).await.unwrap();
        check(&new, 1, &before).await;
        // Also what comes after it has looked around, and also in small parts first.
        let after = write(&old, 2, 200_000).await;
        let part = new.read(SliceId(2), 200_000, 70_000, 10).await.unwrap();
        assert!(part == after[70_000..70_010]);
        check(&new, 2, &after).await;
        assert_eq!(new.pending().blocks, 0, "they stay the other's to upload");
        store.down.store(false, SeqCst);
        until("the old mount has uploaded all", || old.pending().blocks == 0).await;
        assert_eq!(store.stored.lock().unwrap().len(), 8, "each block once");
        check(&new, 2, &after).await;
    }
}

#[test]
fn a_mount_that_ends_hands_its_blocks_to_the_one_that_runs() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    store.down.store(true, SeqCst);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let chunks = runtime
        .block_on(ChunkStore::open(store.clone(), config(dir.path()), UUID))
        .unwrap();
    killed_client(&store, dir.path(), 1..3);
    runtime.block_on(async {
        let data: Vec<u8> = (0..100_000u64).map(|n| (n * 7 + n / 300 + 1) as u8).collect();
        check(&chunks, 1, &data).await;
        assert_eq!(chunks.pending().blocks, 4, "they are this mount's now");
        store.down.store(false, SeqCst);
        until("they are uploaded", || chunks.pending().blocks == 0).await;
        assert_eq!(store.stored.lock().unwrap().len(), 4, "each block once");
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_are_left_behind_once_their_process_has_ended_and_until_another_takes_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    store.down.store(true, SeqCst);
    let left = || left_blocks(dir.path(), UUID).unwrap();
    assert_eq!(left(), LeftBlocks::default(), "no folder yet");
    let chunks = ChunkStore::open(store.clone(), config(dir.path()), UUID)
        .await
        .unwrap();
    write(&chunks, 1, 200_000).await;
    assert_eq!(left(), LeftBlocks::default(), "its process tells of them");
    let staged = chunks.pending();
    drop(chunks);
    until("the folder to be free", || left().blocks > 0).await;
    assert_eq!(left().blocks, staged.blocks);
    assert!(left().bytes >= staged.bytes);
    store.down.store(false, SeqCst);
    let chunks = ChunkStore::open(store, config(dir.path()), UUID).await.unwrap();
    chunks.drain(|_| ()).await.unwrap();
    drop(chunks);
    assert_eq!(left().blocks, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_that_only_this_computer_has_are_named_whether_their_process_runs_or_has_ended() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    let here = || staged_blocks(dir.path(), UUID).unwrap();
    assert!(here().is_empty(), "no folder yet");
    let chunks = ChunkStore::open(store.clone(), config(dir.path()), UUID)
        .await
        .unwrap();
    write(&chunks, 1, 70_000).await;
    chunks.drain(|_| ()).await.unwrap();
    assert!(here().is_empty(), "the store has them");
    store.down.store(true, SeqCst);
    write(&chunks, 2, 70_000).await;
    let waiting: HashSet<BlockId> = blocks(SliceId(2), 70_000, 64 << 10).collect();
    assert_eq!(waiting.len(), 2);
    assert_eq!(here(), waiting);
    assert!(waiting.iter().all(|block| chunks.is_staged(block)));
    assert!(blocks(SliceId(1), 70_000, 64 << 10).all(|block| !chunks.is_staged(&block)));
    drop(chunks);
    assert_eq!(here(), waiting, "they wait for the next process");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_staging_folder_tells_whose_bytes_wait_while_its_process_lives_and_after() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    store.down.store(true, SeqCst);
    let staged = || staged_files(dir.path(), UUID).unwrap();
    assert_eq!(staged(), StagedFiles::default(), "no folder yet");
    let chunks = ChunkStore::open(store.clone(), config(dir.path()), UUID)
        .await
        .unwrap();
    write_of(&chunks, Some(Ino(7)), 1, 100_000).await;
    write_of(&chunks, Some(Ino(7)), 2, 50_000).await;
    write_of(&chunks, Some(Ino(8)), 3, 10_000).await;
    write(&chunks, 4, 1_000).await;
    let living = staged();
    assert_eq!((living.files(), living.bytes(), living.blocks), (3, 161_000, 5));
    assert!(living.oldest.is_some());
    assert_eq!(
        living.slices,
        chunks.staged_files().slices,
        "the process says the same"
    );
    drop(chunks);
    assert_eq!(staged(), living);
    store.down.store(false, SeqCst);
    let chunks = ChunkStore::open(store, config(dir.path()), UUID).await.unwrap();
    chunks.drain(|_| ()).await.unwrap();
    assert_eq!(staged(), StagedFiles::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_is_staged_and_read_and_not_uploaded_before_it_is_released() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    let held = ChunkConfig {
        hold: Some(Hold { until: None }),
        writeback: Some(WritebackConfig {
            dir: dir.path().to_owned(),
            // What is held is not late, however long it waits.
            deadline: Duration::ZERO,
            ..WritebackConfig::default()
        }),
        ..config(dir.path())
    };
    let chunks = ChunkStore::open(store.clone(), held, UUID).await.unwrap();
    let data = write(&chunks, 1, 200_000).await;
    check(&chunks, 1, &data).await;
    chunks.prefetch(SliceId(9), 1000, 0, 1000);
    assert_eq!(chunks.pending().blocks, 4);
    assert_eq!(store.calls.load(SeqCst), 0, "the store is left alone");
    chunks.release();
    chunks.drain(|_| ()).await.unwrap();
    assert_eq!(store.stored.lock().unwrap().len(), 4);
    // One that is under way is broken off.
    store.silent.store(true, SeqCst);
    let before = store.calls.load(SeqCst);
    write(&chunks, 2, 1_000).await;
    until("the upload to begin", || store.calls.load(SeqCst) > before).await;
    chunks.hold(Hold { until: None });
    until("the upload to be broken off", || {
        let uploads = chunks.uploads(1);
        uploads
            .first()
            .is_some_and(|upload| upload.state == UploadState::Waiting)
    })
    .await;
    store.silent.store(false, SeqCst);
    assert_eq!(chunks.pending().blocks, 1);
    chunks.release();
    chunks.drain(|_| ()).await.unwrap();
    assert_eq!(store.stored.lock().unwrap().len(), 5);
    check(&chunks, 1, &data).await;
}

/// Deletes every staged block of the only mount.
fn lose_staged(dir: &Path) {
    for entry in std::fs::read_dir(dir.join(UUID).join("staging-0")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "lock" {
            std::fs::remove_file(path).unwrap();
        }
    }
}

fn held(dir: &Path) -> ChunkConfig {
    ChunkConfig {
        hold: Some(Hold { until: None }),
        ..config(dir)
    }
}

#[test]
fn blocks_whose_files_are_gone_are_lost_and_named_and_hold_up_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    let earlier = tokio::runtime::Runtime::new().unwrap();
    earlier.block_on(async {
        let chunks = ChunkStore::open(store.clone(), held(dir.path()), UUID)
            .await
            .unwrap();
        write_of(&chunks, Some(Ino(7)), 1, 1_000).await;
    });
    drop(earlier);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let chunks = ChunkStore::open(store.clone(), held(dir.path()), UUID)
            .await
            .unwrap();
        lose_staged(dir.path());
        let kept = write_of(&chunks, Some(Ino(8)), 2, 200_000).await;
        chunks.look_for_lost().await.unwrap();
        let (pending, lost) = (chunks.pending(), chunks.lost_files());
        assert_eq!((pending.blocks, pending.lost_blocks), (4, 1));
        assert_eq!(lost.owners().into_iter().collect::<Vec<_>>(), [Ino(7)]);
        assert_eq!(lost.bytes_of(Ino(7)), 1_000);
        assert_eq!(chunks.staged_files().bytes(), 200_000);
        chunks.release();
        let error = chunks.drain(|_| ()).await.unwrap_err();
        assert!(
            error.to_string().contains("deleted from the staging folder"),
            "{error}"
        );
        assert_eq!(store.stored.lock().unwrap().len(), 4);
        check(&chunks, 2, &kept).await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_that_is_in_memory_outlives_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    let chunks = ChunkStore::open(store.clone(), held(dir.path()), UUID)
        .await
        .unwrap();
    let data = write_of(&chunks, Some(Ino(7)), 1, 100_000).await;
    lose_staged(dir.path());
    chunks.look_for_lost().await.unwrap();
    assert_eq!((chunks.pending().blocks, chunks.pending().lost_blocks), (2, 0));
    chunks.release();
    chunks.drain(|_| ()).await.unwrap();
    assert_eq!(store.stored.lock().unwrap().len(), 2);
    check(&chunks, 1, &data).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_its_upload_is_not_dropped_with_the_cache() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    store.down.store(true, SeqCst);
    let chunks = ChunkStore::open(store, config(dir.path()), UUID).await.unwrap();
    let data = write(&chunks, 1, 200_000).await;
    for (block, _) in chunks.blocks_of(SliceId(1), 200_000, 0, 200_000) {
        chunks.evict(&block);
        assert_eq!(chunks.place_of(&block), BlockPlace::Staged);
    }
    check(&chunks, 1, &data).await;
}
