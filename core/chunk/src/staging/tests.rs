//! Staging on a disk that forgets what was not synced.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use moorage_model::{Error, ErrorKind, SliceId, TierId};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::disk::{StageDisk, SystemDisk};
use super::*;

/// Files on a real folder, with the knowledge of which names a power cut would take.
#[derive(Debug, Default)]
struct LossyDisk {
    unsynced: Mutex<BTreeSet<PathBuf>>,
    folder_syncs: AtomicUsize,
    full: AtomicBool,
    folder_sync_fails: AtomicBool,
}

impl StageDisk for LossyDisk {
    fn write_synced(&self, path: &Path, parts: [&[u8]; 2]) -> io::Result<()> {
        self.unsynced.lock().insert(path.to_owned());
        if self.full.load(SeqCst) {
            fs::write(path, parts[0].get(..10).unwrap_or_default())?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        SystemDisk.write_synced(path, parts)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        let mut unsynced = self.unsynced.lock();
        unsynced.remove(from);
        unsynced.insert(to.to_owned());
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if self.folder_sync_fails.load(SeqCst) {
            return Err(io::Error::other("input/output error"));
        }
        self.folder_syncs.fetch_add(1, SeqCst);
        // Names made while the sync runs may or may not be covered: a power cut takes the worse of both.
        let covered: Vec<PathBuf> = self.unsynced.lock().iter().cloned().collect();
        std::thread::sleep(Duration::from_millis(2));
        self.unsynced
            .lock()
            .retain(|path| !(path.starts_with(folder) && covered.contains(path)));
        Ok(())
    }
}

impl LossyDisk {
    fn cut_power(&self) {
        for path in std::mem::take(&mut *self.unsynced.lock()) {
            fs::remove_file(path).ok();
        }
    }
}

fn config(dir: &Path) -> WritebackConfig {
    WritebackConfig {
        dir: dir.to_owned(),
        max_bytes: 1 << 20,
        deadline: Duration::from_secs(60),
    }
}

fn block(n: u64) -> BlockId {
    BlockId {
        slice: SliceId(n),
        index: 0,
        len: 1000,
    }
}

fn payload(n: u64) -> Bytes {
    (0..1000u64).map(|at| (at * 31 + n) as u8).collect()
}

fn free() -> Arc<Holding> {
    Arc::new(Holding::new(None, Handle::current()))
}

fn open(disk: &Arc<LossyDisk>, dir: &Path) -> Arc<Staging> {
    Staging::open_on(
        Arc::clone(disk) as _,
        &config(dir),
        "u-1",
        Handle::current(),
        free(),
    )
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_block_survives_a_power_cut_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(LossyDisk::default());
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        let staging = open(&disk, dir.path());
        let tasks: Vec<_> = (0..20)
            .map(|n| {
                let (staging, n) = (Arc::clone(&staging), round * 20 + n);
                tokio::spawn(async move {
                    let kept = staging
                        .stage(block(n), None, Form::Block, TierId(1), &payload(n))
                        .await;
                    kept.then_some(n)
                })
            })
            .collect();
        for (at, task) in tasks.into_iter().enumerate() {
            if at < 15 {
                acknowledged.extend(task.await.unwrap());
            } else {
                // The power goes before this one is heard of.
                task.abort();
                task.await
                    .ok()
                    .flatten()
                    .into_iter()
                    .for_each(|n| acknowledged.push(n));
            }
        }
        drop(staging);
        disk.cut_power();
    }
    let staging = open(&disk, dir.path());
    for n in &acknowledged {
        let (_, bytes) = staging.load(&block(*n)).unwrap().expect("an acknowledged block");
        assert_eq!(bytes, payload(*n));
    }
    assert!(acknowledged.len() >= 75);
    let mut last = None;
    while let Ok(Some(staged)) = tokio::time::timeout(Duration::from_millis(50), staging.next()).await {
        assert!(last < Some(staged.number), "out of order");
        assert_eq!(staged.tier, TierId(1));
        last = Some(staged.number);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sync_of_the_folder_serves_many() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(LossyDisk::default());
    let staging = open(&disk, dir.path());
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let staging = Arc::clone(&staging);
            tokio::spawn(async move {
                staging
                    .stage(block(n), None, Form::Block, TierId(0), &payload(n))
                    .await
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    let syncs = disk.folder_syncs.load(SeqCst);
    assert!(syncs < 80, "{syncs} syncs for 100 blocks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_or_broken_disk_refuses_and_keeps_nothing_of_the_block() {
    for broken in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let disk = Arc::new(LossyDisk::default());
        disk.full.store(!broken, SeqCst);
        disk.folder_sync_fails.store(broken, SeqCst);
        let staging = open(&disk, dir.path());
        assert!(
            !staging
                .stage(block(1), None, Form::Block, TierId(0), &payload(1))
                .await
        );
        assert!(!staging.has(&block(1)));
        assert_eq!(staging.pending(), PendingUploads::default());
        assert_eq!(staging.counts(), (0, 1));
        let files = fs::read_dir(&staging.folder.root).unwrap().count();
        assert_eq!(files, 1, "only the lock is left");
        // Left alone for a while, however well the disk is meanwhile.
        disk.full.store(false, SeqCst);
        disk.folder_sync_fails.store(false, SeqCst);
        assert!(
            !staging
                .stage(block(2), None, Form::Block, TierId(0), &payload(2))
                .await
        );
        *staging.resting_until.lock() = None;
        assert!(
            staging
                .stage(block(3), None, Form::Block, TierId(0), &payload(3))
                .await
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn size_and_age_bound_what_is_staged() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(LossyDisk::default());
    let small = WritebackConfig {
        max_bytes: 2500,
        ..config(dir.path())
    };
    let staging = Staging::open_on(disk.clone(), &small, "u-1", Handle::current(), free()).unwrap();
    let mut taken = Vec::new();
    for n in 0..4 {
        taken.push(
            staging
                .stage(block(n), None, Form::Block, TierId(0), &payload(n))
                .await,
        );
    }
    assert_eq!(taken, [true, true, false, false]);
    let first = staging.next().await.unwrap();
    let arrived = staging.arrived(&first);
    assert!(arrived.wanted);
    arrived.discard();
    assert!(
        staging
            .stage(block(9), None, Form::Block, TierId(0), &payload(9))
            .await
    );
    drop(staging);
    let impatient = WritebackConfig {
        deadline: Duration::ZERO,
        ..config(dir.path())
    };
    let staging = Staging::open_on(disk, &impatient, "u-1", Handle::current(), free()).unwrap();
    assert!(
        !staging
            .stage(block(10), None, Form::Block, TierId(0), &payload(10))
            .await
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_files_are_put_aside_and_half_ones_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(LossyDisk::default());
    let staging = open(&disk, dir.path());
    for n in 0..3 {
        assert!(
            staging
                .stage(block(n), None, Form::Block, TierId(0), &payload(n))
                .await
        );
    }
    let root = staging.folder.root.clone();
    let staged = staging.queue.lock().find(&block(1)).expect("it is staged");
    let damaged = staging.folder.path(&staged);
    drop(staging);
    let bytes = fs::read(&damaged).unwrap();
    fs::write(&damaged, &bytes[..bytes.len() - 1]).unwrap();
    fs::write(root.join("00000000000000aa.tmp"), b"half").unwrap();
    let staging = open(&disk, dir.path());
    assert_eq!(staging.pending().blocks, 2);
    assert!(!staging.has(&block(1)));
    let names: Vec<_> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().any(|name| name.ends_with(".damaged")), "{names:?}");
    assert!(!names.iter().any(|name| name.ends_with(".tmp")), "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_mounts_have_folders_of_their_own_and_the_next_takes_over_what_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(LossyDisk::default());
    let (one, two) = (open(&disk, dir.path()), open(&disk, dir.path()));
    assert_ne!(one.folder.root, two.folder.root);
    assert!(
        one.stage(block(1), None, Form::Block, TierId(0), &payload(1))
            .await
    );
    assert!(
        two.stage(block(2), None, Form::Block, TierId(0), &payload(2))
            .await
    );
    drop(two);
    drop(one);
    let next = open(&disk, dir.path());
    assert_eq!(next.pending().blocks, 2);
    for n in [1, 2] {
        assert_eq!(next.load(&block(n)).unwrap().unwrap().1, payload(n));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_upload_rests_and_a_cancelled_one_is_unwanted_on_arrival() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(LossyDisk::default());
    let staging = open(&disk, dir.path());
    assert!(
        staging
            .stage(block(1), None, Form::Block, TierId(0), &payload(1))
            .await
    );
    let staged = staging.next().await.unwrap();
    staging.failed(&staged, &Error::new(ErrorKind::Unavailable, "gone"));
    assert!(staging.pending().last_error.unwrap().contains("gone"));
    assert_eq!(staging.failures(), 1);
    let start = Instant::now();
    assert_eq!(staging.next().await, Some(staged));
    assert!(start.elapsed() >= Duration::from_millis(300));
    staging.cancel(&block(1));
    assert!(!staging.has(&block(1)));
    assert!(!staging.arrived(&staged).wanted);
    assert_eq!(staging.pending(), PendingUploads::default());
}
