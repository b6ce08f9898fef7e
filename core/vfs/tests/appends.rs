//! Appends of several clients: each takes its place when it is committed, so none is painted over, torn or seen twice.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod volume;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use moorage_chunk::ObjectStore;
use moorage_meta::{Key, MetaOptions, Read as _, Record};
use moorage_model::{CHUNK_SIZE, ErrorKind, Ino, Slice};
use moorage_vfs::{Caller, FileHandle, KernelNotifier, OpenFlags, SetAttrRequest, Vfs, WriteOrigin};
use proptest::prelude::*;
use volume::faults::{FailingStore, LostAnswers};
use volume::{BLOCK, READ, READ_WRITE, Volume, close, content, create, pattern};

const APPEND: OpenFlags = OpenFlags {
    append: true,
    ..READ_WRITE
};

async fn open(vfs: &Vfs, ino: Ino, flags: OpenFlags) -> FileHandle {
    vfs.open(&Caller::root(), ino, flags).await.unwrap().handle
}

async fn resize(vfs: &Vfs, ino: Ino, size: u64) {
    let request = SetAttrRequest {
        size: Some(size),
        ..SetAttrRequest::default()
    };
    vfs.setattr(&Caller::root(), ino, None, request).await.unwrap();
}

/// A file of two clients with a handle that appends in each.
struct Shared {
    volume: Volume,
    clients: [Arc<Vfs>; 2],
    ino: Ino,
    handles: [FileHandle; 2],
}

impl Shared {
    async fn on(volume: Volume) -> Shared {
        let clients = [volume.client().await, volume.client().await];
        let (entry, made) = create(&clients[0], "log").await;
        close(&clients[0], made).await.unwrap();
        let handles = [
            open(&clients[0], entry.ino, APPEND).await,
            open(&clients[1], entry.ino, APPEND).await,
        ];
        Shared {
            volume,
            clients,
            ino: entry.ino,
            handles,
        }
    }

    async fn append(&self, client: usize, data: &[u8]) {
        let written = self.clients[client].write(self.handles[client], 0, data).await;
        assert_eq!(written.unwrap(), data.len());
    }

    async fn sync(&self, client: usize) {
        self.clients[client]
            .fsync(self.handles[client], false)
            .await
            .unwrap();
    }

    /// What a client that knew nothing of the file finds.
    async fn stored(&self) -> Vec<u8> {
        let reader = self.volume.client().await;
        let handle = open(&reader, self.ino, READ).await;
        let found = content(&reader, handle).await;
        close(&reader, handle).await.unwrap();
        reader.shutdown().await.unwrap();
        found
    }
}

#[tokio::test]
async fn an_append_that_was_buffered_goes_behind_what_was_synced_meanwhile() {
    let shared = Shared::on(Volume::new().await).await;
    shared.append(0, b"a1\n").await;
    shared.append(1, b"b1 synced\n").await;
    shared.sync(1).await;
    shared.append(0, b"a2\n").await;
    shared.sync(0).await;
    assert_eq!(shared.stored().await, b"b1 synced\na1\na2\n");
    for client in [0, 1] {
        let handle = shared.handles[client];
        assert_eq!(
            content(&shared.clients[client], handle).await,
            b"b1 synced\na1\na2\n"
        );
    }
}

#[tokio::test]
async fn one_write_to_the_end_goes_behind_what_another_client_put_there_also_through_a_handle_that_does_not_append()
 {
    let shared = Shared::on(Volume::new().await).await;
    let plain = open(&shared.clients[0], shared.ino, READ_WRITE).await;
    let at_end = WriteOrigin {
        at_end: true,
        ..WriteOrigin::default()
    };
    shared.append(1, b"b1 synced\n").await;
    for data in [b"a1\n", b"a2\n"] {
        let written = shared.clients[0].write_from(plain, 0, data, at_end).await;
        assert_eq!(written.unwrap(), data.len());
    }
    shared.sync(1).await;
    shared.clients[0].fsync(plain, false).await.unwrap();
    assert_eq!(shared.stored().await, b"b1 synced\na1\na2\n");
}

#[tokio::test]
async fn an_append_goes_to_the_end_that_a_truncation_meanwhile_left() {
    let shared = Shared::on(Volume::new().await).await;
    shared.append(1, &[b'x'; 1000]).await;
    shared.sync(1).await;
    shared.append(0, b"after").await;
    resize(&shared.clients[1], shared.ino, 4).await;
    shared.sync(0).await;
    assert_eq!(shared.stored().await, b"xxxxafter");
}

#[tokio::test]
async fn an_append_moved_across_a_chunk_border_is_whole_and_leaves_no_object_behind() {
    let shared = Shared::on(Volume::new().await).await;
    resize(&shared.clients[0], shared.ino, CHUNK_SIZE - 100).await;
    let (moved, synced) = (pattern(60, 1), pattern(80, 2));
    shared.append(0, &moved).await;
    shared.append(1, &synced).await;
    shared.sync(1).await;
    shared.sync(0).await;
    let expected = [synced, moved].concat();
    for vfs in [&shared.volume.client().await, &shared.clients[0]] {
        let handle = open(vfs, shared.ino, READ).await;
        let found = vfs.read_bytes(handle, CHUNK_SIZE - 100, 200).await.unwrap();
        assert!(found == expected);
        close(vfs, handle).await.unwrap();
    }
    let [first, second] = [0, 1].map(moorage_model::ChunkIndex);
    let keys = [Key::Chunk(shared.ino, first), Key::Chunk(shared.ino, second)];
    let records = shared.volume.engine.read(&keys).await.unwrap();
    let last = |record: &Option<Record>| -> Slice {
        match record {
            Some(Record::Chunk(slices)) => *slices.last().unwrap(),
            other => panic!("{other:?}"),
        }
    };
    let (head, tail) = (last(&records[0]), last(&records[1]));
    assert_eq!((head.id, head.off, head.len), (tail.id, 0, 20));
    assert_eq!((tail.pos, tail.off, tail.len), (0, 20, 40));
    let owners = shared
        .volume
        .engine
        .read(&[Key::SliceRef(head.id, head.size)])
        .await;
    assert_eq!(owners.unwrap(), [Some(Record::Owners(2))]);

    for client in [0, 1] {
        close(&shared.clients[client], shared.handles[client])
            .await
            .unwrap();
    }
    let vfs = &shared.clients[0];
    vfs.unlink(&Caller::root(), Ino::ROOT, b"log").await.unwrap();
    vfs.shutdown().await.unwrap();
    shared.clients[1].shutdown().await.unwrap();
    let objects = shared.volume.store.list("test/chunks/", None, 10).await.unwrap();
    assert_eq!(objects, []);
}

#[tokio::test]
async fn a_write_that_crosses_a_chunk_border_is_not_torn_by_another_client() {
    let shared = Shared::on(Volume::new().await).await;
    resize(&shared.clients[0], shared.ino, CHUNK_SIZE - 10).await;
    let first = pattern(3 * BLOCK, 1);
    shared.append(0, &first).await;
    shared.append(1, b"between").await;
    shared.sync(1).await;
    shared.append(0, b"second").await;
    shared.sync(0).await;
    let reader = shared.volume.client().await;
    let handle = open(&reader, shared.ino, READ).await;
    let found = reader
        .read_bytes(handle, CHUNK_SIZE - 10, 4 * BLOCK)
        .await
        .unwrap();
    let whole = |order: [&[u8]; 3]| found == order.concat();
    // The full slice may have been committed by itself before the other client came.
    assert!(
        whole([b"between", &first, b"second"]) || whole([&first, b"between", b"second"]),
        "{} bytes",
        found.len()
    );
}

#[tokio::test]
async fn writes_at_offsets_and_appends_of_one_mount_keep_their_order() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (entry, fixed) = create(&vfs, "a").await;
    let appends = open(&vfs, entry.ino, APPEND).await;
    let mut model: Vec<u8> = Vec::new();
    for n in 0..60_u32 {
        let data = pattern(1 + (n as usize * 379) % 3000, n);
        if n % 3 == 0 {
            // Beyond the end now and then.
            let offset = (n as usize * 523) % (model.len() + 500);
            model.resize(model.len().max(offset + data.len()), 0);
            model[offset..offset + data.len()].copy_from_slice(&data);
            vfs.write(fixed, offset as u64, &data).await.unwrap();
        } else {
            model.extend_from_slice(&data);
            vfs.write(appends, 0, &data).await.unwrap();
        }
        assert!(content(&vfs, fixed).await == model, "after write {n}");
    }
    close(&vfs, appends).await.unwrap();
    close(&vfs, fixed).await.unwrap();
    let other = volume.client().await;
    let handle = open(&other, entry.ino, READ).await;
    assert!(content(&other, handle).await == model);
}

#[tokio::test]
async fn a_moved_append_is_kept_up_to_the_byte_that_fits() {
    let capacity = 1 << 20;
    let volume = Volume::limited(Arc::new(moorage_chunk::MemoryStore::new()), capacity).await;
    let shared = Shared::on(volume).await;
    let (mine, theirs) = (pattern(1_000_000, 1), pattern(100_000, 2));
    shared.append(0, &mine).await;
    shared.append(1, &theirs).await;
    shared.sync(1).await;
    // Numbers of other clients arrive with the heartbeat.
    shared.clients[0].meta().refresh_session().await.unwrap();
    let refused = shared.clients[0]
        .fsync(shared.handles[0], false)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NoSpace);
    let fits = &[theirs, mine].concat()[..capacity as usize];
    assert!(shared.stored().await == fits);
    assert!(content(&shared.clients[0], shared.handles[0]).await == fits);
}

#[derive(Debug, Default)]
struct Told(tokio::sync::Notify);

impl KernelNotifier for Told {
    fn inval_inode(&self, _: Ino, _: i64, _: i64) {
        self.0.notify_one();
    }

    fn inval_entry(&self, _: Ino, _: &[u8]) {}

    fn expire_attributes(&self, _: Ino) {}

    fn drop_content(&self, _: Ino) {}
}

#[tokio::test]
async fn the_kernel_is_told_when_an_append_was_put_elsewhere() {
    let volume = Volume::new().await;
    let cached = volume::cached();
    let vfs = volume.client_with(cached, MetaOptions::default()).await;
    let told = Arc::new(Told::default());
    vfs.set_notifier(Arc::clone(&told) as _);
    let other = volume.client().await;
    let (entry, handle) = create(&vfs, "log").await;
    close(&vfs, handle).await.unwrap();
    let (mine, theirs) = (
        open(&vfs, entry.ino, APPEND).await,
        open(&other, entry.ino, APPEND).await,
    );
    vfs.write(mine, 0, b"mine").await.unwrap();
    other.write(theirs, 0, b"theirs").await.unwrap();
    other.fsync(theirs, false).await.unwrap();
    vfs.fsync(mine, false).await.unwrap();
    told.0.notified().await;
}

/// One step of two clients that append records to one file.
#[derive(Clone, Debug)]
enum Step {
    Append { client: usize, len: usize },
    Sync { client: usize },
    Look { client: usize },
    Fail { writes: u32 },
    LoseAnswers { commits: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..2_usize;
    let len = prop_oneof![4 => 1..200_usize, 1 => 1..150_000_usize];
    prop_oneof![
        6 => (client.clone(), len).prop_map(|(client, len)| Step::Append { client, len }),
        3 => client.clone().prop_map(|client| Step::Sync { client }),
        3 => client.prop_map(|client| Step::Look { client }),
        1 => (1..4_u32).prop_map(|writes| Step::Fail { writes }),
        1 => (1..4_u32).prop_map(|commits| Step::LoseAnswers { commits }),
    ]
}

/// A record that tells its number and its length.
fn record(number: u32, len: usize) -> Vec<u8> {
    let head = [number.to_le_bytes(), (len as u32).to_le_bytes()].concat();
    [head, pattern(len, number)].concat()
}

/// The numbers of the records in a file that holds nothing else.
fn numbers(mut bytes: &[u8]) -> Vec<u32> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let (number, len) = (word(0), word(4) as usize);
        assert!(bytes[..8 + len] == record(number, len), "record {number} is torn");
        found.push(number);
        bytes = &bytes[8 + len..];
    }
    found
}

/// Each of them, once.
fn check_whole(found: &[u32], expected: &BTreeSet<u32>, when: &str) {
    let set: BTreeSet<u32> = found.iter().copied().collect();
    assert_eq!(
        set.len(),
        found.len(),
        "{when}: a record is there twice: {found:?}"
    );
    assert!(
        expected.is_subset(&set),
        "{when}: {found:?} lacks some of {expected:?}"
    );
}

async fn check(steps: Vec<Step>) {
    let store = Arc::new(FailingStore::default());
    let shared = Shared::on(Volume::on(Arc::clone(&store) as Arc<dyn ObjectStore>).await).await;
    let answers = LostAnswers::default();
    shared.volume.engine.set_fault(Some(Box::new(answers.clone())));
    let mut own = [BTreeSet::new(), BTreeSet::new()];
    let mut synced = BTreeSet::new();
    for (number, step) in steps.iter().enumerate() {
        let number = number as u32;
        match *step {
            Step::Append { client, len } => {
                shared.append(client, &record(number, len)).await;
                own[client].insert(number);
            }
            Step::Sync { client } => {
                let (vfs, handle) = (&shared.clients[client], shared.handles[client]);
                if vfs.fsync(handle, false).await.is_ok() {
                    synced.extend(&own[client]);
                }
            }
            Step::Look { client } => {
                let (vfs, handle) = (&shared.clients[client], shared.handles[client]);
                let expected = synced.union(&own[client]).copied().collect();
                let found = numbers(&content(vfs, handle).await);
                check_whole(
                    &found,
                    &expected,
                    &format!("client {client} before step {number}"),
                );
            }
            Step::Fail { writes } => store.failures.store(writes, Ordering::SeqCst),
            Step::LoseAnswers { commits } => answers.left.store(commits, Ordering::SeqCst),
        }
    }
    store.failures.store(0, Ordering::SeqCst);
    answers.left.store(0, Ordering::SeqCst);
    for client in [0, 1] {
        shared.sync(client).await;
        synced.extend(&own[client]);
    }
    let found = numbers(&shared.stored().await);
    check_whole(&found, &synced, "at the end");
    for own in &own {
        let order: Vec<u32> = found.iter().copied().filter(|n| own.contains(n)).collect();
        assert!(
            order.is_sorted(),
            "one client's records keep their order: {order:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_record_of_two_clients_is_there_once_and_whole(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(check(steps));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_of_concurrent_writers_and_syncs_are_there_once_and_whole() {
    const RECORDS: u32 = 300;
    let shared = Arc::new(Shared::on(Volume::new().await).await);
    let mut writers = Vec::new();
    for writer in 0..4_u32 {
        let shared = Arc::clone(&shared);
        writers.push(tokio::spawn(async move {
            let client = writer as usize % 2;
            for n in 0..RECORDS {
                let len = (n as usize * 6151) % 9000;
                shared.append(client, &record(writer * RECORDS + n, len)).await;
                if n % 16 == writer {
                    shared.sync(client).await;
                }
            }
            shared.sync(client).await;
        }));
    }
    let reader = {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            for _ in 0..20 {
                // What is committed is whole at any time.
                check_whole(&numbers(&shared.stored().await), &BTreeSet::new(), "meanwhile");
            }
        })
    };
    for writer in writers {
        writer.await.unwrap();
    }
    reader.await.unwrap();
    let expected = (0..4 * RECORDS).collect();
    check_whole(&numbers(&shared.stored().await), &expected, "at the end");
}
