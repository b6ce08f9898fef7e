//! How a mount tells whoever started it that it answers.

use moorage_model::{Error, Result};

use crate::context::Context;

/// Where a mount reports to.
#[derive(Debug)]
pub(crate) enum Reporter {
    /// A person at a terminal.
    Terminal(Context),
}

impl Reporter {
    /// Says why the mount does not answer, or did not end well: a person is told by the command itself.
    pub(crate) fn failed(&self, _error: &Error) {}

    /// Says that the mount answers. `told` is what a person reads.
    ///
    /// # Errors
    /// None here.
    pub(crate) fn mounted(&self, _volume: &str, told: &str) -> Result<()> {
        let Reporter::Terminal(context) = self;
        context.say(told);
        Ok(())
    }

    /// Whether nobody wants to see progress.
    pub(crate) fn is_quiet(&self) -> bool {
        let Reporter::Terminal(context) = self;
        context.is_quiet()
    }
}

/// Never returns: no process supervises a mount here.
pub(crate) async fn parent_gone() {
    std::future::pending::<()>().await;
}
