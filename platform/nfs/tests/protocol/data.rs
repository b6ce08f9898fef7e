//! Content: against a model, and what is promised of it.

use nfs3_types::nfs3::*;

use crate::fixture::{Volume, refusal};

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_writes_reads_and_truncations_agree_with_a_model() {
    const LONGEST: u64 = 1 << 20;
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let (mut client, mut second) = (served.client().await, served.client().await);
    let root = client.root.clone();
    let file = client.create(&root, "file", 0o644).await;
    let (mut model, mut numbers) = (Vec::<u8>::new(), Numbers(1));
    for round in 0..400 {
        let (offset, length) = (numbers.below(LONGEST), numbers.below(100_000) as usize);
        match numbers.below(10) {
            0..=4 => {
                let data: Vec<u8> = (0..length).map(|at| (at as u64 * 31 + round) as u8).collect();
                let stable = match numbers.below(8) {
                    0 => stable_how::FILE_SYNC,
                    _ => stable_how::UNSTABLE,
                };
                let written = client.write(&file, offset, &data, stable).await.unwrap();
                assert_eq!(written.count as usize, length);
                assert_eq!(written.committed, stable);
                let end = offset as usize + length;
                if length > 0 && model.len() < end {
                    model.resize(end, 0);
                }
                model.splice(
                    (offset as usize).min(model.len())..end.min(model.len()),
                    data.iter().copied().take(if length > 0 { length } else { 0 }),
                );
            }
            5 => {
                let changes = sattr3 {
                    size: Nfs3Option::Some(offset),
                    ..sattr3::default()
                };
                second.setattr(&file, changes).await.unwrap();
                model.resize(offset as usize, 0);
            }
            6 => drop(second.commit(&file).await.unwrap()),
            _ => {
                let read = second.read(&file, offset, length as u32).await.unwrap();
                let start = (offset as usize).min(model.len());
                let end = (offset as usize + length).min(model.len());
                assert!(
                    read.data.as_ref() == &model[start..end.max(start)],
                    "round {round}"
                );
                assert_eq!(read.eof, offset as usize + read.data.len() >= model.len());
            }
        }
        assert_eq!(client.getattr(&file).await.unwrap().size, model.len() as u64);
    }
    assert!(client.content(&file).await == model);
    served.end().await;
    // And by a server that has nothing in memory.
    let served = volume.serve().await;
    let mut client = served.client().await;
    assert!(client.content(&file).await == model);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_memory_alone_is_told_so_and_committed_when_asked() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let file = client.create(&root, "file", 0o644).await;
    let first = client
        .write(&file, 0, b"abc", stable_how::UNSTABLE)
        .await
        .unwrap();
    assert_eq!(first.committed, stable_how::UNSTABLE);
    assert!(served.vfs.unstored_size().bytes > 0);
    let committed = client.commit(&file).await.unwrap();
    assert_eq!(committed.verf, first.verf);
    assert_eq!(served.vfs.unstored_size().bytes, 0);
    let synced = client
        .write(&file, 3, b"def", stable_how::DATA_SYNC)
        .await
        .unwrap();
    assert_eq!(synced.committed, stable_how::FILE_SYNC);
    assert_eq!(served.vfs.unstored_size().bytes, 0);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_tells_what_the_file_was_like_before_and_is_like_now() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let file = client.create(&root, "file", 0o644).await;
    client
        .write(&file, 0, &[1; 1000], stable_how::UNSTABLE)
        .await
        .unwrap();
    let known = client.getattr(&file).await.unwrap();
    let written = client
        .write(&file, 1000, &[2; 500], stable_how::UNSTABLE)
        .await
        .unwrap();
    let before = written.file_wcc.before.unwrap();
    assert_eq!((before.size, before.mtime), (1000, known.mtime));
    assert_eq!(written.file_wcc.after.unwrap().size, 1500);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_have_no_content() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let folder = client.mkdir(&root, "folder", 0o755).await;
    let read = client.read(&folder, 0, 10).await;
    assert_eq!(refusal(read), nfsstat3::NFS3ERR_ISDIR);
    let write = client.write(&folder, 0, b"x", stable_how::UNSTABLE).await;
    assert_eq!(refusal(write), nfsstat3::NFS3ERR_ISDIR);
    served.end().await;
}
