//! A database on a disk that is full.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use moorage_meta::{Context, CreateNode, Meta, MetaOptions, UnlinkOptions};
use moorage_model::{ErrorKind, Ino, Name, NodeType, SystemClock};

use super::disk::Disk;
use super::folder::{Folder, setting};

/// Writes a file until the disk has no room for another byte.
fn fill(file: &Path) {
    let mut file = File::create(file).unwrap();
    let mut piece = 1 << 20;
    while piece > 0 {
        if file.write_all(&vec![7; piece]).is_err() {
            piece /= 2;
        }
    }
}

fn name(number: u32) -> Name {
    Name::new(format!("file-{number}").as_bytes()).unwrap()
}

fn file() -> CreateNode {
    CreateNode {
        kind: NodeType::File,
        mode: 0o644,
        umask: 0,
        rdev: 0,
        symlink_target: None,
    }
}

#[tokio::test]
async fn names_can_be_removed_while_the_disk_of_the_database_is_full_and_made_when_it_is_not() {
    let folder = Folder::new();
    let Some(_disk) = Disk::mounted(folder.0.path()) else {
        eprintln!("SKIPPED: this user may not mount, so nothing about a full disk is tested");
        return;
    };
    let engine = folder.engine();
    let mut setting = setting();
    setting.trash_days = 0;
    Meta::format(&engine, &setting, &SystemClock).await.unwrap();
    let clock = std::sync::Arc::new(SystemClock);
    let meta = Meta::open(engine, MetaOptions::default(), clock).await.unwrap();
    let root = Context::root();
    for number in 0..300 {
        meta.mknod(&root, Ino::ROOT, &name(number), file()).await.unwrap();
    }
    let filler = folder.0.path().join("filler");
    fill(&filler);
    // What is kept for removals and was taken ahead is used up by others first.
    let mut more = 300;
    let refused = loop {
        match meta.mknod(&root, Ino::ROOT, &name(more), file()).await {
            Ok(_) => more += 1,
            Err(error) => break error,
        }
        assert!(more < 100_000, "the disk is full");
    };
    assert_eq!(refused.kind(), ErrorKind::NoSpace, "{refused}");
    for number in 0..100 {
        meta.unlink(&root, Ino::ROOT, &name(number), UnlinkOptions::default())
            .await
            .unwrap();
    }
    let again = meta.mknod(&root, Ino::ROOT, &name(0), file()).await;
    assert_eq!(
        again.unwrap_err().kind(),
        ErrorKind::NoSpace,
        "that room is for removals"
    );
    let gone = meta.lookup(&root, Ino::ROOT, &name(99)).await;
    assert_eq!(gone.unwrap_err().kind(), ErrorKind::NotFound);
    meta.lookup(&root, Ino::ROOT, &name(100)).await.unwrap();
    fs::remove_file(&filler).unwrap();
    meta.mknod(&root, Ino::ROOT, &name(0), file()).await.unwrap();
    meta.engine().close().await.unwrap();
}
