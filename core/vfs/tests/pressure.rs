//! Many writers at once, and buffers that run short.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod volume;

use std::sync::Arc;
use std::time::Duration;

use moorage_vfs::{Caller, OpenFlags, SetAttrRequest, WriteOrigin};
use volume::{BLOCK, READ_WRITE, Volume, close, content, create, pattern};

/// Long enough for a slow machine, short enough to tell a deadlock.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_open_files_than_buffers_can_all_be_written() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (_, limit) = vfs.chunks().buffers();
    // Each file holds the buffer of an unfinished block.
    let files = limit as usize / BLOCK + 100;
    let mut handles = Vec::new();
    let all = async {
        for n in 0..files {
            let (_, handle) = create(&vfs, &format!("f{n}")).await;
            vfs.write(handle, 0, &pattern(BLOCK / 2, n as u32)).await.unwrap();
            handles.push(handle);
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
    for (n, handle) in handles.into_iter().enumerate() {
        assert!(
            content(&vfs, handle).await == pattern(BLOCK / 2, n as u32),
            "file {n}"
        );
        close(&vfs, handle).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_on_one_file_neither_block_each_other_nor_lose_a_byte() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (entry, first) = create(&vfs, "shared").await;
    // Each task owns every eighth page.
    let page = 4096_u64;
    let mut tasks = Vec::new();
    for task in 0..8_u64 {
        let vfs = Arc::clone(&vfs);
        tasks.push(tokio::spawn(async move {
            let opened = vfs.open(&Caller::root(), entry.ino, READ_WRITE).await.unwrap();
            for round in 0..60_u64 {
                let place = ((round * 7 + task) % 30 * 8 + task) * page;
                let data = pattern(page as usize, (task * 1000 + round) as u32);
                vfs.write(opened.handle, place, &data).await.unwrap();
                match round % 5 {
                    0 => vfs.fsync(opened.handle, false).await.unwrap(),
                    1 => vfs.flush(opened.handle, None).await.unwrap(),
                    2 => {
                        let now = SetAttrRequest {
                            mode: Some(0o600),
                            ..SetAttrRequest::default()
                        };
                        vfs.setattr(&Caller::root(), entry.ino, None, now).await.unwrap();
                    }
                    _ => {}
                }
                let found = vfs.read_bytes(opened.handle, place, page as usize).await.unwrap();
                assert!(found == data, "task {task} round {round}");
            }
            close(&vfs, opened.handle).await.unwrap();
        }));
    }
    for task in tasks {
        tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
    }
    close(&vfs, first).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_appends_are_each_whole() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (entry, first) = create(&vfs, "log").await;
    let append = OpenFlags {
        append: true,
        ..READ_WRITE
    };
    let mut tasks = Vec::new();
    for task in 0..6_u8 {
        let vfs = Arc::clone(&vfs);
        tasks.push(tokio::spawn(async move {
            let opened = vfs.open(&Caller::root(), entry.ino, append).await.unwrap();
            for round in 0..50_u8 {
                vfs.write(opened.handle, 0, &[task * 40 + round % 40; 100])
                    .await
                    .unwrap();
                if round % 10 == 0 {
                    vfs.fsync(opened.handle, false).await.unwrap();
                }
            }
            close(&vfs, opened.handle).await.unwrap();
        }));
    }
    for task in tasks {
        tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
    }
    let found = content(&vfs, first).await;
    assert_eq!(found.len(), 6 * 50 * 100);
    assert!(
        found
            .chunks(100)
            .all(|record| record.iter().all(|byte| *byte == record[0]))
    );
    close(&vfs, first).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_dropped_half_way_leaves_the_file_writable() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (_, handle) = create(&vfs, "a").await;
    let mut model = pattern(3 * BLOCK, 9);
    vfs.write(handle, 0, &model).await.unwrap();
    // A future that was never polled to its end, at every stage a first poll can reach.
    let data = pattern(BLOCK, 10);
    let lent = vfs.write_now(handle, 1000, &data, WriteOrigin::default());
    if lent.is_none() {
        vfs.write(handle, 1000, &data).await.unwrap();
    }
    model[1000..1000 + BLOCK].copy_from_slice(&data);
    drop(vfs.write(handle, 5000, &data));
    vfs.write(handle, 2000, &data).await.unwrap();
    model[2000..2000 + BLOCK].copy_from_slice(&data);
    assert!(content(&vfs, handle).await == model);
    close(&vfs, handle).await.unwrap();
}
