//! What ends a mount: keys of its console, and the end of the console, of the session or of the computer.

use std::time::{Duration, Instant};

use moorage_model::{Error, ErrorKind, Result};
use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff,
    ctrl_shutdown,
};

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

/// What ends a mount.
pub(super) struct EndSignals {
    last: Option<Instant>,
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
        Ok(EndSignals {
            last: None,
            interrupt: ctrl_c().map_err(refused)?,
            stop: ctrl_break().map_err(refused)?,
            close: ctrl_close().map_err(refused)?,
            log_off: ctrl_logoff().map_err(refused)?,
            shut_down: ctrl_shutdown().map_err(refused)?,
        })
    }

    /// Returns at the first signal, and then at the next that is no repetition. Where the console, the session or the
    /// computer ends, the system waits for seconds only.
    ///
    /// # Cancel safety
    /// Safe: a signal is not lost.
    pub(super) async fn next(&mut self) -> Wish {
        loop {
            tokio::select! {
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
