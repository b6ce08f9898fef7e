//! Uploads of a mount, by file, as the agent hears of them.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use moorage_chunk::{Upload, UploadKey, UploadState};
use moorage_control::mount::{MOST_TRANSFERS, MountTransfer};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::transfer::{Direction, Progress};
use moorage_model::{ErrorKind, Ino};
use moorage_vfs::Vfs;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::timestamp;

/// How long a path counts as known: a file may be renamed while it waits.
const PATH_LIFETIME: Duration = Duration::from_secs(10);
/// Longest wait for the database over all paths of a report: those that are not known by then are left out.
const PATH_PATIENCE: Duration = Duration::from_millis(300);

/// Uploads with the paths of their files.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    paths: Mutex<HashMap<Ino, KnownPath>>,
}

#[derive(Clone, Debug)]
struct KnownPath {
    read_at: Instant,
    path: Option<String>,
}

impl Transfers {
    /// What is uploaded, failed and waits now, and what was uploaded last.
    pub(super) async fn now(&self, vfs: &Vfs) -> Vec<MountTransfer> {
        let uploads = vfs.chunks().uploads(MOST_TRANSFERS);
        let held = vfs.chunks().held().is_some();
        let mut known = self.paths.lock().await;
        let owners: Vec<Ino> = uploads.iter().filter_map(owner).collect();
        known.retain(|ino, _| owners.contains(ino));
        // A database that does not answer costs paths, and nothing else.
        let _late = timeout(PATH_PATIENCE, read_paths(vfs, &owners, &mut known)).await;
        let now = SystemTime::now();
        let transfers = uploads.into_iter().map(|upload| {
            let path = owner(&upload).and_then(|ino| known.get(&ino)?.path.clone());
            transfer(upload, path, held, now)
        });
        transfers.collect()
    }
}

impl Transfers {
    /// Files by path, or by number where that is not known.
    pub(super) async fn paths_of(&self, vfs: &Vfs, files: &[Ino]) -> Vec<String> {
        let mut known = self.paths.lock().await;
        let _late = timeout(PATH_PATIENCE, read_paths(vfs, files, &mut known)).await;
        let named = files.iter().map(|ino| {
            let path = known.get(ino).and_then(|known| known.path.clone());
            path.unwrap_or_else(|| format!("inode {ino}"))
        });
        named.collect()
    }
}

fn owner(upload: &Upload) -> Option<Ino> {
    match upload.key {
        UploadKey::File(ino) => Some(ino),
        UploadKey::Slice(_) => None,
    }
}

async fn read_paths(vfs: &Vfs, files: &[Ino], known: &mut HashMap<Ino, KnownPath>) {
    for ino in files {
        if known
            .get(ino)
            .is_some_and(|known| known.read_at.elapsed() < PATH_LIFETIME)
        {
            continue;
        }
        // A deleted file has none.
        let paths = vfs.meta().paths(*ino).await.unwrap_or_default();
        let path = paths
            .first()
            .map(|path| String::from_utf8_lossy(path).into_owned());
        let read_at = Instant::now();
        known.insert(*ino, KnownPath { read_at, path });
    }
}

fn transfer(upload: Upload, path: Option<String>, held: bool, now: SystemTime) -> MountTransfer {
    let progress = match upload.state {
        UploadState::Done { at } => Progress::Done { at: timestamp(at) },
        _ if held => Progress::Paused,
        UploadState::Waiting => Progress::Waiting,
        UploadState::Running { since } => Progress::Running {
            rate: rate(upload.done, now.duration_since(since).unwrap_or_default()),
        },
        UploadState::Failed { kind, reason } => Progress::Failed {
            problem: problem(kind, reason),
        },
    };
    MountTransfer {
        // A file that is written anew begins another upload.
        key: match upload.key {
            UploadKey::File(ino) => format!("file-{}-{}", ino.0, timestamp(upload.since).0),
            UploadKey::Slice(slice) => format!("slice-{}-{}", slice.0, timestamp(upload.since).0),
        },
        path,
        direction: Direction::Upload,
        done: upload.done,
        total: upload.total,
        since: timestamp(upload.since),
        progress,
    }
}

/// Bytes in a second, on the average since the first of them went.
fn rate(bytes: u64, time: Duration) -> u64 {
    let rate = u128::from(bytes) * 1000 / time.as_millis().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

fn problem(kind: ErrorKind, reason: String) -> Problem {
    let (code, advice) = match kind {
        ErrorKind::Unauthenticated | ErrorKind::AccessDenied | ErrorKind::NotPermitted => (
            ProblemCode::Authentication,
            "Check the keys of the object store and what they allow; it is tried again by itself.",
        ),
        ErrorKind::NoSpace | ErrorKind::QuotaExceeded => (
            ProblemCode::QuotaExceeded,
            "Make room in the object store; it is tried again by itself.",
        ),
        ErrorKind::Timeout => (
            ProblemCode::TimedOut,
            "Check the network and the object store; it is tried again by itself.",
        ),
        _ => (
            ProblemCode::Unreachable,
            "Check the network and the object store; it is tried again by itself.",
        ),
    };
    Problem {
        code,
        message: "it could not be uploaded yet".to_owned(),
        cause: Some(reason),
        advice: advice.to_owned(),
        retryable: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(state: UploadState) -> Upload {
        Upload {
            key: UploadKey::File(Ino(7)),
            done: 1000,
            total: 3000,
            since: SystemTime::UNIX_EPOCH,
            state,
        }
    }

    #[test]
    fn the_rate_of_a_running_upload_is_its_average() {
        let begun = SystemTime::UNIX_EPOCH;
        let running = upload(UploadState::Running { since: begun });
        let shown = transfer(running, None, false, begun + Duration::from_secs(2));
        assert_eq!(shown.progress, Progress::Running { rate: 500 });
        assert_eq!(
            (shown.key.as_str(), shown.done, shown.total),
            ("file-7-0", 1000, 3000)
        );
    }

    #[test]
    fn a_failed_upload_says_why_and_a_held_one_is_paused() {
        let failed = || {
            upload(UploadState::Failed {
                kind: ErrorKind::AccessDenied,
                reason: "the key may not write".to_owned(),
            })
        };
        let now = SystemTime::UNIX_EPOCH;
        let Progress::Failed { problem } = transfer(failed(), None, false, now).progress else {
            panic!("it failed");
        };
        assert_eq!(problem.code, ProblemCode::Authentication);
        assert_eq!(problem.cause.as_deref(), Some("the key may not write"));
        assert_eq!(transfer(failed(), None, true, now).progress, Progress::Paused);
    }
}
