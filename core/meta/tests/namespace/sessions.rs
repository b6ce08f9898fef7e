//! Sessions: registering, refreshing, reaping, closing (spec 70-semantics section 1).

use std::time::Duration;

use moorage_meta::{
    Context, Key, Meta, MetaOptions, OpenFlags, Record, Scan, SessionRecord, TxnExt as _, run,
};
use moorage_model::{Counter, ErrorKind, Ino, SessionId};

use crate::fixture::{START, Volume, kind, quiet};

async fn session(volume: &Volume, id: SessionId) -> Option<SessionRecord> {
    let mut found = volume.engine.get(&[Key::Session(id)]).await.unwrap();
    found.session().unwrap()
}

#[tokio::test]
async fn a_session_gets_the_next_number_and_expires_five_heartbeats_ahead() {
    let volume = Volume::new().await;
    let options = MetaOptions {
        heartbeat: Duration::from_secs(12),
        host_name: "box".to_owned(),
        mount_point: "/mnt/x".to_owned(),
        ip_addresses: vec!["10.0.0.1".to_owned()],
        ..quiet()
    };
    let meta = volume.client(options).await;
    let id = meta.start_session(volume.data.clone()).await.unwrap();
    assert_eq!(id, SessionId(1));
    assert_eq!(volume.counter(Counter::NextSession).await, 1);
    let record = session(&volume, id).await.unwrap();
    assert_eq!(record.expire, START + 60);
    let info: serde_json::Value = serde_json::from_str(&record.info).unwrap();
    assert_eq!(info["HostName"], "box");
    assert_eq!(info["MountPoint"], "/mnt/x");
    assert_eq!(info["IPAddrs"][0], "10.0.0.1");
    assert_eq!(info["ProcessID"], std::process::id());
    assert!(
        info["MountTime"]
            .as_str()
            .unwrap()
            .starts_with("2023-11-14T22:13:20.")
    );
    let version = info["Version"].as_str().unwrap();
    assert!(version.starts_with("1.4."), "{version}");
    meta.close_session().await.unwrap();
    assert_eq!(session(&volume, id).await, None);
    assert_eq!(meta.session(), SessionId(0));
}

#[tokio::test]
async fn a_heartbeat_of_zero_expires_in_a_year() {
    let volume = Volume::new().await;
    let options = MetaOptions {
        heartbeat: Duration::ZERO,
        ..quiet()
    };
    let meta = volume.client(options).await;
    let id = meta.start_session(volume.data.clone()).await.unwrap();
    assert_eq!(session(&volume, id).await.unwrap().expire, START + 365 * 86_400);
}

#[tokio::test]
async fn a_number_that_is_taken_is_left_to_its_owner() {
    let volume = Volume::new().await;
    let record = SessionRecord {
        expire: START + 1000,
        info: "{}".to_owned(),
    };
    let taken = record.clone();
    run(volume.engine.as_ref(), "test", move |txn| {
        txn.put(Key::Session(SessionId(1)), Record::Session(taken.clone()));
        Box::pin(async { Ok(()) })
    })
    .await
    .unwrap();
    let meta = volume.session().await;
    assert_eq!(meta.session(), SessionId(2));
    assert_eq!(session(&volume, SessionId(1)).await, Some(record));
}

#[tokio::test]
async fn a_refresh_moves_the_expiry_and_makes_a_lost_record_again() {
    let volume = Volume::new().await;
    let meta = volume.session().await;
    let id = meta.session();
    let before = session(&volume, id).await.unwrap();
    volume.clock.advance(Duration::from_secs(100));
    meta.refresh_session().await.unwrap();
    let after = session(&volume, id).await.unwrap();
    assert_eq!(after.info, before.info);
    assert!(after.expire >= before.expire + 100);
    run(volume.engine.as_ref(), "test", move |txn| {
        txn.delete(Key::Session(id));
        Box::pin(async { Ok(()) })
    })
    .await
    .unwrap();
    meta.refresh_session().await.unwrap();
    let again = session(&volume, id).await.unwrap();
    assert_ne!(again.info, before.info, "its mount time is now");
}

#[tokio::test]
async fn a_read_only_client_registers_nothing() {
    let volume = Volume::new().await;
    let options = MetaOptions {
        read_only: true,
        ..quiet()
    };
    let meta = volume.client(options).await;
    assert_eq!(
        meta.start_session(volume.data.clone()).await.unwrap(),
        SessionId(0)
    );
    meta.refresh_session().await.unwrap();
    assert_eq!(volume.scan(Scan::Sessions).await, []);
    meta.close_session().await.unwrap();
}

#[tokio::test]
async fn a_dead_session_loses_its_sustained_files_and_its_record() {
    let volume = Volume::new().await;
    let dead = volume.session().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    let slice = volume.write(file, 0, 100).await;
    dead.open_file(&root, file, OpenFlags::default()).await.unwrap();
    let options = moorage_meta::UnlinkOptions::default();
    dead.unlink(&root, Ino::ROOT, &crate::fixture::name("f"), options)
        .await
        .unwrap();
    assert_eq!(volume.attr(file).await.nlink, 0);
    let id = dead.session();
    drop(dead);

    let alive = volume.session().await;
    assert_eq!(alive.reap_sessions().await.unwrap(), 0, "it has not expired");
    volume.clock.advance(Duration::from_secs(5 * 600 - 100));
    alive.refresh_session().await.unwrap();
    volume.clock.advance(Duration::from_secs(200));
    assert_eq!(alive.reap_sessions().await.unwrap(), 1);
    assert_eq!(session(&volume, id).await, None);
    assert_eq!(kind(volume.meta.getattr(file).await), ErrorKind::NotFound);
    alive.flush_deletions().await.unwrap();
    assert_eq!(volume.owners(slice).await, None);
    assert_eq!(volume.data.ids(), []);
    assert_eq!(session(&volume, alive.session()).await.map(|_| ()), Some(()));
}

#[tokio::test]
async fn sessions_of_old_clients_are_cleaned_five_minutes_after_their_last_heartbeat() {
    let volume = Volume::new().await;
    let (dead, alive) = (SessionId(70), SessionId(71));
    run(volume.engine.as_ref(), "test", move |txn| {
        txn.put(Key::LegacySession(dead), Record::LegacySession(START - 301));
        txn.put(Key::LegacySession(alive), Record::LegacySession(START - 299));
        Box::pin(async { Ok(()) })
    })
    .await
    .unwrap();
    assert_eq!(volume.meta.reap_sessions().await.unwrap(), 1);
    let left = volume.scan(Scan::LegacySessions).await;
    assert_eq!(
        left,
        [(Key::LegacySession(alive), Record::LegacySession(START - 299))]
    );
}

#[tokio::test]
async fn one_client_per_interval_reaps() {
    let volume = Volume::new().await;
    let (first, second) = (volume.session().await, volume.session().await);
    first.refresh_session().await.unwrap();
    let won = volume.counter(Counter::LastCleanupSessions).await;
    assert!(won >= START);
    volume.clock.advance(Duration::from_secs(500));
    second.refresh_session().await.unwrap();
    assert_eq!(volume.counter(Counter::LastCleanupSessions).await, won);
    volume.clock.advance(Duration::from_secs(100));
    second.refresh_session().await.unwrap();
    assert!(volume.counter(Counter::LastCleanupSessions).await > won);
}

#[tokio::test]
async fn closing_removes_what_was_held_open() {
    let volume = Volume::new().await;
    let meta = volume.session().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 100).await;
    meta.open_file(&root, file, OpenFlags::default()).await.unwrap();
    let options = moorage_meta::UnlinkOptions::default();
    meta.unlink(&root, Ino::ROOT, &crate::fixture::name("f"), options)
        .await
        .unwrap();
    meta.close_session().await.unwrap();
    assert_eq!(volume.scan(Scan::AllSustained).await, []);
    assert_eq!(volume.scan(Scan::DeletedFiles).await, []);
    assert_eq!(volume.data.ids(), []);
}

#[tokio::test]
async fn a_client_can_start_again_after_it_closed() {
    let volume = Volume::new().await;
    let meta = volume.session().await;
    assert_eq!(
        kind(meta.start_session(volume.data.clone()).await),
        ErrorKind::Exists
    );
    meta.close_session().await.unwrap();
    assert_eq!(
        meta.start_session(volume.data.clone()).await.unwrap(),
        SessionId(2)
    );
}

#[tokio::test(start_paused = true)]
async fn the_heartbeat_runs_by_itself_and_ends_with_the_session() {
    let volume = Volume::new().await;
    let options = MetaOptions {
        heartbeat: Duration::from_secs(12),
        ..quiet()
    };
    let meta: std::sync::Arc<Meta> = volume.client(options).await;
    let id = meta.start_session(volume.data.clone()).await.unwrap();
    let first = session(&volume, id).await.unwrap().expire;
    volume.clock.advance(Duration::from_secs(30));
    tokio::time::sleep(Duration::from_secs(13)).await;
    let second = session(&volume, id).await.unwrap().expire;
    assert!(second >= first + 30, "{first} {second}");
    meta.close_session().await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(session(&volume, id).await, None);
}
