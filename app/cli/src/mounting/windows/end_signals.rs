//! What ends a mount: whoever asks for it, keys of its console, and the end of the console, of the session or of the
//! computer.

use std::time::{Duration, Instant};

use moorage_model::{Error, ErrorKind, Result};
use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff,
    ctrl_shutdown,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Role, channel};

/// Signals this close together are one wish.
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

/// What ends a mount.
pub(super) struct EndSignals {
    last: Option<Instant>,
    asked: (Wisher, UnboundedReceiver<Wish>),
    /// It did not tell to end yet.
    has_supervisor: bool,
    interrupt: CtrlC,
    stop: CtrlBreak,
    close: CtrlClose,
    log_off: CtrlLogoff,
    shut_down: CtrlShutdown,
}

impl EndSignals {
    /// Takes the signals from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn listen() -> Result<EndSignals> {
        let refused = |error| Error::new(ErrorKind::Io, "signals can not be received").with_source(error);
        let (say, said) = unbounded_channel();
        Ok(EndSignals {
            last: None,
            asked: (Wisher(say), said),
            has_supervisor: Role::own() == Role::Worker,
            interrupt: ctrl_c().map_err(refused)?,
            stop: ctrl_break().map_err(refused)?,
            close: ctrl_close().map_err(refused)?,
            log_off: ctrl_logoff().map_err(refused)?,
            shut_down: ctrl_shutdown().map_err(refused)?,
        })
    }

    /// What says a wish beside the signals.
    pub(super) fn wisher(&self) -> Wisher {
        self.asked.0.clone()
    }

    /// Returns at the first signal, and then at the next that is no repetition. Where the console, the session or the
    /// computer ends, the system waits for seconds only.
    ///
    /// # Cancel safety
    /// Safe: a signal is not lost.
    pub(super) async fn next(&mut self) -> Wish {
        loop {
            tokio::select! {
                Some(wish) = self.asked.1.recv() => return wish,
                () = channel::told_to_end(), if self.has_supervisor => self.has_supervisor = false,
                _ = self.interrupt.recv() => {}
                _ = self.stop.recv() => {}
                _ = self.close.recv() => return Wish::Force,
                _ = self.log_off.recv() => return Wish::Force,
                _ = self.shut_down.recv() => return Wish::Force,
            }
            let now = Instant::now();
            if self.last.is_none_or(|last| now.duration_since(last) >= SAME_WISH) {
                self.last = Some(now);
                return Wish::End;
            }
        }
    }
}
