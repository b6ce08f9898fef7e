//! Commands end at Ctrl-C, SIGTERM and SIGHUP: what they await is dropped, which every library call allows.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moorage_model::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use crate::{exit_code, output};

/// How long tasks may take to end once a command has its result.
const END_OF_TASKS: Duration = Duration::from_secs(5);
/// How long work that never waits may keep an interrupted command alive. A process may end at any moment without
/// harm; this only leaves time to say how.
const PATIENCE: Duration = Duration::from_secs(1);
/// What an interrupted command says.
const INTERRUPTED: &str = "interrupted; what was finished so far stays";

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
        // Before the work says anything: whoever reads that may send a signal at once.
        let signals = Signals::listen()
            .map_err(|error| Error::new(ErrorKind::Io, "signals can not be received").with_source(error))?;
        let ending = Arc::new(AtomicBool::new(false));
        let (send, received) = oneshot::channel();
        let watcher = tokio::spawn(watch(signals, send, Arc::clone(&ending)));
        let result = tokio::select! {
            result = work => result,
            _ = received => Err(Error::new(ErrorKind::Interrupted, INTERRUPTED)),
        };
        ending.store(true, Ordering::SeqCst);
        watcher.abort();
        result
    });
    runtime.shutdown_timeout(END_OF_TASKS);
    result
}

/// Waits for a signal on another thread than the work's: work on a local database may never have to wait itself, and
/// would not hear of it. Then the process ends from here.
async fn watch(mut signals: Signals, tell: oneshot::Sender<()>, ending: Arc<AtomicBool>) {
    signals.next().await;
    if tell.send(()).is_err() {
        return;
    }
    tokio::time::sleep(PATIENCE).await;
    if !ending.load(Ordering::SeqCst) {
        output::tell(&format!("error: {INTERRUPTED}"));
        std::process::exit(i32::from(exit_code::INTERRUPTED));
    }
}

/// The signals that end a command, caught from the moment this is made.
#[cfg(unix)]
pub(crate) struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    /// Catches them. In a runtime of tokio.
    ///
    /// # Errors
    /// What the system refuses.
    pub(crate) fn listen() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    /// Returns when one came.
    pub(crate) async fn next(&mut self) {
        let [interrupt, terminate, hang_up] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}

/// What ends a command, caught from the moment this is made: keys, a window that is closed, the end of the session.
#[cfg(windows)]
pub(crate) struct Signals {
    keys: tokio::signal::windows::CtrlC,
    pause_key: tokio::signal::windows::CtrlBreak,
    window: tokio::signal::windows::CtrlClose,
    session: tokio::signal::windows::CtrlLogoff,
    computer: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    /// Catches them. In a runtime of tokio.
    ///
    /// # Errors
    /// What the system refuses.
    pub(crate) fn listen() -> io::Result<Signals> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
        Ok(Signals {
            keys: ctrl_c()?,
            pause_key: ctrl_break()?,
            window: ctrl_close()?,
            session: ctrl_logoff()?,
            computer: ctrl_shutdown()?,
        })
    }

    /// Returns when one came.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.keys.recv() => {}
            _ = self.pause_key.recv() => {}
            _ = self.window.recv() => {}
            _ = self.session.recv() => {}
            _ = self.computer.recv() => {}
        }
    }
}
