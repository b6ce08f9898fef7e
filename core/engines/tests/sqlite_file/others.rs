//! Other programs on the same file.

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use moorage_engines::open;
use moorage_meta::Key;
use moorage_model::{Counter, Ino};

use super::folder::{Folder, add_node, count};

#[tokio::test]
async fn a_lock_of_another_program_is_waited_for() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let other = folder.raw();
    other
        .execute_batch("BEGIN IMMEDIATE; INSERT INTO jfs_counter VALUES ('other', 1)")
        .unwrap();
    let (held, release) = std::sync::mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        // Long enough to be met, bounded if nobody asks.
        let _ = release.recv_timeout(Duration::from_millis(300));
        other.execute_batch("COMMIT").unwrap();
    });
    let reading = engine.read(&[Key::Counter(Counter::UsedSpace)]).now_or_never();
    assert!(
        reading.is_some_and(|read| read.is_ok()),
        "readers do not wait for it"
    );
    let started = Instant::now();
    add_node(engine.as_ref(), 5).await.unwrap();
    assert!(
        started.elapsed() >= Duration::from_millis(100),
        "the lock was there"
    );
    drop(held);
    holder.join().unwrap();
    assert_eq!(count(&folder.raw(), "jfs_counter WHERE name = 'other'"), 1);
}

#[tokio::test]
async fn a_file_left_in_rollback_journal_mode_is_switched_to_a_log() {
    let folder = Folder::new();
    folder.prepared().await.close().await.unwrap();
    let raw = folder.raw();
    let mode: String = raw
        .query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "delete");
    drop(raw);
    let engine = folder.engine();
    assert_eq!(engine.read(&[Key::Setting]).await.unwrap(), [None]);
    add_node(engine.as_ref(), 5).await.unwrap();
    assert!(folder.log().exists());
    assert!(engine.read(&[Key::Node(Ino(5))]).await.unwrap()[0].is_some());
}

#[tokio::test]
async fn two_clients_see_each_other_and_the_last_one_out_closes_the_log() {
    let folder = Folder::new();
    let (first, second) = (folder.prepared().await, folder.prepared().await);
    add_node(first.as_ref(), 5).await.unwrap();
    add_node(second.as_ref(), 6).await.unwrap();
    let found = first.read(&[Key::Node(Ino(5)), Key::Node(Ino(6))]).await.unwrap();
    assert!(found.iter().all(Option::is_some));
    first.close().await.unwrap();
    assert!(folder.log().exists(), "the other one uses it");
    add_node(second.as_ref(), 7).await.unwrap();
    second.close().await.unwrap();
    assert_eq!(count(&folder.main_file_only(), "jfs_node"), 3);
}

#[tokio::test]
async fn prefixed_volumes_share_a_file() {
    let folder = Folder::new();
    let first = folder.prepared().await;
    add_node(first.as_ref(), 5).await.unwrap();
    let second = open(&format!("{}?table_prefix=b&cache=shared", folder.url()), None).unwrap();
    assert!(second.is_empty().await.unwrap(), "tables of others do not count");
    second.prepare().await.unwrap();
    assert_eq!(second.read(&[Key::Node(Ino(5))]).await.unwrap(), [None]);
    add_node(second.as_ref(), 6).await.unwrap();
    second.wipe().await.unwrap();
    assert!(first.read(&[Key::Node(Ino(5))]).await.unwrap()[0].is_some());
    assert!(!first.is_empty().await.unwrap());
}
