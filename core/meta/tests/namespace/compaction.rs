//! Compaction (spec 20-model section 8).

use std::sync::Arc;

use moorage_meta::{CompactOutcome, Context, Key, Meta, Scan};
use moorage_model::{CHUNK_SIZE, ChunkIndex, DelayedSlice, ErrorKind, Ino, Slice};

use crate::check::broken_invariants;
use crate::fixture::{Volume, quiet, write};
use crate::server_engine::ServerEngine;

const FIRST: ChunkIndex = ChunkIndex(0);

async fn records(volume: &Volume, ino: Ino) -> Vec<Slice> {
    volume.meta.read_slices(ino, FIRST).await.unwrap()
}

#[tokio::test]
async fn many_records_become_one_and_the_old_slices_go() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    for part in 0..4 {
        volume.write(file, part * 1000, 1000).await;
    }
    let before = volume.attr(file).await;
    let outcome = volume.meta.compact_chunk(file, FIRST).await.unwrap();
    assert_eq!(outcome, CompactOutcome::Replaced(4));
    assert_eq!(volume.attr(file).await, before, "times and length stay");
    let after = records(&volume, file).await;
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].pos, after[0].len, after[0].size), (0, 4000, 4000));
    volume.flush().await;
    assert_eq!(volume.data.ids(), [after[0].id]);
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_commit_that_arrives_after_it_was_given_up_shows_no_slice_that_is_gone() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    for part in 0..4 {
        volume.write(file, part * 1000, 1000).await;
    }
    let before = records(&volume, file).await;
    let engine = Arc::new(ServerEngine::new(Arc::clone(&volume.engine)));
    let meta = Meta::open(Arc::clone(&engine) as _, quiet(), volume.clock.clone())
        .await
        .unwrap();
    meta.attach_data(volume.data.clone());
    engine.delay("compact");
    let lost = meta.compact_chunk(file, FIRST).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Unavailable);
    meta.flush_deletions().await.unwrap();
    engine.arrive().await;
    assert_eq!(records(&volume, file).await, before);
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn with_a_trash_the_old_slices_are_delayed() {
    let volume = Volume::with(|setting| setting.trash_days = 1).await;
    let file = volume.file(Ino::ROOT, "f").await;
    let old = [volume.write(file, 0, 10).await, volume.write(file, 5, 10).await];
    volume.meta.compact_chunk(file, FIRST).await.unwrap();
    let delayed = volume.scan(Scan::DelayedSlices).await;
    let expected: Vec<DelayedSlice> = old
        .iter()
        .map(|slice| DelayedSlice {
            id: slice.id,
            size: slice.size,
        })
        .collect();
    assert_eq!(delayed.len(), 1);
    assert!(matches!(&delayed[0].1, moorage_meta::Record::DelayedSlices(list) if *list == expected));
    volume.flush().await;
    assert_eq!(volume.data.ids().len(), 3);
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_large_first_record_that_shows_all_is_skipped() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let large = volume.write(file, 0, 4 << 20).await;
    volume.write(file, 4 << 20, 100).await;
    volume.write(file, (4 << 20) + 100, 100).await;
    let outcome = volume.meta.compact_chunk(file, FIRST).await.unwrap();
    assert_eq!(outcome, CompactOutcome::Replaced(2));
    let after = records(&volume, file).await;
    assert_eq!(after[0], large);
    assert_eq!((after[1].pos, after[1].len), (4 << 20, 200));
}

#[tokio::test]
async fn a_list_that_changed_under_it_wins_and_the_new_slice_goes() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 10).await;
    volume.write(file, 5, 10).await;
    // Two clients compact the same list; the second finds another prefix than the one it read.
    let other = volume.client(moorage_meta::MetaOptions::default()).await;
    let (first, second) = tokio::join!(
        volume.meta.compact_chunk(file, FIRST),
        other.compact_chunk(file, FIRST)
    );
    let outcomes = [first.unwrap(), second.unwrap()];
    assert!(outcomes.contains(&CompactOutcome::Replaced(2)), "{outcomes:?}");
    volume.flush().await;
    other.flush_deletions().await.unwrap();
    assert_eq!(volume.data.ids().len(), 1);
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_missing_object_gives_up_silently() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let lost = volume.write(file, 0, 10).await;
    volume.write(file, 5, 10).await;
    volume.data.lose(lost.id);
    let before = records(&volume, file).await;
    assert_eq!(
        volume.meta.compact_chunk(file, FIRST).await.unwrap(),
        CompactOutcome::GivenUp
    );
    assert_eq!(records(&volume, file).await, before);
}

#[tokio::test]
async fn holes_inside_are_filled_and_at_the_ends_dropped() {
    let volume = Volume::new().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume.meta.truncate(&root, file, 1000).await.unwrap();
    volume.write(file, 100, 100).await;
    volume.write(file, 500, 100).await;
    volume.meta.truncate(&root, file, 2000).await.unwrap();
    volume.meta.compact_chunk(file, FIRST).await.unwrap();
    let after = records(&volume, file).await;
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].pos, after[0].len), (100, 500));
}

#[tokio::test]
async fn one_record_is_never_rewritten() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 10).await;
    let outcome = volume.meta.compact_chunk(file, FIRST).await.unwrap();
    assert_eq!(outcome, CompactOutcome::Nothing);
    let empty = volume.meta.compact_chunk(file, ChunkIndex(7)).await.unwrap();
    assert_eq!(empty, CompactOutcome::Nothing);
}

#[tokio::test]
async fn the_hundredth_write_compacts_in_the_background() {
    let volume = Volume::new().await;
    let meta = volume.session().await;
    let file = volume.file(Ino::ROOT, "f").await;
    for part in 0..99 {
        write(&meta, &volume.data, file, part, 1).await.unwrap();
    }
    let key = Key::Chunk(file, FIRST);
    for _ in 0..10_000 {
        let Some(moorage_meta::Record::Chunk(list)) = volume.record(key.clone()).await else {
            panic!("the chunk is gone");
        };
        if list.len() == 1 {
            meta.close_session().await.unwrap();
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("nothing compacted the chunk");
}

#[tokio::test]
async fn a_writer_waits_before_a_list_grows_too_long() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let mut longest = 0;
    for part in 0..2600_u64 {
        // Without a session nothing compacts in the background.
        volume.write(file, part % CHUNK_SIZE, 1).await;
        if part % 100 == 0 {
            longest = longest.max(records(&volume, file).await.len());
        }
    }
    assert!(longest <= 2501, "{longest}");
    assert!(records(&volume, file).await.len() < 2000);
}
