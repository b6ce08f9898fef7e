//! Files and folders that are kept on this computer.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod volume;

use std::sync::Arc;
use std::time::{Duration, Instant};

use moorage_chunk::{Hold, ObjectStore};
use moorage_model::Ino;
use moorage_vfs::control::{PinAction, PinReport, PinRequest, PinStatus};
use moorage_vfs::{Caller, RenameFlags, Vfs};
use serde_json::Value;
use volume::faults::FailingStore;
use volume::{FILE, READ, READ_WRITE, Volume, close, content, pattern};

/// Longest wait for what happens in the background.
const LIMIT: Duration = Duration::from_secs(30);
/// Roomy for everything that a test pins.
const CACHE_BYTES: u64 = 64 << 20;

async fn ask(vfs: &Vfs, action: PinAction, paths: &[&str]) -> PinReport {
    let paths = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
    let payload = PinRequest { action, paths }.encode().unwrap();
    let root = Caller::root();
    let channel = vfs.lookup(&root, Ino::ROOT, b".control").await.unwrap();
    let handle = vfs.open(&root, channel.ino, READ_WRITE).await.unwrap().handle;
    let head = [
        PinRequest::COMMAND.to_be_bytes(),
        (payload.len() as u32).to_be_bytes(),
    ];
    vfs.write(handle, 0, &[head.concat(), payload].concat())
        .await
        .unwrap();
    let mut bytes = Vec::new();
    loop {
        let part = vfs.read_bytes(handle, bytes.len() as u64, 4096).await.unwrap();
        if part.is_empty() {
            break;
        }
        bytes.extend_from_slice(&part);
    }
    vfs.release(handle, None).await.unwrap();
    let mut rest = bytes.as_slice();
    while rest[0] == 0xFE {
        rest = &rest[17..];
    }
    match rest {
        [0xFF, _, _, _, _, data @ ..] => serde_json::from_slice(data).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn listed(vfs: &Vfs) -> Vec<PinStatus> {
    ask(vfs, PinAction::List, &[]).await.pins
}

async fn pin(vfs: &Vfs, path: &str) {
    let report = ask(vfs, PinAction::Pin, &[path]).await;
    assert_eq!((report.failed, report.pins.len()), (vec![], 1));
}

/// Waits until what is pinned looks like this.
async fn until(vfs: &Vfs, what: &str, looks: impl Fn(&[PinStatus]) -> bool) -> Vec<PinStatus> {
    let start = Instant::now();
    loop {
        let pins = listed(vfs).await;
        if looks(&pins) {
            return pins;
        }
        assert!(start.elapsed() < LIMIT, "still waiting: {what}: {pins:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether these bytes are pinned and all of them here.
fn here(bytes: u64) -> impl Fn(&[PinStatus]) -> bool {
    move |pins| pins.len() == 1 && (pins[0].bytes, pins[0].local_bytes) == (bytes, bytes)
}

async fn folder(vfs: &Vfs, parent: Ino, name: &str) -> Ino {
    let made = vfs
        .mkdir(&Caller::root(), parent, name.as_bytes(), 0o755, 0)
        .await;
    made.unwrap().ino
}

async fn write(vfs: &Vfs, parent: Ino, name: &str, data: &[u8]) -> Ino {
    let made = vfs
        .create(&Caller::root(), parent, name.as_bytes(), FILE, READ_WRITE)
        .await
        .unwrap();
    vfs.write(made.1.handle, 0, data).await.unwrap();
    close(vfs, made.1.handle).await.unwrap();
    made.0.ino
}

async fn read(vfs: &Vfs, ino: Ino) -> Vec<u8> {
    let handle = vfs.open(&Caller::root(), ino, READ).await.unwrap().handle;
    let all = content(vfs, handle).await;
    close(vfs, handle).await.unwrap();
    all
}

async fn rename(vfs: &Vfs, from: (Ino, &str), to: (Ino, &str)) {
    let names = ((from.0, from.1.as_bytes()), (to.0, to.1.as_bytes()));
    vfs.rename(&Caller::root(), names.0, names.1, RenameFlags::default())
        .await
        .unwrap();
}

/// A volume with `/d/a`, `/d/sub/b` and `/other`, 200 000 bytes each, and a client that has none of it on its disk.
struct Prepared {
    store: Arc<FailingStore>,
    volume: Volume,
    cache: tempfile::TempDir,
    vfs: Arc<Vfs>,
    d: Ino,
}

const FILE_BYTES: u64 = 200_000;

impl Prepared {
    async fn new(size_bytes: u64) -> Prepared {
        let store = Arc::new(FailingStore::default());
        let volume = Volume::on(Arc::clone(&store) as Arc<dyn ObjectStore>).await;
        let writer = volume.client().await;
        let d = folder(&writer, Ino::ROOT, "d").await;
        let sub = folder(&writer, d, "sub").await;
        for (parent, name, seed) in [(d, "a", 1), (sub, "b", 2), (Ino::ROOT, "other", 3)] {
            write(&writer, parent, name, &pattern(FILE_BYTES as usize, seed)).await;
        }
        writer.shutdown().await.unwrap();
        let cache = tempfile::tempdir().unwrap();
        let vfs = volume.caching_client(cache.path(), size_bytes).await;
        Prepared {
            store,
            volume,
            cache,
            vfs,
            d,
        }
    }

    fn book(&self) -> Value {
        let setting = self.vfs.meta().setting();
        let path = self.cache.path().join(&setting.uuid).join("pins.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    async fn lose_all_objects(&self) {
        for (key, _) in self.store.list("", None, 1000).await.unwrap() {
            self.store.delete(&key).await.unwrap();
        }
    }

    /// A client of another computer.
    async fn elsewhere(&self) -> Arc<Vfs> {
        self.volume.client().await
    }
}

async fn find(vfs: &Vfs, parent: Ino, name: &str) -> Ino {
    let found = vfs.lookup(&Caller::root(), parent, name.as_bytes()).await;
    found.unwrap().ino
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_folder_is_fetched_and_read_without_the_store_also_after_a_restart() {
    let prepared = Prepared::new(CACHE_BYTES).await;
    let Prepared { store, vfs, d, .. } = &prepared;
    pin(vfs, "/d").await;
    let pins = until(vfs, "all is here", here(2 * FILE_BYTES)).await;
    assert_eq!(
        (pins[0].path.as_str(), pins[0].is_folder, pins[0].files),
        ("/d", true, 2)
    );
    store.silent.send_replace(true);
    let a = find(vfs, *d, "a").await;
    assert_eq!(read(vfs, a).await, pattern(FILE_BYTES as usize, 1));
    store.silent.send_replace(false);
    vfs.shutdown().await.unwrap();
    let again = prepared
        .volume
        .caching_client(prepared.cache.path(), CACHE_BYTES)
        .await;
    until(&again, "the pins of before", here(2 * FILE_BYTES)).await;
    store.silent.send_replace(true);
    let sub = find(&again, *d, "sub").await;
    let b = find(&again, sub, "b").await;
    assert_eq!(read(&again, b).await, pattern(FILE_BYTES as usize, 2));
    store.silent.send_replace(false);
    assert!(ask(&again, PinAction::Unpin, &["/d"]).await.failed.is_empty());
    assert_eq!(listed(&again).await, []);
    assert_eq!(prepared.book()["pins"], Value::Array(vec![]));
    again.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_appears_in_a_pinned_folder_is_pinned_what_leaves_it_is_not_and_changes_are_fetched() {
    let prepared = Prepared::new(CACHE_BYTES).await;
    let Prepared { vfs, d, .. } = &prepared;
    pin(vfs, "/d").await;
    until(vfs, "all is here", here(2 * FILE_BYTES)).await;
    let sub = find(vfs, *d, "sub").await;
    // By this mount: a new file, one from outside, a change, and one that leaves.
    write(vfs, sub, "new", &pattern(100_000, 4)).await;
    until(vfs, "the new file", here(2 * FILE_BYTES + 100_000)).await;
    rename(vfs, (Ino::ROOT, "other"), (sub, "moved")).await;
    until(vfs, "the moved one", here(3 * FILE_BYTES + 100_000)).await;
    let moved = find(vfs, sub, "moved").await;
    let handle = vfs.open(&Caller::root(), moved, READ_WRITE).await.unwrap().handle;
    vfs.write(handle, FILE_BYTES, &pattern(50_000, 5)).await.unwrap();
    close(vfs, handle).await.unwrap();
    until(vfs, "the longer one", here(3 * FILE_BYTES + 150_000)).await;
    rename(vfs, (sub, "moved"), (Ino::ROOT, "moved")).await;
    until(vfs, "it has left", here(2 * FILE_BYTES + 100_000)).await;
    vfs.unlink(&Caller::root(), sub, b"new").await.unwrap();
    until(vfs, "it is removed", here(2 * FILE_BYTES)).await;
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pin_stays_with_what_is_renamed_and_ends_with_its_removal() {
    let prepared = Prepared::new(CACHE_BYTES).await;
    let Prepared { vfs, d, .. } = &prepared;
    pin(vfs, "/d/a").await;
    let pins = until(vfs, "it is here", here(FILE_BYTES)).await;
    assert_eq!((pins[0].path.as_str(), pins[0].is_folder), ("/d/a", false));
    rename(vfs, (*d, "a"), (Ino::ROOT, "elsewhere")).await;
    let pins = until(vfs, "it is here still", here(FILE_BYTES)).await;
    assert_eq!(pins[0].path, "/elsewhere");
    vfs.unlink(&Caller::root(), Ino::ROOT, b"elsewhere")
        .await
        .unwrap();
    until(vfs, "it is over", |pins| pins.is_empty()).await;
    let start = Instant::now();
    while prepared.book()["pins"] != Value::Array(vec![]) {
        assert!(start.elapsed() < LIMIT, "the pin of a removed file stays");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_change_is_followed_at_the_next_look() {
    let prepared = Prepared::new(CACHE_BYTES).await;
    let Prepared { vfs, d, .. } = &prepared;
    pin(vfs, "/d").await;
    until(vfs, "all is here", here(2 * FILE_BYTES)).await;
    let other = prepared.elsewhere().await;
    let sub = find(&other, *d, "sub").await;
    write(&other, sub, "theirs", &pattern(70_000, 6)).await;
    other.shutdown().await.unwrap();
    // A pin is a look at all of them.
    let report = ask(vfs, PinAction::Pin, &["/other"]).await;
    assert_eq!(report.failed, []);
    until(vfs, "theirs as well", |pins| {
        pins.iter().map(|pin| pin.local_bytes).sum::<u64>() == 3 * FILE_BYTES + 70_000
    })
    .await;
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_much_more_than_the_cache_holds_leaves_what_is_pinned() {
    let limit = 2 << 20;
    let prepared = Prepared::new(limit).await;
    let Prepared { store, vfs, d, .. } = &prepared;
    pin(vfs, "/d").await;
    until(vfs, "all is here", here(2 * FILE_BYTES)).await;
    let other = prepared.elsewhere().await;
    let large = write(&other, Ino::ROOT, "large", &pattern(20 << 20, 7)).await;
    other.shutdown().await.unwrap();
    for _ in 0..2 {
        assert_eq!(read(vfs, large).await.len(), 20 << 20);
    }
    vfs.chunks().settle_cache().await;
    assert!(vfs.chunks().stats().cache_bytes <= limit);
    until(vfs, "all is here still", here(2 * FILE_BYTES)).await;
    store.silent.send_replace(true);
    let a = find(vfs, *d, "a").await;
    assert_eq!(read(vfs, a).await, pattern(FILE_BYTES as usize, 1));
    store.silent.send_replace(false);
    // More than four fifths of the cache is refused, with the figures.
    let refused = ask(vfs, PinAction::Pin, &["/large"]).await;
    let said = &refused.failed[0].reason;
    assert!(said.contains("20.4 MiB") && said.contains("1.6 MiB"), "{said}");
    assert_eq!(listed(vfs).await.len(), 1);
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pin_waits_while_transfers_are_paused_and_says_why_it_fails() {
    let prepared = Prepared::new(CACHE_BYTES).await;
    let Prepared { vfs, d, .. } = &prepared;
    vfs.chunks().hold(Hold { until: None });
    let report = ask(vfs, PinAction::Pin, &["/d/a"]).await;
    assert_eq!((report.paused, report.pins[0].local_bytes), (true, 0));
    prepared.lose_all_objects().await;
    vfs.chunks().release();
    let pins = until(vfs, "it has failed", |pins| pins[0].unfetched_count == 1).await;
    assert_eq!(pins[0].unfetched[0].path, "/d/a");
    assert!(!pins[0].unfetched[0].reason.is_empty());
    // A changed file has other blocks.
    let a = find(vfs, *d, "a").await;
    let handle = vfs.open(&Caller::root(), a, READ_WRITE).await.unwrap().handle;
    vfs.write(handle, 0, &pattern(FILE_BYTES as usize, 9))
        .await
        .unwrap();
    close(vfs, handle).await.unwrap();
    until(vfs, "the new content is here", here(FILE_BYTES)).await;
    until(vfs, "nothing failed", |pins| pins[0].unfetched_count == 0).await;
    vfs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_pinned_is_said() {
    let prepared = Prepared::new(CACHE_BYTES).await;
    let vfs = &prepared.vfs;
    let report = ask(vfs, PinAction::Pin, &["/nosuch"]).await;
    assert_eq!(
        (report.failed[0].path.as_str(), report.failed[0].errno),
        ("/nosuch", 2)
    );
    pin(vfs, "/d").await;
    let report = ask(vfs, PinAction::Unpin, &["/d/a", "/other"]).await;
    assert!(report.failed[0].reason.contains("folder above"), "{report:?}");
    assert!(!report.failed[1].reason.contains("folder above"), "{report:?}");
    let without = prepared.elsewhere().await;
    let report = ask(&without, PinAction::Pin, &["/d"]).await;
    assert!(report.failed[0].reason.contains("--cache-size"), "{report:?}");
    for vfs in [vfs, &without] {
        vfs.shutdown().await.unwrap();
    }
}
