//! Copies of the golden volumes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use moorage_meta::{Engine, Key, Meta, MetaOptions, Record, Scan};
use moorage_model::SystemClock;
use serde_json::Value;

/// A copy of the database of a fixture, opened.
pub(crate) struct Volume {
    pub(crate) name: String,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) meta: Arc<Meta>,
    pub(crate) expected: Value,
}

pub(crate) fn fixtures() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/volumes");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no fixtures in {}", folder.display());
    None
}

pub(crate) async fn open(fixture: &Path) -> Volume {
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

pub(crate) async fn volumes() -> Vec<Volume> {
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
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.as_bytes().to_vec(),
        other => BASE64.decode(other["b64"].as_str().unwrap()).unwrap(),
    }
}

pub(crate) fn text(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => serde_json::json!({"b64": BASE64.encode(bytes)}),
    }
}

pub(crate) async fn all(engine: &dyn Engine, range: Scan) -> Vec<(Key, Record)> {
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
