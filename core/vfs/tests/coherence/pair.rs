//! Two clients of one volume, and the kernel behind the second.

use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::{ChunkConfig, ChunkStore, MemoryStore, ObjectStore};
use moorage_meta::{Engine, Meta, MetaOptions};
use moorage_model::{Ino, Setting, SystemClock};
use moorage_vfs::{Caller, KernelNotifier, SetAttrRequest, Vfs, VfsOptions};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Longer than any test.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
/// Longest wait for a notice on a loaded machine.
const LIMIT: Duration = Duration::from_secs(60);

/// What a kernel is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// To drop attributes.
    Attributes(Ino),
    /// To drop content and attributes.
    Content(Ino),
    /// To drop a name.
    Entry(Ino, String),
}

/// Remembers what it is told.
#[derive(Debug, Default)]
pub(crate) struct Kernel {
    notices: Mutex<Vec<Notice>>,
    news: Notify,
}

impl KernelNotifier for Kernel {
    fn inval_inode(&self, ino: Ino, offset: i64, _: i64) {
        self.take(if offset < 0 {
            Notice::Attributes(ino)
        } else {
            Notice::Content(ino)
        });
    }

    fn inval_entry(&self, parent: Ino, name: &[u8]) {
        self.take(Notice::Entry(parent, String::from_utf8_lossy(name).into_owned()));
    }

    fn expire_attributes(&self, ino: Ino) {
        self.take(Notice::Attributes(ino));
    }

    fn drop_content(&self, ino: Ino) {
        self.take(Notice::Content(ino));
    }
}

impl Kernel {
    fn take(&self, notice: Notice) {
        self.notices.lock().push(notice);
        self.news.notify_one();
    }

    /// Waits until it was told this, and forgets that it was.
    pub(crate) async fn hears(&self, notice: Notice) {
        let heard = async {
            loop {
                let found = {
                    let mut notices = self.notices.lock();
                    let before = notices.len();
                    notices.retain(|told| *told != notice);
                    notices.len() < before
                };
                if found {
                    return;
                }
                self.news.notified().await;
            }
        };
        if tokio::time::timeout(LIMIT, heard).await.is_err() {
            panic!("not told {notice:?}, but {:?}", self.told());
        }
    }

    /// What it was told and nobody waited for.
    pub(crate) fn told(&self) -> Vec<Notice> {
        self.notices.lock().clone()
    }

    /// Forgets what it was told.
    pub(crate) fn forget(&self) {
        self.notices.lock().clear();
    }
}

/// Two clients: what the first changes, the second is told.
pub(crate) struct Pair {
    pub(crate) writer: Arc<Vfs>,
    pub(crate) reader: Arc<Vfs>,
    pub(crate) kernel: Arc<Kernel>,
    fence: Ino,
}

impl Pair {
    /// Makes a volume in an empty database that both of these lead to.
    pub(crate) async fn on(first: Arc<dyn Engine>, second: Arc<dyn Engine>) -> Pair {
        let setting = Setting {
            name: "test".into(),
            uuid: "5a2f1a3e-9d0c-4a6e-8f3f-0f6f0c1d2e3f".into(),
            storage: "mem".into(),
            block_size: 64,
            compression: "none".into(),
            meta_version: 1,
            dir_stats: true,
            ..Setting::default()
        };
        Meta::format(&first, &setting, &SystemClock).await.unwrap();
        let store: Arc<dyn ObjectStore> = Arc::new(MemoryStore::new());
        let writer = client(first, &store, VfsOptions::default()).await;
        let reader = client(second, &store, pushed()).await;
        let kernel = Arc::new(Kernel::default());
        reader.set_notifier(Arc::clone(&kernel) as _);
        let (fence, made) = crate::volume::create(&writer, "fence").await;
        crate::volume::close(&writer, made).await.unwrap();
        Pair {
            writer,
            reader,
            kernel,
            fence: fence.ino,
        }
    }

    /// Waits until everything that was changed before has been told.
    pub(crate) async fn settled(&self) {
        self.reader.getattr(self.fence).await.unwrap();
        let mode = self.writer.getattr(self.fence).await.unwrap().attr.mode;
        chmod(&self.writer, self.fence, mode ^ 0o1).await;
        self.kernel.hears(Notice::Attributes(self.fence)).await;
    }

    pub(crate) async fn close(self) {
        self.reader.shutdown().await.unwrap();
        self.writer.shutdown().await.unwrap();
    }
}

/// An hour for every cache.
pub(crate) fn pushed() -> VfsOptions {
    VfsOptions {
        attr_ttl: HOUR,
        entry_ttl: HOUR,
        dir_entry_ttl: HOUR,
        push_invalidation: true,
        ..VfsOptions::default()
    }
}

async fn client(engine: Arc<dyn Engine>, store: &Arc<dyn ObjectStore>, options: VfsOptions) -> Arc<Vfs> {
    let meta = Meta::open(engine, MetaOptions::default(), Arc::new(SystemClock))
        .await
        .unwrap();
    let config = ChunkConfig::from_setting(&meta.setting()).unwrap();
    let chunks = ChunkStore::open(Arc::clone(store), config, &meta.setting().uuid)
        .await
        .unwrap();
    Vfs::open_volume(meta, chunks, options).await.unwrap()
}

/// Changes the permission bits.
pub(crate) async fn chmod(vfs: &Vfs, ino: Ino, mode: u16) {
    let change = SetAttrRequest {
        mode: Some(mode),
        ..SetAttrRequest::default()
    };
    vfs.setattr(&Caller::root(), ino, None, change).await.unwrap();
}
