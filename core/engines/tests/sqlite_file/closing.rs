//! What the file holds after a close, a drop, and without any change.

use std::sync::Arc;

use moorage_engines::open_existing;
use moorage_meta::{Key, Meta, MetaOptions, Scan};
use moorage_model::{ErrorKind, Ino, SystemClock};

use super::folder::{Folder, add_node, add_slice, count, setting};

#[tokio::test]
async fn after_a_close_the_file_alone_holds_everything() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    add_node(engine.as_ref(), 5).await.unwrap();
    add_slice(engine.as_ref()).await;
    engine.close().await.unwrap();
    let alone = folder.main_file_only();
    assert_eq!(
        (
            count(&alone, "jfs_node"),
            count(&alone, "jfs_chunk"),
            count(&alone, "jfs_setting")
        ),
        (1, 1, 0)
    );
    assert!(!folder.log().exists(), "the log is gone");
    let error = add_node(engine.as_ref(), 6).await.unwrap_err();
    assert!(error.to_string().contains("was closed"), "{error}");
    let error = engine.read(&[Key::Setting]).await.unwrap_err();
    assert!(error.to_string().contains("was closed"), "{error}");
    engine.close().await.expect("closing twice is harmless");
}

#[tokio::test]
async fn a_formatted_volume_is_in_the_file_when_its_engine_is_merely_dropped() {
    let folder = Folder::new();
    let engine = folder.engine();
    Meta::format(&engine, &setting(), &SystemClock).await.unwrap();
    drop(engine);
    let alone = folder.main_file_only();
    assert_eq!((count(&alone, "jfs_setting"), count(&alone, "jfs_node")), (1, 2));
}

#[tokio::test]
async fn dropping_does_not_make_records_durable_that_name_unsynced_blocks() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    engine.make_durable().await.unwrap();
    add_slice(engine.as_ref()).await;
    drop(engine);
    assert!(
        std::fs::metadata(folder.log()).unwrap().len() > 0,
        "the slice is in the log only"
    );
    let next = folder.engine();
    assert_eq!(
        next.scan(&Scan::AllChunks, None, 9).await.unwrap().items.len(),
        1,
        "and is found there"
    );
    next.make_durable().await.unwrap();
    drop(next);
}

#[tokio::test]
async fn reading_an_absent_file_makes_none() {
    let folder = Folder::new();
    let engine = folder.engine();
    assert_eq!(engine.read(&[Key::Setting]).await.unwrap(), [None]);
    assert!(engine.is_empty().await.unwrap());
    let error = Meta::open(Arc::clone(&engine), MetaOptions::default(), Arc::new(SystemClock))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFormatted, "{error}");
    engine.make_durable().await.unwrap();
    engine.close().await.unwrap();
    assert!(!folder.file().exists());
    assert_eq!(
        open_existing(&folder.url(), None).unwrap_err().kind(),
        ErrorKind::DatabaseMissing
    );
}

#[tokio::test]
async fn an_absent_file_that_another_client_makes_is_seen() {
    let folder = Folder::new();
    let early = folder.engine();
    assert_eq!(early.read(&[Key::Node(Ino(5))]).await.unwrap(), [None]);
    let other = folder.prepared().await;
    add_node(other.as_ref(), 5).await.unwrap();
    assert!(early.read(&[Key::Node(Ino(5))]).await.unwrap()[0].is_some());
}

#[tokio::test]
async fn a_file_that_can_not_be_reached_any_more_is_missed_and_does_not_read_as_empty() {
    let folder = Folder::new();
    let made = folder.prepared().await;
    add_node(made.as_ref(), 5).await.unwrap();
    made.close().await.unwrap();
    let engine = folder.engine();
    let aside = folder.file().with_extension("aside");
    std::fs::rename(folder.file(), &aside).unwrap();
    for key in [Key::Setting, Key::Node(Ino(5))] {
        let error = engine.read(&[key]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DatabaseMissing, "{error}");
    }
    let refused = add_node(engine.as_ref(), 6).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::DatabaseMissing, "{refused}");
    assert!(!folder.file().exists(), "no other one is made in its place");
    std::fs::rename(&aside, folder.file()).unwrap();
    assert!(engine.read(&[Key::Node(Ino(5))]).await.unwrap()[0].is_some());
    add_node(engine.as_ref(), 6).await.unwrap();
}
