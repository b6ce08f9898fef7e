//! Clients of PostgreSQL are told what others change, and nobody pays for it while none of them wants to know.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use moorage_engines::open;
use moorage_meta::{Changed, Changes, Context, Meta, SetAttr, UnlinkOptions};
use moorage_model::{ErrorKind, Ino};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::place::Place;
use crate::volume::{client, format, name};

const LIMIT: Duration = Duration::from_secs(60);
/// The number of the volume, by which its channel and its locks are named.
const VOLUME: &str = "SELECT 'jfs_setting'::regclass::oid::bigint";
/// Connections that wait for an advisory lock.
const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";

async fn chmod(meta: &Meta, mode: u16) {
    let change = SetAttr {
        mode: Some(mode),
        ..SetAttr::default()
    };
    meta.setattr(&Context::root(), Ino::ROOT, change).await.unwrap();
}

/// What is told next.
async fn next(changes: &Changes) -> Changed {
    let told = async {
        loop {
            changes.told().await;
            if let Some(changed) = changes.take() {
                return changed;
            }
        }
    };
    timeout(LIMIT, told).await.expect("something is told")
}

/// A connection beside the engine, and the messages that it hears.
async fn beside(place: &Place) -> (Client, UnboundedReceiver<String>) {
    let (client, mut connection) = tokio_postgres::connect(&place.url(), NoTls).await.unwrap();
    let (sender, messages) = unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(message) = message
                && sender.send(message.payload().to_owned()).is_err()
            {
                return;
            }
        }
    });
    (client, messages)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_told_to_others_and_not_to_its_maker() {
    let Some(place) = Place::postgres() else { return };
    format(&place.url(), 0).await;
    let (one, other) = (client(&place.url()).await, client(&place.url()).await);
    let (own, told) = (one.watch().await.unwrap(), other.watch().await.unwrap());
    for changes in [&own, &told] {
        assert!(changes.are_complete());
        assert_eq!(next(changes).await, Changed::Everything);
    }
    chmod(&one, 0o700).await;
    assert_eq!(next(&told).await, Changed::Nodes(vec![Ino::ROOT]));
    let made = other
        .mkdir(&Context::root(), Ino::ROOT, &name("d"), 0o755, 0)
        .await
        .unwrap();
    // The first that its maker hears: neither its own change, nor the new node, which nobody can know.
    assert_eq!(next(&own).await, Changed::Nodes(vec![Ino::ROOT]));
    other
        .rmdir(&Context::root(), Ino::ROOT, &name("d"), UnlinkOptions::default())
        .await
        .unwrap();
    let Changed::Nodes(mut nodes) = next(&own).await else {
        panic!("nodes are told")
    };
    nodes.sort_unstable();
    assert_eq!(nodes, [Ino::ROOT, made.ino]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_is_sent_while_nobody_wants_one() {
    let Some(place) = Place::postgres() else { return };
    format(&place.url(), 0).await;
    let meta = client(&place.url()).await;
    let (ear, mut messages) = beside(&place).await;
    let channel = format!("moorage_{}", place.count(VOLUME));
    ear.batch_execute(&format!("LISTEN {channel}")).await.unwrap();
    chmod(&meta, 0o700).await;
    ear.batch_execute(&format!("NOTIFY {channel}, 'fence'"))
        .await
        .unwrap();
    assert_eq!(messages.recv().await.unwrap(), "fence");
    let changes = meta.watch().await.unwrap();
    chmod(&meta, 0o711).await;
    let is_change = |message: &str| message.ends_with(" 1");
    let heard = async { while !is_change(&messages.recv().await.unwrap()) {} };
    timeout(LIMIT, heard)
        .await
        .expect("the change of the root is sent");
    drop(changes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_begins_to_listen_waits_for_changes_that_saw_no_listener() {
    let Some(place) = Place::postgres() else { return };
    format(&place.url(), 0).await;
    let meta = client(&place.url()).await;
    let (writer, _) = beside(&place).await;
    let writing = (0x6d6f_6f73_u64 << 32) + place.count(VOLUME);
    writer
        .batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock_shared({writing})"))
        .await
        .unwrap();
    let watching = tokio::spawn(async move { meta.watch().await });
    let start = Instant::now();
    while place.count(WAITING) == 0 {
        assert!(start.elapsed() < LIMIT, "it waits");
        assert!(!watching.is_finished(), "a change is under way");
        tokio::task::yield_now().await;
    }
    writer.batch_execute("COMMIT").await.unwrap();
    let changes = timeout(LIMIT, watching).await.unwrap().unwrap().unwrap();
    assert!(changes.are_complete());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_again_tells_again() {
    let Some(mut place) = Place::own_postgres(&[]) else {
        return;
    };
    format(&place.url(), 0).await;
    let meta = client(&place.url()).await;
    let other = client(&place.url()).await;
    let changes = meta.watch().await.unwrap();
    assert_eq!(next(&changes).await, Changed::Everything);
    place.stop();
    assert_eq!(next(&changes).await, Changed::Everything);
    assert!(!changes.are_complete());
    place.start_again();
    while !changes.are_complete() {
        changes.told().await;
    }
    changes.take();
    chmod(&other, 0o700).await;
    assert_eq!(next(&changes).await, Changed::Nodes(vec![Ino::ROOT]));
}

#[tokio::test]
async fn mysql_tells_nobody_of_changes() {
    let Some(place) = Place::mysql() else { return };
    let engine = open(&place.url(), None).unwrap();
    let refused = engine.watch().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotSupported, "{refused}");
}
