//! Remote stores: S3 against a small server, the table of storages, failures of servers, secrets.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod contract;
mod server;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use moorage_chunk::{ChunkConfig, ChunkStore, STORAGES, Storage, open_store, prefix_in_use, probe_store};
use moorage_model::{Error, ErrorKind, Setting, SliceId, Tier, TierId};
use server::{Mood, Server};

const SECRET: &str = "hunter2-hunter2-hunter2";
const TOKEN: &str = "token-of-a-session-that-nobody-may-see";

fn setting(bucket: &str) -> Setting {
    let tier = |id: u8, class: &str| {
        (
            id.to_string(),
            Tier {
                id,
                storage_class: class.to_owned(),
                tag: String::new(),
            },
        )
    };
    Setting {
        name: "vol".to_owned(),
        storage: "minio".to_owned(),
        bucket: bucket.to_owned(),
        access_key: "somebody".to_owned(),
        secret_key: SECRET.to_owned(),
        session_token: TOKEN.to_owned(),
        tiers: Some([tier(0, ""), tier(1, "STANDARD_IA")].into()),
        ..Setting::default()
    }
}

fn config() -> ChunkConfig {
    ChunkConfig {
        block_size: 64 << 10,
        buffer_size: 4 << 20,
        get_timeout: Duration::from_millis(300),
        put_timeout: Duration::from_millis(300),
        retries: 1,
        ..ChunkConfig::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_s3_bucket_keeps_objects_ranges_lists_and_deletes() {
    let server = Server::start().await;
    let store = open_store(&setting(&server.bucket()), None).unwrap();
    probe_store(&*store).await.unwrap();
    assert_eq!(prefix_in_use(&*store).await.unwrap(), None);
    let body = Bytes::from_static(b"0123456789");
    store.put("chunks/0/0/1_0_10", body.clone()).await.unwrap();
    let requests = server.count();
    assert_eq!(store.get("chunks/0/0/1_0_10", None).await.unwrap(), body);
    assert_eq!(
        store.get("chunks/0/0/1_0_10", Some(3..7)).await.unwrap(),
        &body[3..7]
    );
    assert_eq!(server.count(), requests + 2, "a read costs one request");
    assert_eq!(
        store.get("chunks/0/0/1_0_10", Some(8..20)).await.unwrap(),
        &body[8..]
    );
    assert_eq!(
        store.get("chunks/0/0/1_0_10", Some(30..40)).await.unwrap(),
        Bytes::new()
    );
    assert_eq!(store.head("chunks/0/0/1_0_10").await.unwrap().size, 10);
    assert!(store.head("chunks/0/0/1_0_10").await.unwrap().modified.is_some());
    assert_eq!(
        prefix_in_use(&*store).await.unwrap().as_deref(),
        Some("chunks/0/0/1_0_10")
    );
    for n in 2..8 {
        store
            .put(&format!("chunks/0/0/{n}_0_1"), Bytes::from_static(b"x"))
            .await
            .unwrap();
    }
    let mut listed = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.list("chunks/", after.as_deref(), 3).await.unwrap();
        listed.extend(page.iter().map(|(key, _)| key.clone()));
        if page.len() < 3 {
            break;
        }
        after = page.last().map(|(key, _)| key.clone());
    }
    assert_eq!(listed.len(), 7);
    assert!(listed.is_sorted());
    store.delete("chunks/0/0/1_0_10").await.unwrap();
    store.delete("chunks/0/0/1_0_10").await.unwrap();
    let error = store.get("chunks/0/0/1_0_10", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("chunks/0/0/1_0_10"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_carry_checksum_and_the_storage_class_of_their_tier() {
    let server = Server::start().await;
    let store = open_store(&setting(&server.bucket()), None).unwrap();
    let body = Bytes::from_static(b"123456789");
    for (key, tier) in [("a", 0), ("b", 1), ("c", 9)] {
        store.put_tier(key, body.clone(), TierId(tier)).await.unwrap();
    }
    let objects = server.objects.lock().unwrap().clone();
    let header = |key: &str, name: &str| objects[key].headers.get(name).cloned();
    assert_eq!(
        header("vol/a", "x-amz-meta-crc32c").as_deref(),
        Some("3808858755")
    );
    assert_eq!(header("vol/a", "x-amz-storage-class"), None);
    assert_eq!(
        header("vol/b", "x-amz-storage-class").as_deref(),
        Some("STANDARD_IA")
    );
    assert_eq!(
        header("vol/c", "x-amz-storage-class"),
        None,
        "an unknown tier is tier 0"
    );
    server.objects.lock().unwrap().get_mut("vol/a").unwrap().body[4] ^= 1;
    let error = store.get("a", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let plain = open_store(
        &setting(&format!("{}?disable-checksum=true", server.bucket())),
        None,
    )
    .unwrap();
    plain.get("a", None).await.unwrap();
    plain.put("d", body).await.unwrap();
    assert_eq!(
        server.objects.lock().unwrap()["vol/d"]
            .headers
            .get("x-amz-meta-crc32c"),
        None
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_in_no_error_and_no_description() {
    let server = Server::start().await;
    server.be(Mood::Denying);
    let store = open_store(&setting(&server.bucket()), None).unwrap();
    let error = probe_store(&*store).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    let said = error.to_string();
    assert!(
        said.contains("access denied (AccessDenied") && !said.contains("context"),
        "more than what happened is said: {said}"
    );
    for text in [
        error.to_string(),
        format!("{error:?}"),
        store.describe(),
        format!("{store:?}"),
    ] {
        assert!(!text.contains(SECRET) && !text.contains(TOKEN), "{text}");
    }
    let requested = server.requests.load(Ordering::Relaxed);
    assert!(requested > 0);
}

/// The error of a store at this bucket: it names the place, has an advice and no secret.
async fn failure_at(bucket: &str) -> Error {
    let store = open_store(&setting(bucket), None).unwrap();
    let error = probe_store(&*store).await.unwrap_err();
    let said = error.to_string();
    let endpoint = bucket.strip_suffix("/bucket").unwrap();
    assert!(
        said.contains(&format!("bucket bucket at {endpoint} (MinIO)")),
        "{said}"
    );
    assert!(error.advice().is_some(), "{said}");
    assert!(!said.contains(SECRET) && !said.contains("somebody"), "{said}");
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_error_of_a_store_names_it_with_the_cause_and_what_to_do() {
    let server = Server::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let error = failure_at(&format!("http://{closed}/bucket")).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("connection refused"), "{error}");
    // Longer than a part of a name can be, so that nobody is asked for it.
    let error = failure_at(&format!("http://{}:9000/bucket", "n".repeat(64))).await;
    assert!(
        error.to_string().contains("name of the server is not known"),
        "{error}"
    );
    let error = failure_at(&server.bucket().replace("http:", "https:")).await;
    assert!(error.to_string().contains("no TLS connection"), "{error}");
    server.be(Mood::Denying);
    let error = failure_at(&server.bucket()).await;
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(error.to_string().contains("(AccessDenied"), "{error}");
    server.be(Mood::Bucketless);
    let error = failure_at(&server.bucket()).await;
    assert!(
        error
            .to_string()
            .contains("the bucket does not exist (NoSuchBucket)"),
        "{error}"
    );
    let store = open_store(&setting(&server.bucket()), None).unwrap();
    let error = store.get("chunks/0/0/1_0_1", None).await.unwrap_err();
    assert_ne!(
        error.kind(),
        ErrorKind::NotFound,
        "no object is lost with its bucket: {error}"
    );
}

#[test]
fn an_unknown_storage_lists_those_that_are_known() {
    for storage in ["floppy", "ceph", "hdfs"] {
        let setting = Setting {
            storage: storage.to_owned(),
            ..setting("http://127.0.0.1:1/bucket")
        };
        let error = open_store(&setting, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        for known in STORAGES {
            assert!(error.to_string().contains(known.name), "{error}");
        }
    }
}

#[tokio::test]
async fn every_storage_opens_with_the_bucket_that_is_its_example() {
    let folder = tempfile::tempdir().unwrap();
    for Storage { name, example, .. } in STORAGES {
        let bucket = match *name {
            "file" => folder.path().display().to_string(),
            _ => (*example).to_owned(),
        };
        let setting = Setting {
            storage: (*name).to_owned(),
            secret_key: match *name {
                // Its keys are those of ssh.
                "sftp" => String::new(),
                _ => "c2VjcmV0LWtleS1vZi1zb21lYm9keQ==".to_owned(),
            },
            ..setting(&bucket)
        };
        let store = open_store(&setting, None).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!store.describe().contains("c2VjcmV0"), "{name}");
    }
}

async fn write(chunks: &Arc<ChunkStore>, id: u64, data: &[u8]) -> moorage_model::Result<(SliceId, u32)> {
    let mut slice = chunks.new_slice(TierId(0));
    slice.set_id(SliceId(id));
    slice.write_at(0, data).await?;
    slice.finish().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_fails_in_any_way_gives_an_error_in_time_and_heals() {
    let server = Server::start().await;
    let store = open_store(&setting(&server.bucket()), None).unwrap();
    let chunks = ChunkStore::open(Arc::clone(&store), config(), "u").await.unwrap();
    let data = vec![7; 10_000];
    write(&chunks, 1, &data).await.unwrap();
    for (mood, kinds) in [
        (Mood::Failing, &[ErrorKind::Unavailable][..]),
        (Mood::Silent, &[ErrorKind::Timeout]),
        (Mood::Slow(Duration::from_secs(20)), &[ErrorKind::Timeout]),
        (Mood::Half, &[ErrorKind::Unavailable, ErrorKind::Timeout]),
    ] {
        // A store of its own each time: what it keeps in memory would answer else.
        let fresh = ChunkStore::open(Arc::clone(&store), config(), "u").await.unwrap();
        server.be(mood.clone());
        let start = Instant::now();
        let error = fresh.read(SliceId(1), 10_000, 0, 10_000).await.unwrap_err();
        assert!(kinds.contains(&error.kind()), "{mood:?}: {error:?}");
        assert!(error.to_string().contains("1_0_10000"), "{mood:?}: {error}");
        if !matches!(mood, Mood::Half) {
            let error = write(&fresh, 2, &data).await.unwrap_err();
            assert!(kinds.contains(&error.kind()), "{mood:?}: {error:?}");
        }
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "{mood:?} took {:?}",
            start.elapsed()
        );
        server.be(Mood::Well);
        assert!(
            fresh.read(SliceId(1), 10_000, 0, 10_000).await.unwrap() == data,
            "{mood:?}"
        );
        write(&fresh, 2, &data).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_nothing_in_time_is_read_as_before() {
    let server = Server::start().await;
    let store = open_store(&setting(&server.bucket()), None).unwrap();
    let chunks = ChunkStore::open(Arc::clone(&store), config(), "u").await.unwrap();
    let data = vec![7; 10_000];
    write(&chunks, 1, &data).await.unwrap();
    server.be(Mood::SlowToTake(Duration::from_secs(20)));
    let error = write(&chunks, 2, &data).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    let fresh = ChunkStore::open(store, config(), "u").await.unwrap();
    assert!(fresh.read(SliceId(1), 10_000, 0, 10_000).await.unwrap() == data);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_objects_are_errors_that_name_them() {
    let server = Server::start().await;
    let store = open_store(&setting(&server.bucket()), None).unwrap();
    for compression in [moorage_chunk::Compression::None, moorage_chunk::Compression::Lz4] {
        let config = ChunkConfig {
            compression,
            ..config()
        };
        let chunks = ChunkStore::open(Arc::clone(&store), config.clone(), "u")
            .await
            .unwrap();
        let data: Vec<u8> = (0..30_000u32).map(|n| ((n * n) >> 5) as u8).collect();
        for id in [11, 12, 13] {
            write(&chunks, id, &data).await.unwrap();
        }
        {
            let mut objects = server.objects.lock().unwrap();
            let cut = &mut objects.get_mut("vol/chunks/0/0/11_0_30000").unwrap().body;
            cut.truncate(cut.len() / 2);
            objects.get_mut("vol/chunks/0/0/12_0_30000").unwrap().body[100] ^= 4;
            objects.remove("vol/chunks/0/0/13_0_30000");
        }
        let fresh = ChunkStore::open(Arc::clone(&store), config, "u").await.unwrap();
        for (id, kind) in [
            (11, ErrorKind::Corrupt),
            (12, ErrorKind::Corrupt),
            (13, ErrorKind::NotFound),
        ] {
            let error = fresh.read(SliceId(id), 30_000, 0, 30_000).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{compression:?} {id}: {error}");
            assert!(error.to_string().contains(&format!("{id}_0_30000")), "{error}");
        }
        chunks.remove(SliceId(13), 30_000).await.unwrap();
    }
}
