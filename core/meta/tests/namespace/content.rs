//! Open, close, write, truncate, fallocate, copy (spec 70-semantics section 7).

use moorage_meta::{Context, FallocateMode, OpenFlags, SetAttr};
use moorage_model::{
    CHUNK_SIZE, ChunkIndex, ErrorKind, Flags, Ino, MAX_FILE_LENGTH, Slice, SliceId, Timestamp,
};

use crate::check::broken_invariants;
use crate::fixture::{START, Volume, kind, name, user};

const FIRST: ChunkIndex = ChunkIndex(0);

fn writing() -> OpenFlags {
    OpenFlags {
        write: true,
        ..OpenFlags::default()
    }
}

async fn records(volume: &Volume, ino: Ino, chunk: u32) -> Vec<(u32, SliceId, u32)> {
    let list = volume.meta.read_slices(ino, ChunkIndex(chunk)).await.unwrap();
    list.iter()
        .map(|slice| (slice.pos, slice.id, slice.len))
        .collect()
}

#[tokio::test]
async fn a_write_appends_a_record_raises_the_length_and_sets_the_times() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let before = volume.attr(file).await;
    let slice = volume.write(file, CHUNK_SIZE + 10, 100).await;
    let after = volume.attr(file).await;
    assert_eq!(after.length, CHUNK_SIZE + 110);
    assert_eq!(after.mtime, Timestamp::new(START, 5));
    assert!(after.ctime > before.ctime);
    assert_eq!(records(&volume, file, 1).await, [(10, slice.id, 100)]);
    assert_eq!(volume.owners(slice).await, Some(1));
    volume.write(file, 0, 10).await;
    let again = volume.attr(file).await;
    assert_eq!(again.length, CHUNK_SIZE + 110);
    assert_eq!(
        again.mtime,
        Timestamp::new(START, 6),
        "the same mtime is moved by a nanosecond"
    );
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn slices_that_break_a_rule_are_refused() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let directory = volume.directory(Ino::ROOT, "d").await;
    let good = Slice {
        pos: 0,
        id: SliceId(77),
        size: 10,
        off: 0,
        len: 10,
    };
    let now = Timestamp::new(START, 0);
    let write = |ino, chunk, slice| volume.meta.write_slice(ino, ChunkIndex(chunk), slice, now);
    let leaving = Slice {
        pos: CHUNK_SIZE as u32 - 5,
        ..good
    };
    assert_eq!(kind(write(file, 0, leaving).await), ErrorKind::InvalidArgument);
    let short = Slice { off: 1, ..good };
    assert_eq!(kind(write(file, 0, short).await), ErrorKind::InvalidArgument);
    assert_eq!(
        kind(write(file, 0, Slice::hole(0, 10)).await),
        ErrorKind::InvalidArgument
    );
    let last = Slice {
        pos: CHUNK_SIZE as u32 - 10,
        ..good
    };
    assert_eq!(
        kind(write(file, u32::MAX >> 1, last).await),
        ErrorKind::FileTooLarge
    );
    assert_eq!(kind(write(directory, 0, good).await), ErrorKind::NotPermitted);
    assert_eq!(kind(write(Ino(12345), 0, good).await), ErrorKind::NotFound);
}

#[tokio::test]
async fn appended_slices_follow_the_end_found_by_the_commit_and_count_as_growth() {
    let volume = Volume::new().await;
    let directory = volume.directory(Ino::ROOT, "d").await;
    let file = volume.file(directory, "f").await;
    volume.write(file, 0, 5000).await;
    let slice = |id, len| Slice {
        pos: 0,
        id: SliceId(id),
        size: len,
        off: 0,
        len,
    };
    let run = [slice(1001, 3000), slice(1002, 200)];
    // The caller knew the file when it was shorter.
    let outcome = volume
        .meta
        .append_slices(file, 100, &run, Timestamp::new(START, 7))
        .await
        .unwrap();
    assert_eq!((outcome.before.length, outcome.attr.length), (5000, 8200));
    assert_eq!(
        records(&volume, file, 0).await[1..],
        [(5000, SliceId(1001), 3000), (8000, SliceId(1002), 200)]
    );
    volume.flush().await;
    let stat = volume.dir_stat(directory).await.unwrap();
    assert_eq!((stat.length, stat.space), (8200, 12_288));
    let hole = [Slice::hole(0, 10)];
    let refused = volume
        .meta
        .append_slices(file, 0, &hole, Timestamp::new(START, 8))
        .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn truncation_hides_by_holes_and_equal_lengths_change_nothing() {
    let volume = Volume::new().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 100).await;
    volume.write(file, CHUNK_SIZE, 100).await;
    volume.write(file, 3 * CHUNK_SIZE, 100).await;
    volume.meta.truncate(&root, file, 50).await.unwrap();
    let whole = CHUNK_SIZE as u32;
    assert_eq!(
        records(&volume, file, 0).await[1],
        (50, SliceId::HOLE, whole - 50)
    );
    assert_eq!(records(&volume, file, 1).await[1], (0, SliceId::HOLE, whole));
    assert_eq!(records(&volume, file, 2).await, []);
    assert_eq!(records(&volume, file, 3).await[1], (0, SliceId::HOLE, 100));
    let before = volume.attr(file).await;
    volume.meta.truncate(&root, file, 50).await.unwrap();
    assert_eq!(volume.attr(file).await, before);
    volume.meta.truncate(&root, file, CHUNK_SIZE).await.unwrap();
    assert_eq!(
        records(&volume, file, 0).await[2],
        (50, SliceId::HOLE, whole - 50)
    );
    assert_eq!(
        records(&volume, file, 1).await.len(),
        2,
        "nothing lies beyond the new end"
    );
    assert!(volume.attr(file).await.mtime > before.mtime);
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn the_longest_file_has_2_to_the_57_less_one_bytes() {
    let volume = Volume::new().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume
        .meta
        .truncate(&root, file, MAX_FILE_LENGTH - 1)
        .await
        .unwrap();
    assert_eq!(volume.attr(file).await.length, MAX_FILE_LENGTH - 1);
    assert_eq!(
        kind(volume.meta.truncate(&root, file, MAX_FILE_LENGTH).await),
        ErrorKind::FileTooLarge
    );
    volume.meta.truncate(&root, file, 0).await.unwrap();
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn opening_checks_permission_flags_and_kind() {
    let volume = Volume::new().await;
    let (root, stranger) = (Context::root(), user(10, 20));
    let file = volume.file(Ino::ROOT, "f").await;
    let directory = volume.directory(Ino::ROOT, "d").await;
    let read = OpenFlags {
        read: true,
        ..OpenFlags::default()
    };
    volume.meta.open_file(&stranger, file, read).await.unwrap();
    let open = |context, ino, flags| volume.meta.open_file(context, ino, flags);
    assert_eq!(
        kind(open(&stranger, file, writing()).await),
        ErrorKind::AccessDenied
    );
    assert_eq!(
        kind(open(&root, directory, writing()).await),
        ErrorKind::IsDirectory
    );
    assert_eq!(kind(open(&root, Ino(999), read).await), ErrorKind::NotFound);
    let set = |flags| volume.meta.set_flags(&root, file, flags, Flags(0x23));
    set(Flags::APPEND).await.unwrap();
    assert_eq!(kind(open(&root, file, writing()).await), ErrorKind::NotPermitted);
    let append = OpenFlags {
        append: true,
        ..writing()
    };
    open(&root, file, append).await.unwrap();
    let cut = OpenFlags {
        truncate: true,
        ..append
    };
    assert_eq!(kind(open(&root, file, cut).await), ErrorKind::NotPermitted);
    set(Flags::IMMUTABLE).await.unwrap();
    assert_eq!(kind(open(&root, file, append).await), ErrorKind::NotPermitted);
    assert_eq!(volume.meta.open_file_count(), 1, "failed opens count no handle");
}

#[tokio::test]
async fn opening_with_truncate_empties_the_file() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 100).await;
    let cut = OpenFlags {
        truncate: true,
        ..writing()
    };
    let attr = volume.meta.open_file(&Context::root(), file, cut).await.unwrap();
    assert_eq!(attr.length, 0);
    assert_eq!(volume.attr(file).await.length, 0);
}

#[tokio::test]
async fn opening_an_empty_file_with_truncate_sets_its_times() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let before = volume.attr(file).await;
    let cut = OpenFlags {
        truncate: true,
        ..writing()
    };
    let opened = volume.meta.open_file(&Context::root(), file, cut).await.unwrap();
    let after = volume.attr(file).await;
    assert!(after.mtime > before.mtime && after.ctime > before.ctime);
    assert_eq!((opened.mtime, opened.ctime), (after.mtime, after.ctime));
}

#[tokio::test]
async fn fallocate_extends_zeroes_and_punches() {
    let volume = Volume::new().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 1000).await;
    let run = |bits, offset, size| {
        let mode = FallocateMode::from_bits(bits).unwrap();
        volume.meta.fallocate(&root, file, mode, offset, size)
    };
    assert_eq!(run(0, 0, 2000).await.unwrap().length, 2000);
    assert_eq!(
        records(&volume, file, 0).await.len(),
        1,
        "extending writes no record"
    );
    assert_eq!(run(1, 0, 9000).await.unwrap().length, 2000);
    assert_eq!(run(3, 100, 50).await.unwrap().length, 2000);
    assert_eq!(records(&volume, file, 0).await[1], (100, SliceId::HOLE, 50));
    assert_eq!(run(16, 1990, 50).await.unwrap().length, 2040);
    assert_eq!(
        records(&volume, file, 0).await[2],
        (1990, SliceId::HOLE, 10),
        "below the old length only"
    );
    assert_eq!(kind(run(0, 0, 0).await), ErrorKind::InvalidArgument);
    assert_eq!(
        kind(run(0, MAX_FILE_LENGTH - 5, 5).await),
        ErrorKind::FileTooLarge
    );
    for (bits, expected) in [
        (2, ErrorKind::InvalidArgument),
        (8, ErrorKind::NotSupported),
        (32, ErrorKind::NotSupported),
        (9, ErrorKind::InvalidArgument),
        (64, ErrorKind::NotSupported),
    ] {
        assert_eq!(kind(FallocateMode::from_bits(bits)), expected, "mode {bits}");
    }
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_change_of_a_range_takes_set_id_bits_away_unless_root_asks() {
    let volume = Volume::new().await;
    let (source, file) = (
        volume.file(Ino::ROOT, "f").await,
        volume.file(Ino::ROOT, "g").await,
    );
    volume.write(source, 0, 100).await;
    for (context, left) in [(user(10, 20), 0o777), (Context::root(), 0o6777)] {
        for bits in [0, 1, 3, 16] {
            with_set_id(&volume, file).await;
            let mode = FallocateMode::from_bits(bits).unwrap();
            let answer = volume.meta.fallocate(&context, file, mode, 0, 50).await.unwrap();
            assert_eq!(
                (answer.mode, volume.attr(file).await.mode),
                (left, left),
                "{bits}"
            );
        }
        with_set_id(&volume, file).await;
        let copy = volume.meta.copy_file_range(&context, source, 0, file, 0, 100);
        let answer = copy.await.unwrap().attr;
        assert_eq!((answer.mode, volume.attr(file).await.mode), (left, left));
    }
}

async fn with_set_id(volume: &Volume, file: Ino) {
    let change = SetAttr {
        mode: Some(0o6777),
        ..SetAttr::default()
    };
    let set = volume.meta.setattr(&Context::root(), file, change).await;
    assert_eq!(set.unwrap().mode, 0o6777);
}

#[tokio::test]
async fn a_copy_shares_slices_and_turns_gaps_into_holes() {
    let volume = Volume::new().await;
    let root = Context::root();
    let (source, copy) = (
        volume.file(Ino::ROOT, "f").await,
        volume.file(Ino::ROOT, "g").await,
    );
    let slice = volume.write(source, 100, 100).await;
    volume.meta.truncate(&root, source, 300).await.unwrap();
    let outcome = volume
        .meta
        .copy_file_range(&root, source, 50, copy, 0, 1000)
        .await
        .unwrap();
    assert_eq!((outcome.copied, outcome.length), (250, 250));
    assert_eq!(
        records(&volume, copy, 0).await,
        [
            (0, SliceId::HOLE, 50),
            (50, slice.id, 100),
            (150, SliceId::HOLE, 100)
        ]
    );
    assert_eq!(volume.owners(slice).await, Some(2));
    let at_end = volume
        .meta
        .copy_file_range(&root, source, 300, copy, 0, 10)
        .await
        .unwrap();
    assert_eq!(at_end.copied, 0);
    let overlap = volume
        .meta
        .copy_file_range(&root, source, 0, source, 50, 100)
        .await;
    assert_eq!(kind(overlap), ErrorKind::InvalidArgument);
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_copy_across_chunk_borders_is_split() {
    let volume = Volume::new().await;
    let root = Context::root();
    let (source, copy) = (
        volume.file(Ino::ROOT, "f").await,
        volume.file(Ino::ROOT, "g").await,
    );
    let slice = volume.write(source, 0, 1000).await;
    let to = CHUNK_SIZE - 400;
    volume
        .meta
        .copy_file_range(&root, source, 0, copy, to, 1000)
        .await
        .unwrap();
    assert_eq!(records(&volume, copy, 0).await, [(to as u32, slice.id, 400)]);
    assert_eq!(records(&volume, copy, 1).await, [(0, slice.id, 600)]);
    assert_eq!(volume.owners(slice).await, Some(3));
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn reading_slices_of_what_is_no_file_says_so() {
    let volume = Volume::new().await;
    let directory = volume.directory(Ino::ROOT, "d").await;
    assert_eq!(
        kind(volume.meta.read_slices(directory, FIRST).await),
        ErrorKind::NotPermitted
    );
    assert_eq!(
        kind(volume.meta.read_slices(Ino(999), FIRST).await),
        ErrorKind::Stale
    );
    let file = volume.file(Ino::ROOT, "f").await;
    assert_eq!(volume.meta.read_slices(file, FIRST).await.unwrap(), []);
}

#[tokio::test]
async fn a_full_volume_refuses_growth_and_not_shrinking() {
    let volume = Volume::with(|setting| setting.capacity = 16_384).await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume.write(file, 0, 16_384).await;
    assert_eq!(
        kind(volume.meta.truncate(&root, file, 16_385).await),
        ErrorKind::NoSpace
    );
    assert_eq!(
        kind(volume.meta.create(&root, Ino::ROOT, &name("g"), 0o644, 0).await),
        ErrorKind::NoSpace
    );
    volume.meta.truncate(&root, file, 1).await.unwrap();
    volume.meta.truncate(&root, file, 16_384).await.unwrap();
}
