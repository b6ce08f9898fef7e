//! Whether the metadata database of a mount answers, asked beside everything else.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use moorage_model::{Error, Result};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::failure::causes;

/// Between the beginnings of two questions: each is a round trip to a server that has other work.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long a question may go without an answer before that is said. An engine waits longer than that for a server that
/// starts again.
const SILENCE_SHOWN: Duration = Duration::from_secs(5);

/// What is known of the database.
#[derive(Clone, Debug, Default)]
pub(super) struct DatabaseWatch(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    asked: Option<Instant>,
    waiting: bool,
    problem: Option<String>,
}

impl DatabaseWatch {
    /// Why the database does not answer, as far as it is known; `None` while there is no sign of that. Asks it with `question`
    /// when it is time for that, and waits for nothing.
    pub(super) fn problem<F>(&self, question: impl FnOnce() -> F) -> Option<String>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let mut state = self.0.lock();
        let passed = state.asked.map(|asked| asked.elapsed());
        if state.waiting {
            let silent = passed.filter(|passed| *passed >= SILENCE_SHOWN);
            return silent
                .map(|silent| format!("no answer for {} s", silent.as_secs()))
                .or_else(|| state.problem.clone());
        }
        if passed.is_none_or(|passed| passed >= INTERVAL) {
            state.asked = Some(Instant::now());
            state.waiting = true;
            let (asked, watch) = (question(), self.clone());
            tokio::spawn(async move {
                let answer = asked.await;
                let mut state = watch.0.lock();
                state.waiting = false;
                state.problem = answer.err().map(|error| in_words(&error));
            });
        }
        state.problem.clone()
    }
}

fn in_words(error: &Error) -> String {
    let what = error.message().unwrap_or(error.kind().describe());
    let mut words = vec![what.to_owned()];
    words.extend(causes(error));
    words.join(": ")
}

#[cfg(test)]
mod tests {
    use moorage_model::ErrorKind;

    use super::*;

    async fn refusing() -> Result<()> {
        Err(Error::new(ErrorKind::Unavailable, "connection refused"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_database_that_refuses_is_told_until_it_answers() {
        let watch = DatabaseWatch::default();
        assert_eq!(watch.problem(refusing), None, "nothing is known yet");
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(watch.problem(refusing).as_deref(), Some("connection refused"));
        tokio::time::sleep(INTERVAL).await;
        assert!(watch.problem(async || Ok(())).is_some(), "it is asked");
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(watch.problem(refusing), None);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_says_nothing_is_told_after_a_while_and_asked_once() {
        let watch = DatabaseWatch::default();
        assert_eq!(watch.problem(std::future::pending), None);
        tokio::time::sleep(SILENCE_SHOWN - Duration::from_millis(1)).await;
        assert_eq!(watch.problem(refusing), None);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(watch.problem(refusing).as_deref(), Some("no answer for 6 s"));
    }
}
