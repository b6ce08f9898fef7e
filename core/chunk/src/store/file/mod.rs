//! Objects as files below a folder: Storage `file` (spec 60-objects section 10).

mod path;
mod place;
mod walk;
mod write;

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result, TierId, redact};

use super::counters::Counting;
use super::memory::missing_from;
use super::{Features, ObjectInfo, ObjectStore, StoreCounters};
use crate::barrier::Barrier;
use crate::compress::damaged;
use crate::disk_error::disk_error;
use crate::offload::Offload;
use crate::platform::{self, NoWait};
use place::Place;
use walk::Walk;
use write::{Written, write_unreferenced, write_whole};

/// Open object files kept for repeated reads. They pin the space of deleted objects, so not many.
const OPEN_FILES: usize = 64;
/// Objects from this size on start their way to the disk as they are written, so that the barrier finds less to do.
const EARLY_WRITEBACK_BYTES: usize = 1 << 20;

/// A local folder as object store.
///
/// Blocks are written under their own names, other objects to a temporary sibling that is renamed. They are not synced
/// then but remembered, and [`ObjectStore::sync`] makes them durable together, names included.
#[derive(Debug)]
pub struct FileStore {
    place: Arc<Place>,
    temporaries: AtomicU64,
    open: quick_cache::sync::Cache<String, Arc<File>>,
    barrier: Arc<Barrier>,
    offload: Offload,
    counting: Counting,
}

impl FileStore {
    /// Opens the folder `root`, which is made with the first object. Paths are `root` and key joined as text, as
    /// the format wants it, with a `/` between them.
    ///
    /// # Errors
    /// `InvalidArgument` unless `root` is an absolute path.
    pub fn open(root: &Path) -> Result<FileStore> {
        if !root.is_absolute() {
            let shown = root.to_string_lossy();
            let why = if path::is_of_another_system(&shown) {
                "is named as another system names folders"
            } else {
                "is not an absolute path"
            };
            let what = format!("the object folder {} {why}", redact(&shown));
            return Err(Error::new(ErrorKind::InvalidArgument, what).with_advice(
                "Say where this computer finds it, with `moorage config META-URL --bucket FOLDER`; all clients look there from then on.",
            ));
        }
        let mut text = root.as_os_str().to_owned();
        if !text.to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]) {
            text.push("/");
        }
        Ok(FileStore {
            place: Arc::new(Place::new(text.into())),
            // Another process may write the same object: two counters must not meet.
            temporaries: AtomicU64::new(u64::from(rand::random::<u32>()) << 20),
            open: quick_cache::sync::Cache::new(OPEN_FILES),
            barrier: Arc::default(),
            offload: Offload::new(),
            counting: Counting::default(),
        })
    }

    /// As [`FileStore::open`], on a disk that never stalls.
    #[cfg(test)]
    pub(crate) fn open_quick(root: &Path) -> Result<FileStore> {
        Ok(FileStore {
            offload: Offload::that_never_stalls(),
            ..FileStore::open(root)?
        })
    }

    fn path(&self, key: &str) -> Result<PathBuf> {
        path::path_of(&self.place.root, key)
    }

    async fn write(
        &self,
        key: &str,
        body: Bytes,
        how: fn(&Place, &Path, &[u8], u64) -> io::Result<Written>,
    ) -> Result<()> {
        let path = self.path(key)?;
        let number = self.temporaries.fetch_add(1, Relaxed);
        self.counting.put(body.len());
        let (place, name) = (Arc::clone(&self.place), key.to_owned());
        let barrier = Arc::clone(&self.barrier);
        let written = self.offload.run(body.len(), move || {
            let (file, new_folders) = how(&place, &path, &body, number)
                .map_err(|e| disk_error("can not write object", place_of(&place.root, &name), e))?;
            if body.len() >= EARLY_WRITEBACK_BYTES {
                platform::start_writeback(&file);
            }
            Ok(barrier.add(path, file, new_folders))
        });
        if self.counting.outcome(written.await)? {
            self.sync().await
        } else {
            Ok(())
        }
    }

    /// The file of an object, kept open for the next read. One that lost its name is opened anew: the object was
    /// deleted, or restored from a copy. An `fstat` per use.
    fn file(&self, key: &str) -> Result<Arc<File>> {
        if let Some(file) = self.open.get(key)
            && platform::has_name(&file)
        {
            return Ok(file);
        }
        let file = Arc::new(File::open(self.path(key)?).map_err(|e| read_error(&self.place.root, key, e))?);
        self.open.insert(key.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    /// Opens the object anew for the next read: a sound copy may take the place of one that could not be read.
    fn look_again(&self, key: &str) {
        self.open.remove(key);
    }
}

fn read_error(root: &Path, key: &str, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => missing_from(&in_words(root), key),
        io::ErrorKind::UnexpectedEof => damaged(key, "it is shorter than its name says"),
        _ => disk_error("can not read object", place_of(root, key), error),
    }
}

/// The file of an object as a person finds it.
fn place_of(root: &Path, key: &str) -> String {
    format!("{}{key}", root.display())
}

fn in_words(root: &Path) -> String {
    format!("folder {}", root.display())
}

fn read_object(file: &File, root: &Path, key: &str, range: Range<u64>) -> Result<Bytes> {
    let size = file.metadata().map_err(|e| read_error(root, key, e))?.len();
    let end = range.end.min(size);
    let len = usize::try_from(end.saturating_sub(range.start)).unwrap_or(0);
    let mut body = vec![0; len];
    platform::read_exact_at(file, &mut body, range.start).map_err(|e| read_error(root, key, e))?;
    Ok(body.into())
}

#[async_trait]
impl ObjectStore for FileStore {
    async fn put(&self, key: &str, body: Bytes) -> Result<()> {
        self.write(key, body, write_whole).await
    }

    async fn put_tier(&self, key: &str, body: Bytes, _tier: TierId) -> Result<()> {
        self.write(key, body, write_unreferenced).await
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes> {
        let file = self.file(key)?;
        let bytes = match &range {
            Some(range) => usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX),
            None => file
                .metadata()
                .map_or(0, |data| usize::try_from(data.len()).unwrap_or(usize::MAX)),
        };
        let (root, name) = (self.place.root.clone(), key.to_owned());
        let read = self.offload.run(bytes, move || {
            read_object(&file, &root, &name, range.unwrap_or(0..u64::MAX))
        });
        let body = self
            .counting
            .outcome(read.await)
            .inspect_err(|_| self.look_again(key))?;
        self.counting.get(body.len());
        Ok(body)
    }

    /// One `preadv2` when the page cache has the bytes; else a blocking read in place as long as the disk answers
    /// quickly. One copy, from the page cache to the buffer.
    fn read_now(&self, key: &str, offset: u64, buffer: &mut [u8]) -> Option<Result<()>> {
        let read = |file: &File, buffer: &mut [u8]| -> Option<io::Result<()>> {
            let done = match platform::read_cached(file, buffer, offset) {
                Ok(NoWait::Done) => return Some(Ok(())),
                Ok(NoWait::Partial(done)) => done,
                Ok(NoWait::Unknown) => 0,
                Err(error) => return Some(Err(error)),
            };
            let rest = buffer.get_mut(done..)?;
            if !self.offload.in_place() {
                return None;
            }
            Some(
                self.offload
                    .timed(|| platform::read_exact_at(file, rest, offset + done as u64)),
            )
        };
        self.counting.get(buffer.len());
        match self.file(key) {
            Ok(file) => {
                let result = read(&file, buffer)?.map_err(|e| read_error(&self.place.root, key, e));
                Some(
                    self.counting
                        .outcome(result.inspect_err(|_| self.look_again(key))),
                )
            }
            Err(error) => Some(self.counting.outcome(Err(error))),
        }
    }

    fn will_need(&self, key: &str, range: Range<u64>) {
        if let Ok(file) = self.file(key) {
            platform::read_ahead(&file, range.start, range.end.saturating_sub(range.start));
        }
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo> {
        let path = self.path(key)?;
        let (root, name) = (self.place.root.clone(), key.to_owned());
        let info = self.offload.run(0, move || {
            let data = fs::metadata(path).map_err(|e| read_error(&root, &name, e))?;
            if data.is_dir() {
                return Err(missing_from(&in_words(&root), &name));
            }
            Ok(ObjectInfo {
                size: data.len(),
                modified: data.modified().ok(),
            })
        });
        self.counting.outcome(info.await)
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let path = self.path(key)?;
        self.open.remove(key);
        self.counting.delete();
        let (root, name, folder) = (self.place.root.clone(), key.to_owned(), key.ends_with('/'));
        let deleted = self.offload.run(0, move || {
            let result = if folder {
                fs::remove_dir(path)
            } else {
                fs::remove_file(path)
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) if folder && error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
                other => other.map_err(|e| disk_error("can not delete object", place_of(&root, &name), e)),
            }
        });
        self.counting.outcome(deleted.await)
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, ObjectInfo)>> {
        self.counting.list();
        let (root, prefix, after) = (
            self.place.root.clone(),
            prefix.to_owned(),
            after.map(str::to_owned),
        );
        let listed = self.offload.run(usize::MAX, move || {
            let mut walk = Walk {
                prefix: &prefix,
                after: after.as_deref(),
                limit,
                found: Vec::new(),
            };
            walk.descend(&root, "")
                .map_err(|e| disk_error("can not list objects in", root.display(), e))?;
            Ok(walk.found)
        });
        self.counting.outcome(listed.await)
    }

    fn will_sync(&self) {
        self.barrier.start();
    }

    async fn sync(&self) -> Result<()> {
        let synced = self.barrier.sync(&self.offload, || self.counting.sync()).await;
        self.counting.outcome(synced)
    }

    fn describe(&self) -> String {
        in_words(&self.place.root)
    }

    fn counters(&self) -> StoreCounters {
        self.counting.snapshot()
    }

    fn features(&self) -> Features {
        Features {
            local: true,
            encrypted: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_as_another_system_names_it_is_refused_with_what_to_do() {
        let foreign: &[&str] = if cfg!(windows) {
            &["/srv/objects/"]
        } else {
            &[r"C:\objects/", "D:/objects/", r"\\server\share/"]
        };
        for folder in foreign {
            let refused = FileStore::open(Path::new(folder)).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
            let said = refused.message().unwrap();
            assert!(said.contains(folder) && said.contains("another system"), "{said}");
            assert!(
                refused.advice().unwrap().contains("--bucket FOLDER"),
                "{refused:?}"
            );
        }
        let relative = FileStore::open(Path::new("objects/")).unwrap_err();
        assert!(relative.message().unwrap().contains("not an absolute path"));
    }

    #[tokio::test]
    #[cfg_attr(
        windows,
        ignore = "Windows replaces an open file; wine 8, where the tests of Windows run, does not"
    )]
    async fn a_block_that_was_stored_in_part_is_replaced_whole_beside_its_readers() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::open(folder.path()).unwrap();
        let (key, path) = ("chunks/0/0/1_0_8", folder.path().join("chunks/0/0/1_0_8"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"half").unwrap();
        let reader = File::open(&path).unwrap();
        store
            .put_tier(key, Bytes::from_static(b"complete"), TierId(0))
            .await
            .unwrap();
        assert_eq!(&store.get(key, None).await.unwrap()[..], b"complete");
        assert_eq!(io::read_to_string(reader).unwrap(), "half");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_folder_whose_disk_is_gone_is_not_made_again() {
        let disk = tempfile::tempdir().unwrap();
        let (root, away) = (disk.path().join("objects"), disk.path().join("away"));
        let store = FileStore::open(&root).unwrap();
        let body = || Bytes::from_static(b"x");
        store.put("chunks/0/0/1_0_1", body()).await.unwrap();
        fs::rename(&root, &away).unwrap();
        let refused = store.put("chunks/0/0/2_0_1", body()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Io);
        assert!(!root.exists());
        // As below a disk that is not mounted.
        fs::create_dir(&root).unwrap();
        store.put("chunks/0/0/2_0_1", body()).await.unwrap_err();
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
        fs::remove_dir(&root).unwrap();
        fs::rename(&away, &root).unwrap();
        store.put("chunks/9/9/2_0_1", body()).await.unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn links_are_not_objects_wherever_they_lead() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(elsewhere.path().join("1_0_4"), b"mine").unwrap();
        let store = FileStore::open(folder.path()).unwrap();
        store
            .put("chunks/0/0/2_0_4", Bytes::from_static(b"ours"))
            .await
            .unwrap();
        let link = |target: &Path, name: &str| {
            std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
        };
        link(elsewhere.path(), "chunks/0/1");
        link(&elsewhere.path().join("1_0_4"), "chunks/0/0/1_0_4");
        link(folder.path(), "chunks/circle");
        let listed = store.list("", None, 100).await.unwrap();
        let keys: Vec<&str> = listed.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["chunks/0/0/2_0_4"]);
    }
}
