//! What every command has at hand besides its arguments.

use crate::logging::LoggingArguments;
use crate::progress::Progress;

/// How this run talks to whoever started it.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    quiet: bool,
}

impl Context {
    pub(crate) fn new(logging: &LoggingArguments) -> Context {
        Context { quiet: logging.quiet }
    }

    /// A progress line for work of unknown length, counted in `unit`s.
    pub(crate) fn progress(&self, what: &str, unit: &'static str) -> Progress {
        Progress::start(what, unit, self.quiet)
    }

    /// A sentence for the person at the terminal, on standard error, unless `--quiet`.
    pub(crate) fn say(&self, sentence: &str) {
        if !self.quiet {
            eprintln!("{sentence}");
        }
    }
}
