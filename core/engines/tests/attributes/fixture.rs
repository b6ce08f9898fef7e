//! Golden volumes made by JuiceFS.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moorage_meta::{Meta, MetaOptions};
use moorage_model::{Ino, SystemClock};
use serde_json::Value;
use tempfile::TempDir;

use crate::volume::{name, root};

/// A golden volume, opened through a copy of its database.
pub(crate) struct Fixture {
    pub(crate) meta: Arc<Meta>,
    /// What JuiceFS shows of it.
    pub(crate) expect: Value,
    _copy: TempDir,
}

/// Opens a golden volume; `None`, loudly, where the fixtures are not there.
pub(crate) async fn open(variant: &str) -> Option<Fixture> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/fixtures/volumes")
        .join(variant);
    if !folder.join("meta.db").exists() {
        println!("skipped: no fixtures at {}", folder.display());
        return None;
    }
    let copy = tempfile::tempdir().unwrap();
    let database = copy.path().join("meta.db");
    std::fs::copy(folder.join("meta.db"), &database).unwrap();
    let engine = moorage_engines::open(&format!("sqlite3://{}", database.display()), None).unwrap();
    let options = MetaOptions {
        background_jobs: false,
        heartbeat: Duration::ZERO,
        ..MetaOptions::default()
    };
    let meta = Meta::open(engine, options, Arc::new(SystemClock)).await.unwrap();
    let expect = std::fs::read(folder.join("expect.json")).unwrap();
    Some(Fixture {
        meta,
        expect: serde_json::from_slice(&expect).unwrap(),
        _copy: copy,
    })
}

/// What JuiceFS shows of one node.
pub(crate) struct Shown<'e> {
    pub(crate) path: &'e str,
    node: &'e Value,
}

impl Fixture {
    /// The nodes below a directory of the root, itself included.
    pub(crate) fn shown_below(&self, top: &str) -> Vec<Shown<'_>> {
        let tree = self.expect["tree"].as_array().unwrap();
        let below =
            |path: &str| path == top || path.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'));
        tree.iter()
            .filter_map(|node| node["path"].as_str().map(|path| Shown { path, node }))
            .filter(|shown| below(shown.path))
            .collect()
    }

    /// The inode at a path.
    pub(crate) async fn resolve(&self, path: &str) -> Ino {
        resolve(&self.meta, path).await
    }
}

/// The inode at a path of a volume.
pub(crate) async fn resolve(meta: &Meta, path: &str) -> Ino {
    let mut ino = Ino::ROOT;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        ino = meta.lookup(&root(), ino, &name(part)).await.unwrap().0;
    }
    ino
}

impl Shown<'_> {
    pub(crate) fn mode(&self) -> u16 {
        u16::from_str_radix(self.node["mode"].as_str().unwrap(), 8).unwrap()
    }

    /// Asserts that the node has this value of an extended attribute, or none; of long values only the length is known.
    pub(crate) fn assert_xattr(&self, name: &[u8], value: Option<&[u8]>) {
        let name = std::str::from_utf8(name).unwrap();
        let place = format!("{name} of {}", self.path);
        match self.node.get("xattrs").and_then(|xattrs| xattrs.get(name)) {
            None => assert_eq!(value, None, "{place}"),
            Some(Value::String(text)) => {
                let shown = STANDARD.decode(text).unwrap();
                assert_eq!(value, Some(&*shown), "{place}");
            }
            Some(long) => {
                let length = value.map(|value| value.len() as u64);
                assert_eq!(length, long["len"].as_u64(), "{place}");
            }
        }
    }
}
