//! A volume that is made, mounted, used and removed, by the commands that a person would type.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use moorage_control::check::CheckStep;
use moorage_host::{Folders, MountPoint, Unmount, unmount};
use moorage_model::{Error, ErrorKind, Result};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::task::spawn_blocking;

use crate::checklist::Steps;
use crate::mounting::host_error;

/// Longest a step may take: a slow disk syncs a handful of times in each.
const STEP_DEADLINE: Duration = Duration::from_secs(60);
/// Bytes of the file: more than one page, one request of the kernel and one block of the volume.
const FILE_BYTES: usize = (1 << 20) + 1;
/// Block size of the volume in KiB.
const BLOCK_SIZE: &str = "256";

/// Makes a volume, uses it and removes it, each as a step. What fails ends the trial; the folder goes in any case.
pub(super) async fn mount_a_volume(steps: &mut Steps, folders: &Folders) {
    let made = async {
        let trial = Trial::in_folder(&folders.cache)?;
        trial.format().await?;
        Ok(trial)
    };
    let Some(trial) = steps
        .attempt_within(STEP_DEADLINE, CheckStep::TrialVolume, made)
        .await
    else {
        return;
    };
    let used = trial.mount_and_use();
    if steps
        .attempt_within(STEP_DEADLINE, CheckStep::TrialMount, used)
        .await
        .is_some()
    {
        let checked = trial.unmount_and_check();
        steps
            .attempt_within(STEP_DEADLINE, CheckStep::TrialCheck, checked)
            .await;
    }
}

/// The volume. When this goes, the mount and the folder go.
struct Trial {
    /// Taken when it is removed.
    folder: Option<TempDir>,
    database: String,
    objects: PathBuf,
    cache: PathBuf,
    log: PathBuf,
    point: PathBuf,
}

impl Trial {
    fn in_folder(cache: &Path) -> Result<Trial> {
        Folders::make_private(cache).map_err(|error| host_error(ErrorKind::Io, &error))?;
        let made = tempfile::Builder::new().prefix("trial-").tempdir_in(cache);
        let folder = made.map_err(|error| {
            Error::new(
                ErrorKind::Io,
                format!("no folder can be made in {}", cache.display()),
            )
            .with_source(error)
            .with_advice("Check whose folder it is and that its disk has space.")
        })?;
        let path = folder.path().to_owned();
        let point = path.join("mount");
        Folders::make_private(&point).map_err(|error| host_error(ErrorKind::Io, &error))?;
        Ok(Trial {
            folder: Some(folder),
            database: format!("sqlite3://{}", path.join("volume.db").display()),
            objects: path.join("objects"),
            cache: path.join("cache"),
            log: path.join("mount.log"),
            point,
        })
    }

    async fn format(&self) -> Result<()> {
        let arguments: [&OsStr; 8] = [
            "format".as_ref(),
            "--storage=file".as_ref(),
            "--block-size".as_ref(),
            BLOCK_SIZE.as_ref(),
            "--bucket".as_ref(),
            self.objects.as_ref(),
            self.database.as_ref(),
            "trial".as_ref(),
        ];
        run(&arguments).await
    }

    async fn mount_and_use(&self) -> Result<()> {
        let arguments: [&OsStr; 8] = [
            "mount".as_ref(),
            "--background".as_ref(),
            "--log".as_ref(),
            self.log.as_ref(),
            "--cache-dir".as_ref(),
            self.cache.as_ref(),
            self.database.as_ref(),
            self.point.as_ref(),
        ];
        run(&arguments).await?;
        let file = self.point.join("trial");
        let used = spawn_blocking(move || write_and_read(&file)).await;
        used.map_err(std::io::Error::other)
            .and_then(|used| used)
            .map_err(|error| {
                Error::new(ErrorKind::Io, "the mounted volume can not be used").with_source(error)
            })
    }

    async fn unmount_and_check(&self) -> Result<()> {
        run(&["umount".as_ref(), self.point.as_ref()]).await?;
        run(&["fsck".as_ref(), self.database.as_ref()]).await
    }

    fn is_mounted(&self) -> bool {
        // One that can not be told may be there.
        MountPoint::resolve(&self.point).is_ok_and(|point| !matches!(point.mount(), Ok(None)))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if self.is_mounted()
            && let Err(error) = unmount(&self.point, Unmount::Force)
        {
            tracing::warn!("the volume made for trial is still mounted: {error}");
        }
        let Some(folder) = self.folder.take() else { return };
        // What is below a mount is not removed through it.
        if self.is_mounted() {
            tracing::warn!("the folder {} was left", folder.keep().display());
        } else if let Err(error) = folder.close() {
            tracing::warn!("the folder made for trial can not be removed: {error}");
        }
    }
}

fn write_and_read(path: &Path) -> std::io::Result<()> {
    let bytes: Vec<u8> = (0..FILE_BYTES).map(|place| place as u8).collect();
    let mut file = File::create(path)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    drop(file);
    if fs::read(path)? == bytes {
        Ok(())
    } else {
        Err(std::io::Error::other("what is read is not what was written"))
    }
}

/// Runs a command of this program.
///
/// # Errors
/// What it says.
async fn run(arguments: &[&OsStr]) -> Result<()> {
    let verb = arguments
        .first()
        .map(|verb| verb.to_string_lossy())
        .unwrap_or_default();
    let failed =
        |error| Error::new(ErrorKind::Io, format!("`moorage {verb}` can not be started")).with_source(error);
    let program = std::env::current_exe().map_err(failed)?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::new(
        ErrorKind::Io,
        format!("`moorage {verb}` ended with {}", output.status),
    )
    .with_source(std::io::Error::other(said.trim().to_owned()))
    .with_advice("What it said tells what to do; mend that and try again."))
}
