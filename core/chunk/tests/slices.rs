//! Writing and reading slices over plain stores.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use moorage_chunk::{ChunkConfig, ChunkStore, Compression, FileStore, MemoryStore, ObjectStore};
use moorage_model::{ErrorKind, SliceId, TierId};

const BLOCK: u32 = 64 << 10;

fn config() -> ChunkConfig {
    ChunkConfig {
        block_size: BLOCK,
        buffer_size: 4 << 20,
        ..ChunkConfig::default()
    }
}

fn pattern(len: usize, seed: u32) -> Vec<u8> {
    (0..len as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8)
        .collect()
}

async fn write(chunks: &Arc<ChunkStore>, id: u64, data: &[u8], step: usize) {
    let mut slice = chunks.new_slice(TierId(0));
    slice.set_id(SliceId(id));
    for (n, part) in data.chunks(step).enumerate() {
        slice.write_at((n * step) as u32, part).await.unwrap();
    }
    assert_eq!(slice.finish().await.unwrap(), (SliceId(id), data.len() as u32));
}

async fn read_back(chunks: &ChunkStore, id: u64, data: &[u8]) {
    let size = data.len() as u32;
    for (off, len) in [
        (0, size),
        (1, size.saturating_sub(2)),
        (size / 2, 1),
        (size - 1, 1),
        (BLOCK - 7, 14),
        (0, 0),
    ] {
        let (off, len) = (off.min(size), len.min(size.saturating_sub(off)));
        let want = &data[off as usize..(off + len) as usize];
        assert_eq!(
            chunks.read(SliceId(id), size, off, len).await.unwrap(),
            want,
            "{off}+{len}"
        );
        let mut buffer = vec![0xAA; len as usize];
        chunks
            .read_into(SliceId(id), size, off, &mut buffer)
            .await
            .unwrap();
        assert_eq!(buffer, want, "{off}+{len}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_slice_writer_stores_is_read_back_with_every_compression_and_store() {
    let folder = tempfile::tempdir().unwrap();
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        let file = FileStore::open(&folder.path().join(format!("{compression:?}"))).unwrap();
        let stores: [Arc<dyn ObjectStore>; 2] = [Arc::new(file), Arc::new(MemoryStore::new())];
        for store in stores {
            let config = ChunkConfig {
                compression,
                ..config()
            };
            let chunks = ChunkStore::open(Arc::clone(&store), config.clone(), "u")
                .await
                .unwrap();
            for (id, len, step) in [
                (1, 1, 1),
                (2, 65_536, 4096),
                (3, 65_537, 131_072),
                (4, 1_000_003, 12_345),
            ] {
                let data = pattern(len, id as u32);
                write(&chunks, id, &data, step).await;
                read_back(&chunks, id, &data).await;
                let fresh = ChunkStore::open(Arc::clone(&store), config.clone(), "u")
                    .await
                    .unwrap();
                read_back(&fresh, id, &data).await;
            }
        }
    }
}

#[tokio::test]
async fn objects_are_named_by_slice_block_and_length() {
    let store = Arc::new(MemoryStore::new());
    let chunks = ChunkStore::open(store.clone(), config(), "u").await.unwrap();
    write(&chunks, 233_344, &pattern(BLOCK as usize + 5, 0), 1000).await;
    let keys: Vec<_> = store
        .list("", None, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, ["chunks/0/233/233344_0_65536", "chunks/0/233/233344_1_5"]);
}

#[tokio::test]
async fn gaps_read_as_zeros() {
    let chunks = ChunkStore::open(Arc::new(MemoryStore::new()), config(), "u")
        .await
        .unwrap();
    let mut slice = chunks.new_slice(TierId(0));
    slice.write_at(10, b"ten").await.unwrap();
    slice.write_at(3 * BLOCK + 1, b"far").await.unwrap();
    slice.set_id(SliceId(9));
    let (id, size) = slice.finish().await.unwrap();
    let mut want = vec![0; size as usize];
    want[10..13].copy_from_slice(b"ten");
    want[(3 * BLOCK + 1) as usize..].copy_from_slice(b"far");
    assert_eq!(chunks.read(id, size, 0, size).await.unwrap(), want);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slice_being_written_reads_its_own_bytes() {
    let chunks = ChunkStore::open(Arc::new(MemoryStore::new()), config(), "u")
        .await
        .unwrap();
    let data = pattern(5 * BLOCK as usize / 2, 1);
    let mut slice = chunks.new_slice(TierId(0));
    slice.set_id(SliceId(5));
    slice.write_at(0, &data).await.unwrap();
    for pause in [0, 50] {
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
        let mut back = vec![0; data.len()];
        slice.read_at(0, &mut back).await.unwrap();
        assert_eq!(back, data);
    }
    slice.write_at(2 * BLOCK + 1, b"again").await.unwrap();
    let mut back = [0; 5];
    slice.read_at(2 * BLOCK + 1, &mut back).await.unwrap();
    assert_eq!(&back, b"again");
    assert_eq!(slice.writable_from(), 2 * BLOCK);
    assert_eq!(
        slice.write_at(BLOCK, b"x").await.unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
    let (id, size) = slice.finish().await.unwrap();
    let mut back = vec![0; data.len()];
    slice.read_at(0, &mut back).await.unwrap();
    assert_eq!(back, chunks.read(id, size, 0, size).await.unwrap());
}

#[tokio::test]
async fn an_aborted_slice_leaves_no_objects() {
    let store = Arc::new(MemoryStore::new());
    let chunks = ChunkStore::open(store.clone(), config(), "u").await.unwrap();
    let mut slice = chunks.new_slice(TierId(0));
    slice.set_id(SliceId(7));
    slice
        .write_at(0, &pattern(10 * BLOCK as usize + 3, 1))
        .await
        .unwrap();
    slice.abort().await.unwrap();
    assert_eq!(store.list("", None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn removal_deletes_every_block_and_may_be_repeated() {
    let store = Arc::new(MemoryStore::new());
    let chunks = ChunkStore::open(store.clone(), config(), "u").await.unwrap();
    let data = pattern(3 * BLOCK as usize + 3, 1);
    write(&chunks, 7, &data, 4096).await;
    chunks.remove(SliceId(7), data.len() as u32).await.unwrap();
    chunks.remove(SliceId(7), data.len() as u32).await.unwrap();
    assert_eq!(store.list("", None, 10).await.unwrap(), []);
    let error = chunks
        .read(SliceId(7), data.len() as u32, 0, 10)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("chunks/0/0/7_0_65536"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_object_of_a_folder_is_read_again_once_a_sound_copy_took_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    let data = pattern(1000, 3);
    let (object, aside) = (folder.path().join("object"), folder.path().join("aside"));
    for (put_aside, restore) in [
        // The damaged file is moved away, overwritten by a rename, or deleted.
        (Some(&aside), None),
        (None, Some(folder.path().join("sound"))),
        (None, None),
    ] {
        std::fs::write(&object, &data[..10]).unwrap();
        let mut back = vec![0; data.len()];
        store.read_now("object", 0, &mut back).unwrap().unwrap_err();
        store.read_now("object", 0, &mut back[..10]).unwrap().unwrap();
        match put_aside {
            Some(aside) => std::fs::rename(&object, aside).unwrap(),
            None if restore.is_none() => std::fs::remove_file(&object).unwrap(),
            None => {}
        }
        match restore {
            Some(sound) => {
                std::fs::write(&sound, &data).unwrap();
                std::fs::rename(sound, &object).unwrap();
            }
            None => std::fs::write(&object, &data).unwrap(),
        }
        // A read of what the moved file still has may succeed; the first that fails is the last.
        let _ = store.read_now("object", 0, &mut back);
        store.read_now("object", 0, &mut back).unwrap().unwrap();
        assert_eq!(back, data);
        assert_eq!(store.get("object", None).await.unwrap(), data);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_wait_for_buffers_instead_of_growing() {
    let store = Arc::new(MemoryStore::new());
    let config = ChunkConfig {
        buffer_size: 3 * 64 * 1024,
        ..config()
    };
    let chunks = ChunkStore::open(store, config, "u").await.unwrap();
    let data = pattern(20 * BLOCK as usize, 1);
    let mut slice = chunks.new_slice(TierId(0));
    slice.set_id(SliceId(1));
    slice.write_at(0, &data).await.unwrap();
    let (used, limit) = chunks.buffers();
    assert!(used <= limit && limit <= 3 * 64 * 1024, "{used} of {limit}");
    slice.finish().await.unwrap();
    assert_eq!(chunks.buffers().0, 0);
}
