//! A mounted volume in a temporary folder, made with the release binary as a user would.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};

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
    let needle = format!(" {} ", point.display());
    Ok(std::fs::read_to_string("/proc/self/mountinfo")?.contains(&needle))
}

/// What the names of folders begin with.
const FOLDER_PREFIX: &str = "moorage-test";

/// A volume with a local object folder. Unmounted when dropped.
pub(crate) struct Volume {
    root: tempfile::TempDir,
    mounted: Vec<PathBuf>,
}

impl Volume {
    /// Formats a volume with further options of `moorage format`.
    pub(crate) fn format(options: &[&str]) -> Result<Volume> {
        let root = tempfile::Builder::new().prefix(FOLDER_PREFIX).tempdir()?;
        let volume = Volume {
            root,
            mounted: Vec::new(),
        };
        std::fs::create_dir(volume.mount_point())?;
        std::fs::create_dir(volume.second_mount_point())?;
        let mut bucket = volume.path().join("objects").into_os_string();
        bucket.push("/");
        let mut format = volume.command("format")?;
        format
            .args(["--storage", "file", "--bucket"])
            .arg(bucket)
            .args(options)
            .arg(volume.url())
            .arg("testvolume");
        expect_success(&mut format)?;
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

    /// The metadata URL: a file beside the objects, or tables of its own in the database of PostgreSQL or MySQL whose
    /// URL `MOORAGE_TEST_METADATA` holds.
    pub(crate) fn url(&self) -> String {
        let Ok(database) = std::env::var("MOORAGE_TEST_METADATA") else {
            return format!("sqlite3://{}", self.path().join("meta.db").display());
        };
        let folder = self.path().to_string_lossy();
        let own = folder.rsplit(FOLDER_PREFIX).next().unwrap_or_default();
        let separator = if database.contains('?') { '&' } else { '?' };
        format!("{database}{separator}table_prefix={own}")
    }

    /// A command of the binary under test.
    pub(crate) fn command(&self, verb: &str) -> Result<Command> {
        let mut command = Command::new(binary()?);
        command.arg(verb).env("HOME", self.path()).stdin(Stdio::null());
        Ok(command)
    }

    /// Mounts it in the background.
    pub(crate) fn mount(&mut self, options: &[&str]) -> Result<()> {
        self.mount_at(self.mount_point(), options)
    }

    /// Mounts it in the background at a given folder.
    pub(crate) fn mount_at(&mut self, point: PathBuf, options: &[&str]) -> Result<()> {
        let mut mount = self.command("mount")?;
        mount
            .arg("-d")
            .arg("--cache-dir")
            .arg(self.path().join("cache"))
            .args(options)
            .arg(self.url());
        expect_success(mount.arg(&point))?;
        self.mounted.push(point);
        Ok(())
    }

    /// Unmounts every client and waits until everything is stored.
    pub(crate) fn unmount(&mut self) -> Result<()> {
        while let Some(point) = self.mounted.pop() {
            expect_success(self.command("umount")?.arg(point))?;
        }
        Ok(())
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
