//! Counts and times of operations, and the live log behind `.accesslog`.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::future::Future;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use moorage_model::{ErrorKind, Result, Timestamp};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use crate::{Caller, Vfs};

/// Bytes that a log nobody reads keeps; older lines make room.
const LOG_BYTES: usize = 1 << 20;

macro_rules! operations {
    ($($variant:ident $name:literal)*) => {
        /// An operation of the door, under the name the log and the metrics give it.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Operation { $($variant),* }

        const NAMES: &[&str] = &[$($name),*];
    };
}

operations! {
    Lookup "lookup" GetAttr "getattr" SetAttr "setattr" Access "access" ReadLink "readlink" MkNod "mknod"
    MkDir "mkdir" Symlink "symlink" Link "link" Unlink "unlink" RmDir "rmdir" Rename "rename" Open "open"
    Create "create" Read "read" Write "write" Flush "flush" FSync "fsync" Release "release" OpenDir "opendir"
    ReadDir "readdir" ReleaseDir "releasedir" FSyncDir "fsyncdir" StatFs "statfs" GetXattr "getxattr"
    SetXattr "setxattr" ListXattr "listxattr" RemoveXattr "removexattr" Fallocate "fallocate" Lseek "lseek"
    CopyFileRange "copy_file_range" GetLk "getlk" SetLk "setlk" Flock "flock" GetFlags "getflags"
    SetFlags "setflags"
}

#[derive(Debug, Default)]
struct Tally {
    calls: AtomicU64,
    errors: AtomicU64,
    micros: AtomicU64,
}

/// Numbers of one operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OperationStats {
    pub(crate) name: &'static str,
    pub(crate) calls: u64,
    pub(crate) errors: u64,
    pub(crate) spent: Duration,
}

/// All operations of a mount since its start.
#[derive(Debug)]
pub(crate) struct Journal {
    tallies: Vec<Tally>,
    failures: Mutex<HashMap<ErrorKind, u64>>,
    listeners: AtomicUsize,
    logs: RwLock<Vec<Weak<AccessLog>>>,
}

impl Default for Journal {
    fn default() -> Self {
        Journal {
            tallies: NAMES.iter().map(|_| Tally::default()).collect(),
            failures: Mutex::default(),
            listeners: AtomicUsize::new(0),
            logs: RwLock::default(),
        }
    }
}

/// The lines that one reader of `.accesslog` has not seen yet.
#[derive(Debug, Default)]
pub(crate) struct AccessLog {
    bytes: Mutex<VecDeque<u8>>,
    more: Notify,
}

impl AccessLog {
    /// Takes lines out, waiting a moment for the first one; with none says so, to keep readers going.
    pub(crate) async fn read(&self, vfs: &Vfs, buffer: &mut [u8]) -> usize {
        /// How long a reader is kept waiting for a line.
        const PATIENCE: Duration = Duration::from_secs(1);
        let more = self.more.notified();
        if self.bytes.lock().is_empty() {
            tokio::select! {
                () = more => {}
                () = vfs.sleep(PATIENCE) => {}
            }
        }
        let mut bytes = self.bytes.lock();
        if bytes.is_empty() {
            bytes.extend(b"#\n");
        }
        let len = buffer.len().min(bytes.len());
        for (to, from) in buffer.iter_mut().zip(bytes.drain(..len)) {
            *to = from;
        }
        len
    }

    fn push(&self, line: &str) {
        let mut bytes = self.bytes.lock();
        let excess = (bytes.len() + line.len())
            .saturating_sub(LOG_BYTES)
            .min(bytes.len());
        bytes.drain(..excess);
        bytes.extend(line.as_bytes());
        self.more.notify_one();
    }
}

impl Journal {
    /// A log that gets every line from now on, for as long as somebody holds it.
    pub(crate) fn listen(&self) -> Arc<AccessLog> {
        let log: Arc<AccessLog> = Arc::default();
        let mut logs = self.logs.write();
        logs.retain(|log| log.strong_count() > 0);
        logs.push(Arc::downgrade(&log));
        self.listeners.store(logs.len(), Relaxed);
        log
    }

    /// Numbers of all operations.
    pub(crate) fn stats(&self) -> impl Iterator<Item = OperationStats> + '_ {
        NAMES
            .iter()
            .zip(&self.tallies)
            .map(|(name, tally)| OperationStats {
                name,
                calls: tally.calls.load(Relaxed),
                errors: tally.errors.load(Relaxed),
                spent: Duration::from_micros(tally.micros.load(Relaxed)),
            })
    }

    /// Operations that failed for what is a fault of the volume, its machine or its servers, by kind.
    pub(crate) fn failures(&self) -> Vec<(ErrorKind, u64)> {
        let failures = self.failures.lock();
        failures.iter().map(|(kind, count)| (*kind, *count)).collect()
    }

    fn note_failure(&self, kind: ErrorKind) {
        if is_fault(kind) {
            *self.failures.lock().entry(kind).or_default() += 1;
        }
    }

    fn write(&self, line: &str) {
        let mut gone = false;
        for log in self.logs.read().iter() {
            match log.upgrade() {
                Some(log) => log.push(line),
                None => gone = true,
            }
        }
        if gone {
            let mut logs = self.logs.write();
            logs.retain(|log| log.strong_count() > 0);
            self.listeners.store(logs.len(), Relaxed);
        }
    }
}

impl Vfs {
    /// Runs an operation, counts it and, while somebody reads `.accesslog`, writes its line.
    ///
    /// Two clock readings and two or three atomic additions; nothing is formatted without a reader.
    pub(crate) async fn watch<T>(
        &self,
        operation: Operation,
        caller: Option<&Caller>,
        arguments: impl FnOnce() -> String,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let start = Instant::now();
        let outcome = work.await;
        let spent = start.elapsed();
        if let Some(tally) = self.journal.tallies.get(operation as usize) {
            tally.calls.fetch_add(1, Relaxed);
            tally
                .micros
                .fetch_add(u64::try_from(spent.as_micros()).unwrap_or(u64::MAX), Relaxed);
            if let Err(error) = &outcome {
                tally.errors.fetch_add(1, Relaxed);
                self.journal.note_failure(error.kind());
            }
        }
        if self.journal.listeners.load(Relaxed) > 0 {
            let (uid, gid, pid) = caller.map_or((0, 0, 0), |c| (c.uid.0, c.gid.0, c.pid));
            let name = NAMES.get(operation as usize).unwrap_or(&"?");
            let mut line = String::with_capacity(128);
            stamp(self.now(), &mut line);
            let result = match &outcome {
                Ok(_) => "OK",
                Err(error) => error.kind().describe(),
            };
            // Writing to a String can not fail.
            let _ = writeln!(
                line,
                " [uid:{uid},gid:{gid},pid:{pid}] {name} ({}): {result} <{:.6}>",
                arguments(),
                spent.as_secs_f64()
            );
            self.journal.write(&line);
        }
        outcome
    }
}

/// Whether an error says that something is wrong, where others are the ordinary answers of a file system.
fn is_fault(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NoSpace
            | ErrorKind::QuotaExceeded
            | ErrorKind::TooManyOpen
            | ErrorKind::Conflict
            | ErrorKind::Timeout
            | ErrorKind::Unavailable
            | ErrorKind::Corrupt
            | ErrorKind::DatabaseMissing
            | ErrorKind::Unauthenticated
            | ErrorKind::NotFormatted
            | ErrorKind::VersionMismatch
            | ErrorKind::Io
    )
}

/// `YYYY.MM.DD hh:mm:ss.micros` in UTC.
fn stamp(at: Timestamp, line: &mut String) {
    let (days, seconds) = (at.seconds.div_euclid(86_400), at.seconds.rem_euclid(86_400));
    // Days since 0000-03-01, by eras of 400 years (H. Hinnant, "chrono-compatible low-level date algorithms").
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    // Writing to a String can not fail.
    let _ = write!(
        line,
        "{year:04}.{month:02}.{day:02} {:02}:{:02}:{:02}.{:06}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        at.nanoseconds / 1000
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_show_the_calendar_of_utc() {
        for (seconds, expected) in [
            (0, "1970.01.01 00:00:00.000000"),
            (951_782_400, "2000.02.29 00:00:00.000000"),
            (1_700_000_000, "2023.11.14 22:13:20.000000"),
        ] {
            let mut line = String::new();
            stamp(Timestamp::new(seconds, 0), &mut line);
            assert_eq!(line, expected);
        }
    }
}
