//! Volumes written by JuiceFS 1.4.1, walked and read through the door and compared with what JuiceFS showed of them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use moorage_chunk::{ChunkConfig, ChunkStore, open_store};
use moorage_meta::{Meta, MetaOptions};
use moorage_model::{Ino, NodeType, SystemClock};
use moorage_vfs::{Caller, EntryReply, OpenFlags, Vfs, VfsOptions, shown_size};
use serde_json::Value;

/// Files above this are described by three windows (walk_mount.py).
const BIG: u64 = 512 << 20;
const READ: OpenFlags = OpenFlags {
    read: true,
    write: false,
    append: false,
    truncate: false,
    exclusive: false,
    direct: false,
};

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/volumes");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: no fixtures in {}", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// A read-only client of a copy of the database, on the objects as they lie there.
async fn open(fixture: &Path, folder: &Path) -> Arc<Vfs> {
    let database = folder.join("meta.db");
    std::fs::write(&database, std::fs::read(fixture.join("meta.db")).unwrap()).unwrap();
    let engine = moorage_engines::open_existing(&format!("sqlite3://{}", database.display()), None).unwrap();
    let options = MetaOptions {
        read_only: true,
        ..MetaOptions::default()
    };
    let meta = Meta::open(engine, options, Arc::new(SystemClock)).await.unwrap();
    let mut setting = meta.setting().with_opened_secrets().unwrap();
    let objects = fixture.join("objects").canonicalize().unwrap();
    setting.bucket = setting
        .bucket
        .replace("/jfs/objects", &objects.display().to_string());
    let passphrase = std::fs::read_to_string(fixture.join("passphrase")).ok();
    let store = open_store(&setting, passphrase.as_deref().map(str::trim_end)).unwrap();
    let config = ChunkConfig::from_setting(&setting).unwrap();
    let chunks = ChunkStore::open(store, config, &setting.uuid).await.unwrap();
    let options = VfsOptions {
        read_only: true,
        ..VfsOptions::default()
    };
    Vfs::open_volume(meta, chunks, options).await.unwrap()
}

/// Every node below a directory by path.
async fn walk(vfs: &Vfs, root: Ino) -> BTreeMap<Vec<u8>, EntryReply> {
    let mut found = BTreeMap::new();
    let mut todo = vec![(Vec::new(), root)];
    while let Some((path, ino)) = todo.pop() {
        let handle = vfs.opendir(&Caller::root(), ino).await.unwrap().handle;
        let mut cookie = 0;
        loop {
            let mut page = Vec::new();
            vfs.readdir(handle, cookie, true, &mut |item| {
                page.push((item.name.to_vec(), item.next_cookie, item.entry));
                page.len() < 100
            })
            .await
            .unwrap();
            // The hundredth entry was refused, so it comes again.
            let more = page.len() == 100;
            page.truncate(99);
            for (name, next, entry) in page {
                cookie = next;
                let internal = path.is_empty()
                    && root == Ino::ROOT
                    && entry.as_ref().is_some_and(|e| e.ino >= Ino::INTERNAL);
                if name == b"." || name == b".." || internal {
                    continue;
                }
                let entry = entry.unwrap();
                let child = [path.as_slice(), &name].join(b"/".as_slice());
                let child = child.strip_prefix(b"/").unwrap_or(&child).to_vec();
                if entry.attr.kind == NodeType::Directory {
                    todo.push((child.clone(), entry.ino));
                }
                found.insert(child, entry);
            }
            if !more {
                break;
            }
        }
        vfs.releasedir(handle).await.unwrap();
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn hash(vfs: &Vfs, ino: Ino, from: u64, to: u64) -> Result<String, String> {
    let opened = vfs
        .open(&Caller::root(), ino, READ)
        .await
        .map_err(|e| e.to_string())?;
    let mut context = digest::Context::new(&digest::SHA256);
    let mut at = from;
    let mut outcome = Ok(());
    while at < to {
        let size = (to - at).min(1 << 20) as usize;
        match vfs.read_bytes(opened.handle, at, size).await {
            Ok(bytes) if bytes.is_empty() => break,
            Ok(bytes) => {
                context.update(&bytes);
                at += bytes.len() as u64;
            }
            Err(error) => {
                outcome = Err(error.to_string());
                break;
            }
        }
    }
    vfs.release(opened.handle, None).await.unwrap();
    outcome.map(|()| hex(context.finish().as_ref()))
}

fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        coded => BASE64.decode(coded["b64"].as_str().unwrap()).unwrap(),
    }
}

fn kind(name: &str) -> NodeType {
    match name {
        "regular" => NodeType::File,
        "directory" => NodeType::Directory,
        "symlink" => NodeType::Symlink,
        "fifo" => NodeType::Fifo,
        "blockdev" => NodeType::BlockDevice,
        "chardev" => NodeType::CharDevice,
        "socket" => NodeType::Socket,
        other => panic!("unknown type {other}"),
    }
}

/// What differs between a node and what JuiceFS showed of it.
async fn differences(vfs: &Vfs, entry: &EntryReply, expected: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, ours: String, theirs: String| {
        if ours != theirs {
            found.push(format!("{what}: {ours}, not {theirs}"));
        }
    };
    let attr = &entry.attr;
    let (size, blocks) = shown_size(attr);
    let number = |key: &str| expected[key].as_u64().unwrap().to_string();
    compare("inode", entry.ino.to_string(), number("ino"));
    compare(
        "type",
        format!("{:?}", attr.kind),
        format!("{:?}", kind(expected["type"].as_str().unwrap())),
    );
    compare(
        "mode",
        format!("{:04o}", attr.mode),
        expected["mode"].as_str().unwrap().to_owned(),
    );
    compare("uid", attr.uid.to_string(), number("uid"));
    compare("gid", attr.gid.to_string(), number("gid"));
    compare("nlink", attr.nlink.to_string(), number("nlink"));
    compare("size", size.to_string(), number("size"));
    compare("blocks", blocks.to_string(), number("blocks"));
    compare(
        "mtime",
        attr.mtime.clamped_nanos().to_string(),
        expected["mtime_ns"].to_string(),
    );
    if let Some(hash_expected) = expected["sha256"].as_str() {
        let ours = hash(vfs, entry.ino, 0, u64::MAX >> 8).await;
        compare(
            "content",
            format!("{ours:?}"),
            format!("{:?}", Ok::<_, String>(hash_expected.to_owned())),
        );
    }
    if let Some(windows) = expected["windows"].as_array() {
        assert!(attr.length > BIG);
        for window in windows {
            let (from, len) = (window[0].as_u64().unwrap(), window[1].as_u64().unwrap());
            let ours = hash(vfs, entry.ino, from, from + len).await;
            let theirs = Ok::<_, String>(window[2].as_str().unwrap().to_owned());
            compare("window", format!("{ours:?}"), format!("{theirs:?}"));
        }
    }
    if let Some(target) = expected.get("target") {
        let ours = vfs.readlink(entry.ino).await.unwrap();
        compare("target", format!("{ours:?}"), format!("{:?}", bytes(target)));
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_of_every_fixture_reads_as_juicefs_showed_it() {
    let mut wrong = Vec::new();
    for fixture in fixtures() {
        let folder = tempfile::tempdir().unwrap();
        let vfs = open(&fixture, folder.path()).await;
        let expected: Value =
            serde_json::from_slice(&std::fs::read(fixture.join("expect.json")).unwrap()).unwrap();
        let variant = fixture.file_name().unwrap().to_string_lossy().into_owned();
        for (part, root) in [("tree", Ino::ROOT), ("trash", Ino::TRASH)] {
            let Some(list) = expected[part].as_array() else {
                continue;
            };
            let mut found = walk(&vfs, root).await;
            for node in list.iter().filter(|node| node["path"] != "") {
                let path = bytes(&node["path"]);
                let name = format!("{variant} {part} {}", String::from_utf8_lossy(&path));
                match found.remove(&path) {
                    Some(entry) => {
                        let differ = differences(&vfs, &entry, node).await;
                        wrong.extend(differ.into_iter().map(|text| format!("{name}: {text}")));
                    }
                    None => wrong.push(format!("{name}: missing")),
                }
            }
            wrong.extend(
                found
                    .keys()
                    .map(|path| format!("{variant} {part} {}: not expected", String::from_utf8_lossy(path))),
            );
        }
        vfs.shutdown().await.unwrap();
    }
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
