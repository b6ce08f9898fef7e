//! The write-ahead log: its length, its syncs.

use moorage_meta::{Engine, Key, Record};
use moorage_model::{ErrorKind, Ino};

use super::folder::{Folder, add_slice, write};

#[tokio::test]
async fn the_log_stays_bounded_under_writing_and_barriers() {
    const LIMIT: u64 = 32 << 20;
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let mut longest = 0;
    for round in 0..12_u64 {
        for part in 0..10 {
            write(engine.as_ref(), move |txn| {
                for number in 0..16 {
                    let key = Key::Xattr(Ino(round * 1000 + part * 100 + number), b"user.big".to_vec());
                    txn.put(key, Record::Xattr(vec![7; 60_000]));
                }
            })
            .await
            .unwrap();
        }
        engine.make_durable().await.unwrap();
        longest = longest.max(std::fs::metadata(folder.log()).unwrap().len());
    }
    assert!(
        longest > LIMIT,
        "{longest}: enough was written to need a checkpoint"
    );
    assert!(longest < 2 * LIMIT, "the log grew to {longest} bytes");
    write(engine.as_ref(), |txn| {
        txn.insert(Key::Detached(Ino(1)), Record::Detached(0));
    })
    .await
    .unwrap();
    let length = std::fs::metadata(folder.log()).unwrap().len();
    assert!(length <= LIMIT, "the log still has {length} bytes");
}

/// Writes this many transactions of 60 KB each, none of them what is there already.
async fn write_much(engine: &dyn Engine, transactions: u64) {
    for number in 0..transactions {
        let value = vec![u8::try_from(number % 251).unwrap(); 60_000];
        write(engine, move |txn| {
            txn.put(
                Key::Xattr(Ino(number % 50), b"user.big".to_vec()),
                Record::Xattr(value.clone()),
            );
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn the_log_stays_bounded_without_barriers_unless_it_names_blocks() {
    const LIMIT: u64 = 64 << 20;
    let folder = Folder::new();
    let engine = folder.prepared().await;
    write_much(engine.as_ref(), 2600).await;
    let length = std::fs::metadata(folder.log()).unwrap().len();
    assert!(length < 2 * LIMIT, "the log grew to {length} bytes");
    add_slice(engine.as_ref()).await;
    write_much(engine.as_ref(), 2600).await;
    let length = std::fs::metadata(folder.log()).unwrap().len();
    assert!(
        length > 2 * LIMIT,
        "records became durable before their blocks: {length} bytes are left"
    );
}

#[tokio::test]
async fn a_barrier_that_can_not_sync_the_log_fails_by_name_and_can_be_repeated() {
    let folder = Folder::new();
    let engine = folder.prepared().await;
    let aside = folder.0.path().join("aside");
    std::fs::rename(folder.log(), &aside).unwrap();
    std::fs::create_dir(folder.log()).unwrap();
    let error = engine.make_durable().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("meta.db-wal"), "{error}");
    std::fs::remove_dir(folder.log()).unwrap();
    std::fs::rename(&aside, folder.log()).unwrap();
    engine.make_durable().await.unwrap();
}
