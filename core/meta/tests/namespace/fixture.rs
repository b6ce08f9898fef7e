//! A volume in memory with a clock and a store that tests command.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moorage_engines::MemoryEngine;
use moorage_meta::{
    Context, DataStore, Engine, Key, Meta, MetaOptions, Read as _, Record, Scan, TxnExt as _, UnlinkOptions,
};
use moorage_model::{
    Attr, ChunkIndex, Clock, Counter, DirStat, Error, ErrorKind, Gid, Ino, Name, Result, Segment, Setting,
    Slice, SliceId, TierId, Timestamp, Uid,
};
use parking_lot::Mutex;

/// Unix seconds at which every test begins: 2023-11-14, 22:13:20 UTC.
pub(crate) const START: i64 = 1_700_000_000;

/// A clock that moves when told, and by its step at every look.
#[derive(Debug)]
pub(crate) struct TestClock {
    now: Mutex<Timestamp>,
    step: Duration,
}

impl TestClock {
    /// Moves by a microsecond at every look.
    pub(crate) fn new() -> TestClock {
        TestClock {
            now: Mutex::new(Timestamp::new(START, 0)),
            step: Duration::from_micros(1),
        }
    }

    /// Moves only when told: what is done between two moves has one time, however often an engine runs it.
    pub(crate) fn still() -> TestClock {
        TestClock {
            step: Duration::ZERO,
            ..TestClock::new()
        }
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut now = self.now.lock();
        let nanoseconds = u64::from(now.nanoseconds) + u64::from(by.subsec_nanos());
        now.seconds += by.as_secs() as i64 + (nanoseconds / 1_000_000_000) as i64;
        now.nanoseconds = (nanoseconds % 1_000_000_000) as u32;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.advance(self.step);
        *self.now.lock()
    }
}

type Hook = Box<dyn Fn(SliceId) -> Result<()> + Send + Sync>;

/// Slices as an object store would hold them.
#[derive(Default)]
pub(crate) struct TestData {
    slices: Mutex<BTreeMap<SliceId, Vec<u8>>>,
    syncs: Mutex<u64>,
    before_removal: Mutex<Option<Hook>>,
}

impl std::fmt::Debug for TestData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestData")
            .field("slices", &self.ids())
            .finish_non_exhaustive()
    }
}

impl TestData {
    pub(crate) fn store(&self, id: SliceId, content: Vec<u8>) {
        self.slices.lock().insert(id, content);
    }

    /// What a visible piece of a chunk shows; `None` when its slice is gone.
    pub(crate) fn show(&self, segment: &Segment) -> Option<Vec<u8>> {
        if segment.id == SliceId::HOLE {
            return Some(vec![0; segment.len as usize]);
        }
        let slices = self.slices.lock();
        let start = segment.off as usize;
        slices
            .get(&segment.id)?
            .get(start..start + segment.len as usize)
            .map(<[u8]>::to_vec)
    }

    pub(crate) fn lose(&self, id: SliceId) {
        self.slices.lock().remove(&id);
    }

    pub(crate) fn ids(&self) -> Vec<SliceId> {
        self.slices.lock().keys().copied().collect()
    }

    pub(crate) fn syncs(&self) -> u64 {
        *self.syncs.lock()
    }

    /// Calls `hook` before every removal of a slice; its error fails the removal.
    pub(crate) fn before_removal(&self, hook: impl Fn(SliceId) -> Result<()> + Send + Sync + 'static) {
        *self.before_removal.lock() = Some(Box::new(hook));
    }

    pub(crate) fn removals_succeed(&self) {
        *self.before_removal.lock() = None;
    }
}

#[async_trait]
impl DataStore for TestData {
    async fn remove(&self, id: SliceId, _size: u32) -> Result<()> {
        if let Some(hook) = &*self.before_removal.lock() {
            hook(id)?;
        }
        self.lose(id);
        Ok(())
    }

    async fn rewrite(&self, segments: &[Segment], id: SliceId, _tier: TierId) -> Result<u32> {
        let mut content = Vec::new();
        for segment in segments {
            let shown = self.show(segment);
            let missing = || Error::new(ErrorKind::NotFound, format!("slice {}", segment.id));
            content.extend(shown.ok_or_else(missing)?);
        }
        let size = content.len() as u32;
        self.store(id, content);
        Ok(size)
    }

    async fn sync(&self) -> Result<()> {
        *self.syncs.lock() += 1;
        // As a disk would, it lets others run meanwhile.
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// The setting of a fresh volume without trash.
pub(crate) fn setting() -> Setting {
    Setting {
        name: "test-volume".to_owned(),
        uuid: "3c2d9d4e-7b4f-4c65-9f29-0d2f3ad0a3a1".to_owned(),
        storage: "file".to_owned(),
        bucket: "/objects/".to_owned(),
        block_size: 4096,
        compression: "none".to_owned(),
        encrypt_algo: "aes256gcm-rsa".to_owned(),
        meta_version: 1,
        dir_stats: true,
        ..Setting::default()
    }
}

/// One volume, and the client that most tests use.
pub(crate) struct Volume {
    pub(crate) engine: Arc<MemoryEngine>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) data: Arc<TestData>,
    pub(crate) meta: Arc<Meta>,
}

impl Volume {
    /// A fresh volume without trash, and a client without session.
    pub(crate) async fn new() -> Volume {
        Volume::with(|_| {}).await
    }

    /// A fresh volume whose setting was edited.
    pub(crate) async fn with(edit: impl FnOnce(&mut Setting)) -> Volume {
        Volume::with_options(edit, MetaOptions::default()).await
    }

    /// A fresh volume and a client with these options.
    pub(crate) async fn with_options(edit: impl FnOnce(&mut Setting), options: MetaOptions) -> Volume {
        let engine = Arc::new(MemoryEngine::new());
        let clock = Arc::new(TestClock::new());
        let mut wanted = setting();
        edit(&mut wanted);
        let shared: Arc<dyn Engine> = engine.clone();
        Meta::format(&shared, &wanted, clock.as_ref()).await.unwrap();
        let meta = Meta::open(shared, options, clock.clone()).await.unwrap();
        let data = Arc::new(TestData::default());
        meta.attach_data(data.clone());
        Volume {
            engine,
            clock,
            data,
            meta,
        }
    }

    /// Another client of the volume, without session.
    pub(crate) async fn client(&self, options: MetaOptions) -> Arc<Meta> {
        let meta = Meta::open(self.engine.clone(), options, self.clock.clone())
            .await
            .unwrap();
        meta.attach_data(self.data.clone());
        meta
    }

    /// A client with a session whose background tasks do nothing by themselves within a test.
    pub(crate) async fn session(&self) -> Arc<Meta> {
        let meta = Meta::open(self.engine.clone(), quiet(), self.clock.clone())
            .await
            .unwrap();
        meta.start_session(self.data.clone()).await.unwrap();
        meta
    }

    pub(crate) async fn record(&self, key: Key) -> Option<Record> {
        self.engine.read(&[key]).await.unwrap().remove(0)
    }

    pub(crate) async fn counter(&self, counter: Counter) -> i64 {
        let mut found = self.engine.get(&[Key::Counter(counter)]).await.unwrap();
        found.counter().unwrap().unwrap_or(0)
    }

    pub(crate) async fn dir_stat(&self, ino: Ino) -> Option<DirStat> {
        let mut found = self.engine.get(&[Key::DirStat(ino)]).await.unwrap();
        found.dir_stat().unwrap()
    }

    pub(crate) async fn owners(&self, slice: Slice) -> Option<i64> {
        let key = Key::SliceRef(slice.id, slice.size);
        self.engine.get(&[key]).await.unwrap().owners().unwrap()
    }

    pub(crate) async fn scan(&self, range: Scan) -> Vec<(Key, Record)> {
        self.engine
            .scan(&range, None, usize::MAX - 1)
            .await
            .unwrap()
            .items
    }

    pub(crate) async fn file(&self, parent: Ino, file: &str) -> Ino {
        let root = Context::root();
        self.meta
            .create(&root, parent, &name(file), 0o644, 0)
            .await
            .unwrap()
            .ino
    }

    pub(crate) async fn directory(&self, parent: Ino, directory: &str) -> Ino {
        let root = Context::root();
        self.meta
            .mkdir(&root, parent, &name(directory), 0o755, 0)
            .await
            .unwrap()
            .ino
    }

    pub(crate) async fn attr(&self, ino: Ino) -> Attr {
        self.meta.getattr(ino).await.unwrap()
    }

    pub(crate) async fn unlink(&self, parent: Ino, file: &str) -> Result<()> {
        let options = UnlinkOptions::default();
        self.meta
            .unlink(&Context::root(), parent, &name(file), options)
            .await
    }

    /// Stores a new slice of `len` bytes and adds it to a file at this offset, all within one chunk.
    pub(crate) async fn write(&self, ino: Ino, offset: u64, len: u32) -> Slice {
        write(&self.meta, &self.data, ino, offset, len).await.unwrap()
    }

    /// What an unlink or a compaction left to the background.
    pub(crate) async fn flush(&self) {
        self.meta.flush_deletions().await.unwrap();
    }
}

/// Stores a new slice and adds it to a file through this client.
pub(crate) async fn write(meta: &Meta, data: &TestData, ino: Ino, offset: u64, len: u32) -> Result<Slice> {
    let chunk = ChunkIndex::of(offset).unwrap();
    let slice = Slice {
        pos: (offset - chunk.start()) as u32,
        id: meta.allocate_slice().await?,
        size: len,
        off: 0,
        len,
    };
    data.store(slice.id, vec![1; len as usize]);
    let mtime = Timestamp::new(START, 5);
    meta.write_slice(ino, chunk, slice, mtime).await?;
    Ok(slice)
}

/// Options of a client whose loops sleep longer than any test runs.
pub(crate) fn quiet() -> MetaOptions {
    MetaOptions {
        heartbeat: Duration::from_secs(600),
        sync_interval: Duration::ZERO,
        ..MetaOptions::default()
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

/// A caller whose permissions are checked here.
pub(crate) fn user(uid: u32, gid: u32) -> Context {
    Context {
        uid: Uid(uid),
        gid: Gid(gid),
        groups: Arc::from([]),
        pid: 100,
        check_permission: true,
    }
}

/// The kind of an expected failure.
pub(crate) fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}
