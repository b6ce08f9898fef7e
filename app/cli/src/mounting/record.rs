//! What is known about a running mount outside of its process: who serves it, and what it still has to store.
//!
//! One small file per mount point in the state folder of the user who mounted it. `moorage umount` reads it to wait
//! for the process after the kernel has let go of the mount; commands that take a path find the volume by it.

use std::fs;
use std::path::{Path, PathBuf};

use moorage_host::{Folders, ProcessIdentity};
use moorage_model::{Error, ErrorKind, Result};
#[cfg(unix)]
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use super::{Role, host_error};
use crate::arguments::MetaUrl;

/// How far a mount is.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MountPhase {
    /// It answers.
    #[default]
    Serving,
    /// The mount point is gone, and what was written is being stored.
    Storing {
        /// Files with data that is in memory alone; none in records of older versions.
        #[serde(default)]
        files: u64,
        /// Their bytes in memory.
        #[serde(default)]
        file_bytes: u64,
        /// Blocks that the object store does not have yet.
        blocks: u64,
        /// Their bytes.
        bytes: u64,
        /// Why the last attempt failed.
        problem: Option<String>,
        /// Uploads are paused, so blocks wait.
        #[serde(default)]
        paused: bool,
    },
    /// The mount point is gone, something could not be stored, and the process tries again.
    NotStored {
        /// Attempts that failed so far.
        attempts: u32,
        /// The error of the last one as it is shown, with the files that wait.
        text: String,
        /// The exit code for it.
        code: u8,
    },
    /// It ended and something was not stored.
    Failed {
        /// The error as it is shown.
        text: String,
        /// The exit code for it.
        code: u8,
    },
}

impl MountPhase {
    /// Whether the process goes on without its mount, for what is not stored.
    pub(crate) fn is_storing(&self) -> bool {
        matches!(self, MountPhase::Storing { .. } | MountPhase::NotStored { .. })
    }

    /// Attempts to store what was written that failed so far.
    pub(crate) fn failed_attempts(&self) -> u32 {
        match self {
            MountPhase::NotStored { attempts, .. } => *attempts,
            _ => 0,
        }
    }
}

/// The process that starts a crashed mount again.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Supervisor {
    /// Its id.
    pub(crate) pid: u32,
    /// Its start, since ids are used again.
    pub(crate) started: u64,
}

impl Supervisor {
    /// The one of this process.
    pub(crate) fn own() -> Option<Supervisor> {
        if Role::own() != Role::Worker {
            return None;
        }
        let parent = ProcessIdentity::of_parent()?;
        Some(Supervisor {
            pid: parent.pid,
            started: parent.start,
        })
    }

    /// Whether it lives.
    pub(crate) fn is_running(self) -> bool {
        let process = ProcessIdentity {
            pid: self.pid,
            start: self.started,
        };
        process.is_running()
    }
}

/// A mount as its file describes it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct MountRecord {
    /// Mount point.
    pub(crate) point: PathBuf,
    /// Name of the volume.
    pub(crate) volume: String,
    /// Its database, without a password.
    #[serde(default)]
    pub(crate) database: String,
    /// Identity of the volume.
    #[serde(default)]
    pub(crate) uuid: String,
    /// The cache folder where write-back stages, also when this mount does not write back: an earlier one may have.
    #[serde(default)]
    pub(crate) cache: Option<PathBuf>,
    /// The directory of the volume that is mounted; none for all of it.
    #[serde(default)]
    pub(crate) subdir: Option<String>,
    /// Inode that the mount shows as its root; none in records of older versions.
    #[serde(default)]
    pub(crate) root: Option<u64>,
    /// Where the process answers the agent; none in records of older versions, and where it could not listen.
    #[serde(default)]
    pub(crate) socket: Option<PathBuf>,
    /// Process that serves it.
    pub(crate) pid: u32,
    /// Start of that process, since ids are used again.
    pub(crate) started: u64,
    /// The process that starts it again when it crashes; none for a mount in the foreground, and in records of older
    /// versions.
    #[serde(default)]
    pub(crate) supervisor: Option<Supervisor>,
    /// How far it is.
    pub(crate) phase: MountPhase,
}

impl MountRecord {
    /// The record of a mount that this process serves. `database` as [`MetaUrl::to_share`] makes it: others read it in
    /// another working folder.
    pub(crate) fn own(point: &Path, volume: &str, database: &MetaUrl, subdir: Option<&str>) -> MountRecord {
        MountRecord {
            point: point.to_owned(),
            volume: volume.to_owned(),
            database: database.as_str().to_owned(),
            uuid: String::new(),
            cache: None,
            subdir: subdir.map(str::to_owned),
            root: None,
            socket: None,
            pid: std::process::id(),
            started: ProcessIdentity::own().map_or(0, |own| own.start),
            supervisor: Supervisor::own(),
            phase: MountPhase::Serving,
        }
    }

    /// The record of a mount point below the state folder of its user.
    pub(crate) fn find(state: &Path, point: &Path) -> Option<MountRecord> {
        read(&path(state, point))
    }

    /// All records below a state folder.
    pub(crate) fn all(state: &Path) -> Vec<MountRecord> {
        let files = fs::read_dir(state.join("mounts")).into_iter().flatten().flatten();
        files
            .filter(|file| file.path().extension().is_some_and(|ending| ending == "json"))
            .filter_map(|file| read(&file.path()))
            .collect()
    }

    /// Whether the process that serves it lives.
    pub(crate) fn is_running(&self) -> bool {
        let process = ProcessIdentity {
            pid: self.pid,
            start: self.started,
        };
        process.is_running()
    }

    /// Whether somebody stopped that process: it does nothing until it is told to go on.
    pub(crate) fn is_stopped(&self) -> bool {
        let process = ProcessIdentity {
            pid: self.pid,
            start: self.started,
        };
        process.is_stopped()
    }

    /// Whether it runs in the background and nobody would start it again after a crash, since its supervisor is gone.
    pub(crate) fn has_lost_supervisor(&self) -> bool {
        self.is_running() && self.supervisor.is_some_and(|supervisor| !supervisor.is_running())
    }

    /// Sends its process a signal; one that is gone already is as good.
    ///
    /// # Errors
    /// When the caller may not.
    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        use nix::errno::Errno;
        use nix::sys::signal::kill;
        use nix::unistd::Pid;
        let Some(pid) = i32::try_from(self.pid).ok().filter(|_| self.is_running()) else {
            return Ok(());
        };
        match kill(Pid::from_raw(pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(Error::new(
                ErrorKind::NotPermitted,
                format!("signalling process {pid}, which serves {}", self.point.display()),
            )
            .with_source(std::io::Error::from(error))),
        }
    }

    /// Ends its process at once; one that is gone already is as good.
    ///
    /// # Errors
    /// When the caller may not.
    #[cfg(unix)]
    pub(crate) fn end_at_once(&self) -> Result<()> {
        self.signal(Signal::SIGKILL)
    }

    /// Ends its process at once; one that is gone already is as good.
    ///
    /// # Errors
    /// When the caller may not.
    #[cfg(windows)]
    pub(crate) fn end_at_once(&self) -> Result<()> {
        match moorage_host::end_at_once(self.pid) {
            Err(error) if self.is_running() => Err(Error::new(
                ErrorKind::NotPermitted,
                format!(
                    "ending process {}, which serves {}",
                    self.pid,
                    self.point.display()
                ),
            )
            .with_source(error)),
            _ => Ok(()),
        }
    }

    /// Writes it, in one step.
    ///
    /// # Errors
    /// When the state folder cannot be written.
    pub(crate) fn write(&self, state: &Path) -> Result<()> {
        self.write_to(state, &path(state, &self.point))
    }

    fn write_to(&self, state: &Path, target: &Path) -> Result<()> {
        let folder = state.join("mounts");
        Folders::make_private(&folder).map_err(|error| host_error(ErrorKind::Io, &error))?;
        let part = target.with_extension(format!("part-{}", self.pid));
        let text = serde_json::to_vec(self).unwrap_or_default();
        fs::write(&part, text)
            .and_then(|()| fs::rename(&part, target))
            .map_err(|error| {
                Error::new(ErrorKind::Io, format!("writing {}", target.display())).with_source(error)
            })
    }

    /// Writes it; beside the one of a later mount at the same place, when there is one: what was written here may take
    /// long to be stored.
    ///
    /// # Errors
    /// As [`MountRecord::write`].
    pub(crate) fn renew(&self, state: &Path) -> Result<()> {
        self.write_to(state, &self.place(state))
    }

    /// Removes it, and not the one of a later mount; one that is gone already is as good.
    pub(crate) fn remove(&self, state: &Path) {
        let replaced = self.is_replaced(state);
        let own = (!replaced).then(|| path(state, &self.point));
        // A process that was killed leaves its socket as well.
        let places = own
            .into_iter()
            .chain([self.place_beside(state)])
            .chain(self.socket.clone());
        for place in places {
            match fs::remove_file(&place) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::debug!(%error, "the record of the mount can not be removed");
                }
                _ => {}
            }
        }
    }

    /// As its process wrote it last, wherever that is now.
    pub(crate) fn reread(&self, state: &Path) -> Option<MountRecord> {
        let is_own = |found: &MountRecord| (found.pid, found.started) == (self.pid, self.started);
        MountRecord::find(state, &self.point)
            .filter(is_own)
            .or_else(|| read(&self.place_beside(state)).filter(is_own))
    }

    /// The mounts at this point whose processes run: the one that answers, and earlier ones that still store what was
    /// written to them.
    pub(crate) fn running_at(state: &Path, point: &Path) -> Vec<MountRecord> {
        let mut found = MountRecord::all(state);
        found.retain(|record| record.point == point && record.is_running());
        found
    }

    /// Removes what earlier mounts at this point, whose processes have ended, left beside this record.
    pub(crate) fn remove_ended(&self, state: &Path) {
        for ended in MountRecord::all(state) {
            if ended.point == self.point && ended.pid != self.pid && !ended.is_running() {
                ended.remove(state);
            }
        }
    }

    fn place(&self, state: &Path) -> PathBuf {
        if self.is_replaced(state) {
            self.place_beside(state)
        } else {
            path(state, &self.point)
        }
    }

    fn place_beside(&self, state: &Path) -> PathBuf {
        path(state, &self.point).with_extension(format!("{}.json", self.pid))
    }

    fn is_replaced(&self, state: &Path) -> bool {
        MountRecord::find(state, &self.point)
            .is_some_and(|found| (found.pid, found.started) != (self.pid, self.started))
    }
}

fn read(file: &Path) -> Option<MountRecord> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

fn path(state: &Path, point: &Path) -> PathBuf {
    state.join("mounts").join(file_name(point, "json"))
}

/// Longest encoded path in a file name; file systems allow 255 bytes, and an ending has to fit too.
const NAME_BYTES: usize = 180;

/// A file name for a mount point: its path with everything but letters, digits, dots and dashes as `%` and two
/// hexadecimal digits. A long one keeps its end and gets a checksum of the whole.
pub(crate) fn file_name(point: &Path, ending: &str) -> String {
    let bytes = point.as_os_str().as_encoded_bytes();
    let encode = |bytes: &[u8]| -> String {
        bytes
            .iter()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => char::from(*byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect()
    };
    let mut name = encode(bytes);
    if name.len() > NAME_BYTES {
        let end = bytes
            .get(bytes.len().saturating_sub(NAME_BYTES / 4)..)
            .unwrap_or(bytes);
        name = format!("{:08x}{}", moorage_chunk::crc32c(bytes), encode(end));
    }
    format!("{name}.{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_of_different_points_differ_and_fit() {
        assert_eq!(file_name(Path::new("/mnt/a b"), "log"), "%2Fmnt%2Fa%20b.log");
        assert_ne!(
            file_name(Path::new("/mnt/a%20b"), "log"),
            file_name(Path::new("/mnt/a b"), "log")
        );
        let long = PathBuf::from(format!("/{}", "ä".repeat(1000)));
        assert!(file_name(&long, "json").len() < 255);
    }

    #[test]
    fn a_record_is_found_again_until_it_is_removed() {
        let folder = tempfile::tempdir().expect("folder");
        let record = MountRecord::own(
            Path::new("/mnt/x"),
            "disk",
            &MetaUrl::from("sqlite3:///a.db".to_owned()),
            None,
        );
        record.write(folder.path()).expect("written");
        let found = MountRecord::find(folder.path(), Path::new("/mnt/x")).expect("found");
        assert_eq!(found, record);
        assert!(found.is_running());
        record.remove(folder.path());
        assert_eq!(MountRecord::find(folder.path(), Path::new("/mnt/x")), None);
    }

    #[test]
    fn a_mount_that_still_stores_leaves_the_record_of_the_next_one_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let point = Path::new("/mnt/x");
        let earlier = MountRecord::own(point, "disk", &MetaUrl::from("sqlite3:///a.db".to_owned()), None);
        let later = MountRecord {
            pid: earlier.pid + 1,
            // No thread of this process.
            started: 1,
            ..earlier.clone()
        };
        later.write(folder.path()).expect("written");
        earlier.renew(folder.path()).expect("put beside it");
        assert_eq!(
            MountRecord::running_at(folder.path(), point),
            std::slice::from_ref(&earlier),
            "and found there"
        );
        assert_eq!(earlier.reread(folder.path()), Some(earlier.clone()));
        earlier.remove(folder.path());
        assert_eq!(MountRecord::running_at(folder.path(), point), []);
        assert_eq!(MountRecord::find(folder.path(), point), Some(later));
    }
}
