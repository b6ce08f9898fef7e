//! A mounted volume in a temporary folder, made with the release binary as a user would.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use moorage_servers::{Database, Objects, Place};

use crate::run;

/// A cold release build on two cores.
const BUILD_LIMIT: Duration = Duration::from_secs(1500);

/// The release binary, built once per run; or the one that `MOORAGE_BINARY` names.
pub(crate) fn binary() -> Result<&'static Path> {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    if let Some(path) = BINARY.get() {
        return Ok(path);
    }
    if let Some(given) = std::env::var_os("MOORAGE_BINARY") {
        return Ok(BINARY.get_or_init(|| given.into()));
    }
    if !run::finish(
        &mut run::cargo(&["build", "--release", "--package", "moorage"]),
        BUILD_LIMIT,
    )?
    .success
    {
        bail!("the release build failed");
    }
    Ok(BINARY.get_or_init(|| run::target_directory().join("release/moorage")))
}

/// Whether this machine can mount.
pub(crate) fn can_mount() -> bool {
    Path::new("/dev/fuse").exists()
}

/// Whether something is mounted at this point.
pub(crate) fn is_mounted(point: &Path) -> Result<bool> {
    // As the kernel writes it, proc_pid_mountinfo(5).
    let needle = format!(" {} ", point.display().to_string().replace(' ', "\\040"));
    Ok(std::fs::read_to_string("/proc/self/mountinfo")?.contains(&needle))
}

/// What the names of folders begin with.
const FOLDER_PREFIX: &str = "moorage-test";

/// The variable with the URL of a database of PostgreSQL or MySQL that holds the metadata of every volume.
const GIVEN_METADATA: &str = "MOORAGE_TEST_METADATA";

/// The statistic of blocks that were staged.
const STAGED_BLOCKS: &str = "juicefs_staged_blocks_total";

/// Keys of a bucket whose server takes any.
const KEYS: [&str; 4] = ["--access-key", "key", "--secret-key", "secret"];

/// A volume with its objects in a local folder or in a server. Unmounted when dropped.
pub(crate) struct Volume {
    root: tempfile::TempDir,
    place: Place,
    mounted: Vec<Mounted>,
}

/// A mount in the background.
struct Mounted {
    /// The client that ends it.
    program: PathBuf,
    point: PathBuf,
}

impl Volume {
    /// Formats a volume with further options of `moorage format`. Its metadata is a file beside the objects, or tables
    /// of its own in the database that `MOORAGE_TEST_METADATA` names.
    pub(crate) fn format(options: &[&str]) -> Result<Volume> {
        let root = folder()?;
        let url = match std::env::var(GIVEN_METADATA) {
            Ok(database) => tables_of(&database, root.path()),
            Err(_) => format!("sqlite3://{}", root.path().join("meta.db").display()),
        };
        let place = Place { url, password: "" };
        Volume::make_on_disk(root, place, options)
    }

    /// The same with its metadata in an empty database of a server.
    pub(crate) fn format_in(database: &Database, options: &[&str]) -> Result<Volume> {
        let root = folder()?;
        let place = database.fresh(root.path());
        Volume::make_on_disk(root, place, options)
    }

    /// Formats a volume with its metadata in a file and its objects in a server.
    pub(crate) fn format_on(objects: &Objects, options: &[&str]) -> Result<Volume> {
        let root = folder()?;
        let url = format!("sqlite3://{}", root.path().join("meta.db").display());
        let place = Place { url, password: "" };
        let bucket = objects.bucket();
        let store = ["--storage", "s3", "--bucket", &bucket];
        Volume::make(root, place, &[&store[..], &KEYS, options].concat())
    }

    fn make_on_disk(root: tempfile::TempDir, place: Place, options: &[&str]) -> Result<Volume> {
        let bucket = format!("{}/", root.path().join("objects").display());
        let store = ["--storage", "file", "--bucket", &bucket];
        Volume::make(root, place, &[&store[..], options].concat())
    }

    fn make(root: tempfile::TempDir, place: Place, options: &[&str]) -> Result<Volume> {
        let volume = Volume {
            root,
            place,
            mounted: Vec::new(),
        };
        std::fs::create_dir(volume.mount_point())?;
        std::fs::create_dir(volume.second_mount_point())?;
        let mut format = volume.command("format")?;
        expect_success(format.args(options).arg(volume.url()).arg("testvolume"))?;
        Ok(volume)
    }

    /// The folder that holds everything.
    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    /// Where it is mounted.
    pub(crate) fn mount_point(&self) -> PathBuf {
        self.path().join("mount")
    }

    /// Where a second client mounts it.
    pub(crate) fn second_mount_point(&self) -> PathBuf {
        self.path().join("second")
    }

    /// The cache folder of its mounts.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path().join("cache")
    }

    /// The metadata URL.
    pub(crate) fn url(&self) -> &str {
        &self.place.url
    }

    /// A command of the binary under test.
    pub(crate) fn command(&self, verb: &str) -> Result<Command> {
        Ok(self.command_of(binary()?, verb))
    }

    /// The same of another client with the same command line.
    fn command_of(&self, program: &Path, verb: &str) -> Command {
        let mut command = Command::new(program);
        command.arg(verb).env("HOME", self.path()).stdin(Stdio::null());
        if !self.place.password.is_empty() {
            command.env("META_PASSWORD", self.place.password);
        }
        command
    }

    /// Mounts it in the background.
    pub(crate) fn mount(&mut self, options: &[&str]) -> Result<()> {
        self.mount_at(self.mount_point(), options)
    }

    /// Mounts it in the background at a given folder.
    pub(crate) fn mount_at(&mut self, point: PathBuf, options: &[&str]) -> Result<()> {
        self.mount_by(binary()?, point, options)
    }

    /// Mounts it with another client, which has the same command line, in the background at a given folder.
    pub(crate) fn mount_by(&mut self, program: &Path, point: PathBuf, options: &[&str]) -> Result<()> {
        let mut mount = self.command_of(program, "mount");
        mount
            .arg("-d")
            .arg("--cache-dir")
            .arg(self.cache())
            .args(options)
            .arg(self.url());
        expect_success(mount.arg(&point))?;
        let program = program.to_path_buf();
        self.mounted.push(Mounted { program, point });
        Ok(())
    }

    /// Unmounts every client and waits until everything is stored.
    pub(crate) fn unmount(&mut self) -> Result<()> {
        while let Some(mounted) = self.mounted.pop() {
            expect_success(self.command_of(&mounted.program, "umount").arg(mounted.point))?;
        }
        Ok(())
    }

    /// Blocks that the mount has acknowledged from its disk, since it began, before the store had them.
    pub(crate) fn staged_blocks(&self) -> Result<u64> {
        let statistics = std::fs::read_to_string(self.mount_point().join(".stats"))?;
        let line = statistics
            .lines()
            .find_map(|line| line.strip_prefix(STAGED_BLOCKS));
        let number = line.context("the statistics of the mount count no staged blocks")?;
        Ok(number.trim().parse()?)
    }

    /// Runs a command on the metadata URL, which has to succeed; its output.
    pub(crate) fn check(&self, verb: &str, options: &[&str]) -> Result<String> {
        expect_success(self.command(verb)?.args(options).arg(self.url()))
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if let Err(error) = self.unmount() {
            println!("unmounting the volume in {}: {error:#}", self.path().display());
        }
    }
}

fn folder() -> Result<tempfile::TempDir> {
    Ok(tempfile::Builder::new().prefix(FOLDER_PREFIX).tempdir()?)
}

/// The URL of tables in a database that no other folder's volume has.
fn tables_of(database: &str, folder: &Path) -> String {
    let folder = folder.to_string_lossy();
    let own = folder.rsplit(FOLDER_PREFIX).next().unwrap_or_default();
    let separator = if database.contains('?') { '&' } else { '?' };
    format!("{database}{separator}table_prefix={own}")
}

/// Runs a command that has to succeed; what it printed.
pub(crate) fn expect_success(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if !output.status.success() {
        bail!("{command:?} ended with {}: {text}", output.status);
    }
    Ok(text)
}
