//! Automatic backups of the metadata.

use std::sync::Arc;
use std::time::Duration;

use moorage_engines::MemoryEngine;
use moorage_meta::admin::Progress;
use moorage_meta::{DumpCompression, Engine, Meta, MetaOptions};
use moorage_vfs::{BackupOptions, Vfs, VfsOptions};

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

#[tokio::test]
async fn old_backups_make_room() {
    on_each_engine(
        |_| {},
        async |volume| {
            let vfs = mount(volume).await;
            for _ in 0..5 * 24 {
                vfs.back_up_if_due(HOURLY).await.unwrap();
                volume.clock.advance(3600);
            }
            let kept = backups(&vfs).await.len();
            assert!((50..=52).contains(&kept), "{kept} of 120 are kept");
            vfs.shutdown().await.unwrap();
        },
    )
    .await;
}
