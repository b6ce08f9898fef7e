//! Objects that are written but not yet durable, and the one barrier that makes them so for every caller.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::disk_error::disk_error;
use crate::offload::Offload;
use crate::platform;

/// Pending objects that are synced one by one; with more, one sync of the file system is cheaper, though it also waits for
/// what other programs wrote there. A GiB of large blocks; also bounds the open files held for it.
const SINGLE_FILES: usize = 256;
/// Files whose writing to the disk one caller starts.
const STARTED_FILES: usize = 16;
/// Threads that sync single files side by side: the disk serves their waits together. 16 files of 4 KiB took 2.3 ms with
/// 8 of them and 3.8 ms with one (ext4 with a journal).
const SYNC_THREADS: usize = 8;
/// Files that are worth another thread.
const FILES_PER_THREAD: usize = 2;
/// Pending objects where single syncs are all a system has: the bound of the list.
const LISTED_FILES: usize = 4096;

type Outcome = std::result::Result<(), Arc<Error>>;

#[derive(Debug, Default)]
struct Pending {
    files: Vec<(PathBuf, Option<File>)>,
    folders: BTreeSet<PathBuf>,
    /// Some of the folders are new themselves.
    new_folders: bool,
    /// How many of the files are on their way to the disk already.
    started: usize,
    /// More files than the list holds: sync the whole file system.
    whole: bool,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.files.is_empty() && self.folders.is_empty() && !self.whole
    }

    /// Whether the sync of each file keeps its name, and that of every folder above it.
    fn names_follow(&self) -> bool {
        let follows = |file: &Option<File>| file.as_ref().is_some_and(platform::sync_keeps_name);
        !self.new_folders && !self.files.is_empty() && self.files.iter().all(|(_, file)| follows(file))
    }

    fn put_back(&mut self, mut other: Pending) {
        self.files.append(&mut other.files);
        self.folders.append(&mut other.folders);
        self.new_folders |= other.new_folders;
        self.whole |= other.whole;
    }
}

#[derive(Debug, Default)]
struct State {
    pending: Pending,
    /// The system forgets what it could not write once it has said so: a second sync would succeed without it.
    lost: Option<Arc<Error>>,
    running: bool,
    waiters: Vec<oneshot::Sender<Outcome>>,
}

/// Collects pending objects and syncs them together.
#[derive(Debug, Default)]
pub(crate) struct Barrier {
    state: Mutex<State>,
}

impl Barrier {
    /// Remembers an object that has its name but is not synced. Returns whether the list is full, where it is
    /// bounded: then the caller has to wait for a sync before it goes on.
    pub(crate) fn add(&self, path: PathBuf, file: File, new_folders: Vec<PathBuf>) -> bool {
        let mut state = self.state.lock();
        if state.lost.is_some() {
            // No sync will succeed any more, so nothing is remembered for one.
            return false;
        }
        let pending = &mut state.pending;
        if let Some(folder) = path.parent()
            && !pending.folders.contains(folder)
        {
            pending.folders.insert(folder.to_owned());
        }
        pending.new_folders |= !new_folders.is_empty();
        pending.folders.extend(new_folders);
        if pending.whole {
            return false;
        }
        if pending.files.len() < SINGLE_FILES {
            // Elsewhere an open file would keep its object from being deleted.
            pending.files.push((path, cfg!(unix).then_some(file)));
        } else if cfg!(target_os = "linux") {
            pending.whole = true;
            pending.files.clear();
            pending.started = 0;
        } else {
            pending.files.push((path, None));
        }
        pending.files.len() >= LISTED_FILES
    }

    /// Starts writing what is pending to the disk, for a caller that does something else before it waits for a sync: about
    /// 15 microseconds for a file of 128 KiB. Only the newest files, since others may be kept waiting.
    pub(crate) fn start(&self) {
        let mut state = self.state.lock();
        let pending = &mut state.pending;
        let first = pending
            .started
            .max(pending.files.len().saturating_sub(STARTED_FILES));
        let files = pending.files.get(first..).unwrap_or_default();
        files
            .iter()
            .filter_map(|(_, file)| file.as_ref())
            .for_each(platform::start_writeback);
        pending.started = pending.files.len();
    }

    /// Waits until everything added before is durable. One round serves all who wait; who comes while a round
    /// runs waits for the next.
    ///
    /// # Errors
    /// The first failure of a round, to all its waiters; what failed stays pending. Once the disk failed to write
    /// the bytes of an object, every later call fails as well.
    pub(crate) async fn sync(self: &Arc<Self>, offload: &Offload, counted: impl FnOnce()) -> Result<()> {
        let (sender, receiver) = oneshot::channel();
        let lead = {
            let mut state = self.state.lock();
            if let Some(lost) = &state.lost {
                return Err(undurable(lost));
            }
            if state.pending.is_empty() && !state.running {
                return Ok(());
            }
            state.waiters.push(sender);
            !std::mem::replace(&mut state.running, true)
        };
        if lead {
            counted();
            // What others ask for meanwhile does not keep this caller, whom the first round serves.
            if !offload.waits_here(|| self.round()) || self.goes_on() {
                let barrier = Arc::clone(self);
                offload.start(move || barrier.rounds());
            }
        }
        match receiver.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(undurable(&error)),
            Err(_) => Err(Error::new(ErrorKind::Io, "the sync of objects was cut off")),
        }
    }

    /// Runs rounds until nobody waits.
    fn rounds(&self) {
        while self.goes_on() {
            self.round();
        }
    }

    /// Whether somebody waits for another round; else the next caller leads.
    fn goes_on(&self) -> bool {
        let mut state = self.state.lock();
        state.running = !state.waiters.is_empty();
        state.running
    }

    fn round(&self) {
        let (batch, waiters) = {
            let mut state = self.state.lock();
            (
                std::mem::take(&mut state.pending),
                std::mem::take(&mut state.waiters),
            )
        };
        let outcome = sync_batch(&batch).map_err(|failure| {
            let mut state = self.state.lock();
            match failure {
                Failure::Passing(error) => {
                    state.pending.put_back(batch);
                    Arc::new(error)
                }
                Failure::Lost(error) => {
                    state.pending = Pending::default();
                    Arc::clone(state.lost.insert(Arc::new(error)))
                }
            }
        });
        for waiter in waiters {
            // A caller that went away does not need the answer.
            let _ = waiter.send(outcome.clone());
        }
    }
}

/// Why a batch is not durable.
#[derive(Debug)]
enum Failure {
    /// It may be the next time.
    Passing(Error),
    /// Bytes could not be written, and the system has dropped them.
    Lost(Error),
}

fn undurable(cause: &Arc<Error>) -> Error {
    Error::new(cause.kind(), "objects could not be made durable")
        .with_source(Arc::clone(cause))
        .with_advice("Check the disk that holds them, then mount the volume again and run `moorage fsck`")
}

/// One sync per object where that keeps its name as well. Elsewhere bytes and names side by side: each waits for the disk
/// once, and nothing refers to an object before both are durable. A power cut between them leaves an object without a
/// record, for garbage collection.
fn sync_batch(batch: &Pending) -> std::result::Result<(), Failure> {
    if batch.whole
        && let Some(result) = platform::sync_file_systems(batch.folders.iter().map(PathBuf::as_path))
    {
        return result
            .map_err(|e| Failure::Lost(disk_error("can not sync", "the file system of the objects", e)));
    }
    if batch.names_follow() {
        return sync_files(&batch.files, File::sync_all);
    }
    std::thread::scope(|scope| {
        let beside = std::thread::Builder::new()
            .name("sync-names".to_owned())
            .spawn_scoped(scope, || sync_folders(&batch.folders));
        sync_files(&batch.files, File::sync_data)?;
        match beside.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(synced)) => synced,
            // No thread to be had, or it was cut off.
            _ => sync_folders(&batch.folders),
        }
    })
}

fn sync_files(
    files: &[(PathBuf, Option<File>)],
    sync: fn(&File) -> io::Result<()>,
) -> std::result::Result<(), Failure> {
    if files.len() > 1 {
        // All writes are under way before the first wait, so that one journal commit covers them.
        files
            .iter()
            .filter_map(|(_, file)| file.as_ref())
            .for_each(platform::start_writeback);
    }
    let sync_one = |(path, file): &(PathBuf, Option<File>)| {
        let synced = match file {
            Some(file) => sync(file),
            None => sync_by_path(path),
        };
        synced.map_err(|e| Failure::Lost(disk_error("can not sync", path.display(), e)))
    };
    let others = (files.len() / FILES_PER_THREAD)
        .min(SYNC_THREADS)
        .saturating_sub(1);
    let next = AtomicUsize::new(0);
    let sync_some = || {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            sync_one(file)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let beside: Vec<_> = (0..others)
            .map_while(|_| {
                let thread = std::thread::Builder::new().name("sync-objects".to_owned());
                // Without another thread this one syncs all of them.
                thread.spawn_scoped(scope, sync_some).ok()
            })
            .collect();
        let mut outcome = sync_some();
        for thread in beside {
            let synced = thread.join().unwrap_or_else(|_| {
                let cut_off = io::Error::other("the thread that syncs it was cut off");
                Err(Failure::Lost(disk_error("can not sync", "an object", cut_off)))
            });
            outcome = outcome.and(synced);
        }
        outcome
    })
}

fn sync_folders(folders: &BTreeSet<PathBuf>) -> std::result::Result<(), Failure> {
    for folder in folders {
        match platform::sync_folder(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let failure = disk_error("can not sync", folder.display(), error);
                return Err(Failure::Passing(failure));
            }
            _ => {}
        }
    }
    Ok(())
}

fn sync_by_path(path: &Path) -> io::Result<()> {
    match File::options().write(true).open(path) {
        Ok(file) => file.sync_data(),
        // Deleted meanwhile: nothing is left to lose.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn names_do_not_follow_files_where_no_journal_keeps_them() {
        // Memory files are on tmpfs.
        let file = rustix::fs::memfd_create("object", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        assert!(!platform::sync_keeps_name(&File::from(file)));
        let (pipe, _writer) = std::io::pipe().unwrap();
        assert!(!platform::sync_keeps_name(&File::from(OwnedFd::from(pipe))));
    }

    #[tokio::test]
    async fn bytes_that_a_disk_lost_are_never_called_durable() {
        let folder = tempfile::tempdir().unwrap();
        let barrier = Arc::new(Barrier::default());
        let offload = Offload::new();
        let path = folder.path().join("object");
        // The one file that every system refuses to sync.
        let (pipe, _writer) = std::io::pipe().unwrap();
        barrier.add(path.clone(), File::from(OwnedFd::from(pipe)), Vec::new());
        let error = barrier.sync(&offload, || ()).await.unwrap_err();
        assert!(error.to_string().contains("object"), "{error}");
        let sound = File::create(&path).unwrap();
        barrier.add(path, sound, Vec::new());
        for _ in 0..2 {
            assert!(barrier.sync(&offload, || ()).await.is_err());
        }
    }
}
