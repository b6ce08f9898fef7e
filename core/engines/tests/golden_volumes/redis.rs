//! A volume that JuiceFS wrote into Redis.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::redis::Cmd;
use moorage_meta::{Meta, MetaOptions};
use moorage_model::SystemClock;
use serde_json::Value;

use super::changed::{assert_read_back, change, expectation, reader};
use super::redis_server::Server;
use super::shown::compare_nodes;
use super::volume::Volume;

fn hex(text: &Value) -> Vec<u8> {
    let digits = text.as_str().unwrap().as_bytes();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The command that makes a key of a snapshot.
fn restored(key: &Value) -> Cmd {
    let mut command = Cmd::new();
    let name = hex(&key["key"]);
    let value = &key["value"];
    let array = || value.as_array().unwrap();
    match key["type"].as_str().unwrap() {
        "string" => command.arg("SET").arg(name).arg(hex(value)),
        "list" => command
            .arg("RPUSH")
            .arg(name)
            .arg(array().iter().map(hex).collect::<Vec<_>>()),
        "set" => command
            .arg("SADD")
            .arg(name)
            .arg(array().iter().map(hex).collect::<Vec<_>>()),
        "hash" => {
            command.arg("HSET").arg(name);
            for (field, value) in value.as_object().unwrap() {
                command.arg(hex(&Value::from(field.as_str()))).arg(hex(value));
            }
            &mut command
        }
        _ => {
            command.arg("ZADD").arg(name);
            for pair in array() {
                command
                    .arg(pair[1].to_string().trim_matches('"'))
                    .arg(hex(&pair[0]));
            }
            &mut command
        }
    };
    command
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/engines")
}

/// The volume of the fixture in a private server; `None` where one of the two is missing.
async fn volume(read_only: bool, arguments: &[&str]) -> Option<(Volume, Server)> {
    let fixture = fixtures().join("redis");
    if !fixture.is_dir() {
        println!("skipped: no fixtures in {}", fixture.display());
        return None;
    }
    let server = Server::start(arguments)?;
    let snapshot: Value =
        serde_json::from_slice(&std::fs::read(fixture.join("redis.json")).unwrap()).unwrap();
    let url = format!("redis+{}", server.url());
    let client = ::redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for key in snapshot["keys"].as_array().unwrap() {
        restored(key).exec_async(&mut connection).await.unwrap();
    }
    let options = MetaOptions {
        read_only,
        background_jobs: false,
        ..MetaOptions::default()
    };
    let engine = moorage_engines::open_existing(&server.url(), None).unwrap();
    let meta = Meta::open(engine, options, Arc::new(SystemClock)).await.unwrap();
    let expected = std::fs::read(fixture.join("expect.json")).unwrap();
    let volume = Volume {
        name: "redis".to_owned(),
        folder: tempfile::tempdir().unwrap(),
        meta,
        expected: serde_json::from_slice(&expected).unwrap(),
    };
    Some((volume, server))
}

#[tokio::test]
async fn every_node_in_redis_is_shown_as_juicefs_shows_it() {
    if let Some((volume, _server)) = volume(true, &[]).await {
        compare_nodes(&volume).await;
    }
}

#[tokio::test]
async fn a_changed_volume_in_redis_is_what_an_independent_reader_finds() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    let Some((volume, server)) = volume(false, &["--port", &port]).await else {
        return;
    };
    let made = change(&volume).await;
    let expected = expectation(&volume, &made).await;
    // These expire and are no part of the format.
    let client = ::redis::Client::open(format!("redis+{}", server.url())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let numbers: Vec<String> = ::redis::cmd("KEYS")
        .arg("moorageCommit:*")
        .query_async(&mut connection)
        .await
        .unwrap();
    let forget = ::redis::cmd("DEL").arg(numbers).to_owned();
    forget.exec_async(&mut connection).await.unwrap();

    let mut dump = reader("dump_redis.py", &[&port, "0"]);
    let Some(dump) = dump
        .output()
        .inspect_err(|_| println!("skipped: no python3"))
        .ok()
    else {
        return;
    };
    let folder = volume.folder.path();
    std::fs::write(folder.join("redis.json"), dump.stdout).unwrap();
    assert_read_back(&volume, "redis", &expected, "read_redis.py", &[]);
}
