//! A fresh volume on each engine.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moorage_engines::{MemoryEngine, SeededFaults};
use moorage_meta::{Context, DataStore, Engine, Key, Meta, MetaOptions, Record, Scan};
use moorage_model::{
    Error, ErrorKind, Gid, Ino, Name, Result, Segment, Setting, SliceId, SystemClock, TierId, Uid,
};
use tempfile::TempDir;

/// Longest run of one claim on one engine.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a claim on a fresh volume of every engine.
pub(crate) async fn on_each_engine<F: Future<Output = ()>>(
    edit: impl Fn(&mut Setting),
    claim: impl Fn(Volume) -> F,
) {
    for kind in [EngineKind::Memory, EngineKind::Sqlite] {
        println!("on engine {kind:?}");
        let volume = Volume::format(kind, &edit).await;
        tokio::time::timeout(LIMIT, claim(volume))
            .await
            .expect("the claim ends within its time limit");
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum EngineKind {
    Memory,
    Sqlite,
}

/// Where clients of the volume connect to.
enum Place {
    Memory(Arc<MemoryEngine>),
    Sqlite(TempDir),
}

impl Place {
    fn engine(&self) -> Arc<dyn Engine> {
        match self {
            Place::Memory(engine) => engine.clone(),
            Place::Sqlite(folder) => {
                let url = format!("sqlite3://{}", folder.path().join("meta.db").display());
                moorage_engines::open(&url, None).unwrap()
            }
        }
    }
}

/// A volume and the client that most tests use.
pub(crate) struct Volume {
    pub(crate) meta: Arc<Meta>,
    place: Place,
}

impl Volume {
    pub(crate) async fn format(kind: EngineKind, edit: impl Fn(&mut Setting)) -> Volume {
        let place = match kind {
            EngineKind::Memory => Place::Memory(Arc::new(MemoryEngine::new())),
            EngineKind::Sqlite => Place::Sqlite(tempfile::tempdir().unwrap()),
        };
        let mut wanted = setting();
        edit(&mut wanted);
        let engine = place.engine();
        Meta::format(&engine, &wanted, &SystemClock).await.unwrap();
        let meta = open(engine).await;
        Volume { meta, place }
    }

    /// Another client of the volume with a session of its own.
    pub(crate) async fn client(&self) -> Arc<Meta> {
        open(self.place.engine()).await
    }

    /// A client through a given engine over the same records.
    pub(crate) async fn client_through(
        &self,
        wrap: impl FnOnce(Arc<dyn Engine>) -> Arc<dyn Engine>,
    ) -> Arc<Meta> {
        open(wrap(self.place.engine())).await
    }

    /// Lets commits fail by these rates, on the engine that can.
    pub(crate) fn set_faults(&self, faults: SeededFaults) {
        if let Place::Memory(engine) = &self.place {
            engine.set_fault(Some(Box::new(faults)));
        }
    }

    pub(crate) fn end_faults(&self) {
        if let Place::Memory(engine) = &self.place {
            engine.set_fault(None);
        }
    }

    /// Every committed record of a range.
    pub(crate) async fn records(&self, range: Scan) -> Vec<(Key, Record)> {
        self.meta.engine().scan(&range, None, 10_000).await.unwrap().items
    }

    pub(crate) async fn file(&self, parent: Ino, text: &str) -> Ino {
        let created = self.meta.create(&root(), parent, &name(text), 0o644, 0).await;
        created.unwrap().ino
    }

    pub(crate) async fn directory(&self, parent: Ino, text: &str) -> Ino {
        let created = self.meta.mkdir(&root(), parent, &name(text), 0o755, 0).await;
        created.unwrap().ino
    }
}

async fn open(engine: Arc<dyn Engine>) -> Arc<Meta> {
    let options = MetaOptions {
        background_jobs: false,
        heartbeat: Duration::ZERO,
        ..MetaOptions::default()
    };
    let meta = Meta::open(engine, options, Arc::new(SystemClock)).await.unwrap();
    meta.start_session(Arc::new(NoData)).await.unwrap();
    meta
}

fn setting() -> Setting {
    Setting {
        name: "attributes".to_owned(),
        uuid: "3c2d9d4e-7b4f-4c65-9f29-0d2f3ad0a3a1".to_owned(),
        storage: "file".to_owned(),
        bucket: "/objects/".to_owned(),
        block_size: 4096,
        compression: "none".to_owned(),
        encrypt_algo: "aes256gcm-rsa".to_owned(),
        meta_version: 1,
        dir_stats: true,
        user_group_quota: true,
        enable_acl: true,
        ..Setting::default()
    }
}

pub(crate) fn unchanged(_: &mut Setting) {}

/// Files of these tests have a length and no content.
#[derive(Debug)]
pub(crate) struct NoData;

#[async_trait]
impl DataStore for NoData {
    async fn remove(&self, _: SliceId, _: u32) -> Result<()> {
        Ok(())
    }

    async fn rewrite(&self, _: &[Segment], _: SliceId, _: TierId) -> Result<u32> {
        Err(Error::from(ErrorKind::NotFound))
    }

    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

pub(crate) fn root() -> Context {
    Context::root()
}

/// A user that the kernel has not checked.
pub(crate) fn user(uid: u32, gid: u32) -> Context {
    Context {
        uid: Uid(uid),
        gid: Gid(gid),
        groups: Arc::from([]),
        pid: 1,
        check_permission: true,
    }
}

/// The kind of the error that was answered.
pub(crate) fn kind<T: std::fmt::Debug>(answer: Result<T>) -> ErrorKind {
    answer.expect_err("this must fail").kind()
}
