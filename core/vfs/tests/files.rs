//! Files through their handles: what is written is read, at once here and after close everywhere.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use moorage_model::{CHUNK_SIZE, ErrorKind, Ino};
use moorage_vfs::{Caller, FallocateMode, OpenFlags, SeekTarget, SetAttrRequest};
use volume::{BLOCK, READ, READ_WRITE, Volume, close, content, create, pattern};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_is_read_back_before_and_after_close() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (entry, handle) = create(&vfs, "a").await;
    let data = pattern(5 * BLOCK + 123, 1);
    for (n, part) in data.chunks(10_000).enumerate() {
        vfs.write(handle, n as u64 * 10_000, part).await.unwrap();
    }
    assert!(content(&vfs, handle).await == data, "before the flush");
    assert_eq!(
        vfs.getattr(entry.ino).await.unwrap().attr.length,
        data.len() as u64
    );
    vfs.fsync(handle, false).await.unwrap();
    assert!(content(&vfs, handle).await == data, "after the flush");
    close(&vfs, handle).await.unwrap();

    let other = volume.client().await;
    let opened = other.open(&Caller::root(), entry.ino, READ).await.unwrap();
    assert!(
        content(&other, opened.handle).await == data,
        "through another client"
    );
    close(&other, opened.handle).await.unwrap();
    other.shutdown().await.unwrap();
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_across_a_chunk_border_is_whole() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "a").await;
    let data = pattern(3 * BLOCK, 2);
    let offset = CHUNK_SIZE - BLOCK as u64 - 5;
    vfs.write(handle, offset, &data).await.unwrap();
    for settled in [false, true] {
        if settled {
            vfs.fsync(handle, true).await.unwrap();
        }
        let found = vfs.read_bytes(handle, offset - 2, data.len() + 2).await.unwrap();
        assert!(found[..2] == [0, 0] && found[2..] == data, "settled: {settled}");
    }
    close(&vfs, handle).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn later_writes_win_whatever_slice_they_go_to() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "a").await;
    let mut model = vec![0; 300_000];
    for n in 0..400_u32 {
        let offset = (n.wrapping_mul(7_919) % 290_000) as usize;
        let data = pattern(1 + (n as usize * 131) % 9_000, n);
        model[offset..offset + data.len()].copy_from_slice(&data);
        vfs.write(handle, offset as u64, &data).await.unwrap();
        if n % 97 == 0 {
            vfs.fsync(handle, false).await.unwrap();
        }
    }
    let found = content(&vfs, handle).await;
    assert!(found[..] == model[..found.len()]);
    vfs.fsync(handle, false).await.unwrap();
    assert!(content(&vfs, handle).await == found);
    close(&vfs, handle).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_of_two_handles_follow_each_other() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (entry, first) = create(&vfs, "log").await;
    let append = OpenFlags {
        append: true,
        ..READ_WRITE
    };
    let a = vfs.open(&Caller::root(), entry.ino, append).await.unwrap().handle;
    let b = vfs.open(&Caller::root(), entry.ino, append).await.unwrap().handle;
    for n in 0..50_u8 {
        vfs.write(a, 0, &[n; 10]).await.unwrap();
        vfs.write(b, 0, &[n + 100; 10]).await.unwrap();
    }
    let found = content(&vfs, first).await;
    let expected: Vec<u8> = (0..50_u8)
        .flat_map(|n| [[n; 10], [n + 100; 10]].concat())
        .collect();
    assert_eq!(found, expected);
    for handle in [a, b, first] {
        close(&vfs, handle).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_range_reads_as_zeros_when_the_file_grows_again() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (entry, handle) = create(&vfs, "a").await;
    vfs.write(handle, 0, &[7; 1000]).await.unwrap();
    for size in [100, 2000] {
        let request = SetAttrRequest {
            size: Some(size),
            ..SetAttrRequest::default()
        };
        let reply = vfs
            .setattr(&Caller::root(), entry.ino, Some(handle), request)
            .await
            .unwrap();
        assert_eq!(reply.attr.length, size);
    }
    vfs.write(handle, 1990, &[9; 20]).await.unwrap();
    let mut expected = vec![7; 100];
    expected.resize(1990, 0);
    expected.resize(2010, 9);
    assert_eq!(content(&vfs, handle).await, expected);
    close(&vfs, handle).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_file_stays_readable_until_its_last_handle_closes() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (entry, handle) = create(&vfs, "a").await;
    vfs.write(handle, 0, b"still here").await.unwrap();
    vfs.unlink(&Caller::root(), Ino::ROOT, b"a").await.unwrap();
    vfs.write(handle, 10, b", and here").await.unwrap();
    vfs.fsync(handle, false).await.unwrap();
    assert_eq!(content(&vfs, handle).await, b"still here, and here");
    assert_eq!(vfs.getattr(entry.ino).await.unwrap().attr.nlink, 0);
    close(&vfs, handle).await.unwrap();
    let gone = vfs.getattr(entry.ino).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_after_a_close_elsewhere_sees_the_new_content() {
    let volume = Volume::new().await;
    let (writer, reader) = (volume.client().await, volume.client().await);
    let (entry, handle) = create(&writer, "a").await;
    writer.write(handle, 0, b"first").await.unwrap();
    close(&writer, handle).await.unwrap();
    let mut keeps = Vec::new();
    for (round, text) in [b"first".as_slice(), b"first", b"other", b"longer"]
        .into_iter()
        .enumerate()
    {
        if round >= 2 {
            let opened = writer.open(&Caller::root(), entry.ino, READ_WRITE).await.unwrap();
            writer.write(opened.handle, 0, text).await.unwrap();
            close(&writer, opened.handle).await.unwrap();
        }
        let opened = reader.open(&Caller::root(), entry.ino, READ).await.unwrap();
        keeps.push(opened.keep_cache);
        assert_eq!(content(&reader, opened.handle).await, text);
        close(&reader, opened.handle).await.unwrap();
    }
    assert_eq!(keeps, [false, true, false, false]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truncate_at_open_empties_the_file_for_all() {
    let volume = Volume::new().await;
    let (one, two) = (volume.client().await, volume.client().await);
    let (entry, handle) = create(&one, "a").await;
    one.write(handle, 0, &[1; 5000]).await.unwrap();
    let truncate = OpenFlags {
        truncate: true,
        ..READ_WRITE
    };
    let again = one
        .open(&Caller::root(), entry.ino, truncate)
        .await
        .unwrap()
        .handle;
    assert!(content(&one, handle).await.is_empty());
    one.write(again, 0, b"new").await.unwrap();
    close(&one, again).await.unwrap();
    close(&one, handle).await.unwrap();
    let opened = two.open(&Caller::root(), entry.ino, READ).await.unwrap();
    assert_eq!(content(&two, opened.handle).await, b"new");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_and_holes_are_found_in_a_sparse_file() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "sparse").await;
    let far = 3 * CHUNK_SIZE + 1000;
    vfs.write(handle, 100, &[1; 50]).await.unwrap();
    vfs.write(handle, far, &[1; 50]).await.unwrap();
    for (offset, target, expected) in [
        (0, SeekTarget::Data, Some(100)),
        (0, SeekTarget::Hole, Some(0)),
        (100, SeekTarget::Hole, Some(150)),
        (120, SeekTarget::Data, Some(120)),
        (150, SeekTarget::Data, Some(far)),
        (far, SeekTarget::Hole, Some(far + 50)),
        (far + 50, SeekTarget::Data, None),
    ] {
        let found = vfs.lseek(handle, offset, target).await;
        assert_eq!(found.ok(), expected, "{offset} {target:?}");
    }
    close(&vfs, handle).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_punched_range_reads_as_zeros_and_a_copy_shares_content() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (_, source) = create(&vfs, "source").await;
    let (_, target) = create(&vfs, "target").await;
    let mut model = pattern(200_000, 3);
    vfs.write(source, 0, &model).await.unwrap();
    let punch = FallocateMode {
        keep_size: true,
        punch_hole: true,
        zero_range: false,
    };
    vfs.fallocate(&Caller::root(), source, punch, 1000, 70_000)
        .await
        .unwrap();
    model[1000..71_000].fill(0);
    assert!(content(&vfs, source).await == model);
    let copied = vfs
        .copy_file_range(&Caller::root(), (source, 500), (target, 7), 150_000)
        .await
        .unwrap();
    assert_eq!(copied, 150_000);
    let found = content(&vfs, target).await;
    assert!(found[..7] == [0; 7] && found[7..] == model[500..150_500]);
    close(&vfs, source).await.unwrap();
    close(&vfs, target).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_beyond_the_format_are_refused_and_reads_there_find_the_end() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "a").await;
    let end = moorage_model::MAX_FILE_LENGTH;
    for offset in [end - 1, end, u64::MAX] {
        let error = vfs.write(handle, offset, &[1]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge, "write at {offset}");
        assert_eq!(
            vfs.read_bytes(handle, offset, 1).await.unwrap().as_ref(),
            b"",
            "read at {offset}"
        );
    }
    close(&vfs, handle).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_bytes_of_the_longest_file_are_read_in_reads_of_any_size() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "a").await;
    let end = moorage_model::MAX_FILE_LENGTH - 1;
    assert_eq!(vfs.write(handle, end - 5, b"hello").await.unwrap(), 5);
    for len in [5, 6, 4096] {
        assert_eq!(
            vfs.read_bytes(handle, end - 5, len).await.unwrap().as_ref(),
            b"hello",
            "{len}"
        );
    }
    close(&vfs, handle).await.unwrap();
}
