//! Random writers and readers over every combination of the layers, against plain memory.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use moorage_chunk::{
    CacheConfig, ChunkConfig, ChunkStore, Cipher, Compression, DataKey, EncryptedStore, FileStore,
    MemoryStore, ObjectStore, Sealer, WritebackConfig,
};
use moorage_model::{SliceId, TierId};
use proptest::prelude::*;

const BLOCK: u32 = 64 << 10;
const UUID: &str = "0d458371-14c0-4fab-b5df-7ab19990e31c";

#[derive(Clone, Debug)]
enum Step {
    /// Write so many bytes this far behind (or before) the end.
    Write(i32, u32),
    /// Read back this part, in thousandths of the length.
    Read(u32, u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let write = (-3000i32..3000, prop_oneof![1u32..5000, 60_000u32..140_000])
        .prop_map(|(at, len)| Step::Write(at, len));
    let read = (0u32..1000, 1u32..1000).prop_map(|(from, len)| Step::Read(from, len));
    proptest::collection::vec(prop_oneof![3 => write, 2 => read], 1..14)
}

#[derive(Clone, Copy, Debug)]
struct Layers {
    compression: Compression,
    encrypted: bool,
    local: bool,
    cache: bool,
    writeback: bool,
}

fn layers() -> impl Strategy<Value = Layers> {
    let compression = prop_oneof![
        Just(Compression::None),
        Just(Compression::Lz4),
        Just(Compression::Zstd)
    ];
    (compression, any::<[bool; 4]>()).prop_map(|(compression, [encrypted, local, cache, writeback])| Layers {
        compression,
        encrypted,
        local,
        cache,
        writeback,
    })
}

/// One key for all cases: making one takes longer than a case.
fn sealer() -> Sealer {
    static KEY: std::sync::OnceLock<Sealer> = std::sync::OnceLock::new();
    let make = || {
        let pair = aws_lc_rs::rsa::PrivateDecryptingKey::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let text = pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref()));
        Sealer::new(DataKey::from_pem(&text, None).unwrap(), Cipher::Aes256Gcm)
    };
    KEY.get_or_init(make).clone()
}

fn range(len: usize, from: u32, part: u32) -> (u32, u32) {
    let at = |thousandth: u32| (len as u64 * u64::from(thousandth) / 1000) as u32;
    let from = at(from);
    (from, at(part).min(len as u32 - from))
}

async fn run(layers: Layers, slices: Vec<Vec<Step>>) {
    let folder = tempfile::tempdir().unwrap();
    let mut store: Arc<dyn ObjectStore> = match layers.local {
        true => Arc::new(FileStore::open(&folder.path().join("objects")).unwrap()),
        false => Arc::new(MemoryStore::new()),
    };
    if layers.encrypted {
        store = Arc::new(EncryptedStore::new(store, sealer()));
    }
    let config = ChunkConfig {
        block_size: BLOCK,
        buffer_size: 600 << 10,
        compression: layers.compression,
        cache: layers.cache.then(|| CacheConfig {
            dirs: vec![folder.path().join("cache")],
            size_bytes: 1 << 20,
            free_space_ratio: 0.0,
        }),
        writeback: layers.writeback.then(|| WritebackConfig {
            dir: folder.path().join("staging"),
            ..WritebackConfig::default()
        }),
        ..ChunkConfig::default()
    };
    let chunks = ChunkStore::open(Arc::clone(&store), config.clone(), UUID)
        .await
        .unwrap();
    let mut written = Vec::new();
    for (n, steps) in slices.into_iter().enumerate() {
        let mut model: Vec<u8> = Vec::new();
        let mut slice = chunks.new_slice(TierId(0));
        // Some get their id late, as files do that are written before the engine was asked for one.
        if n % 2 == 0 {
            slice.set_id(SliceId(n as u64 + 1));
        }
        for step in steps {
            match step {
                Step::Write(at, len) => {
                    let end = i64::from(slice.len()) + i64::from(at);
                    let at = u32::try_from(end.max(0)).unwrap().max(slice.writable_from());
                    let data: Vec<u8> = (0..len).map(|b| (b / 3 + at + len) as u8).collect();
                    // Without an id nothing is uploaded, and the buffers are for a few blocks.
                    if slice.id().is_none() && at + len > 2 * BLOCK {
                        slice.set_id(SliceId(n as u64 + 1));
                    }
                    slice.write_at(at, &data).await.unwrap();
                    let end = (at + len) as usize;
                    model.resize(model.len().max(end), 0);
                    model[at as usize..end].copy_from_slice(&data);
                }
                Step::Read(from, part) => {
                    let (from, len) = range(model.len(), from, part);
                    if slice.id().is_some() || model.len() < 2 * BLOCK as usize {
                        let mut back = vec![0xAA; len as usize];
                        slice.read_at(from, &mut back).await.unwrap();
                        assert!(back == model[from as usize..(from + len) as usize]);
                    }
                }
            }
            assert_eq!(slice.len() as usize, model.len());
        }
        slice.set_id(SliceId(n as u64 + 1));
        slice.finish().await.unwrap();
        written.push(model);
    }
    chunks.sync().await.unwrap();
    let fresh = ChunkStore::open(store, config, UUID).await.unwrap();
    for chunks in [&chunks, &fresh] {
        chunks.drain(|_| ()).await.unwrap();
        for (n, model) in written.iter().enumerate() {
            for (from, part) in [(0, 1000), (500, 3), (999, 1), (333, 400)] {
                let (from, len) = range(model.len(), from, part);
                let back = chunks
                    .read(SliceId(n as u64 + 1), model.len() as u32, from, len)
                    .await
                    .unwrap();
                assert!(back == model[from as usize..(from + len) as usize]);
            }
        }
    }
    assert_eq!(chunks.buffers().0, 0, "every share of the buffers is given back");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn slices_read_back_as_written_through_any_combination_of_layers(
        layers in layers(),
        slices in proptest::collection::vec(steps(), 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(run(layers, slices));
    }
}
