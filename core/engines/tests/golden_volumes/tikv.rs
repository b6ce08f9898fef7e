//! A volume that JuiceFS wrote into ordered key-value engines, in TiKV.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use moorage_meta::{Meta, MetaOptions};
use moorage_model::SystemClock;
use serde_json::Value;
use tikv_client::{KvPair, TransactionClient, TransactionOptions};

use super::changed::{change, expectation};
use super::shown::compare_nodes;
use super::tikv_server::Server;
use super::volume::Volume;

/// Of the URLs of [`Server`].
const PREFIX: &[u8] = b"volume\xFD";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/engines")
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

async fn connected(server: &Server) -> TransactionClient {
    TransactionClient::new(vec![server.driver()]).await.unwrap()
}

/// The volume of a fixture in a private server; `None` where one of the two is missing.
async fn volume(name: &str, read_only: bool) -> Option<(Volume, Server)> {
    let fixture = fixtures().join(name);
    if !fixture.is_dir() {
        println!("skipped: no fixtures in {}", fixture.display());
        return None;
    }
    let server = Server::start()?;
    let client = connected(&server).await;
    let mut transaction = client.begin_optimistic().await.unwrap();
    let snapshot = std::fs::read_to_string(fixture.join("tkv.hex")).unwrap();
    for line in snapshot.lines().filter(|line| !line.starts_with('#')) {
        let (key, value) = line.split_once(' ').unwrap();
        let key = [PREFIX, &bytes(key)].concat();
        // There is none with an empty value but an extended attribute, which TiKV does not hold.
        if !value.is_empty() {
            transaction.put(key, bytes(value)).await.unwrap();
        }
    }
    transaction.commit().await.unwrap();
    let options = MetaOptions {
        read_only,
        background_jobs: false,
        ..MetaOptions::default()
    };
    let engine = moorage_engines::open_existing(&server.url(), None).unwrap();
    let meta = Meta::open(engine, options, Arc::new(SystemClock)).await.unwrap();
    let expected = std::fs::read(fixture.join("expect.json")).unwrap();
    let volume = Volume {
        name: name.to_owned(),
        folder: tempfile::tempdir().unwrap(),
        meta,
        expected: serde_json::from_slice(&expected).unwrap(),
    };
    Some((volume, server))
}

/// All keys and values, as the fixtures have them.
async fn dumped(server: &Server) -> String {
    let client = connected(server).await;
    let now = client.current_timestamp().await.unwrap();
    let mut snapshot = client.snapshot(now, TransactionOptions::new_optimistic());
    let end = [&PREFIX[..PREFIX.len() - 1], b"\xFE"].concat();
    let pairs = snapshot.scan(PREFIX.to_vec()..end, 100_000).await.unwrap();
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let mut lines = String::from("# prefix \n");
    for KvPair(key, value) in pairs {
        let key = Vec::from(key);
        lines += &format!("{} {}\n", hex(&key[PREFIX.len()..]), hex(&value));
    }
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_in_tikv_is_shown_as_juicefs_shows_it() {
    for fixture in ["etcd", "badger"] {
        if let Some((volume, _server)) = volume(fixture, true).await {
            compare_nodes(&volume).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_volume_in_tikv_is_what_an_independent_reader_finds() {
    let Some((volume, server)) = volume("etcd", false).await else {
        return;
    };
    let made = change(&volume).await;
    let mut expected = expectation(&volume, &made).await;
    // In etcd they are listed and can not be read.
    for node in expected["nodes"].as_array_mut().unwrap() {
        if let Some(xattrs) = node.get_mut("xattrs").and_then(Value::as_object_mut) {
            xattrs.retain(|_, value| value != "error:ENODATA");
        }
    }
    // Usage that is not written yet.
    volume.meta.make_durable().await.unwrap();
    let folder = volume.folder.path();
    std::fs::write(folder.join("tkv.hex"), dumped(&server).await).unwrap();
    std::fs::write(folder.join("expect.json"), expected.to_string()).unwrap();
    let objects = fixtures().join("etcd/objects").canonicalize().unwrap();
    std::os::unix::fs::symlink(objects, folder.join("objects")).unwrap();
    let read = Command::new("python3")
        .args(["read_tkv.py", &folder.display().to_string()])
        .current_dir(fixtures().join("tools"))
        .output();
    let Ok(read) = read else {
        println!("skipped: no python3");
        return;
    };
    let text = String::from_utf8_lossy(&read.stdout);
    let errors = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{text}{errors}");
    assert!(text.trim_end().ends_with("OK"), "{text}");
}
