//! A volume in a temporary folder, mounted by the program as a user would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// Longest that anything here may take on a loaded machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// Between two looks at something that another process changes.
const LOOK: Duration = Duration::from_millis(5);

/// Whether this machine can mount; says so when not.
pub(crate) fn can_mount() -> bool {
    let can = fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/fuse")
        .is_ok();
    if !can {
        eprintln!("SKIPPED: no usable /dev/fuse, so nothing about a real mount is tested");
    }
    can
}

/// Waits until `condition` holds.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "still waiting: {what}");
        std::thread::sleep(LOOK);
    }
}

/// Waits for a child's end.
pub(crate) fn end_of(child: &mut Child) -> ExitStatus {
    let mut status = None;
    until("a process to end", || {
        status = child.try_wait().expect("a child of ours");
        status.is_some()
    });
    status.expect("it ended")
}

/// A formatted volume and a home of its own.
pub(crate) struct Volume {
    root: tempfile::TempDir,
}

impl Volume {
    /// Formats a volume; `None` where nothing can be mounted.
    pub(crate) fn format(options: &[&str]) -> Option<Volume> {
        let volume = Volume::home()?;
        let bucket = volume.path().join("objects");
        let mut format = volume.program();
        format
            .arg("format")
            .args(["--storage", "file", "--bucket"])
            .arg(bucket);
        succeed(format.args(options).arg(volume.url()).arg("testvolume"));
        Some(volume)
    }

    /// Only a home, without a volume.
    pub(crate) fn home() -> Option<Volume> {
        can_mount().then(|| Volume {
            root: tempfile::Builder::new()
                .prefix("moorage-mount")
                .tempdir()
                .expect("folder"),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite3://{}", self.path().join("meta.db").display())
    }

    /// The program under test, in this home.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moorage"));
        command.env("HOME", self.path()).stdin(Stdio::null());
        for name in ["XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"] {
            command.env_remove(name);
        }
        command
    }

    /// A mount command for a mount point of this name, which is made.
    pub(crate) fn mount_command(&self, name: &str) -> (PathBuf, Command) {
        let point = self.path().join(name);
        fs::create_dir_all(&point).expect("mount point");
        let mut command = self.program();
        command
            .arg("mount")
            .arg("--cache-dir")
            .arg(self.path().join(format!("{name}-cache")));
        (point, command)
    }

    /// Mounts it in the background.
    pub(crate) fn mount(&self, name: &str, options: &[&str]) -> Mounted<'_> {
        self.mount_on(&self.url(), name, options)
    }

    /// As [`Volume::mount`], with the metadata elsewhere.
    pub(crate) fn mount_on(&self, url: &str, name: &str, options: &[&str]) -> Mounted<'_> {
        let (point, mut command) = self.mount_command(name);
        succeed(command.arg("-d").args(options).arg(url).arg(&point));
        self.mounted(name)
    }

    /// The mount at the mount point of this name, which is made; whoever mounts it, and when.
    pub(crate) fn mounted(&self, name: &str) -> Mounted<'_> {
        let (point, _) = self.mount_command(name);
        Mounted { volume: self, point }
    }

    /// As [`Volume::mount`], started in the folder of the database, which is named by its file alone.
    pub(crate) fn mount_by_relative_url(&self, name: &str) -> Mounted<'_> {
        let (point, mut command) = self.mount_command(name);
        command
            .current_dir(self.path())
            .arg("-d")
            .arg("sqlite3://meta.db");
        succeed(command.arg(&point));
        Mounted { volume: self, point }
    }
}

/// A background mount, detached when dropped.
pub(crate) struct Mounted<'a> {
    volume: &'a Volume,
    point: PathBuf,
}

impl Mounted<'_> {
    pub(crate) fn point(&self) -> &Path {
        &self.point
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.point.join(name)
    }

    /// Process ids of the worker: those that hold the FUSE device and name this mount point.
    pub(crate) fn workers(&self) -> Vec<i32> {
        processes_naming(&self.point)
            .into_iter()
            .filter(|pid| {
                fs::read_dir(format!("/proc/{pid}/fd"))
                    .into_iter()
                    .flatten()
                    .flatten()
                    .any(|entry| {
                        fs::read_link(entry.path()).is_ok_and(|target| target == Path::new("/dev/fuse"))
                    })
            })
            .collect()
    }

    pub(crate) fn umount(&self, options: &[&str]) -> Output {
        let mut command = self.volume.program();
        command.arg("umount").args(options).arg(&self.point);
        command.output().expect("the program starts")
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        if is_mounted(&self.point) {
            let _ = self.umount(&["--lazy"]);
        }
        // The home is removed next; a process that still writes there would leave files behind.
        let start = Instant::now();
        while !processes_naming(&self.point).is_empty() && start.elapsed() < LIMIT {
            std::thread::sleep(LOOK);
        }
    }
}

pub(crate) fn is_mounted(point: &Path) -> bool {
    let needle = format!(" {} ", point.display());
    fs::read_to_string("/proc/self/mountinfo").is_ok_and(|table| table.contains(&needle))
}

/// Other processes of the program under test that have this path among their arguments.
pub(crate) fn processes_naming(path: &Path) -> Vec<i32> {
    let needle = path.as_os_str().as_encoded_bytes();
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|process| process.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut arguments = arguments.split(|byte| *byte == 0);
            let program = arguments.next().unwrap_or_default();
            program.ends_with(b"moorage") && arguments.any(|argument| argument == needle)
        })
        .collect()
}

/// Runs a command that has to succeed.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", text(&output));
    text(&output)
}

/// Everything a command printed.
pub(crate) fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
