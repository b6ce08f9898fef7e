//! Lines 4 to 7: slices, references, modification times.

use moorage_meta::{Context, FallocateMode, Scan, SetAttr, SetTime};
use moorage_model::{Attr, ChunkIndex, ErrorKind, Ino};

use super::sound;
use crate::fixture::{Volume, kind, quiet, write};

const FIRST: ChunkIndex = ChunkIndex(0);

#[tokio::test]
async fn line_04_a_record_is_added_only_for_a_slice_that_is_complete() {
    // The data layer stores the blocks before it calls this one; here: nothing of a refused slice is recorded, and the
    // record appears with its reference or not at all.
    let volume = Volume::with(|setting| setting.capacity = 8192).await;
    let file = volume.file(Ino::ROOT, "f").await;
    let refused = write(&volume.meta, &volume.data, file, 0, 100_000).await;
    assert_eq!(kind(refused), ErrorKind::NoSpace);
    assert_eq!(volume.scan(Scan::AllChunks).await, []);
    assert_eq!(volume.scan(Scan::SliceRefs).await, []);
    assert_eq!(volume.attr(file).await.length, 0);
    let slice = volume.write(file, 0, 100).await;
    assert_eq!(volume.owners(slice).await, Some(1));
}

#[tokio::test]
async fn line_05_lists_grow_at_their_end_and_only_compaction_replaces_what_it_compared() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let other = volume.client(quiet()).await;
    let mut expected = Vec::new();
    for part in 0..4 {
        expected.push(volume.write(file, part * 10, 10).await);
        expected.push(
            write(&other, &volume.data, file, part * 10 + 5, 10)
                .await
                .unwrap(),
        );
    }
    volume.meta.truncate(&Context::root(), file, 20).await.unwrap();
    let list = other.read_slices(file, FIRST).await.unwrap();
    assert_eq!(list[..8], expected[..]);
    let (_, appended) = tokio::join!(
        volume.meta.compact_chunk(file, FIRST),
        write(&other, &volume.data, file, 100, 10)
    );
    let list = other.read_slices(file, FIRST).await.unwrap();
    assert_eq!(
        list.last(),
        Some(&appended.unwrap()),
        "an append during a compaction stays behind it"
    );
    sound(&volume).await;
}

#[tokio::test]
async fn line_06_references_change_in_the_transaction_of_their_records() {
    let volume = Volume::new().await;
    let root = Context::root();
    let (file, copy) = (
        volume.file(Ino::ROOT, "f").await,
        volume.file(Ino::ROOT, "g").await,
    );
    let slice = volume.write(file, 0, 100).await;
    sound(&volume).await;
    for offset in [0, 200, 400] {
        volume
            .meta
            .copy_file_range(&root, file, 0, copy, offset, 100)
            .await
            .unwrap();
        sound(&volume).await;
    }
    assert_eq!(volume.owners(slice).await, Some(4));
    volume.meta.compact_chunk(copy, FIRST).await.unwrap();
    sound(&volume).await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    sound(&volume).await;
    volume.flush().await;
    assert_eq!(volume.owners(slice).await, None);
    sound(&volume).await;
}

#[tokio::test]
async fn line_07_every_change_of_content_or_length_changes_mtime() {
    let volume = Volume::new().await;
    let root = Context::root();
    let (file, source) = (
        volume.file(Ino::ROOT, "f").await,
        volume.file(Ino::ROOT, "g").await,
    );
    volume.write(source, 0, 50).await;
    let mut last = volume.attr(file).await.mtime;
    let mut changed = |attr: Attr, what: &str| {
        assert_ne!(attr.mtime, last, "{what}");
        last = attr.mtime;
    };
    // The same mtime is asked for each time.
    for offset in [0, 0, 10] {
        volume.write(file, offset, 10).await;
        changed(volume.attr(file).await, "write");
    }
    changed(volume.meta.truncate(&root, file, 5).await.unwrap(), "shrink");
    changed(volume.meta.truncate(&root, file, 500).await.unwrap(), "grow");
    let mode = FallocateMode::from_bits(3).unwrap();
    changed(
        volume.meta.fallocate(&root, file, mode, 0, 5).await.unwrap(),
        "punch",
    );
    let copied = volume
        .meta
        .copy_file_range(&root, source, 0, file, 0, 50)
        .await
        .unwrap();
    changed(copied.attr, "copy");
    let keep_mtime = SetAttr {
        size: Some(1),
        mtime: Some(SetTime::At(volume.attr(file).await.mtime)),
        ..SetAttr::default()
    };
    changed(
        volume.meta.setattr(&root, file, keep_mtime).await.unwrap(),
        "size with the old mtime",
    );
}
