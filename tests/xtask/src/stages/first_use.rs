//! What a newcomer does: `moorage quickstart FOLDER`, write a file, Ctrl-C, and find the file again; as the superuser and
//! as an ordinary user.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::table::Outcome;
use crate::volume::{self, expect_success};

/// `nobody` of Debian.
pub(super) const ORDINARY_USER: u32 = 65_534;
/// Longest wait for a mount to come or to go.
const WAIT: Duration = Duration::from_secs(20);

pub(crate) fn run() -> Result<Outcome> {
    if !volume::can_mount() {
        return Ok(Outcome::skip("no /dev/fuse: quickstart needs a real mount"));
    }
    open_device()?;
    let mut outcome = Outcome::default();
    for user in [0, ORDINARY_USER] {
        let result = quickstart_in_a_new_home(user);
        match &result {
            Ok(()) => println!("ok: quickstart as user {user} keeps its files over Ctrl-C"),
            Err(error) => println!("FAILED: quickstart as user {user}: {error:#}"),
        }
        outcome.passed += u64::from(result.is_ok());
        outcome.failed += u64::from(result.is_err());
    }
    Ok(outcome)
}

/// Debian's udev rule opens the device to everybody; a machine without udev starts with it closed.
pub(super) fn open_device() -> Result<()> {
    fs::set_permissions("/dev/fuse", fs::Permissions::from_mode(0o666)).context("opening /dev/fuse to users")
}

fn quickstart_in_a_new_home(user: u32) -> Result<()> {
    let home = tempfile::Builder::new().prefix("moorage-home").tempdir()?;
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755))?;
    let binary = home.path().join("moorage");
    // The build folder may be closed to other users.
    fs::copy(volume::binary()?, &binary)?;
    chown(home.path(), Some(user), Some(user))?;
    quickstart_twice(user, home.path(), &binary)
}

/// Writes in a folder of a first run and finds it in a second one.
pub(super) fn quickstart_twice(user: u32, home: &Path, binary: &Path) -> Result<()> {
    let folder = home.join("Disk");

    let first = start(binary, user, home, &folder)?;
    as_user(user, home, "sh")
        .args(["-c", "echo kept > \"$0\"/note && mkdir \"$0\"/folder"])
        .arg(&folder)
        .status()?
        .success()
        .then_some(())
        .context("the mounted folder can not be written")?;
    stop(first, &folder)?;

    let second = start(binary, user, home, &folder)?;
    let seen = expect_success(as_user(user, home, "cat").arg(folder.join("note")));
    stop(second, &folder)?;
    let seen = seen?;
    if seen == "kept\n" {
        Ok(())
    } else {
        bail!("the note says {seen:?}")
    }
}

/// A command of this user with a home of its own.
fn as_user(user: u32, home: &Path, program: &str) -> Command {
    let mut command = Command::new("setpriv");
    let id = user.to_string();
    command
        .args([
            "--reuid",
            &id,
            "--regid",
            &id,
            "--clear-groups",
            "env",
            "-i",
            "PATH=/usr/bin:/bin:/usr/sbin:/sbin",
        ])
        .arg(format!("HOME={}", home.display()))
        .arg(program)
        .current_dir(home)
        .stdin(Stdio::null());
    command
}

fn start(binary: &Path, user: u32, home: &Path, folder: &Path) -> Result<Child> {
    let log = home.join("quickstart.log");
    let output = fs::File::create(&log)?;
    let program = binary.to_str().context("the binary's path is not UTF-8")?;
    let mut child = as_user(user, home, program)
        .arg("quickstart")
        .arg(folder)
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()?;
    let deadline = Instant::now() + WAIT;
    while !volume::is_mounted(folder)? {
        if let Some(status) = child.try_wait()? {
            bail!("quickstart ended with {status}: {}", fs::read_to_string(&log)?);
        }
        if Instant::now() > deadline {
            child.kill()?;
            bail!("quickstart did not mount: {}", fs::read_to_string(&log)?);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(child)
}

/// Ctrl-C, which has to unmount and end well.
fn stop(mut child: Child, folder: &Path) -> Result<()> {
    expect_success(Command::new("kill").arg("-INT").arg(child.id().to_string()))?;
    let deadline = Instant::now() + WAIT;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > deadline {
            child.kill()?;
            bail!("Ctrl-C did not end quickstart");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    if !status.success() {
        bail!("quickstart ended with {status} after Ctrl-C");
    }
    if volume::is_mounted(folder)? {
        bail!("the folder is still mounted after Ctrl-C")
    } else {
        Ok(())
    }
}
