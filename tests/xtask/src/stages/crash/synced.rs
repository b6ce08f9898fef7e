//! Writers that keep a record of what was acknowledged, and its check.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// Writers at once.
const WRITERS: u64 = 3;
/// Files that one writer leaves at most: every round reads all of them again.
const MOST_FILES: usize = 40;
/// Largest file written, bytes.
const LARGEST_FILE: usize = 300_000;
/// Longest wait for a file to be synced: longer than any engine waits for its server.
const PROGRESS_LIMIT: Duration = Duration::from_secs(90);

/// What was acknowledged.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    /// Name to checksum of the content.
    files: BTreeMap<String, u64>,
    removed: BTreeSet<String>,
    /// Files that were ever synced.
    pub(super) synced: u64,
}

impl Manifest {
    /// Files that have to be there.
    pub(super) fn live(&self) -> usize {
        self.files.len()
    }

    /// Every file whose sync was acknowledged has its content, and every one whose removal was is gone.
    pub(super) fn verify(&self, folder: &Path) -> Result<()> {
        for (name, want) in &self.files {
            let mut content = Vec::new();
            File::open(folder.join(name))
                .and_then(|mut file| file.read_to_end(&mut content))
                .with_context(|| format!("{name} was synced and can not be read"))?;
            if checksum(&content) != *want {
                bail!("{name} was synced and has other content: {} bytes", content.len());
            }
        }
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if self.removed.contains(&name) {
                bail!("{name} was removed and is there again");
            }
        }
        Ok(())
    }
}

/// Writers at work.
pub(super) struct Writers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Written>>,
    /// Hears of every file that was synced.
    synced: Receiver<()>,
}

impl Writers {
    /// Starts them in a folder, on the files that they left there; `label` tells the names of this run from others.
    pub(super) fn start(folder: &Path, label: u64, random: &mut StdRng, manifest: &Manifest) -> Writers {
        let stop = Arc::new(AtomicBool::new(false));
        let (tell, synced) = channel();
        let threads = (0..WRITERS)
            .map(|writer| {
                let own = format!("w{writer}-");
                let old = manifest.files.keys().filter(|name| name.starts_with(&own));
                let work = Work {
                    folder: folder.to_path_buf(),
                    old: old.cloned().collect(),
                    names: format!("{own}{label}"),
                    seed: random.next_u64(),
                    stop: Arc::clone(&stop),
                    tell: tell.clone(),
                };
                std::thread::spawn(move || {
                    let own = keep_files_to_oneself();
                    own.map_or_else(Written::failed, |()| write(work))
                })
            })
            .collect();
        Writers {
            stop,
            threads,
            synced,
        }
    }

    /// Waits until a file is synced that was begun after this call.
    pub(super) fn wait_for_progress(&self) -> Result<()> {
        while self.synced.try_recv().is_ok() {}
        // Each writer may be about to tell of one file that was synced before.
        for _ in 0..=2 * WRITERS {
            self.synced
                .recv_timeout(PROGRESS_LIMIT)
                .with_context(|| format!("no file was synced for {} s", PROGRESS_LIMIT.as_secs()))?;
        }
        Ok(())
    }

    /// Ends them and adds what they did; the first failure of an operation, if any.
    pub(super) fn end(self, manifest: &mut Manifest) -> Result<Option<io::Error>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut first = None;
        for thread in self.threads {
            let done = thread.join().map_err(|_| anyhow::anyhow!("a writer panicked"))?;
            for name in done.uncertain.iter().chain(&done.removed) {
                manifest.files.remove(name);
            }
            manifest.removed.extend(done.removed);
            manifest.synced += done.synced.len() as u64;
            manifest.files.extend(done.synced);
            first = first.or(done.failure);
        }
        Ok(first)
    }
}

/// What one writer works with.
struct Work {
    folder: PathBuf,
    /// Files of its own that are there.
    old: Vec<String>,
    /// What the names of new ones begin with.
    names: String,
    seed: u64,
    stop: Arc<AtomicBool>,
    tell: Sender<()>,
}

#[derive(Default)]
struct Written {
    synced: BTreeMap<String, u64>,
    removed: BTreeSet<String>,
    /// The file whose removal was not answered: either outcome is right.
    uncertain: Option<String>,
    failure: Option<io::Error>,
}

impl Written {
    fn failed(failure: io::Error) -> Written {
        Written {
            failure: Some(failure),
            ..Written::default()
        }
    }
}

/// Gives the calling thread a table of open files of its own. A program that another thread starts would else inherit
/// them, and close them before it runs: a database server would wait for the mount, which waits for that server.
fn keep_files_to_oneself() -> io::Result<()> {
    // SAFETY: the flag concerns the calling thread's view of file descriptors only, and no memory.
    match unsafe { libc::unshare(libc::CLONE_FILES) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Writes, renames and removes files until told to stop or an operation fails.
fn write(mut work: Work) -> Written {
    let mut random = StdRng::seed_from_u64(work.seed);
    let mut written = Written::default();
    for number in 0.. {
        if work.stop.load(Ordering::Relaxed) {
            break;
        }
        if random.random_range(0..4) == 0 || work.old.len() >= MOST_FILES {
            let Some(name) = work.old.pop() else { continue };
            written.synced.remove(&name);
            if let Err(error) = fs::remove_file(work.folder.join(&name)) {
                written.uncertain = Some(name);
                written.failure = Some(error);
                break;
            }
            written.removed.insert(name);
            continue;
        }
        let name = format!("{}-{number}", work.names);
        let mut content = vec![0; random.random_range(1..LARGEST_FILE)];
        random.fill_bytes(&mut content);
        if let Err(error) = write_synced(&work.folder, &name, &content, random.random_range(0..2) == 0) {
            written.failure = Some(error);
            break;
        }
        written.synced.insert(name.clone(), checksum(&content));
        work.old.push(name);
        // Nobody listens any more once the writers are to end.
        let _ = work.tell.send(());
    }
    written
}

fn write_synced(folder: &Path, name: &str, content: &[u8], by_rename: bool) -> io::Result<()> {
    let target: PathBuf = folder.join(name);
    let path = if by_rename {
        folder.join(format!("{name}.part"))
    } else {
        target.clone()
    };
    let mut file = File::create(&path)?;
    for piece in content.chunks(content.len() / 3 + 1) {
        file.write_all(piece)?;
    }
    file.sync_all()?;
    if by_rename {
        fs::rename(&path, &target)?;
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// FNV-1a: enough to tell random contents apart.
fn checksum(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
