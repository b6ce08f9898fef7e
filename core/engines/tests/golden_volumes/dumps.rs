//! Dumps: those of volumes that JuiceFS wrote are the ones JuiceFS makes, and every engine takes and gives the same.

use std::path::Path;
use std::sync::Arc;

use moorage_engines::MemoryEngine;
use moorage_meta::admin::{CheckOptions, Progress};
use moorage_meta::{DumpCompression, DumpOptions, Engine, LoadSummary, Meta, MetaOptions, dump_channel};
use moorage_model::{ErrorKind, Result, SystemClock};
use serde_json::Value;

use super::volume::{Volume, fixtures, volumes};

async fn dump(meta: &Meta, options: &DumpOptions) -> String {
    let (output, blocks) = dump_channel();
    let packer = tokio::task::spawn_blocking(move || DumpCompression::None.pack(blocks, Vec::new()));
    let summary = meta
        .dump_json(options, output, &Progress::default())
        .await
        .unwrap();
    assert_eq!(summary.unreadable, 0);
    String::from_utf8(packer.await.unwrap().unwrap()).unwrap()
}

async fn dump_binary(meta: &Meta) -> Vec<u8> {
    let (output, blocks) = dump_channel();
    let packer = tokio::task::spawn_blocking(move || DumpCompression::None.pack(blocks, Vec::new()));
    let options = DumpOptions::default();
    let summary = meta
        .dump_binary(&options, output, &Progress::default())
        .await
        .unwrap();
    assert_eq!(summary.unreadable, 0);
    packer.await.unwrap().unwrap()
}

async fn load_binary(engine: &Arc<dyn Engine>, dump: Vec<u8>) -> Result<LoadSummary> {
    Meta::load_binary(engine, std::io::Cursor::new(dump), &Progress::default()).await
}

/// The binary form keeps records as they are, so that the tree is the same to the last counter of links.
#[tokio::test]
async fn every_golden_volume_comes_back_from_its_binary_dump() {
    for volume in volumes().await {
        let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
        load_binary(&engine, dump_binary(&volume.meta).await)
            .await
            .unwrap();
        let meta = open(engine).await;
        let (again, first) = (
            dump(&meta, &DumpOptions::default()).await,
            dump(&volume.meta, &DumpOptions::default()).await,
        );
        let sealed = volume.meta.setting().encrypt_key.clone();
        for (line, (again, first)) in again.lines().zip(first.lines()).enumerate() {
            let first = if sealed.is_empty() {
                first.to_owned()
            } else {
                first.replace(&sealed, "removed")
            };
            assert_eq!(again, first, "{}, line {}", volume.name, line + 1);
        }
    }
}

#[tokio::test]
async fn a_binary_dump_of_juicefs_is_the_volume_it_was_made_of() {
    let Some(folder) = fixtures() else { return };
    let volumes = volumes().await;
    for name in ["plain", "tiers"] {
        let golden = std::fs::read(folder.join(name).join("dump.bin")).unwrap();
        let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
        load_binary(&engine, golden).await.unwrap();
        let meta = open(engine).await;
        let loaded = dump(&meta, &DumpOptions::default()).await;
        let first = dump(&volume(&volumes, name).meta, &DumpOptions::default()).await;
        for (line, (loaded, first)) in loaded.lines().zip(first.lines()).enumerate() {
            // Nanoseconds that no clock has are kept by the binary form and cut by SQL.
            if !first.contains("time\":-") {
                assert_eq!(loaded, first, "{name}, line {}", line + 1);
            }
        }
        assert_eq!(loaded.lines().count(), first.lines().count());
    }
}

#[tokio::test]
async fn a_binary_dump_that_is_cut_off_anywhere_loads_nothing() {
    let volumes = volumes().await;
    if volumes.is_empty() {
        return;
    }
    let whole = dump_binary(&volume(&volumes, "acl").meta).await;
    for length in (0..whole.len()).step_by(whole.len() / 40) {
        let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
        let error = load_binary(&engine, whole[..length].to_vec()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "cut to {length} bytes: {error}");
        assert!(engine.is_empty().await.unwrap(), "cut to {length} bytes");
    }
}

async fn load(engine: &Arc<dyn Engine>, dump: &str) -> Result<LoadSummary> {
    let dump = std::io::Cursor::new(dump.to_owned().into_bytes());
    Meta::load_json(engine, dump, &SystemClock, &Progress::default()).await
}

async fn open(engine: Arc<dyn Engine>) -> Arc<Meta> {
    let options = MetaOptions {
        background_jobs: false,
        ..MetaOptions::default()
    };
    Meta::open(engine, options, Arc::new(SystemClock)).await.unwrap()
}

fn volume<'v>(volumes: &'v [Volume], name: &str) -> &'v Volume {
    volumes.iter().find(|volume| volume.name == name).unwrap()
}

/// What JuiceFS writes otherwise than it should, or than it can be read back: U+FFFD in a name, and nanoseconds that
/// no clock has, of times that its SQL layout can not hold.
fn mended(golden: &str) -> String {
    let golden = golden.replace("\"fffd%EF\"", "\"fffd%EF%BF%BD\"");
    let mut lines = Vec::new();
    for line in golden.lines() {
        let mut line = line.to_owned();
        for member in ["\"atimensec\":", "\"mtimensec\":"] {
            if let Some(start) = line.find(member).map(|at| at + member.len()) {
                let digits = line[start..].bytes().take_while(u8::is_ascii_digit).count();
                if digits > 9 {
                    line.replace_range(start..start + digits, "999999999");
                }
            }
        }
        lines.push(line);
    }
    lines.join("\n") + "\n"
}

#[tokio::test]
async fn a_dump_is_byte_for_byte_the_one_that_juicefs_makes() {
    let Some(folder) = fixtures() else { return };
    let volumes = volumes().await;
    for name in ["plain", "tiers"] {
        let golden = std::fs::read_to_string(folder.join(name).join("dump.json")).unwrap();
        let made = dump(&volume(&volumes, name).meta, &DumpOptions::default()).await;
        for (line, (made, golden)) in made.lines().zip(mended(&golden).lines()).enumerate() {
            assert_eq!(made, golden, "{name}, line {}", line + 1);
        }
        assert_eq!(made, mended(&golden), "{name}");
    }
}

/// Lines of a dump without counters that depend on the history of a volume, and times that SQL can not hold.
fn records(dump: &str) -> Vec<&str> {
    let is_kept = |line: &&str| {
        !["\"usedSpace\"", "\"usedInodes\""]
            .iter()
            .any(|counter| line.contains(counter))
            && !line.contains("time\":-")
    };
    dump.lines().filter(is_kept).collect()
}

/// Loads every golden volume into an engine, checks what became of it, and dumps it again.
async fn comes_back(engine: Arc<dyn Engine>, volume: &Volume) {
    let (name, first) = (&volume.name, dump(&volume.meta, &DumpOptions::default()).await);
    let summary = load(&engine, &first).await.unwrap();
    assert_eq!(&summary.name, name);
    let meta = open(Arc::clone(&engine)).await;
    let second = dump(&meta, &DumpOptions::default()).await;
    assert_eq!(
        records(&second),
        records(&first),
        "{name} in {}",
        engine.location()
    );
    let report = meta
        .check(CheckOptions::default(), &Progress::default())
        .await
        .unwrap();
    let findings: Vec<String> = report
        .findings
        .iter()
        .map(|finding| format!("{finding:?}"))
        .collect();
    assert!(
        findings.is_empty(),
        "{name} in {}: {findings:#?}",
        engine.location()
    );
    let refused = load(&engine, &first).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Exists);
}

#[tokio::test]
async fn every_golden_volume_comes_back_from_the_dump_that_memory_took() {
    for volume in volumes()
        .await
        .iter()
        .filter(|volume| has_all_in_its_tree(volume))
    {
        comes_back(Arc::new(MemoryEngine::new()), volume).await;
    }
}

#[tokio::test]
async fn every_golden_volume_comes_back_from_the_dump_that_sqlite_took() {
    let folder = tempfile::tempdir().unwrap();
    for volume in volumes()
        .await
        .iter()
        .filter(|volume| has_all_in_its_tree(volume))
    {
        let url = format!("sqlite3://{}/{}.db", folder.path().display(), volume.name);
        comes_back(moorage_engines::open(&url, None).unwrap(), volume).await;
    }
}

/// Deleted files that were open are no part of a dump.
fn has_all_in_its_tree(volume: &Volume) -> bool {
    volume.name != "midstate"
}

/// Volumes with everything that differs between the layouts. Redis finds no chunks far behind the end of a file, which
/// nobody can see, and SQL servers no users, groups and devices from 2^31 on.
const FOR_REDIS: [&str; 4] = ["acl", "quota", "trash", "tiers"];
const FOR_SQL_SERVERS: [&str; 3] = ["acl", "trash", "default4m"];

#[tokio::test]
async fn golden_volumes_come_back_from_the_dump_that_redis_took() {
    let Some(server) = super::redis_server::Server::start(&[]) else {
        return;
    };
    let volumes = volumes().await;
    for (number, name) in FOR_REDIS.iter().enumerate() {
        if volumes.is_empty() {
            return;
        }
        let url = format!("{}?db={number}", server.url());
        comes_back(moorage_engines::open(&url, None).unwrap(), volume(&volumes, name)).await;
    }
}

#[tokio::test]
async fn golden_volumes_come_back_from_the_dump_that_postgresql_took() {
    let Some(server) = super::postgres_server::Server::shared() else {
        return;
    };
    let volumes = volumes().await;
    for name in FOR_SQL_SERVERS {
        if volumes.is_empty() {
            return;
        }
        let url = server.url(&server.new_database());
        comes_back(moorage_engines::open(&url, None).unwrap(), volume(&volumes, name)).await;
    }
}

#[tokio::test]
async fn golden_volumes_come_back_from_the_dump_that_mariadb_took() {
    let Some(server) = super::mysql_server::Server::shared() else {
        return;
    };
    let volumes = volumes().await;
    for name in FOR_SQL_SERVERS {
        if volumes.is_empty() {
            return;
        }
        let url = server.url(&server.new_database());
        comes_back(moorage_engines::open(&url, None).unwrap(), volume(&volumes, name)).await;
    }
}

#[tokio::test]
async fn secrets_are_left_out_unless_they_are_asked_for() {
    let volumes = volumes().await;
    if volumes.is_empty() {
        return;
    }
    let meta = &volume(&volumes, "chacha20-rsa").meta;
    let setting = meta.setting();
    for keep_secrets in [false, true] {
        let options = DumpOptions {
            keep_secrets,
            ..DumpOptions::default()
        };
        let made = dump(meta, &options).await;
        for secret in [&setting.secret_key, &setting.session_token] {
            assert_eq!(made.contains(secret.as_str()), keep_secrets);
        }
        assert!(
            made.contains(setting.encrypt_key.as_str()),
            "without it no data can be read"
        );
        let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
        assert_eq!(load(&engine, &made).await.unwrap().secrets_removed, !keep_secrets);
    }
}

#[tokio::test]
async fn a_dumped_directory_becomes_the_root_of_a_volume() {
    let volumes = volumes().await;
    if volumes.is_empty() {
        return;
    }
    let meta = &volume(&volumes, "plain").meta;
    let context = moorage_meta::Context::root();
    let (directory, attr) = meta.resolve(&context, b"/cfr").await.unwrap();
    let options = DumpOptions {
        directory: Some(directory),
        ..DumpOptions::default()
    };
    let made = dump(meta, &options).await;
    assert!(!made.contains("\"Trash\""));
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    load(&engine, &made).await.unwrap();
    let loaded = open(engine).await;
    let (_, file) = loaded.resolve(&context, b"/border").await.unwrap();
    let (_, original) = meta.resolve(&context, b"/cfr/border").await.unwrap();
    assert_eq!((file.length, file.mtime), (original.length, original.mtime));
    assert_eq!(
        loaded.getattr(moorage_model::Ino::ROOT).await.unwrap().mtime,
        attr.mtime
    );
}

#[tokio::test]
async fn a_damaged_dump_names_the_place_and_leaves_the_database_empty() {
    let Some(folder) = fixtures() else { return };
    let golden = std::fs::read_to_string(Path::new(&folder).join("plain/dump.json")).unwrap();
    let halfway = golden.len() / 2;
    let cut = golden
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= halfway)
        .unwrap();
    for (dump, said) in [
        (golden[..cut].to_owned(), "line "),
        (
            golden.replace("\"type\":\"fifo\"", "\"type\":\"pipe\""),
            "\"pipe\"",
        ),
        (
            golden.replacen("\"length\":913", "\"length\":\"x\"", 1),
            "many_slices",
        ),
        (
            golden.replacen("\"pos\":67101864", "\"pos\":67108864", 1),
            "border",
        ),
        (golden.replacen("\"FSTree\"", "\"Tree\"", 1), "FSTree"),
        (golden.clone() + "{}", "something follows"),
        ("[]".to_owned(), "Object"),
        (String::new(), "line 0"),
    ] {
        let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
        let error = load(&engine, &dump).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(
            error.reason().contains(said),
            "{said} is not in: {}",
            error.reason()
        );
        assert!(engine.is_empty().await.unwrap(), "{said}");
    }
}

#[tokio::test]
async fn a_dump_whose_directory_occurs_twice_keeps_the_first() {
    let Some(folder) = fixtures() else { return };
    let golden = std::fs::read_to_string(folder.join("plain/dump.json")).unwrap();
    let mut document: Value = serde_json::from_str(&golden).unwrap();
    let entries = document["FSTree"]["entries"].as_object_mut().unwrap();
    let directory = entries["append"].clone();
    entries.insert("zzz".to_owned(), directory);
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let summary = load(&engine, &document.to_string()).await.unwrap();
    assert_eq!(summary.repeated, 1);
    let loaded = open(engine).await;
    let context = moorage_meta::Context::root();
    loaded.resolve(&context, b"/append/log").await.unwrap();
    let missing = loaded.resolve(&context, b"/zzz").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}
