//! A database on a disk that was made read-only.

use moorage_engines::open;
use moorage_meta::Key;
use moorage_model::{ErrorKind, Ino};

use super::disk::Disk;
use super::folder::{Folder, add_node};

#[tokio::test]
async fn a_database_on_a_read_only_disk_is_read_and_a_change_says_that_the_disk_is_read_only() {
    let folder = Folder::new();
    let Some(disk) = Disk::mounted(folder.0.path()) else {
        eprintln!("SKIPPED: this user may not mount, so nothing about a read-only disk is tested");
        return;
    };
    let engine = folder.prepared().await;
    add_node(engine.as_ref(), 2).await.unwrap();
    engine.close().await.unwrap();
    disk.make_read_only();

    let engine = folder.engine();
    let error = add_node(engine.as_ref(), 3).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    let advice = error.advice().unwrap_or_default();
    assert!(
        error.to_string().contains("meta.db") && advice.contains("--read-only"),
        "{error}: {advice}"
    );
    assert!(engine.read(&[Key::Node(Ino(2))]).await.unwrap()[0].is_some());
    engine.close().await.unwrap();

    let missing = open(&format!("sqlite3://{}/new.db", folder.0.path().display()), None).unwrap();
    let error = missing.prepare().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
}
