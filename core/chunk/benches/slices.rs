//! What a slice costs from the writer's buffer to its object, and from wherever its blocks are to the reader.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use moorage_chunk::{CacheConfig, ChunkConfig, ChunkStore, FileStore, MemoryStore, ObjectStore};
use moorage_model::{Result, SliceId, TierId};
use tokio::runtime::Runtime;

const SMALL_BYTES: u32 = 128 << 10;
const LARGE_BYTES: u32 = 64 << 20;
const PAGE_BYTES: u32 = 4 << 10;

async fn open(
    store: Arc<dyn ObjectStore>,
    cache: Option<&Path>,
    buffer_size: u64,
) -> Result<Arc<ChunkStore>> {
    let cache = cache.map(|dir| CacheConfig {
        dirs: vec![dir.to_owned()],
        free_space_ratio: 0.0,
        ..CacheConfig::default()
    });
    let config = ChunkConfig {
        cache,
        buffer_size,
        ..ChunkConfig::default()
    };
    ChunkStore::open(store, config, "bench").await
}

async fn write(chunks: &Arc<ChunkStore>, id: u64, data: &[u8]) -> Result<()> {
    let mut slice = chunks.new_slice(TierId(0));
    slice.set_id(SliceId(id));
    slice.write_at(0, data).await?;
    slice.finish().await.map(drop)
}

fn writes(c: &mut Criterion) -> Result<()> {
    let Ok((runtime, folder)) = Runtime::new().and_then(|runtime| Ok((runtime, tempfile::tempdir()?))) else {
        return Ok(());
    };
    let store = Arc::new(FileStore::open(folder.path())?);
    let chunks = runtime.block_on(open(store, None, 300 << 20))?;
    let mut group = c.benchmark_group("write a slice to a local folder");
    let mut id = 0;
    for (name, bytes) in [("128 KiB", SMALL_BYTES), ("64 MiB", LARGE_BYTES)] {
        let data = vec![7; bytes as usize];
        group.throughput(Throughput::Bytes(u64::from(bytes)));
        group.bench_function(name, |b| {
            b.iter(|| {
                id += 1;
                let written = runtime.block_on(write(&chunks, id, &data));
                written.and_then(|()| runtime.block_on(chunks.remove(SliceId(id), bytes)))
            });
        });
    }
    group.finish();
    Ok(())
}

fn reads(c: &mut Criterion) -> Result<()> {
    let Ok((runtime, folder)) = Runtime::new().and_then(|runtime| Ok((runtime, tempfile::tempdir()?))) else {
        return Ok(());
    };
    let data = vec![7; LARGE_BYTES as usize];
    let local: Arc<dyn ObjectStore> = Arc::new(FileStore::open(&folder.path().join("objects"))?);
    let remote: Arc<dyn ObjectStore> = Arc::new(MemoryStore::new());
    let cache = folder.path().join("cache");
    let places = [
        ("page cache of a local folder", Arc::clone(&local), None, 0),
        ("disk cache", Arc::clone(&remote), Some(cache.as_path()), 0),
        ("memory", remote, None, 1 << 30),
    ];
    let mut group = c.benchmark_group("read 4 KiB");
    group.throughput(Throughput::Bytes(u64::from(PAGE_BYTES)));
    for (name, store, cache, buffer_size) in places {
        let chunks = runtime.block_on(open(store, cache, buffer_size))?;
        runtime.block_on(write(&chunks, 1, &data))?;
        let block = chunks.block_size();
        let blocks = LARGE_BYTES / block;
        while cache.is_some() && chunks.stats().cache_blocks < u64::from(blocks) {
            // What the queue of the cache had no room for is fetched again.
            for n in 0..blocks {
                runtime.block_on(chunks.read(SliceId(1), LARGE_BYTES, n * block, 1))?;
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let mut buffer = vec![0; PAGE_BYTES as usize];
        let mut at = 0u32;
        group.bench_function(name, |b| {
            b.iter(|| {
                at = (at.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)) % (LARGE_BYTES / 2);
                let off = at / PAGE_BYTES * PAGE_BYTES;
                runtime.block_on(chunks.read_into(SliceId(1), LARGE_BYTES, off, &mut buffer))
            });
        });
    }
    group.finish();
    Ok(())
}

fn all(c: &mut Criterion) {
    for group in [writes, reads] {
        if let Err(error) = group(c) {
            eprintln!("the bench could not run: {error}");
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = all
}
criterion_main!(benches);
