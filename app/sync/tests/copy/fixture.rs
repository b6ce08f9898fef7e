//! Folders with files, and copies between sides.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use moorage_chunk::{ChunkConfig, ChunkStore, MemoryStore, ObjectStore};
use moorage_engines::MemoryEngine;
use moorage_meta::admin::Progress;
use moorage_meta::{Engine, Meta, MetaOptions};
use moorage_model::{Clock as _, Setting, SystemClock};
use moorage_sync::copy::{
    Action, Checks, CopyOptions, Deletions, Failure, Observer, Report, Selection, copy,
};
use moorage_sync::{
    Filter, FolderSide, MissingRoot, ObjectSide, RelativePath, Side, Tag, Verdict, VolumeSide,
};
use moorage_vfs::{Caller, Vfs, VfsOptions};

/// What was told, in words.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) would: Mutex<Vec<String>>,
    pub(crate) failed: Mutex<Vec<String>>,
}

impl Observer for Told {
    fn would(&self, action: Action, path: &RelativePath) {
        self.would.lock().unwrap().push(format!("{action:?} {path}"));
    }

    fn failed(&self, failure: &Failure) {
        let told = format!("{}: {}", failure.path, failure.error);
        self.failed.lock().unwrap().push(told);
    }
}

pub(crate) fn options() -> CopyOptions {
    CopyOptions {
        selection: Selection::default(),
        deletions: Deletions::default(),
        checks: Checks::default(),
        filter: Arc::default(),
        folders: false,
        permissions: false,
        links: false,
        dry: false,
        threads: 4,
        limit: None,
        most_failures: None,
        bytes_per_second: 0,
        now: SystemClock.now(),
    }
}

pub(crate) fn excluding(pattern: &str) -> Arc<Filter> {
    Filter::new([(Verdict::Exclude, pattern)]).unwrap()
}

/// Copies, and expects that nothing fails.
pub(crate) async fn copied(source: &dyn Side, destination: &dyn Side, options: &CopyOptions) -> Report {
    let (report, failed) = tried(source, destination, options).await;
    assert_eq!(failed, Vec::<String>::new());
    report
}

/// Copies, and tells what failed.
pub(crate) async fn tried(
    source: &dyn Side,
    destination: &dyn Side,
    options: &CopyOptions,
) -> (Report, Vec<String>) {
    let told = Told::default();
    let report = copy(source, destination, options, &told, &Progress::default())
        .await
        .unwrap();
    let failed = told.failed.into_inner().unwrap();
    assert_eq!(report.failed, failed.len() as u64);
    (report, failed)
}

/// Two empty folders.
pub(crate) struct Folders {
    place: tempfile::TempDir,
}

impl Folders {
    pub(crate) fn new() -> Folders {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("from")).unwrap();
        fs::create_dir(place.path().join("to")).unwrap();
        Folders { place }
    }

    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    pub(crate) fn from(&self, name: &str) -> PathBuf {
        self.place.path().join("from").join(name)
    }

    pub(crate) fn to(&self, name: &str) -> PathBuf {
        self.place.path().join("to").join(name)
    }

    pub(crate) fn source(&self) -> FolderSide {
        FolderSide::open(&self.from(""), MissingRoot::Refuse, Tag::random()).unwrap()
    }

    pub(crate) fn destination(&self) -> FolderSide {
        FolderSide::open(&self.to(""), MissingRoot::Refuse, Tag::random()).unwrap()
    }

    pub(crate) async fn copied(&self, options: &CopyOptions) -> Report {
        copied(&self.source(), &self.destination(), options).await
    }

    /// Everything in the destination: contents of files, `-> target` of links, `/` of folders.
    pub(crate) fn tree(&self) -> BTreeMap<String, String> {
        tree(&self.to(""))
    }
}

/// Writes a file, and the folders above it.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Makes a file look as if it had been changed this many seconds after 2001-09-09.
pub(crate) fn set_time(path: &Path, seconds: u64) {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000 + seconds);
    fs::File::open(path).unwrap().set_modified(time).unwrap();
}

pub(crate) fn tree(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let kind = path.symlink_metadata().unwrap();
            if kind.is_symlink() {
                found.insert(name, format!("-> {}", path.read_link().unwrap().display()));
            } else if kind.is_dir() {
                found.insert(name, "/".to_owned());
                folders.push(path);
            } else {
                found.insert(
                    name,
                    String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned(),
                );
            }
        }
    }
    found
}

/// A tree in the form of [`tree`].
pub(crate) fn tree_of<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries
        .into_iter()
        .map(|(name, content)| (name.to_owned(), content.to_owned()))
        .collect()
}

/// An object store in memory, and a side below a prefix of it.
pub(crate) fn objects() -> (Arc<MemoryStore>, ObjectSide) {
    let store = Arc::new(MemoryStore::new());
    let shared: Arc<dyn ObjectStore> = Arc::clone(&store) as _;
    let side = ObjectSide::new(shared, &RelativePath::new(b"below").unwrap()).unwrap();
    (store, side)
}

/// A volume in memory.
pub(crate) async fn volume() -> Arc<Vfs> {
    let engine = Arc::new(MemoryEngine::new());
    engine.prepare().await.unwrap();
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
    let engine: Arc<dyn Engine> = engine;
    Meta::format(&engine, &setting, &SystemClock).await.unwrap();
    let meta = Meta::open(engine, MetaOptions::default(), Arc::new(SystemClock))
        .await
        .unwrap();
    let config = ChunkConfig {
        buffer_size: 24 << 20,
        ..ChunkConfig::from_setting(&setting).unwrap()
    };
    let chunks = ChunkStore::open(Arc::new(MemoryStore::new()), config, &setting.uuid)
        .await
        .unwrap();
    let options = VfsOptions {
        hide_internal: true,
        ..VfsOptions::default()
    };
    Vfs::open_volume(meta, chunks, options).await.unwrap()
}

/// A folder of that volume.
pub(crate) async fn volume_side(vfs: &Arc<Vfs>, path: &str) -> VolumeSide {
    let root = RelativePath::new(path.as_bytes()).unwrap();
    VolumeSide::open(
        Arc::clone(vfs),
        root,
        MissingRoot::Make,
        Caller::root(),
        Tag::random(),
    )
    .await
    .unwrap()
}
