//! Who is measured: how each is set up, mounted, remounted cold and taken down.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use moorage_servers::{Database, Place};

use crate::process::{Cost, cost_of};

/// Longest wait for a mount point to appear.
const MOUNT_WAIT: Duration = Duration::from_secs(20);

/// One file system under test.
pub(crate) trait Contender {
    /// Name in the table.
    fn name(&self) -> &str;
    /// Whether it keeps what is written.
    fn stores(&self) -> bool {
        true
    }
    /// A fresh, mounted file system; returns the directory to work in.
    fn start(&mut self) -> Result<PathBuf>;
    /// Forgets everything cached in memory, by a remount and the kernel's drop_caches.
    fn cool(&mut self) -> Result<()>;
    /// Cost so far, of all processes of this round.
    fn cost(&self) -> Cost;
    /// Objects and bytes in the store, where there is one.
    fn stored(&self) -> (u64, u64) {
        (0, 0)
    }
    /// Takes it down. Its files stay: a disk reuses the inodes of deleted files slowly for a while (ext4 looks for
    /// others), which whoever came next would pay.
    fn stop(&mut self) -> Result<()>;
}

fn drop_caches() -> Result<()> {
    // SAFETY: sync takes no arguments and touches no memory of ours.
    unsafe { libc::sync() };
    fs::write("/proc/sys/vm/drop_caches", "3").context("dropping the kernel's caches (needs root)")
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("running {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn is_mounted(point: &Path) -> bool {
    let needle = format!(" {} ", point.display());
    fs::read_to_string("/proc/self/mountinfo").is_ok_and(|mounts| mounts.contains(&needle))
}

/// A folder of its own for every round.
struct Rounds {
    parent: PathBuf,
    name: String,
    number: usize,
    folder: PathBuf,
}

impl Rounds {
    fn new(parent: &Path, name: &str) -> Rounds {
        Rounds {
            parent: parent.to_owned(),
            name: name.to_owned(),
            number: 0,
            folder: PathBuf::new(),
        }
    }

    /// Makes the folder of the next round.
    fn next(&mut self) -> Result<()> {
        self.number += 1;
        self.folder = self.parent.join(format!("{}-{}", self.name, self.number));
        fs::create_dir_all(&self.folder).with_context(|| format!("making {}", self.folder.display()))
    }
}

/// Asks ext4 to keep what is made in different folders below apart; other file systems do as they do.
pub(crate) fn spread_folders(work: &Path) {
    // Best effort: the comparison is only less steady without.
    let _ = Command::new("chattr").arg("+T").arg(work).output();
}

/// A client with the command line `format`, `mount -d`, `umount`.
pub(crate) struct Cli {
    name: String,
    binary: PathBuf,
    rounds: Rounds,
    spent: Cost,
    database: Rc<Database>,
    /// Of the metadata of this round's volume.
    place: Place,
}

impl Cli {
    pub(crate) fn new(name: &str, binary: &Path, work: &Path, database: Rc<Database>) -> Result<Self> {
        let binary = binary
            .canonicalize()
            .with_context(|| format!("{}", binary.display()))?;
        Ok(Cli {
            name: name.to_owned(),
            binary,
            rounds: Rounds::new(work, name),
            spent: Cost::default(),
            database,
            place: Place::default(),
        })
    }

    fn root(&self) -> &Path {
        &self.rounds.folder
    }

    fn point(&self) -> PathBuf {
        self.root().join("mount")
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(verb).stdin(Stdio::null()).env("HOME", self.root());
        if !self.place.password.is_empty() {
            command.env("META_PASSWORD", self.place.password);
        }
        command
    }

    fn mount(&self) -> Result<()> {
        run(self
            .command("mount")
            .arg("-d")
            .arg("--cache-dir")
            .arg(self.root().join("cache"))
            .arg(&self.place.url)
            .arg(self.point()))?;
        if is_mounted(&self.point()) {
            Ok(())
        } else {
            bail!("{}: mount -d returned without a mount", self.name)
        }
    }

    fn unmount(&mut self) -> Result<()> {
        let cost = cost_of(&self.point());
        self.spent.cpu_seconds += cost.cpu_seconds;
        self.spent.peak_rss_mib = self.spent.peak_rss_mib.max(cost.peak_rss_mib);
        run(self.command("umount").arg(self.point()))?;
        let deadline = Instant::now() + MOUNT_WAIT;
        while cost_of(&self.point()).peak_rss_mib > 0.0 {
            if Instant::now() > deadline {
                bail!("{}: its process is still there after umount", self.name);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Contender for Cli {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self) -> Result<PathBuf> {
        self.spent = Cost::default();
        self.rounds.next()?;
        self.place = self.database.fresh(self.root());
        fs::create_dir_all(self.point())?;
        fs::create_dir_all(self.root().join("objects"))?;
        run(self
            .command("format")
            .args(["--storage", "file", "--trash-days", "0", "--bucket"])
            .arg(self.root().join("objects"))
            .arg(&self.place.url)
            .arg("bench"))?;
        self.mount()?;
        Ok(self.point())
    }

    fn cool(&mut self) -> Result<()> {
        self.unmount()?;
        let cache = self.root().join("cache");
        if cache.exists() {
            fs::remove_dir_all(cache)?;
        }
        drop_caches()?;
        self.mount()
    }

    fn cost(&self) -> Cost {
        let now = cost_of(&self.point());
        Cost {
            cpu_seconds: self.spent.cpu_seconds + now.cpu_seconds,
            peak_rss_mib: self.spent.peak_rss_mib.max(now.peak_rss_mib),
        }
    }

    fn stored(&self) -> (u64, u64) {
        count(&self.root().join("objects"))
    }

    fn stop(&mut self) -> Result<()> {
        self.unmount()
    }
}

fn count(directory: &Path) -> (u64, u64) {
    let Ok(entries) = fs::read_dir(directory) else {
        return (0, 0);
    };
    entries
        .flatten()
        .fold((0, 0), |(objects, bytes), entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => {
                let (more, length) = count(&entry.path());
                (objects + more, bytes + length)
            }
            Ok(meta) => (objects + 1, bytes + meta.len()),
            Err(_) => (objects, bytes),
        })
}

/// The local disk, the upper bound.
pub(crate) struct LocalDisk {
    rounds: Rounds,
}

impl LocalDisk {
    pub(crate) fn new(work: &Path) -> Result<Self> {
        Ok(LocalDisk {
            rounds: Rounds::new(work, "local"),
        })
    }
}

impl Contender for LocalDisk {
    fn name(&self) -> &str {
        "local disk"
    }

    fn start(&mut self) -> Result<PathBuf> {
        self.rounds.next()?;
        Ok(self.rounds.folder.clone())
    }

    fn cool(&mut self) -> Result<()> {
        drop_caches()
    }

    fn cost(&self) -> Cost {
        Cost::default()
    }

    fn stop(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A FUSE file system that answers from memory and stores nothing.
pub(crate) struct NullFs {
    binary: PathBuf,
    point: PathBuf,
    child: Option<Child>,
}

impl NullFs {
    pub(crate) fn new(binary: &Path, work: &Path) -> Result<Self> {
        let binary = binary
            .canonicalize()
            .with_context(|| format!("{}", binary.display()))?;
        Ok(NullFs {
            binary,
            point: work.join("nullfs"),
            child: None,
        })
    }
}

impl Contender for NullFs {
    fn name(&self) -> &str {
        "nullfs"
    }

    fn stores(&self) -> bool {
        false
    }

    fn start(&mut self) -> Result<PathBuf> {
        fs::create_dir_all(&self.point)?;
        self.child = Some(
            Command::new(&self.binary)
                .arg(&self.point)
                .stdin(Stdio::null())
                .spawn()?,
        );
        let deadline = Instant::now() + MOUNT_WAIT;
        while !is_mounted(&self.point) {
            if Instant::now() > deadline {
                bail!("nullfs did not mount");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(self.point.clone())
    }

    fn cool(&mut self) -> Result<()> {
        drop_caches()
    }

    fn cost(&self) -> Cost {
        cost_of(&self.point)
    }

    fn stop(&mut self) -> Result<()> {
        run(Command::new("umount").arg(&self.point))?;
        if let Some(mut child) = self.child.take() {
            child.wait()?;
        }
        Ok(())
    }
}
