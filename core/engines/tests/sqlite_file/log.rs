//! The write-ahead log: its length, its syncs.

use moorage_meta::{Key, Record};
use moorage_model::{ErrorKind, Ino};

use super::folder::{Folder, write};

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
