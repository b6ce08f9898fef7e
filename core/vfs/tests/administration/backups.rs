//! Automatic backups of the metadata.

use std::io::{Cursor, Read as _};
use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::{Cipher, DataKey, Sealer};
use moorage_engines::MemoryEngine;
use moorage_meta::admin::Progress;
use moorage_meta::{DumpCompression, Engine, Meta, MetaOptions};
use moorage_model::{ErrorKind, Ino, Setting};
use moorage_vfs::{BackupOptions, Vfs, VfsOptions};

use crate::contents::encrypted;
use crate::volume::{Volume, on_each_engine};

const HOURLY: BackupOptions = BackupOptions {
    interval: Duration::from_secs(3600),
    skip_trash: false,
};

/// A mount of the volume, with a clock that is set by hand.
async fn mount(volume: &Volume) -> Arc<Vfs> {
    let options = MetaOptions {
        background_jobs: false,
        ..MetaOptions::default()
    };
    let clock = Arc::clone(&volume.clock);
    let meta = Meta::open(Arc::clone(&volume.engine), options, clock)
        .await
        .unwrap();
    Vfs::open_volume(meta, Arc::clone(&volume.chunks), VfsOptions::default())
        .await
        .unwrap()
}

async fn backups(vfs: &Vfs) -> Vec<String> {
    let listed = vfs.chunks().store().list("meta/", None, 1000).await.unwrap();
    listed.into_iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn one_client_per_interval_makes_a_backup_that_loads() {
    on_each_engine(
        |_| {},
        async |volume| {
            let (one, other) = (mount(volume).await, mount(volume).await);
            let made = one.back_up_if_due(HOURLY).await.unwrap();
            assert!(made.is_some_and(|summary| summary.entries > 0));
            assert_eq!(other.back_up_if_due(HOURLY).await.unwrap(), None);
            volume.clock.advance(3599);
            assert_eq!(one.back_up_if_due(HOURLY).await.unwrap(), None);
            volume.clock.advance(1);
            assert!(other.back_up_if_due(HOURLY).await.unwrap().is_some());

            let names = backups(&one).await;
            assert_eq!(names.len(), 2, "{names:?}");
            let packed = one.chunks().store().get(&names[1], None).await.unwrap();
            let dump = DumpCompression::unpack(std::io::Cursor::new(packed)).unwrap();
            let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
            let loaded = Meta::load_json(&engine, dump, volume.clock.as_ref(), &Progress::default()).await;
            assert_eq!(loaded.unwrap().name, volume.meta.setting().name);
            for vfs in [one, other] {
                vfs.shutdown().await.unwrap();
            }
        },
    )
    .await;
}

/// What unpacking an object of the store gives; it may be no dump.
fn unpacked(object: impl AsRef<[u8]> + Send + 'static) -> Vec<u8> {
    let mut content = Vec::new();
    DumpCompression::unpack(Cursor::new(object))
        .unwrap()
        .read_to_end(&mut content)
        .unwrap();
    content
}

#[tokio::test]
async fn a_backup_of_an_encrypted_volume_opens_with_its_key_alone() {
    const SECRET: &str = "hunter2-hunter2";
    let edit = |setting: &mut Setting| {
        encrypted(setting);
        setting.secret_key = SECRET.to_owned();
        setting.session_token = format!("{SECRET}-token");
    };
    on_each_engine(edit, async |volume| {
        volume.file(Ino::ROOT, "holiday-plans", 10).await;
        let vfs = mount(volume).await;
        vfs.back_up_if_due(HOURLY).await.unwrap().unwrap();
        let name = backups(&vfs).await.remove(0);

        let stored = volume.store.get(&name, None).await.unwrap();
        assert_eq!(unpacked(stored.clone()), stored, "no dump, and nothing packed");
        let mut other = Setting::default();
        encrypted(&mut other);
        let key = DataKey::from_pem(&other.encrypt_key, None).unwrap();
        let refused = Sealer::new(key, Cipher::Aes256Gcm)
            .open(&stored, &name)
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Corrupt);

        let opened = vfs.chunks().store().get(&name, None).await.unwrap();
        let dump = String::from_utf8(unpacked(opened)).unwrap();
        assert!(dump.contains("holiday-plans"), "{dump}");
        assert!(!dump.contains(SECRET), "{dump}");
        let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
        let clock = volume.clock.as_ref();
        let loaded = Meta::load_json(&engine, Cursor::new(dump), clock, &Progress::default()).await;
        assert_eq!(loaded.unwrap().nodes, 1);
        let copy = Meta::open(engine, MetaOptions::default(), Arc::clone(&volume.clock) as _)
            .await
            .unwrap();
        assert_eq!(copy.setting().encrypt_key, volume.meta.setting().encrypt_key);
        vfs.shutdown().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn old_backups_make_room() {
    let plain: fn(&mut Setting) = |_| {};
    for edit in [plain, encrypted] {
        on_each_engine(edit, async |volume| {
            let vfs = mount(volume).await;
            for _ in 0..5 * 24 {
                vfs.back_up_if_due(HOURLY).await.unwrap();
                volume.clock.advance(3600);
            }
            let kept = backups(&vfs).await.len();
            assert!((50..=52).contains(&kept), "{kept} of 120 are kept");
            vfs.shutdown().await.unwrap();
        })
        .await;
    }
}
