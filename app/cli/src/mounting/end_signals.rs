//! The signals that end a mount.

use std::time::{Duration, Instant};

use moorage_model::{Error, ErrorKind, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Signals this close together are one wish: tools that stop a program often signal it and its group.
const SAME_WISH: Duration = Duration::from_millis(500);

/// How a mount is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// With everything stored, however long that takes.
    End,
    /// Within seconds: what cannot be stored by then is given up.
    Force,
}

/// Says a [`Wish`] for whoever asked over the socket.
#[derive(Clone, Debug)]
pub(super) struct Wisher(UnboundedSender<Wish>);

impl Wisher {
    /// Says it; a mount that has ended hears nothing.
    pub(super) fn say(&self, wish: Wish) {
        let _ended = self.0.send(wish);
    }
}

/// The signal by which `moorage umount --force` says [`Wish::Force`] to the process that serves the mount.
pub(crate) const FORCE_SIGNAL: nix::sys::signal::Signal = nix::sys::signal::Signal::SIGUSR1;

/// The signals that end a mount.
pub(super) struct EndSignals {
    last: Option<Instant>,
    asked: (Wisher, UnboundedReceiver<Wish>),
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    force: Signal,
}

impl EndSignals {
    /// Takes the signals from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn listen() -> Result<EndSignals> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Error::new(ErrorKind::Io, "signals can not be received").with_source(error))
        };
        let (say, said) = unbounded_channel();
        Ok(EndSignals {
            last: None,
            asked: (Wisher(say), said),
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
            force: listen(SignalKind::from_raw(FORCE_SIGNAL as i32))?,
        })
    }

    /// What says a wish beside the signals.
    pub(super) fn wisher(&self) -> Wisher {
        self.asked.0.clone()
    }

    /// Returns at the first signal, and then at the next that is no repetition.
    ///
    /// # Cancel safety
    /// Safe: a signal is not lost.
    pub(super) async fn next(&mut self) -> Wish {
        loop {
            tokio::select! {
                Some(wish) = self.asked.1.recv() => return wish,
                _ = self.force.recv() => return Wish::Force,
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
                _ = self.hang_up.recv() => {}
            }
            let now = Instant::now();
            if self.last.is_none_or(|last| now.duration_since(last) >= SAME_WISH) {
                self.last = Some(now);
                return Wish::End;
            }
        }
    }
}
