//! What a block costs on its way to its object and back: compression, encryption, checksums.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use moorage_chunk::{Cipher, Compression, DataKey, Sealer, crc32c};

const BLOCK_BYTES: usize = 4 << 20;

/// Words in a changing order: compresses about as well as source text.
fn text(len: usize) -> Bytes {
    const WORDS: [&str; 8] = [
        "harbour ", "mooring ", "tide\n", "anchor ", "rope ", "buoy ", "berth ", "quay\n",
    ];
    let mut out = Vec::with_capacity(len + 8);
    let mut state = 1u64;
    while out.len() < len {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        out.extend(
            WORDS
                .iter()
                .cycle()
                .nth((state >> 60) as usize)
                .into_iter()
                .flat_map(|w| w.bytes()),
        );
        out.extend_from_slice(&(state >> 48).to_le_bytes()[..1]);
    }
    out.truncate(len);
    out.into()
}

fn noise(len: usize) -> Bytes {
    let mut state = 7u64;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

fn compression(c: &mut Criterion) {
    let mut group = c.benchmark_group("compression");
    for (content, block) in [("text", text(BLOCK_BYTES)), ("noise", noise(BLOCK_BYTES))] {
        group.throughput(Throughput::Bytes(block.len() as u64));
        for codec in [Compression::Lz4, Compression::Zstd] {
            let id = |what: &str| BenchmarkId::new(what, format!("{codec:?}/{content}"));
            group.bench_function(id("encode"), |b| {
                b.iter(|| codec.encode(black_box(block.clone())).ok());
            });
            let Ok(body) = codec.encode(block.clone()) else {
                continue;
            };
            group.bench_function(id("decode"), |b| {
                b.iter(|| {
                    codec
                        .decode(black_box(body.clone()), BLOCK_BYTES as u32, "x")
                        .ok()
                });
            });
        }
    }
    group.finish();
}

fn fresh_key() -> Option<DataKey> {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    let pair = aws_lc_rs::rsa::PrivateDecryptingKey::generate(aws_lc_rs::rsa::KeySize::Rsa2048).ok()?;
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).ok()?;
    DataKey::from_pem(&pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref())), None).ok()
}

fn encryption(c: &mut Criterion) {
    let mut group = c.benchmark_group("encryption");
    for len in [4 << 10, BLOCK_BYTES] {
        let block = noise(len);
        group.throughput(Throughput::Bytes(len as u64));
        for cipher in [Cipher::Aes256Gcm, Cipher::ChaCha20Poly1305, Cipher::Sm4Gcm] {
            let Some(key) = fresh_key() else { return };
            let sealer = Sealer::new(key, cipher);
            let id = |what: &str| BenchmarkId::new(what, format!("{cipher:?}/{len}"));
            group.bench_function(id("seal"), |b| b.iter(|| sealer.seal(black_box(&block)).ok()));
            let Ok(object) = sealer.seal(&block) else { continue };
            group.bench_function(id("open"), |b| {
                b.iter(|| sealer.open(black_box(&object), "x").ok());
            });
        }
    }
    group.finish();
}

fn checksum(c: &mut Criterion) {
    let block = noise(BLOCK_BYTES);
    let mut group = c.benchmark_group("checksum");
    group.throughput(Throughput::Bytes(BLOCK_BYTES as u64));
    group.bench_function("crc32c", |b| b.iter(|| crc32c(black_box(&block))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = compression, encryption, checksum
}
criterion_main!(benches);
