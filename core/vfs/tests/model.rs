//! Random operations against plain byte vectors: read-your-writes inside a client, close-to-open between two, and no
//! byte lost to a store that fails for a while or to commits whose answer is lost.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod volume;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use moorage_chunk::ObjectStore;
use moorage_model::{CHUNK_SIZE, ErrorKind, Ino, Result};
use moorage_vfs::{Caller, FallocateMode, FileHandle, OpenFlags, SetAttrRequest, Vfs};
use proptest::prelude::*;
use volume::faults::{FailingStore, LostAnswers};
use volume::{READ, READ_WRITE, Volume, close, content, create, pattern};

/// Files grow to this length at most, so that reading them whole stays quick.
const LONGEST: u64 = 400_000;

/// One step on an open file.
#[derive(Clone, Debug)]
enum Step {
    Write { offset: u64, len: usize },
    Append { len: usize },
    Read { offset: u64, len: usize },
    Truncate { size: u64 },
    Zero { offset: u64, len: u64, keep_size: bool },
    Copy { from: u64, to: u64, len: u64 },
    Sync,
    Fail { writes: u32 },
    LoseAnswers { commits: u32 },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let place = 0..LONGEST - 100_000;
    let short = prop_oneof![3 => 1..5_000_usize, 1 => 1..100_000_usize];
    prop_oneof![
        6 => (place.clone(), short.clone()).prop_map(|(offset, len)| Step::Write { offset, len }),
        2 => (1..20_000_usize).prop_map(|len| Step::Append { len }),
        4 => (0..LONGEST, short).prop_map(|(offset, len)| Step::Read { offset, len }),
        1 => (0..LONGEST).prop_map(|size| Step::Truncate { size }),
        1 => (place.clone(), 1..50_000_u64, any::<bool>())
            .prop_map(|(offset, len, keep_size)| Step::Zero { offset, len, keep_size }),
        1 => (place.clone(), place, 1..50_000_u64).prop_map(|(from, to, len)| Step::Copy { from, to, len }),
        2 => Just(Step::Sync),
        1 => (1..4_u32).prop_map(|writes| Step::Fail { writes }),
        1 => (1..4_u32).prop_map(|commits| Step::LoseAnswers { commits }),
        1 => Just(Step::Reopen),
    ]
}

/// Steps done between an open and a close, by the first or the second client.
type Visit = (bool, Vec<Step>);

fn visits() -> impl Strategy<Value = Vec<Visit>> {
    prop::collection::vec((any::<bool>(), prop::collection::vec(step(), 1..12)), 1..8)
}

/// A client's open file beside what it must contain.
struct Run<'a> {
    vfs: &'a Vfs,
    ino: Ino,
    handle: FileHandle,
    append: FileHandle,
    model: &'a mut Vec<u8>,
    seed: u32,
    store: &'a FailingStore,
    answers: &'a LostAnswers,
}

/// Repeats what fails because of store or engine until the injected failures are spent.
async fn insist<T, F: Future<Output = Result<T>>>(mut attempt: impl FnMut() -> F) -> T {
    for _ in 0..20 {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::NoSpace | ErrorKind::ReadOnly),
                "{error}"
            ),
        }
    }
    panic!("still failing");
}

impl Run<'_> {
    fn paint(&mut self, offset: u64, data: &[u8]) {
        let (start, end) = (offset as usize, offset as usize + data.len());
        if self.model.len() < end {
            self.model.resize(end, 0);
        }
        self.model[start..end].copy_from_slice(data);
    }

    async fn apply(&mut self, step: &Step) {
        self.seed += 1;
        match *step {
            Step::Write { offset, len } => {
                let data = pattern(len, self.seed);
                let (vfs, handle) = (self.vfs, self.handle);
                insist(|| vfs.write(handle, offset, &data)).await;
                self.paint(offset, &data);
            }
            Step::Append { len } if self.model.len() + len <= LONGEST as usize => {
                let data = pattern(len, self.seed);
                let (vfs, handle) = (self.vfs, self.append);
                insist(|| vfs.write(handle, 0, &data)).await;
                self.paint(self.model.len() as u64, &data);
            }
            Step::Append { .. } => {}
            Step::Read { offset, len } => {
                let found = self.vfs.read_bytes(self.handle, offset, len).await.unwrap();
                let start = (offset as usize).min(self.model.len());
                let end = (start + len).min(self.model.len());
                assert!(found[..] == self.model[start..end], "{step:?}");
            }
            Step::Truncate { size } => {
                let request = SetAttrRequest {
                    size: Some(size),
                    ..SetAttrRequest::default()
                };
                let (vfs, ino, handle) = (self.vfs, self.ino, self.handle);
                let caller = Caller::root();
                insist(|| vfs.setattr(&caller, ino, Some(handle), request)).await;
                self.model.resize(size as usize, 0);
            }
            Step::Zero {
                offset,
                len,
                keep_size,
            } => {
                let mode = FallocateMode {
                    keep_size,
                    punch_hole: false,
                    zero_range: true,
                };
                let (vfs, handle, caller) = (self.vfs, self.handle, Caller::root());
                insist(|| vfs.fallocate(&caller, handle, mode, offset, len)).await;
                let before = self.model.len();
                self.paint(offset, &vec![0; len as usize]);
                if keep_size {
                    self.model.truncate(before);
                }
            }
            Step::Copy { from, to, len } if from.abs_diff(to) >= len => {
                let (vfs, handle, caller) = (self.vfs, self.handle, Caller::root());
                let copied = insist(|| vfs.copy_file_range(&caller, (handle, from), (handle, to), len)).await;
                let start = (from as usize).min(self.model.len());
                let end = (start + len as usize).min(self.model.len());
                assert_eq!(copied as usize, end - start);
                let data = self.model[start..end].to_vec();
                if !data.is_empty() {
                    self.paint(to, &data);
                }
            }
            Step::Copy { .. } => {}
            Step::Sync => {
                let (vfs, handle) = (self.vfs, self.handle);
                insist(|| vfs.fsync(handle, false)).await;
            }
            Step::Fail { writes } => self.store.failures.store(writes, Ordering::SeqCst),
            Step::LoseAnswers { commits } => self.answers.left.store(commits, Ordering::SeqCst),
            Step::Reopen => {
                let (vfs, handle) = (self.vfs, self.handle);
                insist(|| vfs.flush(handle, None)).await;
                vfs.release(handle, None).await.unwrap();
                let opened = vfs.open(&Caller::root(), self.ino, READ_WRITE).await.unwrap();
                self.handle = opened.handle;
            }
        }
        let shown = self.vfs.getattr(self.ino).await.unwrap().attr.length;
        assert_eq!(shown, self.model.len() as u64, "after {step:?}");
    }
}

async fn check(visits: Vec<Visit>) {
    let store = Arc::new(FailingStore::default());
    let volume = Volume::on(Arc::clone(&store) as Arc<dyn ObjectStore>).await;
    let answers = LostAnswers::default();
    volume.engine.set_fault(Some(Box::new(answers.clone())));
    let clients = [volume.client().await, volume.client().await];
    let (entry, handle) = create(&clients[0], "a").await;
    close(&clients[0], handle).await.unwrap();
    let mut model = Vec::new();
    for (number, (second, steps)) in visits.into_iter().enumerate() {
        let vfs = &clients[usize::from(second)];
        let caller = Caller::root();
        let append = OpenFlags {
            append: true,
            ..READ_WRITE
        };
        let mut run = Run {
            vfs,
            ino: entry.ino,
            handle: vfs.open(&caller, entry.ino, READ_WRITE).await.unwrap().handle,
            append: vfs.open(&caller, entry.ino, append).await.unwrap().handle,
            model: &mut model,
            seed: number as u32 * 1000,
            store: &store,
            answers: &answers,
        };
        for step in &steps {
            run.apply(step).await;
        }
        for handle in [run.append, run.handle] {
            insist(|| vfs.flush(handle, None)).await;
            vfs.release(handle, None).await.unwrap();
        }
        for reader in &clients {
            let opened = reader.open(&caller, entry.ino, READ).await.unwrap();
            assert!(
                content(reader, opened.handle).await == model,
                "after visit {number}"
            );
            close(reader, opened.handle).await.unwrap();
        }
    }
    store.failures.store(0, Ordering::SeqCst);
    volume.engine.set_fault(None);
    for vfs in clients {
        vfs.shutdown().await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_operations_shows_what_a_plain_vector_shows(visits in visits()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(check(visits));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_refused_by_a_full_store_is_kept_until_the_store_takes_it() {
    let store = Arc::new(FailingStore::default());
    let volume = Volume::on(Arc::clone(&store) as Arc<dyn ObjectStore>).await;
    let vfs = volume.client().await;
    let (entry, handle) = create(&vfs, "a").await;
    let data = pattern(300_000, 5);
    store.failures.store(u32::MAX, Ordering::SeqCst);
    vfs.write(handle, CHUNK_SIZE - 1000, &data).await.unwrap();
    assert_eq!(
        vfs.fsync(handle, false).await.unwrap_err().kind(),
        ErrorKind::NoSpace
    );
    assert_eq!(close(&vfs, handle).await.unwrap_err().kind(), ErrorKind::NoSpace);
    store.failures.store(0, Ordering::SeqCst);
    vfs.shutdown().await.unwrap();
    let other = volume.client().await;
    let opened = other.open(&Caller::root(), entry.ino, READ).await.unwrap();
    let found = other
        .read_bytes(opened.handle, CHUNK_SIZE - 1000, data.len())
        .await
        .unwrap();
    assert!(found == data);
}
