//! One contract, every store. A store of one's own can be named in `MOORAGE_TEST_STORE`, as storage, bucket, access
//! key and secret key with spaces between them.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use moorage_chunk::store::VolumeStore;
use moorage_chunk::{
    Cipher, DataKey, EncryptedStore, FileStore, MemoryStore, ObjectStore, Sealer, open_store,
};
use moorage_model::{ErrorKind, Setting};

use super::server::Server;

/// Names that are easy to get wrong on their way into a URL, a path or a listing.
const NAMES: [&str; 9] = [
    "juicefs_uuid",
    "meta/dump-2026-11-24-200000.json.gz",
    "chunks/0/0/1_0_65536",
    "chunks/0/0/10_0_65536",
    "chunks/0/0/2_0_65536",
    "chunks/0/1/1000_0_1",
    "chunks/00/1/7_0_1",
    "odd/a b+c%20d",
    "odd/\u{e4}\u{6f22}.~-_",
];

async fn keys(store: &dyn ObjectStore, prefix: &str, page: usize) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    loop {
        let after = found.last().cloned();
        let entries = store.list(prefix, after.as_deref(), page).await.unwrap();
        let full = entries.len() == page;
        found.extend(entries.into_iter().map(|(key, _)| key));
        if !full {
            return found;
        }
    }
}

async fn keeps_the_contract(name: &str, store: Arc<dyn ObjectStore>) {
    eprintln!("store: {name} ({})", store.describe());
    let body = |key: &str| Bytes::from(format!("the content of {key}"));
    assert_eq!(
        keys(&*store, "", 100).await,
        Vec::<String>::new(),
        "{name}: empty at first"
    );
    for key in NAMES {
        store.put(key, body(key)).await.unwrap();
        store.put(key, body(key)).await.unwrap();
    }
    for key in NAMES {
        let whole = body(key);
        let len = whole.len() as u64;
        assert_eq!(store.get(key, None).await.unwrap(), whole, "{name}: {key}");
        for (from, to) in [
            (0, 1),
            (4, 11),
            (len - 1, len),
            (0, len),
            (5, len + 9),
            (len + 5, len + 9),
            (3, 3),
        ] {
            let part = store.get(key, Some(from..to)).await.unwrap();
            let want = whole.slice(from.min(len) as usize..to.min(len) as usize);
            assert_eq!(part, want, "{name}: {key} {from}..{to}");
        }
        let size = store.head(key).await.unwrap().size;
        assert!(size >= len, "{name}: {key}");
        assert_eq!(store.features().encrypted, size > len, "{name}: {key}");
    }
    let mut sorted = NAMES.map(str::to_owned);
    sorted.sort();
    for page in [1, 2, 3, 100] {
        assert_eq!(keys(&*store, "", page).await, sorted, "{name}: pages of {page}");
    }
    for prefix in [
        "chunks/",
        "chunks/0/0/1",
        "chunks/0/",
        "odd/",
        "meta/dump-",
        "none/",
    ] {
        let want: Vec<_> = sorted
            .iter()
            .filter(|key| key.starts_with(prefix))
            .cloned()
            .collect();
        assert_eq!(keys(&*store, prefix, 2).await, want, "{name}: {prefix}");
    }
    let middle = store.list("chunks/", Some("chunks/0/0/1_0"), 100).await.unwrap();
    assert_eq!(middle.len(), 4, "{name}: behind a key that does not exist");
    for missing in ["none", "chunks/0/0/1", "chunks/0/0/9_0_1", "none/none/none"] {
        for error in [
            store.get(missing, None).await.unwrap_err(),
            store.get(missing, Some(0..4)).await.unwrap_err(),
            store.head(missing).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{name}: {missing}: {error}");
            assert!(error.to_string().contains(missing), "{name}: {error}");
        }
        store.delete(missing).await.unwrap();
    }
    let large: Bytes = (0..5_000_000u32).map(|n| (n / 7) as u8).collect();
    store
        .put("chunks/0/2/2000_0_5000000", large.clone())
        .await
        .unwrap();
    assert!(
        store.get("chunks/0/2/2000_0_5000000", None).await.unwrap() == large,
        "{name}"
    );
    store.put("empty", Bytes::new()).await.unwrap();
    assert_eq!(store.get("empty", None).await.unwrap(), Bytes::new(), "{name}");
    store.sync().await.unwrap();
    for key in NAMES.iter().chain(&["chunks/0/2/2000_0_5000000", "empty"]) {
        store.delete(key).await.unwrap();
        store.delete(key).await.unwrap();
    }
    assert_eq!(
        keys(&*store, "", 100).await,
        Vec::<String>::new(),
        "{name}: empty at last"
    );
}

fn sealer() -> Sealer {
    let pair = aws_lc_rs::rsa::PrivateDecryptingKey::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let key = DataKey::from_pem(&pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref())), None).unwrap();
    Sealer::new(key, Cipher::Aes256Gcm)
}

fn folder(path: &Path) -> Arc<dyn ObjectStore> {
    Arc::new(FileStore::open(path).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_store_keeps_the_same_contract() {
    let disk = tempfile::tempdir().unwrap();
    keeps_the_contract("memory", Arc::new(MemoryStore::new())).await;
    keeps_the_contract("folder", folder(&disk.path().join("one"))).await;
    let shards = (0..3)
        .map(|n| folder(&disk.path().join(format!("shard{n}"))))
        .collect();
    keeps_the_contract("shards", Arc::new(VolumeStore::new("vol", shards).unwrap())).await;
    let inner = Arc::new(MemoryStore::new());
    keeps_the_contract("encrypted", Arc::new(EncryptedStore::new(inner, sealer()))).await;
    let server = Server::start().await;
    let setting = Setting {
        name: "vol".to_owned(),
        storage: "minio".to_owned(),
        bucket: server.bucket(),
        access_key: "somebody".to_owned(),
        secret_key: "a secret".to_owned(),
        ..Setting::default()
    };
    keeps_the_contract("s3", open_store(&setting, None).unwrap()).await;
    let Ok(own) = std::env::var("MOORAGE_TEST_STORE") else {
        eprintln!("skipped: no store in MOORAGE_TEST_STORE");
        return;
    };
    let mut parts = own.split(' ').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let setting = Setting {
        name: "moorage-store-test".to_owned(),
        storage: part(),
        bucket: part(),
        access_key: part(),
        secret_key: part(),
        ..Setting::default()
    };
    keeps_the_contract(&setting.storage, open_store(&setting, None).unwrap()).await;
}
