//! Commands end at Ctrl-C, SIGTERM and SIGHUP: what they await is dropped, which every library call allows.

use std::future::Future;
use std::io;
use std::time::Duration;

use moorage_model::{Error, ErrorKind, Result};

/// How long tasks may take to end once a command has its result.
const END_OF_TASKS: Duration = Duration::from_secs(5);

/// Runs `work` on a runtime of its own until it ends or a signal asks it to.
///
/// # Errors
/// The work's; `Interrupted` after a signal; `Io` when no runtime can be made.
pub(crate) fn until_signal<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Error::new(ErrorKind::Io, "the thread pool can not be started").with_source(error)
        })?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = work => result,
            signal = signal() => Err(match signal {
                Ok(()) => Error::new(ErrorKind::Interrupted, "interrupted; what was finished so far stays"),
                Err(error) => Error::new(ErrorKind::Io, "signals can not be received").with_source(error),
            }),
        }
    });
    runtime.shutdown_timeout(END_OF_TASKS);
    result
}

#[cfg(unix)]
async fn signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
