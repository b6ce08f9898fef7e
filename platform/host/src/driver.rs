//! Whether this machine and user can mount.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use crate::{HostError, MountError, MountProblem};

/// The kernel's door to FUSE.
const DEVICE: &str = "/dev/fuse";
/// The set-uid helper that mounts for ordinary users.
const HELPER: &str = "fusermount3";
/// Where helpers live even when PATH does not say so.
const HELPER_FOLDERS: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
/// Configuration of the helper.
const HELPER_CONFIGURATION: &str = "/etc/fuse.conf";

/// The helper's path, when it is installed.
pub(crate) fn helper() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(HELPER_FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(HELPER))
        .find(|candidate| candidate.is_file())
}

/// Checks that the calling user can mount with FUSE.
///
/// # Errors
/// `DriverMissing` or `Refused`, with what to install or to change.
pub fn check_driver() -> Result<(), MountError> {
    if let Err(error) = File::options().read(true).write(true).open(DEVICE) {
        return Err(device_problem(&error));
    }
    if !geteuid().is_root() && helper().is_none() {
        let missing = HostError::new(format!("{HELPER} is missing, which mounts for ordinary users")).with_advice(
            "Install it with `sudo apt install fuse3` (Debian, Ubuntu) or `sudo dnf install fuse3` (Fedora).",
        );
        return Err(MountError::new(MountProblem::DriverMissing, missing));
    }
    Ok(())
}

fn device_problem(error: &std::io::Error) -> MountError {
    let problem = match error.kind() {
        ErrorKind::PermissionDenied => MountProblem::Refused,
        _ => MountProblem::DriverMissing,
    };
    let advice = match error.kind() {
        ErrorKind::NotFound => {
            "Load the driver with `sudo modprobe fuse`; give a container --device /dev/fuse and the capability \
             SYS_ADMIN."
        }
        ErrorKind::PermissionDenied => {
            "Allow users to open it with `sudo chmod 666 /dev/fuse`, or mount as root; some systems let the \
             members of a group fuse open it."
        }
        _ => "Load the driver with `sudo modprobe fuse`.",
    };
    let error = HostError::new(format!("{DEVICE} can not be opened"))
        .with_advice(advice)
        .with_source(std::io::Error::from(error.kind()));
    MountError::new(problem, error)
}

/// Whether `allow_other` is open to the calling user: always to root, to others when the helper's configuration
/// says `user_allow_other`.
pub fn can_others_be_allowed() -> bool {
    geteuid().is_root()
        || allows_others(&fs::read_to_string(Path::new(HELPER_CONFIGURATION)).unwrap_or_default())
}

fn allows_others(configuration: &str) -> bool {
    configuration
        .lines()
        .any(|line| line.trim() == "user_allow_other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commented_permission_is_none() {
        assert!(!allows_others("# user_allow_other\nmount_max = 1000\n"));
        assert!(allows_others("mount_max = 1000\nuser_allow_other\n"));
    }

    #[test]
    fn a_device_that_is_not_there_and_one_that_may_not_be_opened_are_told_apart() {
        for (kind, problem) in [
            (ErrorKind::NotFound, MountProblem::DriverMissing),
            (ErrorKind::PermissionDenied, MountProblem::Refused),
        ] {
            let error = device_problem(&kind.into());
            assert_eq!(error.problem(), problem);
            assert!(error.error().advice().is_some());
        }
    }
}
