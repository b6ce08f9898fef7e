//! Names and nodes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use moorage_meta::{Context, Key, Meta};
use moorage_model::{Attr, Ino, NodeType, Timestamp};
use serde_json::Value;

use super::volume::{Volume, bytes, text, volumes};

/// Values of extended attributes above this are described by length and hash only.
const LONG_VALUE: usize = 512;

/// Everything below a directory, itself included, by path.
pub(crate) async fn walk(meta: &Meta, top: Ino) -> BTreeMap<Vec<u8>, (Ino, Attr)> {
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
