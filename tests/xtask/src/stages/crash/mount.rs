//! A mount in the foreground, which can be killed.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::volume::{self, Volume, expect_success};

/// Longest wait for a mount to answer, or to end.
const WAIT: Duration = Duration::from_secs(60);

/// A running mount. Killed and taken down when dropped.
pub(super) struct Mount {
    process: Child,
    point: PathBuf,
}

impl Mount {
    /// Mounts and waits until it answers.
    pub(super) fn start(volume: &Volume, options: &[&str]) -> Result<Mount> {
        let point = volume.mount_point();
        let log = log_of(volume);
        let output = OpenOptions::new().create(true).append(true).open(log)?;
        let process = volume
            .command("mount")?
            .arg("--cache-dir")
            .arg(volume.cache())
            .args(options)
            .arg(volume.url())
            .arg(&point)
            .stdout(output.try_clone()?)
            .stderr(output)
            .stdin(Stdio::null())
            .spawn()?;
        let mut mount = Mount { process, point };
        let deadline = Instant::now() + WAIT;
        while !volume::is_mounted(&mount.point)? {
            if let Some(status) = mount.process.try_wait()? {
                bail!("the mount ended with {status}: {}", Mount::log(volume)?);
            }
            if Instant::now() > deadline {
                bail!("the mount did not come up: {}", Mount::log(volume)?);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(mount)
    }

    /// Ends it as a crash would. The dead connection answers every caller until [`Mount::take_down`].
    pub(super) fn kill(&mut self) -> Result<()> {
        self.process.kill().context("killing the mount")?;
        self.process.wait().context("waiting for the killed mount")?;
        Ok(())
    }

    /// Removes what [`Mount::kill`] left of it from the folder.
    pub(super) fn take_down(self) -> Result<()> {
        self.detach()
    }

    /// Unmounts it in order.
    pub(super) fn unmount(mut self, volume: &Volume) -> Result<()> {
        expect_success(volume.command("umount")?.arg(&self.point))?;
        let status = self.process.wait()?;
        if !status.success() {
            bail!("the mount ended with {status} when it was unmounted");
        }
        Ok(())
    }

    /// What the mounts of the volume said.
    pub(super) fn log(volume: &Volume) -> Result<String> {
        Ok(fs::read_to_string(log_of(volume))?)
    }

    fn detach(&self) -> Result<()> {
        if volume::is_mounted(&self.point)? {
            expect_success(Command::new("umount").arg("-l").arg(&self.point))?;
        }
        Ok(())
    }
}

fn log_of(volume: &Volume) -> PathBuf {
    volume.path().join("mount.log")
}

impl Drop for Mount {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Err(error) = self.detach() {
            println!("unmounting {}: {error:#}", self.point.display());
        }
    }
}
