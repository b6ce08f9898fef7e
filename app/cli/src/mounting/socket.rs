//! The socket at which a mount process answers the agent. It is outside of the mount, so whoever asks keeps nothing busy
//! there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use moorage_control::figures::{CacheUse, ErrorCount, Figures, Reader, Space, TOP_READERS};
use moorage_control::mount::{
    Lost, LostFile, MOST_LOST, MountAnswer, MountEnd, MountReport, MountRequest, MountService, serve,
};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::settings::Pause;
use moorage_control::socket::Listener;
use moorage_host::Folders;
use moorage_vfs::Vfs;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::database_watch::DatabaseWatch;
use super::end_signals::{Wish, Wisher};
use super::hold::hold;
use super::timestamp;
use super::transfers::Transfers;

/// How long the space of the volume counts as known: each look is a question to the database.
const SPACE_LIFETIME: Duration = Duration::from_secs(10);
/// Longest wait for the database: the agent hears the figures without the space rather than late.
const SPACE_PATIENCE: Duration = Duration::from_millis(300);

/// Open files named to somebody who wants the mount to end; more help nobody.
const FILES_NAMED: usize = 8;

/// A look at the staging folder costs one at each block, and reports are asked for every second: it takes at most one part
/// in so many of the time.
const LOOKING_SHARE: u32 = 20;

/// A socket that is served until this is dropped.
#[derive(Debug)]
pub(super) struct MountSocket {
    path: PathBuf,
    task: AbortHandle,
}

impl MountSocket {
    /// Listens in the runtime folder of the user. A mount goes without when that is not possible; the agent says then
    /// that it does not hear from it.
    pub(super) fn open(folders: &Folders, vfs: &Arc<Vfs>, wisher: Wisher) -> Option<MountSocket> {
        let path = folders
            .runtime
            .join("mounts")
            .join(format!("{}.sock", std::process::id()));
        let listener = Listener::bind(&path)
            .inspect_err(|error| tracing::warn!("the agent will not hear from this mount: {error}"))
            .ok()?;
        let answering = Answering {
            vfs: Arc::clone(vfs),
            wisher,
            transfers: Transfers::default(),
            database: DatabaseWatch::default(),
            space: Mutex::default(),
            look_after: Mutex::default(),
        };
        let task = tokio::spawn(serve(listener, Arc::new(answering))).abort_handle();
        Some(MountSocket { path, task })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for MountSocket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Answering {
    vfs: Arc<Vfs>,
    wisher: Wisher,
    transfers: Transfers,
    database: DatabaseWatch,
    /// The space as it was read last, and when that was tried.
    space: Mutex<Option<(Instant, Option<Space>)>>,
    /// When the staging folder is looked at again; at once before the first look.
    look_after: Mutex<Option<Instant>>,
}

impl MountService for Answering {
    async fn answer(&self, request: MountRequest) -> MountAnswer {
        match request {
            MountRequest::Report => {
                let report = Box::new(self.report().await);
                MountAnswer::Report { report }
            }
            MountRequest::Pause { until } => {
                self.vfs.chunks().hold(hold(until));
                MountAnswer::Done
            }
            MountRequest::Resume => {
                self.vfs.chunks().release();
                MountAnswer::Done
            }
            MountRequest::Retry => {
                self.vfs.chunks().try_again();
                MountAnswer::Done
            }
            MountRequest::Limit { upload, download } => {
                let chunks = self.vfs.chunks();
                chunks.share_limits(upload.unwrap_or(0), download.unwrap_or(0));
                MountAnswer::Done
            }
            MountRequest::End { how } => self.end(how).await,
            MountRequest::Other => not_supported(),
        }
    }
}

impl Answering {
    async fn report(&self) -> MountReport {
        let space = self.space().await;
        let transfers = self.transfers.now(&self.vfs).await;
        let lost = self.lost().await;
        let figures = self.vfs.figures();
        MountReport {
            lost,
            pause: Some(match self.vfs.chunks().held() {
                Some(hold) => Pause::Paused {
                    until: hold.until.map(timestamp),
                },
                None => Pause::Running,
            }),
            store_problem: figures.store_problem.clone(),
            metadata_problem: self.database.problem(|| {
                let vfs = Arc::clone(&self.vfs);
                async move { vfs.reach_database().await }
            }),
            transfers,
            figures: Figures {
                space,
                ..in_protocol(figures)
            },
        }
    }

    async fn end(&self, how: MountEnd) -> MountAnswer {
        let wish = match how {
            MountEnd::Unused => {
                let open = self.vfs.open_files();
                if !open.is_empty() {
                    return in_use(&self.transfers.paths_of(&self.vfs, &open).await);
                }
                Wish::End
            }
            MountEnd::Now => Wish::End,
            MountEnd::Forced => Wish::Force,
        };
        self.wisher.say(wish);
        MountAnswer::Done
    }

    async fn look_for_lost(&self) {
        let mut look_after = self.look_after.lock().await;
        let began = Instant::now();
        if look_after.is_some_and(|look_after| began < look_after) {
            return;
        }
        if let Err(error) = self.vfs.chunks().look_for_lost().await {
            tracing::debug!(%error, "whether staged blocks are there is not known");
        }
        *look_after = Some(Instant::now() + began.elapsed() * LOOKING_SHARE);
    }

    /// What the staging folder lost, as it was at the last look.
    async fn lost(&self) -> Option<Lost> {
        self.look_for_lost().await;
        if self.vfs.chunks().pending().lost_blocks == 0 {
            return None;
        }
        let all = self.vfs.chunks().lost_files();
        let mut named = self.vfs.lost_files().await;
        named.truncate(MOST_LOST);
        let named = named.into_iter().map(|file| LostFile {
            inode: file.ino.0,
            path: file.path,
            bytes: file.bytes,
        });
        Some(Lost {
            files: all.files(),
            bytes: all.bytes(),
            named: named.collect(),
        })
    }

    async fn space(&self) -> Option<Space> {
        let mut known = self.space.lock().await;
        if let Some((at, space)) = &*known
            && at.elapsed() < SPACE_LIFETIME
        {
            return space.clone();
        }
        let read = timeout(SPACE_PATIENCE, self.vfs.space()).await;
        let space = match read {
            Ok(Ok(space)) => Some(Space {
                used: space.used,
                quota: space.quota,
                inodes: space.inodes,
            }),
            // What was known before is better than nothing.
            Ok(Err(_)) | Err(_) => known.take().and_then(|(_, space)| space),
        };
        *known = Some((Instant::now(), space.clone()));
        space
    }
}

fn in_protocol(figures: moorage_vfs::Figures) -> Figures {
    let errors = figures.failures.iter().map(|(kind, count)| ErrorCount {
        kind: format!("{kind:?}"),
        count: *count,
    });
    let mut errors: Vec<ErrorCount> = errors.collect();
    errors.sort_by(|one, other| one.kind.cmp(&other.kind));
    Figures {
        operations: figures.operations,
        bytes_uploaded: figures.bytes_uploaded,
        bytes_downloaded: figures.bytes_downloaded,
        upload_queue: figures.staged.blocks,
        oldest_staged: figures.staged.oldest.map(timestamp),
        staged_files: figures.files_only_here,
        staged_bytes: figures.bytes_only_here,
        cache: CacheUse {
            used: figures.cache_used,
            limit: figures.cache_limit,
            pinned: 0,
        },
        space: None,
        errors,
        top_readers: top_readers(figures.readers),
    }
}

/// The living processes that read most. Threads count for their process.
fn top_readers(mut threads: Vec<(u32, u64)>) -> Vec<Reader> {
    /// Most threads that are looked up: those that read least do not change who reads most.
    const MOST_THREADS: usize = 4 * TOP_READERS;
    threads.sort_unstable_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let mut readers: Vec<Reader> = Vec::new();
    for (thread, bytes) in threads.into_iter().take(MOST_THREADS) {
        let Some((pid, name)) = moorage_host::process_of(thread) else {
            continue;
        };
        match readers.iter_mut().find(|reader| reader.pid == pid) {
            Some(reader) => reader.bytes += bytes,
            None => readers.push(Reader { pid, name, bytes }),
        }
    }
    readers.sort_by_key(|reader| std::cmp::Reverse(reader.bytes));
    readers.truncate(TOP_READERS);
    readers
}

/// The refusal to end while these files are open.
fn in_use(files: &[String]) -> MountAnswer {
    let (named, more) = files.split_at(files.len().min(FILES_NAMED));
    let mut named = named.to_vec();
    if !more.is_empty() {
        named.push(format!("and {} more", more.len()));
    }
    MountAnswer::Failed {
        problem: Problem {
            code: ProblemCode::MountPointBusy,
            message: format!("programs have files open in it: {}", named.join(", ")),
            cause: None,
            advice: "Close them, or unmount it with `--lazy`: then those programs get errors.".to_owned(),
            retryable: false,
        },
    }
}

fn not_supported() -> MountAnswer {
    MountAnswer::Failed {
        problem: Problem {
            code: ProblemCode::NotSupported,
            message: "this mount does not do what it was asked for".to_owned(),
            cause: None,
            advice: "Unmount the volume and mount it again with the version of the agent.".to_owned(),
            retryable: false,
        },
    }
}
