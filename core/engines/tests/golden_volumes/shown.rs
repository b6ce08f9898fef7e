//! Nodes as JuiceFS showed them through its mount.

use std::collections::BTreeMap;

use moorage_model::{Attr, Ino};
use serde_json::Value;

use super::tree::walk;
use super::volume::Volume;

/// A path as the fixture writes it.
fn escaped(path: &[u8]) -> String {
    let bytes = path.iter().map(|byte| match byte {
        b'%' | b'"' | b'\\' => format!("%{byte:02X}"),
        0x20..0x7F => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    std::iter::once("/".to_owned()).chain(bytes).collect()
}

/// Every node by its path, the trash included.
pub(crate) async fn shown_nodes(volume: &Volume) -> BTreeMap<String, (Ino, Attr)> {
    let mut found: BTreeMap<Vec<u8>, (Ino, Attr)> = walk(&volume.meta, Ino::ROOT).await;
    for (path, node) in walk(&volume.meta, Ino::TRASH).await {
        let separator: &[u8] = if path.is_empty() { b"" } else { b"/" };
        found.insert([b".trash", separator, &path].concat(), node);
    }
    found
        .into_iter()
        .map(|(path, node)| (escaped(&path), node))
        .collect()
}

/// Compares every node, the trash included, with what the fixture expects.
pub(crate) async fn compare_nodes(volume: &Volume) {
    let shown_as = shown_nodes(volume).await;
    let expected = volume.expected["nodes"].as_array().unwrap();
    assert_eq!(shown_as.len(), expected.len());
    for node in expected {
        let path = node["path"].as_str().unwrap();
        let (ino, attr) = &shown_as[path];
        assert_eq!(ino.0, node["inode"].as_u64().unwrap(), "{path}");
        if *ino == Ino::TRASH {
            // The mount shows made-up values for it.
            continue;
        }
        let shown = [
            u64::from(attr.mode),
            u64::from(attr.uid.0),
            u64::from(attr.gid.0),
            u64::from(attr.nlink),
            attr.length,
        ];
        let wanted = ["mode", "uid", "gid", "nlink", "size"].map(|field| node[field].as_u64().unwrap());
        assert_eq!(shown, wanted, "{path}");
        for (time, field) in [(attr.mtime, "mtime_ns"), (attr.ctime, "ctime_ns")] {
            let total = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds);
            let shown: Value = serde_json::from_str(&total.to_string()).unwrap();
            assert_eq!(shown, node[field], "{field} of {path}");
        }
    }
}
