//! From a removed last link to removed objects (spec 70-semantics section 4).

use std::pin::pin;
use std::sync::Arc;

use futures_util::poll;
use moorage_meta::admin::{Progress, ReclaimMode};
use moorage_meta::{Context, Key, Meta, MetaOptions, OpenFlags, Record, Scan, UnlinkOptions};
use moorage_model::{CHUNK_SIZE, Error, ErrorKind, Ino};

use crate::check::broken_invariants;
use crate::fixture::{Volume, kind, name, write};
use crate::obligations::{forget, put};
use crate::server_engine::{ServerEngine, meddled};

#[tokio::test]
async fn a_deleted_file_gives_back_chunks_references_and_objects() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let first = volume.write(file, 0, 100).await;
    let second = volume.write(file, 3 * CHUNK_SIZE, 200).await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    assert_eq!(kind(volume.meta.getattr(file).await), ErrorKind::NotFound);
    let length = 3 * CHUNK_SIZE + 200;
    assert!(matches!(
        volume.record(Key::DeletedFile(file, length)).await,
        Some(Record::DeletedFile(_))
    ));
    assert_eq!(volume.data.ids().len(), 2, "removed in the background only");
    volume.flush().await;
    assert_eq!(volume.scan(Scan::AllChunks).await, []);
    assert_eq!(volume.scan(Scan::DeletedFiles).await, []);
    assert_eq!(
        (volume.owners(first).await, volume.owners(second).await),
        (None, None)
    );
    assert_eq!(volume.data.ids(), []);
}

#[tokio::test]
async fn a_slice_that_another_file_shows_stays() {
    let volume = Volume::new().await;
    let root = Context::root();
    let (source, copy) = (
        volume.file(Ino::ROOT, "f").await,
        volume.file(Ino::ROOT, "g").await,
    );
    let slice = volume.write(source, 0, 100).await;
    volume
        .meta
        .copy_file_range(&root, source, 0, copy, 0, 100)
        .await
        .unwrap();
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    volume.flush().await;
    assert_eq!(volume.owners(slice).await, Some(1));
    assert_eq!(volume.data.ids(), [slice.id]);
    volume.unlink(Ino::ROOT, "g").await.unwrap();
    volume.flush().await;
    assert_eq!(volume.data.ids(), []);
}

#[tokio::test]
async fn more_chunks_than_a_batch_go_in_several_transactions() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    for chunk in 0..150 {
        volume.write(file, chunk * CHUNK_SIZE, 10).await;
    }
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    volume.flush().await;
    assert_eq!(volume.scan(Scan::AllChunks).await, []);
    assert_eq!(volume.scan(Scan::SliceRefs).await, []);
    assert_eq!(volume.data.ids(), []);
}

#[tokio::test]
async fn many_small_files_go_in_one_transaction() {
    let volume = Volume::new().await;
    let (meta, engine) = meddled(&volume).await;
    meta.attach_data(volume.data.clone());
    for file in ["a", "b", "c", "d"] {
        let ino = volume.file(Ino::ROOT, file).await;
        volume.write(ino, 0, 100).await;
        meta.unlink(&Context::root(), Ino::ROOT, &name(file), UnlinkOptions::default())
            .await
            .unwrap();
    }
    meta.flush_deletions().await.unwrap();
    assert_eq!(engine.executed("delete chunks"), 1);
    assert_eq!(volume.scan(Scan::DeletedFiles).await, []);
    assert_eq!(volume.scan(Scan::SliceRefs).await, []);
    assert_eq!(volume.data.ids(), []);
}

#[tokio::test]
async fn a_deleted_file_that_still_exists_keeps_its_data_and_no_other_file() {
    let volume = Volume::new().await;
    let mut slices = Vec::new();
    for file in ["a", "b", "c"] {
        let ino = volume.file(Ino::ROOT, file).await;
        let record = volume.record(Key::Node(ino)).await.unwrap();
        slices.push(volume.write(ino, 0, 100).await.id);
        volume.unlink(Ino::ROOT, file).await.unwrap();
        if file == "b" {
            put(&volume, Key::Node(ino), record).await;
        }
    }
    assert_eq!(kind(volume.meta.flush_deletions().await), ErrorKind::Corrupt);
    assert_eq!(volume.data.ids(), [slices[1]]);
    assert_eq!(volume.scan(Scan::DeletedFiles).await.len(), 1);
}

#[tokio::test]
async fn slice_lists_without_a_file_are_found_and_removed_and_no_others() {
    let volume = Volume::new().await;
    let root = Context::root();
    let [kept, gone, deleted] = ["kept", "gone", "deleted"].map(|file| volume.file(Ino::ROOT, file));
    let (kept, gone, deleted) = (kept.await, gone.await, deleted.await);
    let shared = volume.write(kept, 0, 100).await;
    let alone = volume.write(gone, 0, 300).await;
    let pending = volume.write(deleted, 0, 50).await;
    let copied = volume
        .meta
        .copy_file_range(&root, kept, 0, gone, 400 * CHUNK_SIZE, 100);
    copied.await.unwrap();
    forget(&volume, Key::Node(gone)).await;
    volume.unlink(Ino::ROOT, "deleted").await.unwrap();
    let progress = Progress::default();
    let reclaim = async |mode| {
        let found = volume.meta.reclaim_orphaned_chunks(mode, &progress);
        let found = found.await.unwrap();
        (found.count, found.bytes, found.damaged)
    };
    assert_eq!(reclaim(ReclaimMode::DryRun).await, (2, 400, 0));
    assert_eq!(volume.data.ids(), [shared.id, alone.id, pending.id]);
    assert_eq!(reclaim(ReclaimMode::Delete).await, (2, 400, 0));
    assert_eq!(volume.data.ids(), [shared.id, pending.id]);
    assert_eq!(volume.owners(shared).await, Some(1));
    assert_eq!(reclaim(ReclaimMode::Delete).await, (0, 0, 0));
}

#[tokio::test]
async fn a_file_that_is_deleted_while_slice_lists_are_read_leaves_none_without_a_file() {
    for removes_data in [false, true] {
        let volume = Arc::new(Volume::new().await);
        let file = volume.file(Ino::ROOT, "f").await;
        volume.write(file, 0, 100).await;
        let (meta, engine) = meddled(&volume).await;
        let other = Arc::clone(&volume);
        let act = Box::pin(async move {
            other.unlink(Ino::ROOT, "f").await.unwrap();
            if removes_data {
                other.flush().await;
            }
        });
        engine.after_scan(Scan::AllChunks, act);
        let progress = Progress::default();
        let found = meta.reclaim_orphaned_chunks(ReclaimMode::DryRun, &progress).await;
        assert_eq!(found.unwrap().count, 0, "data removed: {removes_data}");
        assert_eq!(volume.scan(Scan::AllNodes).await.len(), 1, "it was deleted");
    }
}

#[tokio::test]
async fn a_file_that_is_open_here_keeps_its_data_until_the_last_close() {
    let volume = Volume::new().await;
    let meta = volume.session().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    for _ in 0..2 {
        meta.open_file(&root, file, OpenFlags::default()).await.unwrap();
    }
    write(&meta, &volume.data, file, 0, 100).await.unwrap();
    meta.unlink(&root, Ino::ROOT, &name("f"), UnlinkOptions::default())
        .await
        .unwrap();
    assert_eq!(
        kind(meta.lookup(&root, Ino::ROOT, &name("f")).await),
        ErrorKind::NotFound
    );
    write(&meta, &volume.data, file, 100, 100).await.unwrap();
    meta.close_file(file).await.unwrap();
    meta.flush_deletions().await.unwrap();
    assert_eq!(meta.getattr(file).await.unwrap().length, 200);
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
    meta.close_file(file).await.unwrap();
    meta.flush_deletions().await.unwrap();
    assert_eq!(kind(meta.getattr(file).await), ErrorKind::NotFound);
    assert_eq!(volume.scan(Scan::AllSustained).await, []);
    assert_eq!(volume.data.ids(), []);
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_failed_removal_keeps_the_reference_for_the_hourly_job() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let slice = volume.write(file, 0, 100).await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    volume
        .data
        .before_removal(|_| Err(Error::from(ErrorKind::Unavailable)));
    assert_eq!(kind(volume.meta.flush_deletions().await), ErrorKind::Unavailable);
    assert_eq!(volume.owners(slice).await, Some(0));
    volume.data.removals_succeed();
    volume.meta.clean_up_slices().await.unwrap();
    assert_eq!(volume.owners(slice).await, None);
    assert_eq!(volume.data.ids(), []);
}

#[tokio::test]
async fn a_client_without_deletions_drops_owners_and_leaves_the_objects() {
    let options = MetaOptions {
        max_deletes: 0,
        ..MetaOptions::default()
    };
    let volume = Volume::with_options(|_| {}, options).await;
    let file = volume.file(Ino::ROOT, "f").await;
    let slice = volume.write(file, 0, 100).await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    volume.flush().await;
    assert_eq!(volume.owners(slice).await, Some(0));
    assert_eq!(volume.data.ids(), [slice.id]);
    let other = volume.client(MetaOptions::default()).await;
    other.clean_up_slices().await.unwrap();
    assert_eq!(volume.data.ids(), []);
}

#[tokio::test]
async fn two_clients_may_remove_the_same_file_at_once() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let shared = volume.file(Ino::ROOT, "g").await;
    let slice = volume.write(file, 0, 100).await;
    volume
        .meta
        .copy_file_range(&Context::root(), file, 0, shared, 0, 100)
        .await
        .unwrap();
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    volume.clock.advance(std::time::Duration::from_secs(4000));
    let other = volume.client(MetaOptions::default()).await;
    let (mine, theirs) = tokio::join!(volume.meta.flush_deletions(), other.clean_up_files());
    mine.unwrap();
    theirs.unwrap();
    assert_eq!(volume.owners(slice).await, Some(1));
    assert_eq!(volume.data.ids(), [slice.id]);
}

#[tokio::test]
async fn symlinks_and_special_files_leave_no_record() {
    let volume = Volume::new().await;
    let root = Context::root();
    let link = volume
        .meta
        .symlink(&root, Ino::ROOT, &name("l"), b"target")
        .await
        .unwrap();
    volume.unlink(Ino::ROOT, "l").await.unwrap();
    assert_eq!(volume.record(Key::Symlink(link.ino)).await, None);
    assert_eq!(volume.scan(Scan::DeletedFiles).await, []);
    assert_eq!(broken_invariants(volume.engine.as_ref(), None).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn the_worker_of_a_session_removes_without_being_asked() {
    let volume = Volume::new().await;
    let meta = volume.session().await;
    let file = volume.file(Ino::ROOT, "f").await;
    write(&meta, &volume.data, file, 0, 100).await.unwrap();
    meta.unlink(&Context::root(), Ino::ROOT, &name("f"), UnlinkOptions::default())
        .await
        .unwrap();
    let removed = Arc::new(tokio::sync::Notify::new());
    let signal = Arc::clone(&removed);
    volume.data.before_removal(move |_| {
        signal.notify_one();
        Ok(())
    });
    tokio::time::timeout(std::time::Duration::from_secs(60), removed.notified())
        .await
        .unwrap();
    meta.close_session().await.unwrap();
    assert_eq!(volume.data.ids(), []);
}

#[tokio::test]
async fn a_file_that_is_made_open_keeps_its_data_when_it_is_unlinked_at_once() {
    let volume = Volume::new().await;
    let meta = volume.session().await;
    let root = Context::root();
    let made = meta
        .create_or_open(&root, Ino::ROOT, &name("f"), 0o644, 0, true)
        .await
        .unwrap();
    meta.unlink(&root, Ino::ROOT, &name("f"), UnlinkOptions::default())
        .await
        .unwrap();
    assert!(meta.getattr(made.ino).await.is_ok());
    meta.close_file(made.ino).await.unwrap();
    assert_eq!(kind(meta.getattr(made.ino).await), ErrorKind::NotFound);
    meta.close_session().await.unwrap();
}

/// A client with a session whose transactions can be held before their commit.
async fn holding(volume: &Volume) -> (Arc<Meta>, Arc<ServerEngine>) {
    let (meta, engine) = meddled(volume).await;
    meta.start_session(volume.data.clone()).await.unwrap();
    (meta, engine)
}

#[tokio::test]
async fn an_open_of_a_file_that_this_client_is_removing_waits_and_finds_nothing() {
    let volume = Volume::new().await;
    let (meta, engine) = holding(&volume).await;
    let file = volume.file(Ino::ROOT, "f").await;
    let root = Context::root();
    let held = engine.hold("unlink");
    let opens = async {
        held.reached().await;
        let mut opened = pin!(meta.open_file(&root, file, OpenFlags::default()));
        assert!(poll!(&mut opened).is_pending());
        held.release();
        opened.await
    };
    let removed = name("f");
    let (removed, opened) = tokio::join!(
        meta.unlink(&root, Ino::ROOT, &removed, UnlinkOptions::default()),
        opens
    );
    removed.unwrap();
    assert_eq!(kind(opened), ErrorKind::NotFound);
    assert_eq!(meta.open_file_count(), 0);
    meta.close_session().await.unwrap();
}

#[tokio::test]
async fn a_removal_that_did_not_come_about_keeps_nobody_waiting() {
    let volume = Volume::new().await;
    let (meta, engine) = holding(&volume).await;
    let file = volume.file(Ino::ROOT, "f").await;
    let root = Context::root();
    let held = engine.hold("unlink");
    let given_up = async {
        let removed = name("f");
        let mut removed = pin!(meta.unlink(&root, Ino::ROOT, &removed, UnlinkOptions::default()));
        tokio::select! {
            _ = &mut removed => unreachable!("it is held"),
            () = held.reached() => {}
        }
    };
    given_up.await;
    meta.open_file(&root, file, OpenFlags::default()).await.unwrap();
    meta.close_file(file).await.unwrap();
    assert!(meta.getattr(file).await.is_ok());
    meta.close_session().await.unwrap();
}

#[tokio::test]
async fn a_file_without_a_name_can_not_be_opened_once_its_last_close_began() {
    let volume = Volume::new().await;
    let (meta, engine) = holding(&volume).await;
    let root = Context::root();
    let made = meta
        .create_or_open(&root, Ino::ROOT, &name("f"), 0o644, 0, true)
        .await
        .unwrap();
    meta.unlink(&root, Ino::ROOT, &name("f"), UnlinkOptions::default())
        .await
        .unwrap();
    let held = engine.hold("delete sustained");
    let opens = async {
        held.reached().await;
        let opened = meta.open_file(&root, made.ino, OpenFlags::default()).await;
        held.release();
        opened
    };
    let (closed, opened) = tokio::join!(meta.close_file(made.ino), opens);
    closed.unwrap();
    assert_eq!(kind(opened), ErrorKind::NotFound);
    meta.close_session().await.unwrap();
}
