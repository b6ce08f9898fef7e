//! Dumps that say what no volume can be: nothing of them is loaded, and the refusal names what is wrong.

use std::io::Cursor;
use std::sync::Arc;

use moorage_engines::MemoryEngine;
use moorage_meta::admin::Progress;
use moorage_meta::{Engine, Key, Meta, Record, TxnExt as _};
use moorage_model::{ChunkIndex, Counter, Error, ErrorKind, Ino, Slice, Timestamp};

use crate::dumps::{Dumps, dumps};
use crate::fixture::{TestClock, Volume};

/// A volume with a directory, and a file in it that has content in two chunks.
async fn small_volume() -> Dumps {
    let volume = Volume::new().await;
    let folder = volume.directory(Ino::ROOT, "folder").await;
    let file = volume.file(folder, "file").await;
    for index in [0, 1] {
        let slice = Slice {
            pos: 0,
            id: volume.meta.allocate_slice().await.unwrap(),
            size: 100,
            off: 0,
            len: 100,
        };
        let now = Timestamp::new(1_700_000_000, 0);
        let written = volume.meta.write_slice(file, ChunkIndex(index), slice, now).await;
        written.unwrap();
    }
    let engine: Arc<dyn Engine> = volume.engine.clone();
    dumps(&engine).await
}

async fn load(dump: Vec<u8>) -> (Arc<dyn Engine>, Result<(), Error>) {
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let clock = TestClock::new();
    let loaded = Meta::load_dump(&engine, Cursor::new(dump), &clock, &Progress::default()).await;
    (engine, loaded.map(drop))
}

async fn assert_refused(dump: Vec<u8>, said: &[&str]) {
    let (engine, loaded) = load(dump).await;
    let error = loaded.expect_err(&said.join(" "));
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    for said in said {
        assert!(
            error.reason().contains(said),
            "{said} is not in: {}",
            error.reason()
        );
    }
    assert!(error.advice().unwrap().contains("Nothing was loaded"), "{error}");
    assert!(engine.is_empty().await.unwrap(), "{said:?}");
}

fn replaced(dump: &str, what: &str, with: &str) -> String {
    assert!(dump.contains(what), "{what} is not in {dump}");
    dump.replacen(what, with, 1)
}

#[tokio::test]
async fn a_setting_that_no_volume_has_is_refused() {
    let made = small_volume().await;
    let member = |name: &str, value: &str| {
        let place = format!("\"{name}\": ");
        let (before, after) = made.json.split_once(&place).unwrap_or_else(|| panic!("{name}"));
        let end = after.find([',', '\n']).unwrap();
        format!("{before}{place}{value}{}", &after[end..])
    };
    for (name, values) in [
        (
            "BlockSize",
            &["0", "1", "4095", "4194304", "-1", "\"4096\""] as &[&str],
        ),
        ("Compression", &["\"brotli\""]),
        ("TrashDays", &["-1", "4294967295", "4294967296", "1.5"]),
        ("Name", &["\"../up\"", "\"\""]),
        ("UUID", &["\"\"", "\"x\""]),
        ("EncryptAlgo", &["\"rot13\""]),
        ("Storage", &["\"\""]),
    ] {
        for value in values {
            // What a default leaves out is put in beside a member that is always there.
            let dump = if made.json.contains(&format!("\"{name}\": ")) {
                member(name, value)
            } else {
                replaced(
                    &made.json,
                    "\"TrashDays\"",
                    &format!("\"{name}\": {value},\n\"TrashDays\""),
                )
            };
            assert_refused(dump.into_bytes(), &[name, "line"]).await;
        }
    }
    let binary = String::from_utf8_lossy(&made.binary);
    let size = binary.find("\"BlockSize\": ").unwrap() + "\"BlockSize\": ".len();
    let mut dump = made.binary.clone();
    // The text before is ASCII, so that the place is the same.
    dump[size] = b'0';
    dump[size + 1] = b' ';
    assert_refused(dump, &["segment format"]).await;
}

#[tokio::test]
async fn a_chunk_that_a_file_has_twice_or_can_not_have_is_refused() {
    let made = small_volume().await;
    for (index, said) in [(0, "chunk 0 a second time"), (2_147_483_648_u32, "longest file")] {
        let dump = replaced(&made.json, "\"index\":1", &format!("\"index\":{index}"));
        assert_refused(dump.into_bytes(), &[said, "line"]).await;
    }
    let chunks = segments(&made.binary).find(|(kind, _)| *kind == CHUNK).unwrap().1;
    let dump = [chunks, &made.binary].concat();
    assert_refused(dump, &["chunk 0 a second time", "inode 3"]).await;
}

#[tokio::test]
async fn a_number_that_no_node_has_is_refused() {
    let made = small_volume().await;
    let internal = Ino::INTERNAL.0.to_string();
    let trash = (Ino::TRASH.0 + 5).to_string();
    for (number, said) in [
        ("0", "no node has"),
        ("1", "root"),
        (internal.as_str(), "no node has"),
        (trash.as_str(), "directories of the trash"),
        ("9223372036854775808", "no node has"),
        ("4611686018427387904", "nextInode"),
    ] {
        let dump = replaced(&made.json, "{\"inode\":3,", &format!("{{\"inode\":{number},"));
        assert_refused(dump.into_bytes(), &[said, number]).await;
        let entry = edge(Ino::ROOT, number.parse().unwrap());
        assert_refused([entry, made.binary.clone()].concat(), &[said, number]).await;
    }
    let nodes = segments(&made.binary).find(|(kind, _)| *kind == NODE).unwrap().1;
    assert_refused([nodes, &made.binary].concat(), &["a second time"]).await;
}

#[tokio::test]
async fn counters_end_above_every_number_that_a_dump_names() {
    let made = small_volume().await;
    let next = |engine: Arc<dyn Engine>, counter| async move {
        let found = engine.get(&[Key::Counter(counter)]).await;
        match found.unwrap().counter() {
            Ok(Some(value)) => value,
            other => panic!("{other:?}"),
        }
    };
    // Held open by session 77, deleted, and in an entry alone.
    for record in [sustained(77, 50_000), deleted(50_000), edge(Ino::ROOT, 50_000)] {
        let (engine, loaded) = load([record, made.binary.clone()].concat()).await;
        loaded.unwrap();
        assert_eq!(next(engine, Counter::NextInode).await, 50_001);
    }
    let (engine, loaded) = load([sustained(77, 50_000), made.binary.clone()].concat()).await;
    loaded.unwrap();
    assert_eq!(next(engine, Counter::NextSession).await, 77);
    let dump = replaced(&made.json, "\"nextInodes\": ", "\"nextInodes\": -");
    let dump = replaced(&dump, "\"nextChunk\": ", "\"nextChunk\": -");
    let (engine, loaded) = load(dump.into_bytes()).await;
    loaded.unwrap();
    assert_eq!(next(Arc::clone(&engine), Counter::NextInode).await, 4);
    assert_eq!(next(engine, Counter::NextChunk).await, 3);
    let dump = replaced(&made.json, "\"inode\":3,", "\"inode\":70000,");
    let (engine, loaded) = load(dump.into_bytes()).await;
    loaded.unwrap();
    assert_eq!(next(Arc::clone(&engine), Counter::NextInode).await, 70_001);
    let node = engine.read(&[Key::Node(Ino(70_000))]).await.unwrap().remove(0);
    assert!(matches!(node, Some(Record::Node(_))));
}

/// Kinds of segments (spec 80-dump section 3).
const NODE: u32 = 3;
const EDGE: u32 = 4;
const CHUNK: u32 = 5;
const SUSTAINED: u32 = 8;
const DELETED: u32 = 9;

/// The segments of a binary dump, each with its head.
fn segments(dump: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut rest = dump;
    std::iter::from_fn(move || {
        let kind = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?);
        let length = u64::from_be_bytes(rest.get(4..12)?.try_into().ok()?);
        let (segment, behind) = rest.split_at_checked(12 + usize::try_from(length).ok()?)?;
        rest = behind;
        Some((kind, segment))
    })
}

/// A segment with one record in a list of its batch.
fn segment(kind: u32, list: u64, record: &[u8]) -> Vec<u8> {
    let batch = [
        varint(list << 3 | 2),
        varint(record.len() as u64),
        record.to_vec(),
    ]
    .concat();
    let mut segment = kind.to_be_bytes().to_vec();
    segment.extend((batch.len() as u64).to_be_bytes());
    segment.extend(batch);
    segment
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 127 {
        bytes.push((value & 127) as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn edge(parent: Ino, ino: u64) -> Vec<u8> {
    let name = [varint(3 << 3 | 2), vec![1, b'x']].concat();
    let record = [number(1, parent.0), number(2, ino), name, number(4, 1)].concat();
    segment(EDGE, 2, &record)
}

fn sustained(session: u64, ino: u64) -> Vec<u8> {
    segment(SUSTAINED, 8, &[number(1, session), number(2, ino)].concat())
}

fn deleted(ino: u64) -> Vec<u8> {
    segment(DELETED, 9, &[number(1, ino), number(2, 5), number(3, 1)].concat())
}
