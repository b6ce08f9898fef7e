//! What a command says about its own work: `-v`, `-q` and `RUST_LOG`.

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::Args;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::mounting::Role;

/// Flags of every command.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct LoggingArguments {
    /// Say more about the work on standard error; twice for even more. RUST_LOG, when set, decides instead
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub(crate) verbose: u8,

    /// Only errors on standard error: no warnings, no progress. The log of a background mount keeps its warnings
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Global options"
    )]
    pub(crate) quiet: bool,
}

/// Bytes of warnings kept for whoever starts a mount: more than a terminal shows.
const MOST_KEPT_BYTES: usize = 16 << 10;

/// What a process that serves a background mount warned of before it answered. Its log goes to a file, which nobody
/// reads who has just typed the command.
#[derive(Clone, Debug, Default)]
pub(crate) struct StartWarnings {
    /// `None` when nobody wants them, or not any more.
    lines: Arc<Mutex<Option<String>>>,
}

impl StartWarnings {
    fn kept() -> StartWarnings {
        StartWarnings {
            lines: Arc::new(Mutex::new(Some(String::new()))),
        }
    }

    /// The lines so far; later ones are not kept.
    pub(crate) fn take(&self) -> String {
        self.locked().take().unwrap_or_default()
    }

    fn locked(&self) -> MutexGuard<'_, Option<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for StartWarnings {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(kept) = self.locked().as_mut()
            && kept.len() + line.len() <= MOST_KEPT_BYTES
        {
            kept.push_str(&String::from_utf8_lossy(line));
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends the log to standard error. A second call changes nothing.
///
/// The log of a background mount keeps its warnings even when the terminal is to be quiet: it is read after something
/// went wrong.
pub(crate) fn start(arguments: &LoggingArguments) -> StartWarnings {
    let role = Role::own();
    let level = match (arguments.quiet && role == Role::User, arguments.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "warn,moorage=info",
        (false, 2) => "info,moorage=debug",
        (false, _) => "debug,moorage=trace",
    };
    // A reply to a process that was killed meanwhile is no error, though fuser calls it one.
    let level = match arguments.verbose {
        // The library that signs requests shows its insides for every place where it found no credentials.
        0 | 1 => format!("{level},fuser::reply=off,reqsign_core=off"),
        _ => format!("{level},fuser::reply=off"),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let shows_target = arguments.verbose > 1;
    let log = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(may_be_coloured(
            io::stderr().is_terminal(),
            std::env::var_os("NO_COLOR").as_deref(),
        ))
        .with_target(shows_target)
        .with_filter(filter);
    let (warnings, kept) = if role == Role::Worker {
        let warnings = StartWarnings::kept();
        let writer = warnings.clone();
        let layer = fmt::layer()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .with_target(shows_target)
            .with_filter(LevelFilter::WARN);
        (warnings, Some(layer))
    } else {
        (StartWarnings::default(), None)
    };
    // An embedding program may have set one already.
    let _ = tracing_subscriber::registry().with(log).with(kept).try_init();
    warnings
}

/// A file, a pipe and whoever sets NO_COLOR (no-color.org) get plain text.
fn may_be_coloured(terminal: bool, no_color: Option<&OsStr>) -> bool {
    terminal && no_color.is_none_or(OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn warnings_are_kept_until_they_are_taken_and_only_where_somebody_reads_them() {
        let mut kept = StartWarnings::kept();
        kept.write_all(b"WARN a\n").expect("kept");
        let other = kept.clone();
        assert_eq!(other.take(), "WARN a\n");
        kept.write_all(b"WARN b\n").expect("not kept");
        assert_eq!(other.take(), "");
        let mut unread = StartWarnings::default();
        unread.write_all(b"WARN c\n").expect("not kept");
        assert_eq!(unread.take(), "");
    }

    #[test]
    fn only_a_terminal_gets_colours_and_not_when_they_are_unwanted() {
        assert!(may_be_coloured(true, None) && may_be_coloured(true, Some(OsStr::new(""))));
        assert!(!may_be_coloured(false, None));
        assert!(!may_be_coloured(true, Some(OsStr::new("1"))));
    }

    #[test]
    fn warnings_without_end_do_not_fill_memory() {
        let mut kept = StartWarnings::kept();
        for _ in 0..MOST_KEPT_BYTES {
            kept.write_all(b"WARN again\n").expect("taken");
        }
        assert!(kept.take().len() <= MOST_KEPT_BYTES);
    }
}
