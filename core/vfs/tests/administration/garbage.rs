//! gc.

use std::time::Duration;

use bytes::Bytes;
use moorage_meta::admin::Progress;
use moorage_model::Ino;
use moorage_vfs::volume_check::{
    DestroyOptions, GarbageOptions, GarbageReport, collect_garbage, destroy_volume,
};

use crate::volume::{DAY, Volume, on_each_engine};

async fn collect(volume: &Volume, options: GarbageOptions) -> GarbageReport {
    collect_garbage(
        &volume.meta,
        volume.store.as_ref(),
        volume.clock.as_ref(),
        options,
        &Progress::default(),
    )
    .await
    .unwrap()
}

fn delete_all() -> GarbageOptions {
    GarbageOptions {
        delete: true,
        min_age: Duration::ZERO,
        ..GarbageOptions::default()
    }
}

/// Leaves objects of ids that a client took and never used.
async fn leak(volume: &Volume) {
    for _ in 0..2 {
        let id = volume.meta.allocate_slice().await.unwrap();
        let key = format!("chunks/0/0/{id}_0_10");
        volume
            .store
            .put(&key, Bytes::from_static(b"0123456789"))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn objects_of_a_newer_database_are_kept() {
    on_each_engine(
        |_| {},
        async |volume| {
            leak(volume).await;
            for key in ["chunks/9/9000/9000000_0_10", "chunks/9/9000/9000001_0_10"] {
                volume
                    .store
                    .put(key, Bytes::from_static(b"0123456789"))
                    .await
                    .unwrap();
            }
            volume.clock.advance(10);
            let report = collect(volume, delete_all()).await;
            assert_eq!((report.leaked.objects, report.ahead.objects), (2, 2));
            assert_eq!(volume.objects().await.len(), 2);
        },
    )
    .await;
}

#[tokio::test]
async fn an_object_that_may_just_have_been_uploaded_is_never_leaked() {
    on_each_engine(
        |_| {},
        async |volume| {
            volume.file(Ino::ROOT, "file", 10).await;
            leak(volume).await;
            let options = GarbageOptions {
                delete: true,
                ..GarbageOptions::default()
            };
            let report = collect(volume, options).await;
            assert_eq!(
                (report.valid.objects, report.young.objects, report.leaked.objects),
                (1, 2, 0)
            );
            assert_eq!(volume.objects().await.len(), 3);
        },
    )
    .await;
}

#[tokio::test]
async fn a_client_clock_that_is_hours_ahead_makes_no_object_old() {
    on_each_engine(
        |_| {},
        async |volume| {
            leak(volume).await;
            volume.clock.advance(DAY);
            let options = GarbageOptions {
                delete: true,
                ..GarbageOptions::default()
            };
            let report = collect(volume, options).await;
            assert_eq!((report.young.objects, report.leaked.objects), (2, 0));
        },
    )
    .await;
}

#[tokio::test]
async fn with_an_age_of_zero_an_object_is_judged_that_seems_to_be_from_the_future() {
    on_each_engine(
        |_| {},
        async |volume| {
            leak(volume).await;
            volume.clock.advance(-DAY);
            let report = collect(volume, delete_all()).await;
            assert_eq!((report.young.objects, report.leaked.objects), (0, 2));
            assert_eq!(volume.objects().await, Vec::<String>::new());
        },
    )
    .await;
}

#[tokio::test]
async fn leaked_objects_are_counted_and_deleted_only_when_asked() {
    on_each_engine(
        |_| {},
        async |volume| {
            volume.file(Ino::ROOT, "file", 70_000).await;
            leak(volume).await;
            volume
                .store
                .put("chunks/x", Bytes::from_static(b"x"))
                .await
                .unwrap();
            // Objects get their times from the machine's clock, which stands still for the one set by hand.
            volume.clock.advance(10);
            let dry = GarbageOptions {
                min_age: Duration::ZERO,
                ..GarbageOptions::default()
            };
            let report = collect(volume, dry).await;
            assert_eq!(
                (report.valid.objects, report.leaked.objects, report.leaked.bytes),
                (2, 2, 20)
            );
            assert_eq!(report.foreign.objects, 1);
            assert_eq!(volume.objects().await.len(), 5);
            collect(volume, delete_all()).await;
            let left = volume.objects().await;
            assert_eq!(left.len(), 3, "{left:?}");
            assert!(left.contains(&"chunks/x".to_owned()));
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn deleted_files_and_replaced_slices_are_reclaimed() {
    on_each_engine(
        |_| {},
        async |volume| {
            let file = volume.file(Ino::ROOT, "kept", 10).await;
            for pos in 1..4 {
                volume.write(file, pos * 10, 10, 1).await;
            }
            volume.file(Ino::ROOT, "gone", 70_000).await;
            volume.unlink(Ino::ROOT, "gone").await;
            let report = collect(volume, GarbageOptions::default()).await;
            assert_eq!(
                (report.deleted_files.count, report.deleted_files.bytes),
                (1, 70_000)
            );
            assert_eq!(volume.objects().await.len(), 6, "a dry run deletes nothing");
            let options = GarbageOptions {
                compact: true,
                ..delete_all()
            };
            let report = collect(volume, options).await;
            assert_eq!(report.compacted.replaced, 4);
            // The queue of the client holds what the compaction replaced.
            volume.meta.flush_deletions().await.unwrap();
            assert_eq!(volume.objects().await.len(), 1);
            volume.assert_whole().await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_destroyed_volume_leaves_nothing_but_what_is_not_its_own() {
    on_each_engine(
        |_| {},
        async |volume| {
            volume.file(Ino::ROOT, "file", 70_000).await;
            let letter = Bytes::from_static(b"of somebody else");
            let put = async |key: &str| volume.store.put(key, letter.clone()).await.unwrap();
            put("chunks/0/0/letter.txt").await;
            put("meta/dump-2026-11-26-120000.json.gz").await;
            put("meta/letter.txt").await;
            let options = DestroyOptions::default();
            let destroy = async |uuid: &str| {
                destroy_volume(
                    &volume.meta,
                    volume.store.as_ref(),
                    uuid,
                    options,
                    &Progress::default(),
                )
                .await
            };
            assert!(destroy("another").await.is_err());
            assert_eq!(volume.objects().await.len(), 3);
            let others = destroy("faa27c8f-edab-4791-a4e0-1620b732b343").await.unwrap();
            assert_eq!(others, 2);
            let left = volume.store.list("", None, 10).await.unwrap();
            let keys: Vec<String> = left.into_iter().map(|(key, _)| key).collect();
            assert_eq!(keys, ["chunks/0/0/letter.txt", "meta/letter.txt"]);
            assert!(volume.engine.is_empty().await.unwrap());
        },
    )
    .await;
}
