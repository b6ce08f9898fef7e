//! Keeps a background mount alive: a worker that dies is started again, in place.

use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use moorage_host::{Folders, MountPoint, ProcessIdentity};
use moorage_model::{Error, ErrorKind, Result};
use tokio::process::{Child, Command};

use super::channel::{self, ReportReader};
use super::life::{self, Asks, Leash};
use super::log_file::LogFile;
use super::report::{self, Report};
use super::{Role, host_error};
use crate::environment;

/// Wait before the second start in a row; the first is at once, and each further one waits twice as long.
const FIRST_DELAY: Duration = Duration::from_millis(200);
/// Longest wait between two starts.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// Starts in a row that did not hold; then the mount is given up. With the waits this is about five minutes.
const MOST_STARTS: u32 = 15;
/// A worker that lived this long was sound.
const SOUND_LIFE: Duration = Duration::from_secs(60);
/// How often the size of the log is looked at.
const LOG_INTERVAL: Duration = Duration::from_secs(60);
/// How often a worker is looked for that was killed and can not end; what is seen twice is believed.
const LIFE_INTERVAL: Duration = Duration::from_secs(5);

/// Runs the worker of this command line until it ends in an orderly way, is told to, or dies too often.
///
/// # Errors
/// When the worker cannot be started or died too often.
pub(crate) fn supervise(point: &Path, log: Option<&Path>) -> Result<ExitCode> {
    let folders = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let point = MountPoint::resolve(point).map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let log = LogFile::open(log, point.path(), &folders)?;
    life::leave_starter();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(Supervisor::run(&point, &folders.state, &log))
}

fn failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, "supervising the mount").with_source(error)
}

/// How a worker ended.
enum End {
    /// Unmounted, or told to end.
    Orderly(ExitStatus),
    /// Died, or did not come up again.
    Died(ExitStatus),
}

struct Supervisor<'a> {
    point: &'a MountPoint,
    /// The folder with the records of mounts.
    state: &'a Path,
    log: &'a LogFile,
    asks: Asks,
    /// Somebody asked the mount to end.
    asked: bool,
    /// The command that started it has its answer.
    reported: bool,
    /// The mount was taken away here, to be made again.
    freed: bool,
}

impl Supervisor<'_> {
    async fn run(point: &MountPoint, state: &Path, log: &LogFile) -> Result<ExitCode> {
        let mut supervisor = Supervisor {
            point,
            state,
            log,
            asks: Asks::listen().map_err(failed)?,
            asked: false,
            reported: false,
            freed: false,
        };
        let mut starts = 0;
        loop {
            let born = Instant::now();
            let status = match supervisor.one_life().await? {
                End::Orderly(status) => return Ok(exit_code(status)),
                End::Died(status) => status,
            };
            if born.elapsed() >= SOUND_LIFE {
                starts = 0;
            }
            tracing::error!(%status, "the mount at {} died", point.path().display());
            starts += 1;
            if starts > MOST_STARTS {
                return Err(Error::new(
                    ErrorKind::Io,
                    format!(
                        "the mount at {} died {MOST_STARTS} times in a row and is given up",
                        point.path().display()
                    ),
                ));
            }
            supervisor.pause(delay(starts)).await;
            if supervisor.asked {
                return Ok(ExitCode::FAILURE);
            }
            // Somebody who unmounts a dead mount does not want it back.
            if !supervisor.freed && !life::is_wanted(point, state)? {
                tracing::warn!("its mount point was taken away, so it is not started again");
                return Ok(ExitCode::FAILURE);
            }
            tracing::warn!("starting it again, attempt {starts}");
        }
    }

    /// Starts a worker and waits for its end; passes signals and its first report on.
    async fn one_life(&mut self) -> Result<End> {
        let again = self.reported;
        let (mut reader, other) = ReportReader::pair().map_err(failed)?;
        if let Some(line) = environment::line_to_pass_on() {
            reader.send(&line).map_err(failed)?;
        }
        let mut command = Role::Worker.command().map_err(failed)?;
        other.attach(&mut command, Stdio::inherit(), Stdio::inherit());
        let mut command = Command::from(command);
        let mut child = command.spawn().map_err(failed)?;
        drop(command);
        let leash = Leash::of(&child, &reader).map_err(failed)?;
        let worker = child.id();
        // The reader is held for as long as the worker lives: its end tells the worker that this process is gone.
        let mut report = tokio::task::spawn_blocking(move || (reader.wait(), reader));
        let starter = channel::starter_gone();
        tokio::pin!(starter);
        let mut waited_for = !again;
        let (report, _held) = loop {
            tokio::select! {
                report = &mut report => break report.map_err(|error| failed(error.into()))?,
                () = self.asks.next() => self.pass_on(&leash),
                () = &mut starter, if waited_for => {
                    tracing::warn!("the command that started this mount is gone before it answered, so it ends");
                    waited_for = false;
                    self.pass_on(&leash);
                }
            }
        };
        let came_up = report.as_ref().is_some_and(Report::is_mounted);
        self.answer_starter(report, &leash);
        self.freed &= !came_up;
        let status = self.wait(&mut child, &leash).await?;
        let crashed = life::has_crashed(status, worker, self.point, self.state);
        let died = !self.asked
            && (if again {
                crashed || !came_up
            } else {
                crashed && came_up
            });
        Ok(if died {
            End::Died(status)
        } else {
            End::Orderly(status)
        })
    }

    /// Tells the command that waits for the mount, once.
    fn answer_starter(&mut self, report: Option<Report>, leash: &Leash) {
        if std::mem::replace(&mut self.reported, true) {
            return;
        }
        let report = report.unwrap_or_else(|| {
            Report::failure(
                &Error::new(ErrorKind::Io, "the mount ended before it answered")
                    .with_advice(format!("See its log {}.", self.log.path().display())),
                String::new(),
            )
        });
        if report::to_parent(&report).is_err() {
            tracing::warn!("the command that started this mount is gone, so it ends");
            self.pass_on(leash);
        }
    }

    /// Waits for the end of a worker. One that was killed can be kept from ending by the kernel: a thread that drops pages
    /// waits for one that only this worker could deliver, and holds the connection open while it waits. Then every program
    /// that uses the mount waits as well, until the mount is taken away.
    async fn wait(&mut self, child: &mut Child, leash: &Leash) -> Result<ExitStatus> {
        let worker = child.id().and_then(ProcessIdentity::of);
        let mut look = tokio::time::interval(LOG_INTERVAL);
        let mut life = tokio::time::interval(LIFE_INTERVAL);
        let mut was_ending = false;
        loop {
            tokio::select! {
                status = child.wait() => return status.map_err(failed),
                () = self.asks.next() => self.pass_on(leash),
                _ = look.tick() => self.log.limit(),
                _ = life.tick() => {
                    let is_ending = worker.is_some_and(|worker| !worker.is_running());
                    if is_ending && was_ending && let Some(status) = life::free(self.point) {
                        self.freed = true;
                        return Ok(status);
                    }
                    was_ending = is_ending;
                }
            }
        }
    }

    async fn pause(&mut self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.asks.next() => self.asked = true,
        }
    }

    fn pass_on(&mut self, leash: &Leash) {
        self.asked = true;
        if let Err(error) = leash.pull() {
            tracing::debug!(%error, "the mount is gone already");
        }
    }
}

/// Nothing before the first start, then doubling.
fn delay(starts: u32) -> Duration {
    match starts.checked_sub(2) {
        None => Duration::ZERO,
        Some(doublings) => LONGEST_DELAY.min(FIRST_DELAY * 2_u32.saturating_pow(doublings)),
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    match status.code().map(u8::try_from) {
        Some(Ok(code)) => ExitCode::from(code),
        _ => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_at_once_and_later_ones_wait_longer_up_to_a_bound() {
        assert_eq!(delay(1), Duration::ZERO);
        assert_eq!(delay(2), FIRST_DELAY);
        assert_eq!(delay(3), 2 * FIRST_DELAY);
        assert_eq!(delay(MOST_STARTS), LONGEST_DELAY);
    }
}
