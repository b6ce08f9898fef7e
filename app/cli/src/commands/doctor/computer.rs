//! What this computer has to offer: the driver, folders, space, the agent.

use std::fs;
use std::path::Path;

use moorage_control::check::CheckStep;
use moorage_control::client::Client;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::settings::SecretAccess;
use moorage_host::{Folders, check_driver};
use moorage_model::{Error, ErrorKind, Result};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::agent::{connect, error_of, problem_of};
use crate::checklist::Steps;
use crate::mounting::{host_error, mount_error};
use crate::size;

/// Space below which nothing can be made on a disk: a database, its log and a few blocks.
const LEAST_SPACE: u64 = 64 << 20;
/// A cache leaves this share of its disk free, in percent (the default of `mount --free-space-ratio`).
const SHARE_LEFT_FREE: u64 = 10;

/// Tries the steps before a volume is made.
pub(super) async fn examine(steps: &mut Steps, folders: &Folders) {
    let driver = async { check_driver().map_err(|error| mount_error(&error)) };
    steps.attempt(CheckStep::Driver, driver).await;
    let wanted = folders.clone();
    let writable = async move { on_own_thread(move || all_writable(&wanted)).await };
    steps.attempt(CheckStep::Folders, writable).await;
    look_for_space(steps, folders).await;
    if let Some(client) = find_agent(steps).await {
        ask_for_secrets(steps, &client).await;
    }
}

/// Work that waits for a disk, which may be one that hangs.
async fn on_own_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Io, "the work was broken off").with_source(std::io::Error::other(error)))
    })
}

fn all_writable(folders: &Folders) -> Result<()> {
    for folder in [
        &folders.config,
        &folders.data,
        &folders.cache,
        &folders.state,
        &folders.runtime,
    ] {
        Folders::make_private(folder).map_err(|error| host_error(ErrorKind::Io, &error))?;
        let file = tempfile::NamedTempFile::new_in(folder);
        file.and_then(|file| fs::write(file.path(), "trial"))
            .map_err(|error| {
                Error::new(
                    ErrorKind::Io,
                    format!("no file can be written in {}", folder.display()),
                )
                .with_source(error)
                .with_advice("Check whose folder it is and that its disk has space.")
            })?;
    }
    Ok(())
}

/// Fails where no volume could be made, warns where a cache would stay empty.
async fn look_for_space(steps: &mut Steps, folders: &Folders) {
    let begun = Instant::now();
    let looked = [&folders.data, &folders.cache].map(|folder| space_of(folder));
    let elapsed = begun.elapsed();
    let [data, cache] = match looked {
        [Ok(data), Ok(cache)] => [data, cache],
        [Err(error), _] | [_, Err(error)] => return steps.fail(CheckStep::DiskSpace, elapsed, &error),
    };
    if let Some(full) = [&data, &cache].into_iter().find(|space| space.free < LEAST_SPACE) {
        let error = Error::new(
            ErrorKind::NoSpace,
            format!("the disk of {} has {} left", full.folder, size::show(full.free)),
        )
        .with_advice("Free space on it: databases, what waits for its upload and caches are there.");
        return steps.fail(CheckStep::DiskSpace, elapsed, &error);
    }
    match cache.is_kept_free() {
        false => steps.pass(CheckStep::DiskSpace, elapsed),
        true => steps.warn(CheckStep::DiskSpace, elapsed, no_cache(&cache)),
    }
}

fn no_cache(cache: &Space) -> Problem {
    Problem {
        code: ProblemCode::DiskFull,
        message: format!(
            "the disk of {} has {} of {} left; caches keep nothing on a disk with less than {SHARE_LEFT_FREE} % free",
            cache.folder,
            size::show(cache.free),
            size::show(cache.total)
        ),
        cause: None,
        advice: "Free space on it, or put the cache on another disk with `--cache-dir`.".to_owned(),
        retryable: false,
    }
}

struct Space {
    folder: String,
    free: u64,
    total: u64,
}

impl Space {
    /// Whether a cache keeps nothing there.
    fn is_kept_free(&self) -> bool {
        self.free < self.total / 100 * SHARE_LEFT_FREE
    }
}

/// The space where a folder is, or would be made.
fn space_of(folder: &Path) -> Result<Space> {
    let there = folder
        .ancestors()
        .find(|folder| folder.is_dir())
        .unwrap_or(folder);
    let look = || Ok((fs4::available_space(there)?, fs4::total_space(there)?));
    let (free, total) = look().map_err(|error: std::io::Error| {
        Error::new(
            ErrorKind::Io,
            format!("the space on the disk of {} can not be read", folder.display()),
        )
        .with_source(error)
    })?;
    Ok(Space {
        folder: folder.display().to_string(),
        free,
        total,
    })
}

/// The agent; a warning where none runs, since commands do without.
async fn find_agent(steps: &mut Steps) -> Option<Client> {
    let begun = Instant::now();
    match connect().await {
        Ok(client) => {
            steps.pass(CheckStep::Agent, begun.elapsed());
            Some(client)
        }
        Err(error) if error.kind() == ErrorKind::Unavailable => {
            steps.warn(CheckStep::Agent, begun.elapsed(), problem_of(&error));
            None
        }
        Err(error) => {
            steps.fail(CheckStep::Agent, begun.elapsed(), &error);
            None
        }
    }
}

/// A warning where no password can be kept: volumes without one do without it.
async fn ask_for_secrets(steps: &mut Steps, client: &Client) {
    let begun = Instant::now();
    let asked = client.secret_store().await;
    let elapsed = begun.elapsed();
    match asked {
        Err(error) => steps.fail(CheckStep::SecretStore, elapsed, &error_of(error)),
        Ok(status) if status.access == SecretAccess::Open => steps.pass(CheckStep::SecretStore, elapsed),
        Ok(status) => {
            let problem = status.problem.unwrap_or_else(|| Problem {
                code: ProblemCode::TimedOut,
                message: "the store of passwords does not answer".to_owned(),
                cause: None,
                advice: "`moorage agent secrets` shows it, unlocks it and chooses another.".to_owned(),
                retryable: true,
            });
            steps.warn(CheckStep::SecretStore, elapsed, problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_space_of_a_folder_that_is_not_made_yet_is_that_of_its_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let space = space_of(&folder.path().join("not/made")).expect("space");
        assert!(space.free <= space.total && space.total > 0);
    }

    #[test]
    fn a_disk_that_is_almost_full_is_kept_free() {
        let space = |free, total| Space {
            folder: String::new(),
            free,
            total,
        };
        assert!(space(9 << 30, 100 << 30).is_kept_free());
        assert!(!space(11 << 30, 100 << 30).is_kept_free());
    }

    #[test]
    fn a_folder_that_can_not_be_written_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let in_the_way = folder.path().join("config");
        fs::write(&in_the_way, "a file").expect("written");
        let folders = Folders {
            home: folder.path().to_owned(),
            data: folder.path().join("data"),
            cache: folder.path().join("cache"),
            state: folder.path().join("state"),
            config: in_the_way.clone(),
            runtime: folder.path().join("run"),
        };
        let error = all_writable(&folders).expect_err("refused");
        assert!(
            error.to_string().contains(&in_the_way.display().to_string()),
            "{error}"
        );
    }
}
