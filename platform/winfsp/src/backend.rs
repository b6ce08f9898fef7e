//! Mounting through WinFsp.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use moorage_host::{
    CaseMode, FolderMount, HostError, MountBackend, MountCapabilities, MountError, MountPoint, MountProblem,
    MountSession, WinFsp,
};
use moorage_model::{Gid, Ino, Timestamp, Uid};
use moorage_vfs::{Caller, Groups, Vfs};
use tokio::runtime::Handle;
use windows_sys::Win32::Storage::FileSystem::GetLogicalDrives;
use winfsp::host::{FileSystemHost, FileSystemParams, VolumeParams};

use crate::door::Door;
use crate::information::{ALLOCATION_BYTES, ticks};
use crate::library;
use crate::security::SecurityDescriptor;

/// Longest name between two backslashes, in UTF-16 units: a stored name has as many bytes.
const NAME_UNITS: u16 = 255;
/// Characters of a label that the driver keeps.
const LABEL_UNITS: usize = 32;
/// What programs are told that the file system is. Some refuse to work, or to start from a drive with more rights, on one
/// whose name they do not know.
const FILE_SYSTEM_NAME: &str = "NTFS";
/// The server in the name of a network drive.
const SERVER: &str = "Moorage";
/// Longest time that the driver may keep what it was told, which it counts in 32 bits; the largest number means for ever.
const LONGEST_KEPT: Duration = Duration::from_hours(24);

/// Statuses of the system with which the driver refuses a mount (ntstatus.h).
mod refusal {
    pub(super) const NO_SUCH_DEVICE: u32 = 0xC000_000E;
    pub(super) const ACCESS_DENIED: u32 = 0xC000_0022;
    pub(super) const OBJECT_NAME_INVALID: u32 = 0xC000_0033;
    pub(super) const OBJECT_NAME_NOT_FOUND: u32 = 0xC000_0034;
    pub(super) const OBJECT_NAME_COLLISION: u32 = 0xC000_0035;
    pub(super) const OBJECT_PATH_NOT_FOUND: u32 = 0xC000_003A;
}
/// Set in an HRESULT that holds such a status (winerror.h, `FACILITY_NT_BIT`).
const IS_STATUS: u32 = 0x1000_0000;

/// Mounts volumes through the driver WinFsp.
#[derive(Clone, Debug)]
pub struct WinFspBackend {
    runtime: Handle,
    library: Option<PathBuf>,
}

/// How a volume is shown.
#[derive(Clone, Debug)]
pub struct WinFspOptions {
    /// Name of the volume.
    pub name: String,
    /// Its identity, from which Windows has a number.
    pub uuid: String,
    /// Every change is refused.
    pub read_only: bool,
    /// As a drive of a network: Windows then reads no files for previews. Folders can not be such.
    pub network: bool,
}

impl WinFspBackend {
    /// One whose operations wait on this runtime.
    pub fn new(runtime: Handle) -> WinFspBackend {
        WinFspBackend {
            runtime,
            library: None,
        }
    }

    /// Uses this library of the driver instead of the installed one.
    #[must_use]
    pub fn with_library(mut self, library: PathBuf) -> WinFspBackend {
        self.library = Some(library);
        self
    }

    fn driver(&self) -> Result<WinFsp, MountError> {
        match &self.library {
            Some(library) => WinFsp::at(library),
            None => WinFsp::installed(),
        }
    }
}

impl MountBackend for WinFspBackend {
    type Volume = Arc<Vfs>;
    type Options = WinFspOptions;
    type Session = WinFspSession;

    fn capabilities(&self) -> MountCapabilities {
        MountCapabilities {
            drive_letter: true,
            folder: FolderMount::New,
            system_chosen: false,
            read_only: true,
            volume_name: true,
            case_modes: &[CaseMode::Preserving, CaseMode::Sensitive],
            forced_unmount: true,
            notifications: false,
            locks_across_hosts: false,
            extended_attributes: false,
            access_lists: false,
        }
    }

    fn check(&self) -> Result<(), MountError> {
        self.driver().map(drop)
    }

    fn mount(
        &self,
        volume: &Arc<Vfs>,
        point: &MountPoint,
        options: &WinFspOptions,
    ) -> Result<WinFspSession, MountError> {
        let driver = self.driver()?;
        check_free(point.path())?;
        library::load(&driver.library)?;
        if let Some(warning) = driver.version.warning() {
            tracing::warn!("{warning}");
        }
        let system = |error| MountError::new(MountProblem::System, error);
        let root = self
            .runtime
            .block_on(volume.getattr(Ino::ROOT))
            .map_err(|error| {
                let text = error.reason();
                system(
                    HostError::new("the root of the volume can not be read")
                        .with_source(io::Error::other(text)),
                )
            })?;
        let (told, ended) = sync_channel(1);
        let stop = StopMount(told);
        let door = Door {
            vfs: Arc::clone(volume),
            runtime: self.runtime.clone(),
            caller: caller(root.attr.uid, root.attr.gid),
            security: SecurityDescriptor::of_user().map_err(system)?,
            label: label(&options.name),
            ended: stop.clone(),
        };
        let is_drive = is_drive(point.path());
        let volume_params = params(volume, options, is_drive, root.attr.ctime);
        let parameters = FileSystemParams {
            use_dir_info_by_name: true,
            ..FileSystemParams::default_params(volume_params)
        };
        let refused = |code: i32| refused(point.path(), code);
        let mut host: FileSystemHost<Door> =
            FileSystemHost::new_with_options(parameters, door).map_err(|error| refused(error.code().0))?;
        host.start().map_err(|error| refused(error.code().0))?;
        host.mount(point.path())
            .map_err(|error| refused(error.code().0))?;
        Ok(WinFspSession { host, ended, stop })
    }
}

/// A volume at its mount point. It ends when the mount point is taken away, by whomever.
pub struct WinFspSession {
    host: FileSystemHost<Door>,
    ended: Receiver<bool>,
    stop: StopMount,
}

impl fmt::Debug for WinFspSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WinFspSession").finish_non_exhaustive()
    }
}

impl WinFspSession {
    /// What ends the mount from another thread.
    pub fn stopper(&self) -> StopMount {
        self.stop.clone()
    }
}

impl MountSession for WinFspSession {
    fn wait(mut self) -> Result<(), MountError> {
        // A sender lives in this very session, so that there is always an answer.
        let normally = self.ended.recv().unwrap_or(true);
        self.host.unmount();
        self.host.stop();
        if normally {
            return Ok(());
        }
        let error = HostError::new("the driver WinFsp ended the mount")
            .with_advice("Look whether the driver was removed or updated, then mount again.");
        Err(MountError::new(MountProblem::System, error))
    }
}

/// Ends a mount.
#[derive(Clone, Debug)]
pub struct StopMount(SyncSender<bool>);

impl StopMount {
    /// Takes the mount away. Programs that use it get errors from then on.
    pub fn stop(&self) {
        self.told(true);
    }

    pub(crate) fn told(&self, normally: bool) {
        // Told before, or nobody waits any more.
        let _ = self.0.try_send(normally);
    }
}

/// What everything is done as: whoever owns the root, to whom new files belong.
fn caller(uid: Uid, gid: Gid) -> Caller {
    Caller {
        uid,
        gid,
        pid: 0,
        groups: Groups::Known(Arc::from([])),
    }
}

fn params(volume: &Vfs, options: &WinFspOptions, is_drive: bool, created: Timestamp) -> VolumeParams {
    let kept = volume.options().attr_ttl.min(LONGEST_KEPT);
    let kept = u32::try_from(kept.as_millis()).unwrap_or_default();
    let mut params = VolumeParams::new();
    params
        .sector_size(ALLOCATION_BYTES as u16)
        .sectors_per_allocation_unit(1)
        .max_component_length(NAME_UNITS)
        .volume_creation_time(ticks(created))
        .volume_serial_number(serial_number(&options.uuid))
        .file_info_timeout(kept)
        .case_sensitive_search(!volume.options().ignore_case)
        .case_preserved_names(true)
        .unicode_on_disk(true)
        .persistent_acls(true)
        .reparse_points(true)
        .read_only_volume(options.read_only)
        .post_cleanup_when_modified_only(true)
        .post_disposition_only_when_necessary(true)
        .pass_query_directory_filename(true)
        .supports_posix_unlink_rename(true)
        .filesystem_name(FILE_SYSTEM_NAME);
    if options.network && is_drive {
        params.prefix(format!(r"\{SERVER}\{}", options.name));
    }
    params
}

/// The number by which programs tell volumes apart: the first of the identity's digits.
fn serial_number(uuid: &str) -> u32 {
    let digits: String = uuid.chars().filter(char::is_ascii_hexdigit).take(8).collect();
    u32::from_str_radix(&digits, 16).unwrap_or_default()
}

/// As much of the name as the driver keeps, in whole characters.
fn label(name: &str) -> String {
    let mut units = 0;
    name.chars()
        .take_while(|one| {
            units += one.len_utf16();
            units <= LABEL_UNITS
        })
        .collect()
}

/// Whether a mount point is a drive, as `MountPoint` writes one.
fn is_drive(point: &Path) -> bool {
    drive_number(point).is_some()
}

fn drive_number(point: &Path) -> Option<u32> {
    match point.as_os_str().as_encoded_bytes() {
        [letter @ b'A'..=b'Z', b':'] => Some(u32::from(letter - b'A')),
        _ => None,
    }
}

/// Looks whether something is at a mount point: the driver would say less.
fn check_free(point: &Path) -> Result<(), MountError> {
    let shown = point.display();
    let Some(number) = drive_number(point) else {
        let problem = match std::fs::read_dir(point).map(|mut entries| entries.next().is_some()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Ok(true) => MountProblem::NotEmpty,
            Ok(false) | Err(_) => MountProblem::InUse,
        };
        let error = HostError::new(format!("{shown} exists already"))
            .with_advice("Give a name that does not exist yet, in a folder that does: the mount makes it.");
        return Err(MountError::new(problem, error));
    };
    // SAFETY: no arguments.
    let taken = unsafe { GetLogicalDrives() };
    if taken & (1 << number) == 0 {
        return Ok(());
    }
    let free: Vec<String> = (0..26_u8)
        .rev()
        .filter(|number| taken & (1 << number) == 0)
        .map(|number| format!("{}:", char::from(b'A' + number)))
        .take(3)
        .collect();
    let error = HostError::new(format!("the drive {shown} is taken"))
        .with_advice(format!("Take another one; {} are free.", free.join(", ")));
    Err(MountError::new(MountProblem::InUse, error))
}

/// A refusal of the driver's library, in an HRESULT.
fn refused(point: &Path, code: i32) -> MountError {
    let shown = point.display();
    let status = code.cast_unsigned() & !IS_STATUS;
    let (problem, what, advice) = match status {
        refusal::NO_SUCH_DEVICE => (
            MountProblem::DriverMissing,
            "the driver WinFsp does not run".to_owned(),
            "Start this computer again, or install WinFsp again.",
        ),
        refusal::ACCESS_DENIED => (
            MountProblem::Refused,
            format!("this user may not mount at {shown}"),
            "Mount at a free drive, or in a folder of this user.",
        ),
        refusal::OBJECT_NAME_COLLISION => (
            MountProblem::InUse,
            format!("something is at {shown} already"),
            "Take another drive or folder.",
        ),
        refusal::OBJECT_NAME_NOT_FOUND | refusal::OBJECT_PATH_NOT_FOUND => (
            MountProblem::NotFound,
            format!("the folder of {shown} does not exist"),
            "Make the folder that the mount is to be in.",
        ),
        refusal::OBJECT_NAME_INVALID => (
            MountProblem::NotSupported,
            format!("no volume can be mounted at {shown}"),
            "Mount at a free drive, or in a folder of a local disk with NTFS.",
        ),
        _ => (
            MountProblem::System,
            format!("the driver WinFsp refuses to mount at {shown}: status {status:#010x}"),
            "Look at the status, then try another drive.",
        ),
    };
    MountError::new(problem, HostError::new(what).with_advice(advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_driver_is_a_problem_with_advice() {
        for (status, problem) in [
            (refusal::NO_SUCH_DEVICE, MountProblem::DriverMissing),
            (refusal::OBJECT_NAME_COLLISION, MountProblem::InUse),
            (0xC000_0001, MountProblem::System),
        ] {
            let error = refused(Path::new("X:"), (status | IS_STATUS).cast_signed());
            assert_eq!(error.problem(), problem);
            assert!(error.error().advice().is_some());
        }
    }

    #[test]
    fn a_drive_that_is_taken_and_a_folder_that_exists_are_no_mount_points() {
        let taken = check_free(Path::new("C:")).expect_err("the system is there");
        assert_eq!(taken.problem(), MountProblem::InUse);
        assert!(taken.to_string().contains("are free"), "{taken}");
        let folder = tempfile::tempdir().expect("a folder");
        let exists = check_free(folder.path()).expect_err("it exists");
        assert_eq!(exists.problem(), MountProblem::InUse);
        std::fs::write(folder.path().join("file"), b"x").expect("written");
        let full = check_free(folder.path()).expect_err("it exists");
        assert_eq!(full.problem(), MountProblem::NotEmpty);
        check_free(&folder.path().join("new")).expect("it does not exist");
    }

    #[test]
    fn labels_are_cut_between_characters() {
        assert_eq!(label("photos"), "photos");
        let long = "\u{1f4e6}".repeat(20);
        assert_eq!(label(&long).encode_utf16().count(), LABEL_UNITS);
        assert_eq!(serial_number("5a2f1a3e-9d0c"), 0x5a2f_1a3e);
    }
}
