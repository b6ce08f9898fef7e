//! Lines 1 to 3 and 13: gates, sessions, numbers, conflicts.

use std::time::Duration;

use moorage_meta::{Context, Key, Meta, OpenFlags, Scan, UnlinkOptions, Wait, run};
use moorage_model::{Counter, ErrorKind, FileLockKind, Ino, LockOwner, Setting};

use super::{put_setting, sound};
use crate::fixture::{Volume, kind, name, quiet, setting};

#[tokio::test]
async fn line_01_gates_are_honoured_and_a_vanished_or_replaced_setting_stops_the_client() {
    let volume = Volume::new().await;
    for (min, max, version) in [("9.0.0", "", 1), ("", "1.0.0", 1), ("", "", 2)] {
        let gated = Setting {
            min_client_version: min.to_owned(),
            max_client_version: max.to_owned(),
            meta_version: version,
            ..setting()
        };
        put_setting(&volume, &gated).await;
        let opened = Meta::open(volume.engine.clone(), quiet(), volume.clock.clone()).await;
        assert_eq!(kind(opened), ErrorKind::VersionMismatch, "{min} {max} {version}");
    }
    put_setting(&volume, &setting()).await;
    let root = Context::root();

    let client = volume.client(quiet()).await;
    let other = Setting {
        uuid: "00000000-0000-4000-8000-000000000000".to_owned(),
        ..setting()
    };
    put_setting(&volume, &other).await;
    assert_eq!(kind(client.refresh_session().await), ErrorKind::VersionMismatch);
    let made = client.create(&root, Ino::ROOT, &name("f"), 0o644, 0).await;
    assert_eq!(kind(made), ErrorKind::VersionMismatch);
    assert!(client.stopped().await.contains("test-volume"));

    put_setting(&volume, &setting()).await;
    let client = volume.client(quiet()).await;
    run(volume.engine.as_ref(), "another client", |txn| {
        txn.delete(Key::Setting);
        Box::pin(async { Ok(()) })
    })
    .await
    .unwrap();
    assert_eq!(kind(client.refresh_session().await), ErrorKind::NotFormatted);
    assert!(
        client
            .unlink(&root, Ino::ROOT, &name("f"), UnlinkOptions::default())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn line_02_a_session_carries_locks_and_open_files_and_is_cleaned_at_exit() {
    let volume = Volume::new().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    let meta = volume.session().await;
    let registered = volume.scan(Scan::Sessions).await;
    assert_eq!(registered.len(), 1);
    meta.flock(file, LockOwner(1), Some(FileLockKind::Exclusive), Wait::No)
        .await
        .unwrap();
    assert_eq!(volume.scan(Scan::FileLocks(file)).await.len(), 1);
    meta.open_file(&root, file, OpenFlags::default()).await.unwrap();
    meta.unlink(&root, Ino::ROOT, &name("f"), UnlinkOptions::default())
        .await
        .unwrap();
    assert_eq!(volume.scan(Scan::Sustained(meta.session())).await.len(), 1);
    volume.clock.advance(Duration::from_secs(60));
    meta.refresh_session().await.unwrap();
    let refreshed = volume.scan(Scan::Sessions).await;
    assert_ne!(refreshed, registered);
    meta.close_session().await.unwrap();
    for range in [Scan::Sessions, Scan::AllSustained, Scan::FileLocks(file)] {
        assert_eq!(volume.scan(range).await, []);
    }
}

#[tokio::test]
async fn line_03_numbers_come_from_the_counters_only() {
    let volume = Volume::new().await;
    assert_eq!(volume.counter(Counter::NextInode).await, 2);
    assert_eq!(volume.counter(Counter::NextChunk).await, 1);
    let other = volume.client(quiet()).await;
    let root = Context::root();
    let first = volume.file(Ino::ROOT, "a").await;
    let second = other
        .create(&root, Ino::ROOT, &name("b"), 0o644, 0)
        .await
        .unwrap()
        .ino;
    let third = volume.file(Ino::ROOT, "c").await;
    assert_eq!((first, second, third), (Ino(2), Ino(2 + 1024), Ino(3)));
    assert_eq!(
        volume.counter(Counter::NextInode).await,
        2 + 2 * 1024,
        "next free"
    );
    let slices = [
        volume.meta.allocate_slice().await.unwrap().0,
        other.allocate_slice().await.unwrap().0,
    ];
    assert_eq!(slices, [1, 1 + 4096]);
    assert_eq!(volume.counter(Counter::NextChunk).await, 1 + 2 * 4096);
    let sessions = [
        volume.session().await.session().0,
        volume.session().await.session().0,
    ];
    assert_eq!(sessions, [1, 2]);
    assert_eq!(volume.counter(Counter::NextSession).await, 2, "last used");
}

#[tokio::test]
async fn line_13_clients_that_decide_on_the_same_records_do_not_both_win() {
    let volume = Volume::new().await;
    let other = volume.client(quiet()).await;
    let root = Context::root();
    let entry = name("same");
    let (first, second) = tokio::join!(
        volume.meta.create(&root, Ino::ROOT, &entry, 0o644, 0),
        other.create(&root, Ino::ROOT, &entry, 0o644, 0)
    );
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let (directory, gone) = (volume.directory(Ino::ROOT, "d").await, name("d"));
    let (removed, made) = (
        volume
            .meta
            .rmdir(&root, Ino::ROOT, &gone, UnlinkOptions::default()),
        other.create(&root, directory, &entry, 0o644, 0),
    );
    let (removed, made) = tokio::join!(removed, made);
    assert!(removed.is_ok() != made.is_ok(), "{removed:?} {made:?}");
    sound(&volume).await;
}
