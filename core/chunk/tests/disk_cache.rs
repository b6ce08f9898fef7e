//! The disk cache: restarts, damage, bounds, broken disks, encryption.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod faulty;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use faulty::{FaultyStore, until};
use moorage_chunk::{
    BlockId, BlockPlace, CacheConfig, CacheUse, ChunkConfig, ChunkStore, Cipher, Compression, DataKey,
    EncryptedStore, ObjectStore, Sealer,
};
use moorage_model::{SliceId, TierId};

const BLOCK: u32 = 256 << 10;
const UUID: &str = "0d458371-14c0-4fab-b5df-7ab19990e31c";

fn config(dirs: &[&Path], size_bytes: u64) -> ChunkConfig {
    ChunkConfig {
        block_size: BLOCK,
        // Too little to keep a block in memory: every read is one of the disk or the store.
        buffer_size: 300 << 10,
        retries: 0,
        cache: Some(CacheConfig {
            dirs: dirs.iter().map(|dir| (*dir).to_owned()).collect(),
            size_bytes,
            free_space_ratio: 0.0,
        }),
        ..ChunkConfig::default()
    }
}

fn pattern(len: usize, seed: u64) -> Vec<u8> {
    (0..len as u64)
        .map(|n| (n.wrapping_mul(2_654_435_761).wrapping_add(seed * 97) >> 13) as u8)
        .collect()
}

async fn write(chunks: &Arc<ChunkStore>, id: u64, len: usize) -> Vec<u8> {
    let data = pattern(len, id);
    let mut slice = chunks.new_slice(TierId(0));
    slice.set_id(SliceId(id));
    slice.write_at(0, &data).await.unwrap();
    slice.finish().await.unwrap();
    data
}

async fn check(chunks: &Arc<ChunkStore>, id: u64, data: &[u8]) {
    let size = data.len() as u32;
    for (off, len) in [
        (0, size),
        (5, 4096),
        (size / 2, size / 2),
        (size - 1, 1),
        (40_000, 100_000),
    ] {
        let (off, len) = (off.min(size), len.min(size - off.min(size)));
        let read = chunks.read(SliceId(id), size, off, len).await.unwrap();
        assert!(
            read == data[off as usize..(off + len) as usize],
            "slice {id}, {off}+{len}"
        );
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(path),
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cached_blocks_survive_a_restart_and_a_dead_store() {
    let folder = tempfile::tempdir().unwrap();
    for compression in [Compression::None, Compression::Zstd] {
        let store = Arc::new(FaultyStore::default());
        let dir = folder.path().join(format!("{compression:?}"));
        let config = ChunkConfig {
            compression,
            ..config(&[&dir], 100 << 20)
        };
        let chunks = ChunkStore::open(store.clone(), config.clone(), UUID)
            .await
            .unwrap();
        let data = write(&chunks, 1, 1_000_000).await;
        until("all blocks are cached", || chunks.stats().cache_blocks == 4).await;
        drop(chunks);
        store.down.store(true, SeqCst);
        let again = ChunkStore::open(store.clone(), config, UUID).await.unwrap();
        let calls = store.calls.load(SeqCst);
        check(&again, 1, &data).await;
        assert_eq!(store.calls.load(SeqCst), calls);
        assert!(again.stats().disk_hits > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_never_served_and_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    let chunks = ChunkStore::open(store.clone(), config(&[folder.path()], 100 << 20), UUID)
        .await
        .unwrap();
    let mut written = Vec::new();
    for id in 1..=6 {
        written.push((id, write(&chunks, id, 200_000).await));
    }
    until("all blocks are cached", || chunks.stats().cache_blocks == 6).await;
    drop(chunks);
    for (n, file) in files(folder.path()).iter().enumerate() {
        let mut bytes = std::fs::read(file).unwrap();
        let len = bytes.len();
        match n {
            0 => bytes[70_000] ^= 1,
            1 => bytes[len - 1] ^= 1,
            2 => bytes.truncate(len - 7),
            3 => bytes.clear(),
            4 => bytes[len - 45] ^= 1,
            _ => bytes.extend_from_slice(b"more"),
        }
        std::fs::write(file, bytes).unwrap();
    }
    let again = ChunkStore::open(store, config(&[folder.path()], 100 << 20), UUID)
        .await
        .unwrap();
    for (id, data) in &written {
        check(&again, *id, data).await;
    }
    assert_eq!(again.stats().cache_damaged, 6);
    until("they are cached anew", || again.stats().cache_blocks == 6).await;
    for (id, data) in &written {
        check(&again, *id, data).await;
    }
    assert_eq!(again.stats().cache_damaged, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_keeps_to_its_size_and_spreads_over_its_folders() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Arc::new(FaultyStore::default());
    let limit = 4 << 20;
    let chunks = ChunkStore::open(store, config(&[one.path(), two.path()], limit), UUID)
        .await
        .unwrap();
    for id in 1..=40 {
        write(&chunks, id, BLOCK as usize).await;
    }
    until("the writers have caught up", || chunks.stats().cache_blocks >= 12).await;
    let used = |dir: &Path| {
        files(dir)
            .iter()
            .map(|f| f.metadata().map_or(0, |m| m.len()))
            .sum::<u64>()
    };
    assert!(used(one.path()) > 0 && used(two.path()) > 0);
    assert!(used(one.path()) + used(two.path()) <= limit + u64::from(BLOCK) * 2);
    assert!(chunks.stats().cache_bytes <= limit);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_or_broken_disk_only_caches_less() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, b"in the way").unwrap();
    let full = CacheConfig {
        dirs: vec![folder.path().join("full")],
        size_bytes: 100 << 20,
        free_space_ratio: 1.0,
    };
    let broken = CacheConfig {
        dirs: vec![file],
        size_bytes: 100 << 20,
        free_space_ratio: 0.0,
    };
    for cache in [full, broken] {
        let config = ChunkConfig {
            cache: Some(cache),
            ..config(&[], 0)
        };
        let store = Arc::new(FaultyStore::default());
        let chunks = ChunkStore::open(store, config, UUID).await.unwrap();
        for id in 1..=5 {
            let data = write(&chunks, id, 300_000).await;
            check(&chunks, id, &data).await;
        }
        assert_eq!(chunks.stats().cache_blocks, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_cut_off_is_cleared_away_and_removed_slices_leave_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    let config = config(&[folder.path()], 100 << 20);
    let chunks = ChunkStore::open(store.clone(), config.clone(), UUID)
        .await
        .unwrap();
    write(&chunks, 1, 100_000).await;
    until("the block is cached", || chunks.stats().cache_blocks == 1).await;
    drop(chunks);
    let block = files(folder.path()).pop().unwrap();
    std::fs::write(block.with_extension("tmp"), b"half a blo").unwrap();
    let again = ChunkStore::open(store, config, UUID).await.unwrap();
    until("the folder was looked through", || {
        again.stats().cache_blocks == 1
    })
    .await;
    assert_eq!(files(folder.path()), [block]);
    again.remove(SliceId(1), 100_000).await.unwrap();
    assert_eq!(files(folder.path()).len(), 0);
    assert_eq!(again.stats().cache_blocks, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_of_an_encrypted_volume_is_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let bare = Arc::new(FaultyStore::default());
    let pair = aws_lc_rs::rsa::PrivateDecryptingKey::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let key = DataKey::from_pem(&pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref())), None).unwrap();
    let sealer = Sealer::new(key, Cipher::Aes256Gcm);
    let store: Arc<dyn ObjectStore> = Arc::new(EncryptedStore::new(bare.clone(), sealer));
    let config = config(&[folder.path()], 100 << 20);
    let chunks = ChunkStore::open(Arc::clone(&store), config.clone(), UUID)
        .await
        .unwrap();
    let data = b"words that nobody else may read ".repeat(10_000);
    let mut slice = chunks.new_slice(TierId(0));
    slice.set_id(SliceId(1));
    slice.write_at(0, &data).await.unwrap();
    slice.finish().await.unwrap();
    until("both blocks are cached", || chunks.stats().cache_blocks == 2).await;
    drop(chunks);
    for file in files(folder.path()) {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(12).any(|part| part == b"nobody else "));
    }
    bare.down.store(true, SeqCst);
    let again = ChunkStore::open(store, config, UUID).await.unwrap();
    check(&again, 1, &data).await;
}

/// A volume with one slice of so many blocks, of which this computer has none.
async fn far_slice(blocks: u64, folder: &Path, size_bytes: u64) -> (Arc<ChunkStore>, Vec<BlockId>) {
    let store = Arc::new(FaultyStore::default());
    let elsewhere = ChunkConfig {
        cache: None,
        ..config(&[], 0)
    };
    let writer = ChunkStore::open(store.clone(), elsewhere, UUID).await.unwrap();
    let size = u32::try_from(blocks).unwrap() * BLOCK;
    write(&writer, 1, size as usize).await;
    let chunks = ChunkStore::open(store, config(&[folder], size_bytes), UUID)
        .await
        .unwrap();
    chunks.settle_cache().await;
    let all = chunks.blocks_of(SliceId(1), size, 0, size);
    let all: Vec<BlockId> = all.map(|(block, _)| block).collect();
    assert_eq!(all.len() as u64, blocks);
    assert!(
        all.iter()
            .all(|block| chunks.place_of(block) == BlockPlace::Store)
    );
    (chunks, all)
}

fn in_cache(chunks: &ChunkStore, blocks: &[BlockId]) -> usize {
    let here = blocks
        .iter()
        .filter(|block| chunks.place_of(block) == BlockPlace::Cache);
    here.count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_fetched_to_be_kept_is_kept_until_it_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    // More at once than the queue of the disk holds.
    let (chunks, blocks) = far_slice(200, folder.path(), 100 << 20).await;
    let fetched = futures_util::future::join_all(blocks.iter().map(|block| chunks.warm(*block))).await;
    assert!(fetched.iter().all(Result::is_ok));
    chunks.settle_cache().await;
    assert_eq!(in_cache(&chunks, &blocks), blocks.len());
    for block in &blocks[..50] {
        chunks.evict(block);
    }
    assert_eq!(in_cache(&chunks, &blocks), blocks.len() - 50);
    assert_eq!(files(folder.path()).len(), blocks.len() - 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_small_cache_could_not_keep_is_said_to_be_in_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let (chunks, blocks) = far_slice(20, folder.path(), 10 * u64::from(BLOCK)).await;
    for block in &blocks {
        chunks.warm(*block).await.unwrap();
    }
    chunks.settle_cache().await;
    let kept = in_cache(&chunks, &blocks);
    assert!((5..10).contains(&kept), "{kept}");
    match chunks.cache_use() {
        CacheUse::Disk {
            blocks, bytes, limit, ..
        } => {
            assert_eq!(blocks, kept as u64);
            assert!(bytes > 0 && bytes <= limit);
        }
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_process_left_is_known_once_the_cache_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FaultyStore::default());
    let config = config(&[folder.path()], 100 << 20);
    let chunks = ChunkStore::open(store.clone(), config.clone(), UUID)
        .await
        .unwrap();
    write(&chunks, 1, 300_000).await;
    chunks.settle_cache().await;
    drop(chunks);
    let again = ChunkStore::open(store, config, UUID).await.unwrap();
    again.settle_cache().await;
    let place = |slice| {
        let mut blocks = again.blocks_of(SliceId(slice), 300_000, 0, 1);
        again.place_of(&blocks.next().unwrap().0)
    };
    assert_eq!((place(1), place(2)), (BlockPlace::Cache, BlockPlace::Store));
}

/// Fetches blocks one after the other; what the cache takes then.
async fn fetch(chunks: &ChunkStore, blocks: &[BlockId]) -> u64 {
    for block in blocks {
        chunks.warm(*block).await.unwrap();
    }
    chunks.settle_cache().await;
    chunks.stats().cache_bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pinned_blocks_outlast_everything_else_that_is_read_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let limit = 20 * u64::from(BLOCK);
    let (chunks, blocks) = far_slice(120, folder.path(), limit).await;
    let (pinned, others) = blocks.split_at(12);
    assert!(chunks.replace_pins(pinned.iter().copied()).is_empty());
    fetch(&chunks, pinned).await;
    assert!(fetch(&chunks, others).await <= limit);
    assert_eq!(in_cache(&chunks, pinned), pinned.len());
    assert!(in_cache(&chunks, others) > 0, "others are cached beside them");
    chunks.evict(&pinned[0]);
    assert_eq!(in_cache(&chunks, pinned), pinned.len());
    // Whoever knows which files are pinned says so later than a mount begins to cache.
    std::fs::write(chunks.pins_file().unwrap(), "{}").unwrap();
    let store = Arc::clone(chunks.store());
    drop(chunks);
    let again = ChunkStore::open(store, config(&[folder.path()], limit), UUID)
        .await
        .unwrap();
    assert!(fetch(&again, others).await <= limit);
    assert_eq!(in_cache(&again, pinned), pinned.len());
    again.replace_pins(std::iter::empty());
    assert!(fetch(&again, others).await <= limit);
    assert!(in_cache(&again, pinned) < pinned.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_not_pinned_and_said_with_figures() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let limit = 40 * u64::from(BLOCK);
    let (chunks, blocks) = far_slice(60, one.path(), limit).await;
    let all: std::collections::HashSet<BlockId> = blocks.iter().copied().collect();
    let refused = chunks.check_pins(all).await.unwrap_err();
    assert_eq!(refused.kind(), moorage_model::ErrorKind::NoSpace);
    assert!(refused.to_string().contains("80 %"), "{refused}");
    chunks
        .check_pins(blocks[..30].iter().copied().collect())
        .await
        .unwrap();
    let unfit = chunks.replace_pins(blocks.iter().copied());
    let pinned: Vec<BlockId> = blocks
        .iter()
        .filter(|block| chunks.is_pinned(block))
        .copied()
        .collect();
    assert_eq!(pinned, blocks[..blocks.len() - unfit.len()], "the first ones");
    assert!((29..=32).contains(&pinned.len()), "{}", pinned.len());
    // All at once is more than the cache: the pinned ones stay.
    assert!(fetch(&chunks, &blocks).await <= limit);
    assert_eq!(in_cache(&chunks, &pinned), pinned.len());
    let nothing_free = ChunkConfig {
        cache: Some(CacheConfig {
            free_space_ratio: 1.0,
            dirs: vec![two.path().to_owned()],
            size_bytes: limit,
        }),
        ..config(&[], 0)
    };
    let full = ChunkStore::open(Arc::clone(chunks.store()), nothing_free, UUID)
        .await
        .unwrap();
    let refused = full.check_pins(blocks[..1].iter().copied().collect()).await;
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("--free-space-ratio"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_block_that_another_mount_gave_up_is_missing_once_it_is_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (chunks, blocks) = far_slice(4, folder.path(), 100 << 20).await;
    chunks.replace_pins(blocks.iter().copied());
    fetch(&chunks, &blocks).await;
    std::fs::remove_file(&files(folder.path())[0]).unwrap();
    chunks.look_for(blocks.clone()).await;
    assert_eq!(in_cache(&chunks, &blocks), 3);
    fetch(&chunks, &blocks).await;
    assert_eq!(in_cache(&chunks, &blocks), 4);
}
