//! Encryption: volumes written by JuiceFS, keys in every PEM form, wrong passphrases, changed bytes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use moorage_chunk::{
    BlockId, ChunkConfig, ChunkStore, Cipher, DataKey, EncryptedStore, MemoryStore, ObjectStore, Sealer,
    open_store,
};
use moorage_model::{ErrorKind, Setting, SliceId, TierId};

fn fixtures() -> Option<PathBuf> {
    let volumes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/volumes");
    if volumes.is_dir() {
        return Some(volumes);
    }
    eprintln!("skipped: no fixtures at {}", volumes.display());
    None
}

/// The PEM text of a fixture's key and its passphrase.
fn key(volume: &Path) -> (String, Option<String>) {
    let hex = std::fs::read_to_string(volume.join("key.pem.hex")).unwrap();
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let bytes = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let passphrase = std::fs::read_to_string(volume.join("passphrase")).ok();
    (
        String::from_utf8(bytes).unwrap(),
        passphrase.map(|text| text.trim().to_owned()),
    )
}

/// The setting of a fixture with its secrets as they were before they were sealed.
fn setting(volume: &Path) -> (Setting, Option<String>) {
    let text = std::fs::read_to_string(volume.join("setting.json")).unwrap();
    let mut setting: Setting = serde_json::from_str(&text).unwrap();
    let (pem, passphrase) = key(volume);
    setting.encrypt_key = pem;
    setting.key_encrypted = false;
    setting.bucket = format!("{}/", volume.join("objects").display());
    (setting, passphrase)
}

const ENCRYPTED: [&str; 3] = ["aes256gcm-rsa", "chacha20-rsa", "sm4gcm"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_object_of_an_encrypted_volume_opens_to_what_its_name_says() {
    let Some(volumes) = fixtures() else { return };
    for name in ENCRYPTED {
        let (setting, passphrase) = setting(&volumes.join(name));
        let store = open_store(&setting, passphrase.as_deref()).unwrap();
        let uuid = store.get("juicefs_uuid", None).await.unwrap();
        assert_eq!(uuid, setting.uuid.as_bytes(), "{name}");
        let config = ChunkConfig::from_setting(&setting).unwrap();
        let objects = store.list("chunks/", None, 10_000).await.unwrap();
        assert!(objects.len() > 50, "{name} has {} blocks", objects.len());
        for (object, _) in objects {
            let block = BlockId::parse(&object).unwrap();
            let body = store.get(&object, None).await.unwrap();
            let plain = config.compression.decode(body, block.len, &object).unwrap();
            assert_eq!(plain.len(), block.len as usize, "{name}: {object}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_an_encrypted_volume_have_the_recorded_hashes() {
    let Some(volumes) = fixtures() else { return };
    for name in ENCRYPTED {
        let (setting, passphrase) = setting(&volumes.join(name));
        let store = open_store(&setting, passphrase.as_deref()).unwrap();
        let config = ChunkConfig::from_setting(&setting).unwrap();
        let chunks = ChunkStore::open(store, config, &setting.uuid).await.unwrap();
        let text = std::fs::read_to_string(volumes.join(name).join("expect.json")).unwrap();
        let expect: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut checked = 0;
        for node in expect["tree"].as_array().unwrap() {
            let (Some(path), Some(hash)) = (node["path"].as_str(), node["sha256"].as_str()) else {
                continue;
            };
            let info = expect["info"]
                .as_array()
                .unwrap()
                .iter()
                .find(|info| info["path"].as_str() == Some(path));
            // Files of a single chunk, whose slices follow each other from its start.
            let Some(info) = info else { continue };
            let slices: Vec<[u64; 5]> = serde_json::from_value(info["slices"].clone()).unwrap_or_default();
            if slices.iter().any(|slice| slice[0] != 0) {
                continue;
            }
            let mut content = Vec::new();
            for [_, id, size, off, len] in slices {
                let part = chunks
                    .read(SliceId(id), size as u32, off as u32, len as u32)
                    .await
                    .unwrap();
                content.extend_from_slice(&part);
            }
            content.resize(node["size"].as_u64().unwrap() as usize, 0);
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &content);
            let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(digest, hash, "{name}: {path}");
            checked += 1;
        }
        assert!(checked >= 4, "{name}: only {checked} files checked");
    }
}

#[test]
fn a_wrong_or_missing_passphrase_says_so_and_nothing_else() {
    let Some(volumes) = fixtures() else { return };
    for name in ["aes256gcm-rsa", "chacha20-rsa"] {
        let (pem, passphrase) = key(&volumes.join(name));
        assert!(DataKey::from_pem(&pem, passphrase.as_deref()).is_ok());
        for wrong in [None, Some(""), Some("moorage-fixturf")] {
            let error = DataKey::from_pem(&pem, wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{name} {wrong:?}");
            assert!(error.to_string().contains("passphrase"), "{error}");
        }
    }
}

#[test]
fn texts_that_are_no_key_are_refused() {
    let elliptic = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
    let public = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    let garbage = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (text, kind) in [
        ("", ErrorKind::InvalidArgument),
        ("removed", ErrorKind::InvalidArgument),
        (public, ErrorKind::InvalidArgument),
        (garbage, ErrorKind::InvalidArgument),
        (elliptic, ErrorKind::NotSupported),
    ] {
        assert_eq!(DataKey::from_pem(text, None).unwrap_err().kind(), kind, "{text}");
    }
}

/// A key made for this run.
fn fresh_key() -> DataKey {
    let pair = aws_lc_rs::rsa::PrivateDecryptingKey::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let text = pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref()));
    DataKey::from_pem(&text, None).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slices_of_an_encrypted_store_come_back_and_lie_encrypted() {
    for cipher in [Cipher::Aes256Gcm, Cipher::ChaCha20Poly1305, Cipher::Sm4Gcm] {
        let bare = Arc::new(MemoryStore::new());
        let store: Arc<dyn ObjectStore> = Arc::new(EncryptedStore::new(
            bare.clone(),
            Sealer::new(fresh_key(), cipher),
        ));
        let config = ChunkConfig {
            block_size: 64 << 10,
            buffer_size: 4 << 20,
            ..ChunkConfig::default()
        };
        let data = b"the same words again and again, ".repeat(5000);
        let chunks = ChunkStore::open(Arc::clone(&store), config.clone(), "u")
            .await
            .unwrap();
        let mut slice = chunks.new_slice(TierId(0));
        slice.set_id(SliceId(1));
        slice.write_at(0, &data).await.unwrap();
        slice.finish().await.unwrap();
        for (name, _) in bare.list("", None, 10).await.unwrap() {
            let stored = bare.get(&name, None).await.unwrap();
            assert!(
                !stored.windows(10).any(|part| part == b"same words"),
                "{cipher:?} {name}"
            );
        }
        let fresh = ChunkStore::open(store, config, "u").await.unwrap();
        let size = data.len() as u32;
        assert!(
            fresh.read(SliceId(1), size, 0, size).await.unwrap() == data,
            "{cipher:?}"
        );
        let part = fresh.read(SliceId(1), size, 70_001, 77).await.unwrap();
        assert_eq!(part, &data[70_001..70_078]);
    }
}

#[test]
fn every_changed_byte_is_noticed_and_the_object_is_named() {
    for cipher in [Cipher::Aes256Gcm, Cipher::ChaCha20Poly1305, Cipher::Sm4Gcm] {
        let sealer = Sealer::new(fresh_key(), cipher);
        let sealed = sealer.seal(b"some words").unwrap();
        assert_eq!(
            sealer.open(&sealed, "x").unwrap(),
            Bytes::from_static(b"some words")
        );
        for at in [0, 1, 2, 3, 100, 258, 259, 270, 271, sealed.len() - 1] {
            let mut changed = sealed.to_vec();
            changed[at] ^= 1;
            let error = sealer.open(&changed, "chunks/0/0/1_0_10").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{cipher:?} byte {at}");
            assert!(error.to_string().contains("chunks/0/0/1_0_10"), "{error}");
        }
        for len in [0, 2, 3, 258, 271, sealed.len() - 1] {
            assert!(
                sealer.open(&sealed[..len], "x").is_err(),
                "{cipher:?} cut to {len}"
            );
        }
        assert!(Sealer::new(fresh_key(), cipher).open(&sealed, "x").is_err());
    }
}
