//! Taking a mount away.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};

use crate::HostError;
use crate::driver::helper;
use crate::unmount_request::{Holder, Unmount};

/// Processes named in a message at most; more help nobody.
const HOLDERS_SHOWN: usize = 8;

/// Unmounts a path, with the set-uid helper when the kernel refuses the caller.
///
/// # Errors
/// What the system answers; for a busy mount with the processes that use it.
pub fn unmount(path: &Path, how: Unmount) -> Result<(), HostError> {
    let flags = match how {
        Unmount::Clean => MntFlags::empty(),
        Unmount::Lazy => MntFlags::MNT_DETACH,
        Unmount::Force => MntFlags::MNT_DETACH | MntFlags::MNT_FORCE,
    };
    match umount2(path, flags | MntFlags::UMOUNT_NOFOLLOW) {
        Ok(()) => Ok(()),
        Err(Errno::EPERM) => with_helper(path, how),
        Err(error) => Err(refused(path, error)),
    }
}

fn with_helper(path: &Path, how: Unmount) -> Result<(), HostError> {
    let Some(helper) = helper() else {
        return Err(
            HostError::new("fusermount3 is missing, which unmounts for ordinary users")
                .with_advice("Install the package fuse3."),
        );
    };
    let mut command = Command::new(helper);
    command.arg("-u").stdin(Stdio::null());
    if how != Unmount::Clean {
        command.arg("-z");
    }
    let output = command
        .arg("--")
        .arg(path)
        .output()
        .map_err(|error| HostError::new("starting fusermount3").with_source(error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("busy") {
        return Err(refused(path, Errno::EBUSY));
    }
    Err(
        HostError::new(format!("unmounting {}: {}", path.display(), said.trim()))
            .with_advice("Only the user who mounted it, or root, can unmount it."),
    )
}

fn refused(path: &Path, error: Errno) -> HostError {
    let what = HostError::new(format!("unmounting {}", path.display())).with_source(io::Error::from(error));
    if error != Errno::EBUSY {
        return what;
    }
    let users: Vec<String> = holders(path)
        .into_iter()
        .take(HOLDERS_SHOWN)
        .map(|holder| format!("{} ({})", holder.name, holder.pid))
        .collect();
    what.with_advice(if users.is_empty() {
        "Something still uses it; `--lazy` detaches it now and ends it when the last user is gone.".to_owned()
    } else {
        format!(
            "It is used by {}. Close them, or use `--lazy` to detach it now and end it when they are gone.",
            users.join(", ")
        )
    })
}

/// Processes with a working folder, root, program or open file below `path`, as far as the caller may see them.
pub fn holders(path: &Path) -> Vec<Holder> {
    let own = std::process::id();
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|process| Some((process.path(), process.file_name().to_str()?.parse::<u32>().ok()?)))
        .filter(|(folder, pid)| *pid != own && uses(folder, path))
        .map(|(folder, pid)| Holder {
            pid,
            name: fs::read_to_string(folder.join("comm"))
                .unwrap_or_default()
                .trim()
                .to_owned(),
        })
        .collect()
}

fn uses(process: &Path, path: &Path) -> bool {
    let single = ["cwd", "root", "exe"].map(|name| process.join(name));
    let open = fs::read_dir(process.join("fd"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    single
        .into_iter()
        .chain(open)
        .filter_map(|link| fs::read_link(link).ok())
        .any(|target| without_deleted_mark(target).starts_with(path))
}

/// The kernel marks links to removed files with a suffix.
fn without_deleted_mark(target: PathBuf) -> PathBuf {
    match target.as_os_str().as_bytes().strip_suffix(b" (deleted)") {
        Some(name) => PathBuf::from(OsString::from(std::ffi::OsStr::from_bytes(name))),
        None => target,
    }
}
