//! What every command has at hand besides its arguments.

use std::future::Future;
use std::sync::Arc;

use moorage_meta::admin::Progress;
use moorage_model::Result;

use crate::logging::{LoggingArguments, StartWarnings};
use crate::output;
use crate::progress::{self, Work};

/// How this run talks to whoever started it.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    quiet: bool,
    start_warnings: StartWarnings,
}

impl Context {
    pub(crate) fn new(logging: &LoggingArguments, start_warnings: StartWarnings) -> Context {
        Context {
            quiet: logging.quiet,
            start_warnings,
        }
    }

    /// Whether only errors are to be shown.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// What this process warned of so far, when it serves a background mount.
    pub(crate) fn start_warnings(&self) -> &StartWarnings {
        &self.start_warnings
    }

    /// Runs `job` and shows how far it is.
    pub(crate) async fn watch<T>(
        &self,
        work: Work,
        counts: &Arc<Progress>,
        job: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        progress::watch(work, self.quiet, counts, job).await
    }

    /// A sentence for the person at the terminal, on standard error, unless `--quiet`.
    pub(crate) fn say(&self, sentence: &str) {
        if !self.quiet {
            // A terminal that was closed is no reason to stop working.
            output::tell(sentence);
        }
    }
}
