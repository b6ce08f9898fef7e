//! Changes to a volume that JuiceFS wrote, and what a reader that knows only the format has to find afterwards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use moorage_meta::{Context, CreateNode, RenameFlags, UnlinkOptions, XattrMode};
use moorage_model::{Ino, Name, NodeType, Timestamp};
use serde_json::{Value, json};

use super::shown::shown_nodes;
use super::volume::Volume;

/// Digest of an empty file.
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// A file of the fixture with content, whose slices a copy shares.
const SOURCE: &str = "/data/200k";

/// What the attributes of new nodes do not tell, by path.
pub(crate) type Made = BTreeMap<&'static str, Value>;

/// Makes changes of every kind.
pub(crate) async fn change(volume: &Volume) -> Made {
    let (meta, root, top) = (&volume.meta, Context::root(), Ino::ROOT);
    let name = |text: &str| Name::new(text.as_bytes()).unwrap();
    let made = meta.mkdir(&root, top, &name("new"), 0o750, 0).await;
    let directory = made.unwrap().ino;
    let made = meta.create(&root, directory, &name("empty"), 0o640, 0).await;
    let empty = made.unwrap().ino;
    meta.set_xattr(&root, empty, b"user.new", &[1, 2], XattrMode::Create)
        .await
        .unwrap();
    meta.link(&root, empty, top, &name("second name")).await.unwrap();
    let link = CreateNode {
        kind: NodeType::Symlink,
        mode: 0,
        umask: 0,
        rdev: 0,
        symlink_target: Some(b"empty".to_vec()),
    };
    meta.mknod(&root, directory, &name("link"), link).await.unwrap();
    let made = meta.create(&root, directory, &name("copy"), 0o600, 0).await;
    let copy = made.unwrap().ino;
    let (source, attr) = meta.resolve(&root, SOURCE.as_bytes()).await.unwrap();
    meta.copy_file_range(&root, source, 0, copy, 0, attr.length)
        .await
        .unwrap();
    // A name goes away and comes back.
    let data = meta.resolve(&root, b"/data").await.unwrap().0;
    let (here, there, plain) = (name("block"), name("moved"), RenameFlags::default());
    meta.rename(&root, (data, &here), (directory, &there), plain)
        .await
        .unwrap();
    meta.rename(&root, (directory, &there), (data, &here), plain)
        .await
        .unwrap();
    // A directory goes for good, and a file to the trash.
    let gone = UnlinkOptions { skip_trash: true };
    let (folder, file) = (name("gone"), name("removed"));
    meta.mkdir(&root, directory, &folder, 0o755, 0).await.unwrap();
    meta.rmdir(&root, directory, &folder, gone).await.unwrap();
    meta.create(&root, directory, &file, 0o600, 0).await.unwrap();
    meta.unlink(&root, directory, &file, UnlinkOptions::default())
        .await
        .unwrap();
    let before = volume.expected["nodes"].as_array().unwrap();
    let copied = before.iter().find(|node| node["path"] == SOURCE).unwrap();
    let xattrs = json!({"user.new": "0102"});
    BTreeMap::from([
        ("/new/empty", json!({"sha256": NOTHING, "xattrs": xattrs})),
        ("/second name", json!({"sha256": NOTHING, "xattrs": xattrs})),
        ("/new/link", json!({"target": "empty"})),
        ("/new/copy", json!({"sha256": copied["sha256"]})),
    ])
}

/// What a reader has to find: every node as it is shown now, with the content that it had before or was made with.
pub(crate) async fn expectation(volume: &Volume, made: &Made) -> Value {
    let before = volume.expected["nodes"].as_array().unwrap();
    let mut nodes = Vec::new();
    for (path, (ino, attr)) in shown_nodes(volume).await {
        let known = before.iter().find(|node| node["inode"] == ino.0);
        let mut node = match known {
            Some(known) => known.clone(),
            None => made.get(path.as_str()).cloned().unwrap_or_else(|| json!({})),
        };
        let kind = match attr.kind {
            NodeType::File => json!("regular"),
            NodeType::Directory => json!("directory"),
            NodeType::Symlink => json!("symlink"),
            _ => node["type"].clone(),
        };
        let nanoseconds = |time: Timestamp| {
            let total = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds);
            serde_json::from_str::<Value>(&total.to_string()).unwrap()
        };
        let now = json!({
            "path": path, "inode": ino.0, "type": kind, "mode": attr.mode, "uid": attr.uid.0, "gid": attr.gid.0,
            "nlink": attr.nlink, "size": attr.length, "mtime_ns": nanoseconds(attr.mtime),
            "ctime_ns": nanoseconds(attr.ctime), "atime_ns": nanoseconds(attr.atime),
            "rdev": node.get("rdev").cloned().unwrap_or_else(|| json!(0)),
        });
        for (field, value) in now.as_object().unwrap() {
            node[field] = value.clone();
        }
        nodes.push(node);
    }
    json!({"nodes": nodes})
}

/// A program of the fixtures that knows nothing but the format.
pub(crate) fn reader(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command
        .arg(name)
        .args(arguments)
        .current_dir(fixtures().join("tools"));
    command
}

/// That an independent reader finds what is expected, with the objects of the fixture.
pub(crate) fn assert_read_back(
    volume: &Volume,
    fixture: &str,
    expected: &Value,
    name: &str,
    arguments: &[&str],
) {
    let folder = volume.folder.path();
    std::fs::write(folder.join("expect.json"), expected.to_string()).unwrap();
    let objects = fixtures().join(fixture).join("objects").canonicalize().unwrap();
    std::os::unix::fs::symlink(objects, folder.join("objects")).unwrap();
    let folder = folder.display().to_string();
    let arguments: Vec<&str> = std::iter::once(folder.as_str())
        .chain(arguments.iter().copied())
        .collect();
    let Ok(read) = reader(name, &arguments).output() else {
        println!("skipped: no python3");
        return;
    };
    let text = String::from_utf8_lossy(&read.stdout);
    let errors = String::from_utf8_lossy(&read.stderr);
    if errors.contains("ModuleNotFoundError") {
        println!("skipped: {name} lacks a library: {errors}");
        return;
    }
    assert!(read.status.success(), "{text}{errors}");
    assert!(text.trim_end().ends_with("OK"), "{text}");
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/engines")
}
