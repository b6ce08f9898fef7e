//! The process that serves a mount: opens the volume, mounts it, and stores everything before it ends.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use moorage_host::MountSession as _;
use moorage_model::{Error, ErrorKind, Result};
use moorage_vfs::{Shutdown, UnstoredFile, UnstoredSize, Vfs};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use super::backend::{self, Session};
use super::departure::Departure;
use super::end_signals::{EndSignals, Wish};
use super::forced_end::end_by_force;
#[cfg(unix)]
use super::host_error;
use super::mount_turn::MountTurn;
#[cfg(unix)]
use super::point::refuse_mounted;
use super::socket::MountSocket;
use super::{MountPhase, MountPlan, MountRecord, Reporter, Role, channel, mount_error, unstored_files};
use crate::staged::Left;
use crate::upload_display::{Unstored, UploadDisplay};
use crate::{failure, volume};

/// How often the record of what is left to store is renewed.
const RECORD_INTERVAL: Duration = Duration::from_millis(200);
/// How long tasks may take to end when all is done.
const END_OF_TASKS: Duration = Duration::from_secs(5);
/// Threads for operations that wait; fewer than two let one long computation stop all others.
const FEWEST_THREADS: usize = 2;

/// Mounts the volume, serves it until it is unmounted or a signal asks for it, and stores what was written.
///
/// The first signal flushes and unmounts; a second one, or the signal of `umount --force`, gives up what cannot be
/// stored within seconds. `told` is what a person reads once
/// the mount answers, made from the volume's name.
///
/// # Errors
/// Of opening, mounting, or of storing what was written: then not everything is safe.
pub(crate) fn serve(plan: &MountPlan, reporter: &Reporter, told: impl Fn(&str) -> String) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(FEWEST_THREADS, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.max(FEWEST_THREADS))
        .thread_name("moorage")
        .enable_all()
        .build()
        .map_err(|error| {
            Error::new(ErrorKind::Io, "the thread pool can not be started").with_source(error)
        })?;
    let result = runtime.block_on(run(plan, reporter, told));
    runtime.shutdown_timeout(END_OF_TASKS);
    result
}

async fn run(plan: &MountPlan, reporter: &Reporter, told: impl Fn(&str) -> String) -> Result<()> {
    let mut signals = EndSignals::listen()?;
    // While a relative path still means the folder in which the command was typed.
    let database = plan.url.to_share();
    let vfs = tokio::select! {
        opened = open(plan) => opened?,
        _ = signals.next() => return Err(Error::new(ErrorKind::Interrupted, "interrupted before anything was mounted")),
    };
    let (volume, uuid) = {
        let setting = vfs.meta().setting();
        (setting.name.clone(), setting.uuid.clone())
    };
    let socket = MountSocket::open(&plan.folders, &vfs, signals.wisher());
    let mut record = MountRecord {
        uuid,
        socket: socket.as_ref().map(|socket| socket.path().to_owned()),
        cache: plan.staging_folder(),
        root: Some(vfs.root().0),
        ..MountRecord::own(plan.point.path(), &volume, &database, plan.subdir())
    };
    let session = match mount(plan, &vfs, &record).await {
        Ok(session) => session,
        Err(error) => {
            if let Err(also) = vfs.shutdown().await {
                tracing::warn!(error = %also, "closing the volume");
            }
            return Err(error);
        }
    };
    let departure = Departure::of(plan.point.path(), &session);
    #[cfg(unix)]
    let text = session.instructions(&volume).unwrap_or_else(|| told(&volume));
    #[cfg(windows)]
    let text = told(&volume);
    let served = match reporter.mounted(&volume, &text) {
        Ok(()) => until_unmounted(&departure, session, &vfs, &mut signals).await,
        Err(error) => {
            departure.leave();
            Err(error)
        }
    };
    let stored = match served {
        Ok(Wish::End) => {
            let quiet = reporter.is_quiet();
            store(plan, &vfs, &departure, &mut record, &mut signals, quiet).await
        }
        Ok(Wish::Force) => end_by_force(plan, &vfs, &departure).await,
        Err(error) => Err(error),
    };
    match &stored {
        Ok(()) => record.remove(&plan.folders.state),
        Err(error) => {
            let (text, code) = failure::described(error);
            record.phase = MountPhase::Failed { text, code };
            let _ = record.renew(&plan.folders.state);
        }
    }
    drop(socket);
    stored
}

async fn open(plan: &MountPlan) -> Result<Arc<Vfs>> {
    #[cfg(unix)]
    raise_open_file_limit();
    let meta = volume::open_meta(&plan.url, plan.meta_options()).await?;
    let chunks = volume::open_data(&meta, |config| plan.adjust(config)).await?;
    if plan.writeback() && chunks.store().features().local {
        tracing::warn!("--writeback has no effect: the objects of this volume lie on this machine already");
    }
    let vfs = Vfs::open_volume(meta, chunks, plan.vfs_options()).await?;
    // What is opened is known by its absolute path; a working folder would keep another file system busy.
    if let Err(error) = std::env::set_current_dir("/") {
        tracing::debug!(%error, "leaving the working folder");
    }
    Ok(vfs)
}

/// The local store, the cache and the database need more files than the usual 1024.
#[cfg(unix)]
fn raise_open_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit of open files stays");
    }
}

/// Mounts. Whether the kernel gets an answer is for another process to look at: a thread of this one that waits for an
/// answer of this one keeps the mount alive after a kill.
///
/// The record is there before the mount answers: whoever uses the mount can have it unmounted at once.
async fn mount(plan: &MountPlan, vfs: &Arc<Vfs>, record: &MountRecord) -> Result<Session> {
    let (point, state, record) = (plan.point.clone(), plan.folders.state.clone(), record.clone());
    let options = plan.session_options(&vfs.meta().setting());
    let (vfs, runtime) = (Arc::clone(vfs), Handle::current());
    blocking(move || {
        let _turn = MountTurn::wait(&state)?;
        #[cfg(unix)]
        {
            point
                .clear_stale()
                .map_err(|error| host_error(ErrorKind::Busy, &error))?;
            refuse_mounted(&point)?;
        }
        // A mount that was killed here may have left blocks, which are found by its record.
        let earlier = MountRecord::find(&state, point.path());
        if let Err(error) = record.write(&state) {
            tracing::warn!(%error, "`moorage umount` will not wait for this mount");
        }
        record.remove_ended(&state);
        let mounted = backend::mount(runtime, &vfs, &point, &options);
        mounted.map_err(|error| {
            match earlier {
                Some(earlier) => drop(earlier.write(&state)),
                None => record.remove(&state),
            }
            mount_error(&error)
        })
    })
    .await?
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    spawn_blocking(work)
        .await
        .map_err(|error| Error::new(ErrorKind::Io, "a thread of the mount failed").with_source(error))
}

/// Returns when the mount is gone: by `umount`, because a signal asked for it, or because the volume itself is gone;
/// and as soon as its end is to be forced.
async fn until_unmounted(
    departure: &Departure,
    session: Session,
    vfs: &Vfs,
    signals: &mut EndSignals,
) -> Result<Wish> {
    let mut ended: JoinHandle<Result<()>> =
        spawn_blocking(move || session.wait().map_err(|error| mount_error(&error)));
    let (mut asked, mut stopped, mut alone) = (false, false, Role::own() != Role::Worker);
    let supervisor_gone = channel::starter_gone();
    tokio::pin!(supervisor_gone);
    loop {
        let wish = tokio::select! {
            ended = &mut ended => {
                let ended = ended.map_err(|error| Error::new(ErrorKind::Io, "serving the kernel").with_source(error))?;
                return ended.map(|()| Wish::End);
            }
            wish = signals.next() => Some(wish),
            reason = vfs.meta().stopped(), if !stopped => {
                stopped = true;
                tell(&format!("{reason}; the mount ends."));
                None
            }
            () = &mut supervisor_gone, if !alone => {
                alone = true;
                tracing::error!(
                    "the process that supervises this mount is gone; the mount goes on, but is not started again when \
                     it crashes: unmount it and mount it again"
                );
                continue;
            }
        };
        let again = asked && wish.is_some();
        if again || wish == Some(Wish::Force) {
            return Ok(Wish::Force);
        }
        if asked {
            continue;
        }
        asked = true;
        let departure = departure.clone();
        // Unmounting waits for requests that this process answers, so nobody waits for it here.
        drop(spawn_blocking(move || departure.leave()));
    }
}

/// Says something on standard error, which may be a terminal that was closed since.
fn tell(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "{sentence}");
}

/// Stores everything that was written, write-back included, and says what it waits for.
async fn store(
    plan: &MountPlan,
    vfs: &Vfs,
    departure: &Departure,
    record: &mut MountRecord,
    signals: &mut EndSignals,
    quiet: bool,
) -> Result<()> {
    match store_until_forced(plan, vfs, record, signals, quiet).await {
        Some(done) => done,
        // What it was at is dropped by now, and holds no file any more.
        None => end_by_force(plan, vfs, departure).await,
    }
}

/// As [`store`]; `None` when a signal asks for the end.
async fn store_until_forced(
    plan: &MountPlan,
    vfs: &Vfs,
    record: &mut MountRecord,
    signals: &mut EndSignals,
    quiet: bool,
) -> Option<Result<()>> {
    let failed = RefCell::new(FailedAttempts::default());
    let work = async {
        let Shutdown { unstored, outcome } = vfs
            .shutdown_patiently(|files, error| {
                failed.borrow_mut().add(plan.point.path(), files, error);
            })
            .await;
        failed.take();
        if !unstored.is_empty() {
            unstored_files::log_all(&unstored, "written data was not stored and is lost");
            let how = format!("the mount at {} has ended", plan.point.path().display());
            let lost = unstored_files::lost(&how, &unstored);
            return Err(match outcome {
                Err(cause) => lost.with_source(cause),
                Ok(()) => lost,
            });
        }
        outcome?;
        let drained = vfs.chunks().drain(|_| {}).await;
        if let Err(error) = drained {
            return Err(still_staged(plan, vfs, error).await);
        }
        vfs.meta().engine().close().await
    };
    tokio::pin!(work);
    let mut interval = tokio::time::interval(RECORD_INTERVAL);
    let mut display = UploadDisplay::new(quiet);
    loop {
        tokio::select! {
            done = &mut work => return Some(done),
            _ = signals.next() => return None,
            _ = interval.tick() => {
                let left = vfs.chunks().pending();
                let paused = vfs.chunks().held().is_some();
                let problem = left.last_error.or_else(|| vfs.chunks().store_problem());
                let UnstoredSize { files, bytes: file_bytes } = vfs.unstored_size();
                display.show(Unstored {
                    files,
                    file_bytes,
                    blocks: left.blocks,
                    bytes: left.bytes,
                    problem: problem.as_deref(),
                    paused,
                });
                record.phase = failed.borrow().phase().unwrap_or(MountPhase::Storing {
                    files,
                    file_bytes,
                    blocks: left.blocks,
                    bytes: left.bytes,
                    problem,
                    paused,
                });
                if let Err(error) = record.renew(&plan.folders.state) {
                    tracing::debug!(%error, "renewing the record of the mount");
                }
            }
        }
    }
}

/// The error of an upload with what the staging folder lost, or with what is left in it and how it gets into the store.
async fn still_staged(plan: &MountPlan, vfs: &Vfs, error: Error) -> Error {
    if vfs.chunks().pending().lost_blocks > 0 {
        let lost = vfs.lost_files().await;
        unstored_files::log_all(
            &lost,
            "staged data was deleted before it was uploaded and is lost",
        );
        let folder = plan.writeback_folder().unwrap_or_default();
        return unstored_files::deleted(plan.point.path(), &folder, &lost).with_source(error.reason());
    }
    let left = plan
        .writeback_folder()
        .and_then(|folder| Left::by_ending(folder, &vfs.chunks().pending()));
    match left {
        Some(left) => error.with_advice(left.text()),
        None => error,
    }
}

/// Attempts to store what was written that failed since the last one that did not.
#[derive(Default)]
struct FailedAttempts {
    attempts: u32,
    text: String,
    code: u8,
}

impl FailedAttempts {
    fn add(&mut self, point: &Path, files: &[UnstoredFile], cause: &Error) {
        let (text, code) = failure::described(&unstored_files::not_stored_yet(point, files, cause));
        // A full disk says the same for hours.
        if text != self.text {
            unstored_files::log_all(files, "written data is not stored yet");
            tell(text.trim_end());
        }
        *self = FailedAttempts {
            attempts: self.attempts + 1,
            text,
            code,
        };
    }

    fn phase(&self) -> Option<MountPhase> {
        (self.attempts > 0).then(|| MountPhase::NotStored {
            attempts: self.attempts,
            text: self.text.clone(),
            code: self.code,
        })
    }
}
