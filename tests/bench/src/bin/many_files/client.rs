//! One client: its commands, timed, with the memory that they take.

use std::fmt;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use moorage_servers::Place;

use crate::process::cost_of;

/// Longest wait for a mount point to appear or to go.
const MOUNT_WAIT: Duration = Duration::from_secs(60);

/// What a step took.
pub(crate) struct Figure {
    time: Duration,
    /// Processor time of the client and of the program that walks through its mount.
    cpu_seconds: f64,
    /// Of the client, which is another process than the one that walks through its mount.
    peak_mib: f64,
    /// Of the file that was written.
    file_mib: Option<f64>,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.time.as_secs_f64();
        write!(
            f,
            "{seconds:.1} | {:.1} | {:.0} | ",
            self.cpu_seconds, self.peak_mib
        )?;
        self.file_mib.map_or(Ok(()), |mib| write!(f, "{mib:.0}"))
    }
}

/// A program with the command line `load`, `dump`, `mount -d`, `umount`.
pub(crate) struct Client {
    binary: PathBuf,
    folder: PathBuf,
}

impl Client {
    /// With a folder of its own.
    pub(crate) fn new(binary: &Path, folder: &Path) -> Result<Client> {
        let found = binary.canonicalize();
        Ok(Client {
            binary: found.with_context(|| binary.display().to_string())?,
            folder: folder.to_owned(),
        })
    }

    /// The name of its program.
    pub(crate) fn name(&self) -> String {
        let name = self.binary.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    fn command(&self, place: &Place, verb: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(verb).stdin(Stdio::null()).env("HOME", &self.folder);
        if !place.password.is_empty() {
            command.env("META_PASSWORD", place.password);
        }
        command
    }

    /// Loads a dump.
    pub(crate) fn load(&self, place: &Place, file: &Path, options: &[&str]) -> Result<Figure> {
        measured(
            self.command(place, "load")
                .args(options)
                .arg(&place.url)
                .arg(file),
        )
    }

    /// Dumps into a file.
    pub(crate) fn dump(&self, place: &Place, file: &Path, options: &[&str]) -> Result<Figure> {
        let figure = measured(
            self.command(place, "dump")
                .args(options)
                .arg(&place.url)
                .arg(file),
        )?;
        let bytes = fs::metadata(file)?.len();
        Ok(Figure {
            file_mib: Some(bytes as f64 / f64::from(1 << 20)),
            ..figure
        })
    }

    /// Mounts with every cache cold and walks through the mount by a program, twice; what each took.
    pub(crate) fn walk(&self, place: &Place, program: &[&str]) -> Result<[Figure; 2]> {
        let point = self.folder.join("mount");
        fs::create_dir_all(&point)?;
        // SAFETY: sync takes no arguments and touches no memory of ours.
        unsafe { libc::sync() };
        fs::write("/proc/sys/vm/drop_caches", "3").context("dropping the kernel's caches (needs root)")?;
        let mut mount = self.command(place, "mount");
        mount.args(["-d", "--cache-dir"]).arg(self.folder.join("cache"));
        measured(mount.arg(&place.url).arg(&point))?;
        let walks = (once(program, &point), once(program, &point));
        measured(self.command(place, "umount").arg(&point))?;
        let deadline = Instant::now() + MOUNT_WAIT;
        while cost_of(&point).peak_rss_mib > 0.0 {
            if Instant::now() > deadline {
                bail!("{} is still there after umount", self.name());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok([walks.0?, walks.1?])
    }
}

fn once(program: &[&str], point: &Path) -> Result<Figure> {
    let Some((name, options)) = program.split_first() else {
        bail!("no program");
    };
    let before = cost_of(point);
    let figure = measured(Command::new(name).args(options).arg(point))?;
    let after = cost_of(point);
    Ok(Figure {
        cpu_seconds: figure.cpu_seconds + after.cpu_seconds - before.cpu_seconds,
        peak_mib: after.peak_rss_mib,
        ..figure
    })
}

/// Runs a program that has to succeed.
fn measured(command: &mut Command) -> Result<Figure> {
    let mut errors = tempfile::tempfile()?;
    command
        .stdout(File::create("/dev/null")?)
        .stderr(errors.try_clone()?);
    let start = Instant::now();
    let child = command.spawn().with_context(|| format!("{command:?}"))?;
    let id = libc::pid_t::try_from(child.id())?;
    let mut status = 0;
    // SAFETY: all of its fields are numbers, for which zeroes are values.
    let mut used: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both places are ours and live throughout the call; the process is our child, which nobody else waits for.
    let ended = unsafe { libc::wait4(id, &raw mut status, 0, &raw mut used) };
    let time = start.elapsed();
    if ended != id || status != 0 {
        let mut text = String::new();
        errors.rewind()?;
        errors.read_to_string(&mut text)?;
        bail!("{command:?} ended with status {status}: {text}");
    }
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok(Figure {
        time,
        cpu_seconds: seconds(used.ru_utime) + seconds(used.ru_stime),
        // Counted in KiB on Linux.
        peak_mib: used.ru_maxrss as f64 / 1024.0,
        file_mib: None,
    })
}
