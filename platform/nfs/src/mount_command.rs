//! The command that has the system's own client mount what is served.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use moorage_host::{HostError, MountError, MountProblem};

/// What the client has to know.
#[derive(Clone, Debug)]
pub(crate) struct Mounting {
    pub(crate) port: u16,
    /// The path of the export.
    pub(crate) path: String,
    pub(crate) point: PathBuf,
    pub(crate) read_only: bool,
    /// How long the client may rely on attributes.
    pub(crate) attributes: Duration,
}

/// Program that mounts, of the system.
#[cfg(target_os = "macos")]
const PROGRAM: &str = "/sbin/mount_nfs";
#[cfg(not(target_os = "macos"))]
const PROGRAM: &str = "mount";
/// Where the helper of mount(8) for NFS is.
#[cfg(not(target_os = "macos"))]
const HELPERS: [&str; 2] = ["/sbin/mount.nfs", "/usr/sbin/mount.nfs"];

impl Mounting {
    /// What the mount table shows as the source.
    pub(crate) fn source(&self) -> String {
        format!("127.0.0.1:{}", self.path)
    }

    /// Options of the client. `hard`: a request waits for a server that is being restarted, since giving up would lose what was
    /// written. Locks are those of this computer.
    fn options(&self) -> String {
        let mut options = vec![
            "vers=3".to_owned(),
            "tcp".to_owned(),
            format!("port={}", self.port),
            format!("mountport={}", self.port),
            "hard".to_owned(),
            format!("actimeo={}", self.attributes.as_secs()),
            "nosuid".to_owned(),
            "nodev".to_owned(),
        ];
        let of_system: &[&str] = if cfg!(target_os = "macos") {
            // Names are compared as they are stored elsewhere, and Finder decomposes them.
            &["intr", "locallocks", "nfc", "rsize=131072", "wsize=131072"]
        } else {
            &["mountproto=tcp", "nolock", "noacl"]
        };
        options.extend(of_system.iter().map(|option| (*option).to_owned()));
        if self.read_only {
            options.push("ro".to_owned());
        }
        options.join(",")
    }

    fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        if !cfg!(target_os = "macos") {
            arguments.extend(["-t".into(), "nfs".into()]);
        }
        arguments.extend(["-o".into(), self.options().into(), self.source().into()]);
        arguments.push(self.point.clone().into());
        arguments
    }

    /// As a person would type it.
    pub(crate) fn line(&self) -> String {
        let words: Vec<String> = std::iter::once(PROGRAM.into())
            .chain(self.arguments())
            .map(|word: OsString| quoted(&word.to_string_lossy()))
            .collect();
        words.join(" ")
    }

    /// Mounts.
    ///
    /// # Errors
    /// `Refused`, `InUse` or `System` with what the command says.
    pub(crate) fn run(&self) -> Result<(), MountError> {
        let output = Command::new(PROGRAM)
            .args(self.arguments())
            .stdin(Stdio::null())
            .output()
            .map_err(|error| {
                let what = HostError::new(format!("starting {PROGRAM}")).with_source(error);
                MountError::new(MountProblem::System, what)
            })?;
        match output.status.success() {
            true => Ok(()),
            false => Err(refused(&self.point, &String::from_utf8_lossy(&output.stderr))),
        }
    }
}

fn refused(point: &Path, said: &str) -> MountError {
    let lower = said.to_lowercase();
    let problem = if lower.contains("busy") {
        MountProblem::InUse
    } else if lower.contains("permitted") || lower.contains("permission") || lower.contains("superuser") {
        MountProblem::Refused
    } else if lower.contains("unknown filesystem type") || lower.contains("no such device") {
        MountProblem::DriverMissing
    } else {
        MountProblem::System
    };
    let what = HostError::new(format!(
        "mounting at {}: {}",
        point.display(),
        said.trim().replace('\n', "; ")
    ));
    let what = match problem {
        MountProblem::Refused if cfg!(target_os = "macos") => {
            what.with_advice("Mount at a folder that you own.")
        }
        MountProblem::Refused => what.with_advice(
            "Linux lets only root mount NFS; mount with FUSE, without `--backend nfs`, or as root.",
        ),
        MountProblem::DriverMissing => what.with_advice(
            "This kernel has no client of NFS. Mount with FUSE, without `--backend nfs`, or serve with `--no-mount`.",
        ),
        _ => what,
    };
    MountError::new(problem, what)
}

/// Whether the system has what mounts NFS. Blocks the thread for some milliseconds.
///
/// # Errors
/// `DriverMissing`.
#[cfg(target_os = "macos")]
pub fn check() -> Result<(), MountError> {
    check_any(
        &[PROGRAM],
        "It is a part of macOS; reinstall the system's update.",
    )
}

/// Whether the system has what mounts NFS. Blocks the thread for some milliseconds.
///
/// # Errors
/// `DriverMissing`.
#[cfg(not(target_os = "macos"))]
pub fn check() -> Result<(), MountError> {
    check_any(
        &HELPERS,
        "Install the package nfs-common (Debian, Ubuntu) or nfs-utils (Fedora), or serve with `--no-mount`.",
    )
}

fn check_any(programs: &[&str], advice: &str) -> Result<(), MountError> {
    if programs.iter().any(|program| Path::new(program).is_file()) {
        return Ok(());
    }
    let missing = HostError::new(format!("{} is missing, which mounts NFS", programs.join(" or ")));
    Err(MountError::new(
        MountProblem::DriverMissing,
        missing.with_advice(advice),
    ))
}

/// In quotes where a shell would take it apart.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./,:=@+".contains(&byte);
    match word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounting(point: &str) -> Mounting {
        Mounting {
            port: 4000,
            path: "/moorage-ab".to_owned(),
            point: point.into(),
            read_only: true,
            attributes: Duration::from_secs(1),
        }
    }

    #[test]
    fn the_client_asks_this_computer_alone_at_one_port_and_keeps_locks_to_itself() {
        let line = mounting("/mnt/my disk").line();
        for part in [
            "127.0.0.1:/moorage-ab",
            "port=4000",
            "mountport=4000",
            ",ro",
            "'/mnt/my disk'",
        ] {
            assert!(line.contains(part), "{line}");
        }
        assert!(line.contains("nolock") || line.contains("locallocks"), "{line}");
    }

    #[test]
    fn what_the_command_says_is_told_apart() {
        let point = Path::new("/mnt");
        for (said, problem) in [
            ("mount.nfs: /mnt is busy or already mounted", MountProblem::InUse),
            (
                "mount: only root can do that: Operation not permitted",
                MountProblem::Refused,
            ),
            (
                "mount: unknown filesystem type 'nfs'",
                MountProblem::DriverMissing,
            ),
            ("mount.nfs: No such device", MountProblem::DriverMissing),
            ("mount.nfs: access denied by server", MountProblem::System),
        ] {
            assert_eq!(refused(point, said).problem(), problem, "{said}");
        }
    }
}
