//! A small volume to work on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use moorage_chunk::store::{Cipher, DataKey, EncryptedStore, MemoryStore, Sealer};
use moorage_chunk::{ChunkConfig, ChunkStore, Compression, ObjectStore};
use moorage_engines::MemoryEngine;
use moorage_meta::admin::{CheckOptions, CheckReport, Finding, Progress, Severity};
use moorage_meta::{Context, CreateNode, Engine, Key, Meta, MetaOptions, Record, UnlinkOptions};
use moorage_model::{ChunkIndex, Clock, Gid, Ino, Name, NodeType, Setting, Slice, TierId, Timestamp, Uid};
use moorage_vfs::VolumeData;

/// Bytes of a block of the test volumes: the smallest the format allows.
pub(crate) const BLOCK: u32 = 64 << 10;
/// File of a database.
const DATABASE: &str = "volume.db";
/// A day in seconds.
pub(crate) const DAY: i64 = 86_400;

/// A clock that is set by hand.
#[derive(Debug)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn new() -> HandClock {
        let now = Timestamp::from(std::time::SystemTime::now());
        HandClock(AtomicI64::new(now.seconds))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(self.0.load(Ordering::SeqCst), 0)
    }
}

/// A volume with everything that administration needs.
pub(crate) struct Volume {
    pub(crate) meta: Arc<Meta>,
    pub(crate) engine: Arc<dyn Engine>,
    /// Objects as they are stored, below the encryption.
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) chunks: Arc<ChunkStore>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) root: Context,
    folder: tempfile::TempDir,
}

/// Runs a test on a fresh volume of each engine.
pub(crate) async fn on_each_engine(change: impl Fn(&mut Setting), test: impl AsyncFn(&Volume)) {
    let folder = tempfile::tempdir().unwrap();
    let memory: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    test(&Volume::make(memory, folder, &change).await).await;
    test(&on_sqlite(change).await).await;
}

/// A fresh volume on SQLite, whose records can be damaged.
pub(crate) async fn on_sqlite(change: impl Fn(&mut Setting)) -> Volume {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite3://{}", folder.path().join(DATABASE).display());
    let sqlite = moorage_engines::open(&url, None).unwrap();
    Volume::make(sqlite, folder, &change).await
}

/// A fresh volume on a memory engine whose commits can be made to fail.
pub(crate) async fn on_memory(change: impl Fn(&mut Setting)) -> (Volume, Arc<MemoryEngine>) {
    let engine = Arc::new(MemoryEngine::new());
    let folder = tempfile::tempdir().unwrap();
    let volume = Volume::make(Arc::clone(&engine) as Arc<dyn Engine>, folder, &change).await;
    (volume, engine)
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

impl Volume {
    async fn make(
        engine: Arc<dyn Engine>,
        folder: tempfile::TempDir,
        change: &impl Fn(&mut Setting),
    ) -> Volume {
        let clock = Arc::new(HandClock::new());
        let mut setting = Setting {
            name: "test-volume".to_owned(),
            uuid: "faa27c8f-edab-4791-a4e0-1620b732b343".to_owned(),
            storage: "mem".to_owned(),
            block_size: BLOCK >> 10,
            dir_stats: true,
            ..Setting::default()
        };
        change(&mut setting);
        Meta::format(&engine, &setting, clock.as_ref()).await.unwrap();
        let store: Arc<dyn ObjectStore> = Arc::new(MemoryStore::new());
        let above: Arc<dyn ObjectStore> = if setting.encrypt_key.is_empty() {
            Arc::clone(&store)
        } else {
            let key = DataKey::from_pem(&setting.encrypt_key, None).unwrap();
            let sealer = Sealer::new(key, Cipher::Aes256Gcm);
            Arc::new(EncryptedStore::new(Arc::clone(&store), sealer))
        };
        let config = ChunkConfig {
            block_size: BLOCK,
            buffer_size: 32 << 20,
            compression: Compression::parse(&setting.compression).unwrap(),
            ..ChunkConfig::default()
        };
        let chunks = ChunkStore::open(above, config, &setting.uuid).await.unwrap();
        let meta = Meta::open(
            Arc::clone(&engine),
            MetaOptions::default(),
            Arc::clone(&clock) as Arc<dyn Clock>,
        )
        .await
        .unwrap();
        meta.attach_data(Arc::new(VolumeData::new(Arc::clone(&chunks))));
        Volume {
            meta,
            engine,
            store,
            chunks,
            clock,
            root: Context::root(),
            folder,
        }
    }

    /// Somebody who is not root and whose permissions are checked.
    pub(crate) fn stranger() -> Context {
        Context {
            uid: Uid(1000),
            gid: Gid(1000),
            check_permission: true,
            ..Context::root()
        }
    }

    pub(crate) async fn mkdir(&self, parent: Ino, text: &str) -> Ino {
        let node = CreateNode {
            kind: NodeType::Directory,
            mode: 0o755,
            umask: 0,
            rdev: 0,
            symlink_target: None,
        };
        let made = self.meta.mknod(&self.root, parent, &name(text), node).await;
        made.unwrap().ino
    }

    pub(crate) async fn create(&self, parent: Ino, text: &str) -> Ino {
        let made = self.meta.create(&self.root, parent, &name(text), 0o644, 0).await;
        made.unwrap().ino
    }

    pub(crate) async fn symlink(&self, parent: Ino, text: &str, target: &str) -> Ino {
        let node = CreateNode {
            kind: NodeType::Symlink,
            mode: 0o777,
            umask: 0,
            rdev: 0,
            symlink_target: Some(target.as_bytes().to_vec()),
        };
        let made = self.meta.mknod(&self.root, parent, &name(text), node).await;
        made.unwrap().ino
    }

    /// Writes bytes of one value at an offset of the first chunk.
    pub(crate) async fn write(&self, ino: Ino, pos: u32, len: u32, value: u8) {
        let mut writer = self.chunks.new_slice(TierId(0));
        writer.set_id(self.meta.allocate_slice().await.unwrap());
        writer.write_at(0, &vec![value; len as usize]).await.unwrap();
        let (id, size) = writer.finish().await.unwrap();
        let slice = Slice {
            pos,
            id,
            size,
            off: 0,
            len,
        };
        let written = self
            .meta
            .write_slice(ino, ChunkIndex(0), slice, self.clock.now())
            .await;
        written.unwrap();
    }

    /// A file with content.
    pub(crate) async fn file(&self, parent: Ino, text: &str, len: u32) -> Ino {
        let ino = self.create(parent, text).await;
        self.write(ino, 0, len, 7).await;
        ino
    }

    pub(crate) async fn unlink(&self, parent: Ino, text: &str) {
        self.meta
            .unlink(&self.root, parent, &name(text), UnlinkOptions::default())
            .await
            .unwrap();
    }

    pub(crate) async fn find(&self, path: &str) -> Option<Ino> {
        let found = self.meta.resolve(&self.root, path.as_bytes()).await;
        found.ok().map(|(ino, _)| ino)
    }

    /// Keys of all blocks in the store.
    pub(crate) async fn objects(&self) -> Vec<String> {
        let listed = self.store.list("chunks/", None, 100_000).await.unwrap();
        listed.into_iter().map(|(key, _)| key).collect()
    }

    pub(crate) async fn check(&self) -> CheckReport {
        self.meta
            .check(CheckOptions::default(), &Progress::default())
            .await
            .unwrap()
    }

    /// Fails with the findings unless the volume is whole, numbers included.
    pub(crate) async fn assert_whole(&self) {
        let report = self.check().await;
        let texts: Vec<String> = report.findings.iter().map(Finding::to_string).collect();
        assert!(texts.is_empty(), "{texts:#?}");
        let objects = moorage_vfs::volume_check::check_objects(
            &self.meta,
            self.store.as_ref(),
            moorage_vfs::volume_check::ObjectCheckOptions::default(),
            &std::collections::HashSet::new,
            &Progress::default(),
        )
        .await
        .unwrap();
        let texts: Vec<String> = objects.findings.iter().map(Finding::to_string).collect();
        assert!(texts.is_empty(), "{texts:#?}");
    }

    /// Damages rows of a volume on SQLite.
    pub(crate) fn damage(&self, sql: &str) {
        let raw = rusqlite::Connection::open(self.folder.path().join(DATABASE)).unwrap();
        raw.execute_batch(sql).unwrap();
    }

    /// Damages or mends records past all verbs.
    pub(crate) async fn tamper(&self, key: Key, record: Option<Record>) {
        moorage_meta::run(self.engine.as_ref(), "tamper", move |txn| {
            match &record {
                Some(record) => txn.put(key.clone(), record.clone()),
                None => txn.delete(key.clone()),
            }
            Box::pin(async { Ok(()) })
        })
        .await
        .unwrap();
    }

    pub(crate) async fn slice_counts(&self, ino: Ino) -> usize {
        let info = self
            .meta
            .info(
                ino,
                moorage_meta::admin::InfoOptions::default(),
                &Progress::default(),
            )
            .await
            .unwrap();
        info.chunks.iter().map(|(_, slices)| slices.len()).sum()
    }
}

/// Findings worse than a note, as text.
pub(crate) fn serious(report: &CheckReport) -> Vec<String> {
    report
        .findings
        .iter()
        .filter(|finding| finding.severity > Severity::Note)
        .map(Finding::to_string)
        .collect()
}
