//! Volumes written by JuiceFS 1.4.1, read through the namespace and compared with what JuiceFS showed of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use moorage_meta::{Context, Engine, Key, Meta, MetaOptions, Record, Scan, decode_setting, encode_setting};
use moorage_model::{
    Attr, CHUNK_SIZE, ChunkIndex, Ino, NodeType, Segment, SessionId, SliceId, SystemClock, Timestamp, resolve,
};
use serde_json::Value;

/// Values of extended attributes above this are described by length and hash only.
const LONG_VALUE: usize = 512;

/// A copy of the database of a fixture, opened.
struct Volume {
    name: String,
    folder: tempfile::TempDir,
    meta: Arc<Meta>,
    expected: Value,
}

fn fixtures() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/volumes");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no fixtures in {}", folder.display());
    None
}

async fn open(fixture: &Path) -> Volume {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("meta.db");
    std::fs::write(&database, std::fs::read(fixture.join("meta.db")).unwrap()).unwrap();
    let url = format!("sqlite3://{}", database.display());
    let options = MetaOptions {
        read_only: true,
        ..MetaOptions::default()
    };
    let engine = moorage_engines::open_existing(&url, None).unwrap();
    let meta = Meta::open(engine, options, Arc::new(SystemClock)).await.unwrap();
    let expected = std::fs::read(fixture.join("expect.json")).unwrap();
    Volume {
        name: fixture.file_name().unwrap().to_string_lossy().into_owned(),
        folder,
        meta,
        expected: serde_json::from_slice(&expected).unwrap(),
    }
}

async fn volumes() -> Vec<Volume> {
    let Some(folder) = fixtures() else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut volumes = Vec::new();
    for path in paths {
        volumes.push(open(&path).await);
    }
    volumes
}

/// Text of a path or target: a string, or base64 where it is no UTF-8.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.as_bytes().to_vec(),
        other => BASE64.decode(other["b64"].as_str().unwrap()).unwrap(),
    }
}

fn text(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => serde_json::json!({"b64": BASE64.encode(bytes)}),
    }
}

/// Everything below a directory, itself included, by path.
async fn walk(meta: &Meta, top: Ino) -> BTreeMap<Vec<u8>, (Ino, Attr)> {
    let context = Context::root();
    let mut found = BTreeMap::new();
    found.insert(Vec::new(), (top, meta.getattr(top).await.unwrap()));
    let mut directories = vec![(Vec::new(), top)];
    while let Some((path, directory)) = directories.pop() {
        let mut after = None;
        loop {
            // A small page, so that wide directories take several.
            let page = meta
                .read_directory(&context, directory, after.as_ref(), 50, true)
                .await
                .unwrap();
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.name.clone());
            for item in page {
                let mut child = path.clone();
                if !child.is_empty() {
                    child.push(b'/');
                }
                child.extend_from_slice(item.name.as_bytes());
                let attr = item.attr.unwrap();
                assert_eq!(attr.kind, item.entry.kind);
                if attr.is_directory() {
                    directories.push((child.clone(), item.entry.ino));
                }
                found.insert(child, (item.entry.ino, attr));
            }
        }
    }
    found
}

fn nanoseconds(time: Timestamp) -> Value {
    let total = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds);
    serde_json::from_str(&total.to_string()).unwrap()
}

async fn xattrs(meta: &Meta, ino: Ino) -> Option<Value> {
    let mut names = meta.list_xattrs(ino).await.unwrap();
    names.sort();
    let mut values = serde_json::Map::new();
    for name in names {
        let value = meta.get_xattr(&Context::root(), ino, &name).await.unwrap();
        let shown = match text(&name) {
            Value::String(name) => name,
            other => format!("b64:{}", other["b64"].as_str().unwrap()),
        };
        let described = if value.len() <= LONG_VALUE {
            Value::from(BASE64.encode(&value))
        } else {
            serde_json::json!({"len": value.len()})
        };
        values.insert(shown, described);
    }
    if values.is_empty() {
        None
    } else {
        Some(Value::Object(values))
    }
}

/// The description of a node in the form of `expect.json`, without its content.
async fn describe(meta: &Meta, path: &[u8], ino: Ino, attr: &Attr) -> Value {
    let kind = match attr.kind {
        NodeType::File => "regular",
        NodeType::Directory => "directory",
        NodeType::Symlink => "symlink",
        NodeType::Fifo => "fifo",
        NodeType::BlockDevice => "blockdev",
        NodeType::CharDevice => "chardev",
        NodeType::Socket => "socket",
    };
    let mut described = serde_json::json!({
        "path": text(path),
        "ino": ino.0,
        "type": kind,
        "mode": format!("{:04o}", attr.mode),
        "uid": attr.uid.0,
        "gid": attr.gid.0,
        "nlink": attr.nlink,
        "size": attr.length,
        "blocks": attr.length.div_ceil(512),
        "atime_ns": nanoseconds(attr.atime),
        "mtime_ns": nanoseconds(attr.mtime),
        "ctime_ns": nanoseconds(attr.ctime),
    });
    let rdev = u64::from(attr.rdev);
    if matches!(attr.kind, NodeType::BlockDevice | NodeType::CharDevice) {
        described["rdev"] = serde_json::json!([rdev >> 8 & 0xFFF, rdev & 0xFF | rdev >> 12 & 0xF_FF00]);
    }
    if attr.kind == NodeType::Symlink {
        described["target"] = text(&meta.readlink(ino).await.unwrap());
    }
    if ino.is_trash() {
        described["xattrs"] = serde_json::json!({"error": "ENODATA"});
    } else if let Some(xattrs) = xattrs(meta, ino).await {
        described["xattrs"] = xattrs;
    }
    described
}

/// Takes out of an expected node what another layer shows (content) or what can not be compared (hashes of values).
fn comparable(expected: &Value, root_of_trash: bool) -> Value {
    let mut expected = expected.clone();
    let fields = expected.as_object_mut().unwrap();
    for content in ["sha256", "windows", "read_error", "acl"] {
        fields.remove(content);
    }
    if root_of_trash {
        // The mount shows made-up values for it.
        for field in ["size", "blocks", "atime_ns", "mtime_ns", "ctime_ns"] {
            fields.remove(field);
        }
    }
    for value in fields
        .get_mut("xattrs")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|v| v.values_mut())
    {
        if let Some(described) = value.as_object_mut() {
            described.remove("sha256");
        }
    }
    expected
}

async fn compare_tree(volume: &Volume, part: &str, top: Ino) -> usize {
    let expected = volume.expected[part].as_array().unwrap();
    let expected: BTreeMap<Vec<u8>, &Value> =
        expected.iter().map(|node| (bytes(&node["path"]), node)).collect();
    let found = walk(&volume.meta, top).await;
    let names = |paths: Vec<&Vec<u8>>| {
        paths
            .into_iter()
            .map(|p| String::from_utf8_lossy(p).into_owned())
            .collect()
    };
    let (wanted, got): (Vec<String>, Vec<String>) =
        (names(expected.keys().collect()), names(found.keys().collect()));
    assert_eq!(got, wanted, "paths of {part} of {}", volume.name);
    for (path, (ino, attr)) in &found {
        let hidden = top == Ino::TRASH && path.is_empty();
        let mut described = describe(&volume.meta, path, *ino, attr).await;
        if hidden {
            described = comparable(&described, true);
        }
        let wanted = comparable(expected[path], hidden);
        assert_eq!(
            described,
            wanted,
            "{} of {part} of {}",
            String::from_utf8_lossy(path),
            volume.name
        );
    }
    found.len()
}

#[tokio::test]
async fn every_node_is_shown_as_juicefs_shows_it() {
    for volume in volumes().await {
        let mut nodes = compare_tree(&volume, "tree", Ino::ROOT).await;
        let stored = volume.meta.engine().read(&[Key::Node(Ino::TRASH)]).await.unwrap();
        if stored[0].is_some() {
            nodes += compare_tree(&volume, "trash", Ino::TRASH).await;
        }
        println!("{}: {nodes} nodes", volume.name);
    }
}

#[test]
fn settings_are_rewritten_byte_for_byte() {
    let Some(folder) = fixtures() else {
        return;
    };
    for fixture in std::fs::read_dir(folder).unwrap() {
        let path = fixture.unwrap().path().join("setting.json");
        let stored = std::fs::read_to_string(&path).unwrap();
        let setting = decode_setting(&stored, &path.display().to_string()).unwrap();
        assert_eq!(encode_setting(&setting).unwrap(), stored, "{}", path.display());
    }
}

#[tokio::test]
async fn statfs_shows_the_same_numbers() {
    for volume in volumes().await {
        // The root of this volume has a quota, which the read-only mount of the fixture had not loaded.
        if volume.name == "quota" {
            continue;
        }
        let shown = volume.meta.statfs(Ino::ROOT).await.unwrap();
        let expected = &volume.expected["statfs"];
        let blocks = |name: &str| expected[name].as_u64().unwrap() * 4096;
        assert_eq!(shown.total_space, blocks("blocks"), "{}", volume.name);
        assert_eq!(shown.available_space, blocks("bavail"), "{}", volume.name);
        assert_eq!(
            shown.available_inodes,
            expected["ffree"].as_u64().unwrap(),
            "{}",
            volume.name
        );
        let files = shown.used_inodes + shown.available_inodes;
        assert_eq!(files, expected["files"].as_u64().unwrap(), "{}", volume.name);
    }
}

/// Chunk, position, slice, its size, offset and length of a visible piece.
type Piece = (u32, u32, u64, u32, u32, u32);

/// Puts pieces together that continue each other.
fn merged(pieces: impl IntoIterator<Item = Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    for piece in pieces {
        match out.last_mut() {
            Some(last)
                if (last.0, last.2, last.3) == (piece.0, piece.2, piece.3)
                    && last.1 + last.5 == piece.1
                    && last.4 + last.5 == piece.4 =>
            {
                last.5 += piece.5;
            }
            _ => out.push(piece),
        }
    }
    out
}

#[tokio::test]
async fn visible_slices_are_those_that_info_prints() {
    for volume in volumes().await {
        let nodes = walk(&volume.meta, Ino::ROOT).await;
        for file in volume.expected["info"].as_array().unwrap() {
            let (ino, attr) = &nodes[&bytes(&file["path"])];
            assert_eq!(
                (ino.0, attr.length),
                (file["inode"].as_u64().unwrap(), file["length"].as_u64().unwrap())
            );
            let (mut wanted, mut position, mut chunk): (Vec<Piece>, u32, u32) = (Vec::new(), 0, u32::MAX);
            for slice in file["slices"].as_array().unwrap() {
                let number = |index: usize| slice[index].as_u64().unwrap();
                let narrow = |index: usize| u32::try_from(number(index)).unwrap();
                if narrow(0) != chunk {
                    (chunk, position) = (narrow(0), 0);
                }
                if number(1) != 0 {
                    wanted.push((chunk, position, number(1), narrow(2), narrow(3), narrow(4)));
                }
                position += narrow(4);
            }
            let mut got: Vec<Piece> = Vec::new();
            for chunk in 0..u32::try_from(attr.length.div_ceil(CHUNK_SIZE)).unwrap() {
                let records = volume.meta.read_slices(*ino, ChunkIndex(chunk)).await.unwrap();
                let piece = |s: Segment| (chunk, s.pos, s.id.0, s.size, s.off, s.len);
                got.extend(
                    resolve(&records)
                        .into_iter()
                        .filter(|s| s.id != SliceId::HOLE)
                        .map(piece),
                );
            }
            assert_eq!(merged(got), merged(wanted), "{} of {}", file["path"], volume.name);
        }
    }
}

async fn all(engine: &dyn Engine, range: Scan) -> Vec<(Key, Record)> {
    let mut found: Vec<(Key, Record)> = Vec::new();
    loop {
        let after = found.last().map(|(key, _)| key.clone());
        let page = engine.scan(&range, after.as_ref(), 37).await.unwrap();
        found.extend(page.items);
        if !page.more {
            return found;
        }
    }
}

#[tokio::test]
async fn every_row_of_every_table_is_read() {
    for volume in volumes().await {
        let raw = rusqlite::Connection::open(volume.folder.path().join("meta.db")).unwrap();
        let rows = |table: &str| -> usize {
            let sql = format!("SELECT COUNT(*) FROM jfs_{table}");
            raw.query_row(&sql, [], |row| row.get::<_, i64>(0))
                .map(|n| usize::try_from(n).unwrap())
                .unwrap()
        };
        for (range, expected) in [
            (Scan::AllNodes, rows("node")),
            (Scan::AllEdges, rows("edge")),
            (Scan::AllChunks, rows("chunk")),
            (Scan::SliceRefs, rows("chunk_ref")),
            (Scan::DelayedSlices, rows("delslices")),
            (Scan::Sessions, rows("session2")),
            (Scan::AllSustained, rows("sustained")),
            (Scan::DeletedFiles, rows("delfile")),
            (Scan::DirStats, rows("dir_stats")),
            (Scan::Quotas, rows("dir_quota") + rows("user_group_quota")),
            (Scan::Detached, rows("detached_node")),
            (Scan::Acls, rows("acl")),
        ] {
            let found = all(volume.meta.engine().as_ref(), range.clone()).await;
            assert_eq!(found.len(), expected, "{range:?} of {}", volume.name);
        }
    }
}

#[tokio::test]
async fn owners_of_slices_are_the_records_that_name_them() {
    for volume in volumes().await {
        // Its clients were killed while deleting and uploading.
        if volume.name == "midstate" {
            continue;
        }
        let engine = volume.meta.engine().as_ref();
        let mut owners: HashMap<SliceId, i64> = HashMap::new();
        for (_, record) in all(engine, Scan::AllChunks).await {
            let Record::Chunk(slices) = record else {
                panic!("{record:?} is no chunk")
            };
            for slice in slices.iter().filter(|slice| slice.id != SliceId::HOLE) {
                *owners.entry(slice.id).or_default() += 1;
            }
        }
        for (_, record) in all(engine, Scan::DelayedSlices).await {
            let Record::DelayedSlices(slices) = record else {
                panic!("{record:?} is no delayed slice")
            };
            for slice in slices {
                *owners.entry(slice.id).or_default() += 1;
            }
        }
        for (key, record) in all(engine, Scan::SliceRefs).await {
            let (Key::SliceRef(id, _), Record::Owners(stored)) = (&key, record) else {
                panic!("{key}")
            };
            assert_eq!(stored, owners.remove(id).unwrap_or(0), "{key} of {}", volume.name);
        }
        assert_eq!(owners, HashMap::new(), "{}", volume.name);
    }
}

#[tokio::test]
async fn what_killed_clients_left_is_read() {
    let Some(folder) = fixtures() else {
        return;
    };
    let volume = open(&folder.join("midstate")).await;
    let engine = volume.meta.engine().as_ref();
    let sessions = all(engine, Scan::Sessions).await;
    let expected = volume.expected["status"]["Sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), expected.len());
    for ((key, record), wanted) in sessions.iter().zip(expected) {
        let (Key::Session(sid), Record::Session(session)) = (key, record) else {
            panic!("{key}")
        };
        assert_eq!(sid.0, wanted["Sid"].as_u64().unwrap());
        let info: Value = serde_json::from_str(&session.info).unwrap();
        for field in [
            "Version",
            "HostName",
            "IPAddrs",
            "MountPoint",
            "MountTime",
            "ProcessID",
        ] {
            assert_eq!(info[field], wanted[field], "{field} of {key}");
        }
    }
    let sustained = all(engine, Scan::Sustained(SessionId(2))).await;
    assert_eq!(sustained.len(), 2);
    let deleted = all(engine, Scan::DeletedFiles).await;
    assert_eq!(
        deleted,
        [(
            Key::DeletedFile(Ino(25), 26_776_436_745),
            Record::DeletedFile(1_795_387_408)
        )]
    );
    assert_eq!(
        all(engine, Scan::Detached).await,
        [(Key::Detached(Ino(2050)), Record::Detached(1_795_387_407))]
    );
    let locks = all(engine, Scan::SessionLocks(SessionId(2))).await;
    let [mut bsd, mut posix, mut ranges] = [0, 0, 0];
    for (_, record) in &locks {
        match record {
            Record::FileLock(_) => bsd += 1,
            Record::RecordLocks(held) => {
                posix += 1;
                ranges += held.len();
            }
            other => panic!("{other:?} is no lock"),
        }
    }
    assert_eq!((bsd, posix, ranges), (3, 3, 6));
}
