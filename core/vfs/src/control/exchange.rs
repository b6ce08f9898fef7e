//! Requests and answers of one handle.

use std::sync::Arc;
use std::time::Duration;

use moorage_meta::Context;
use moorage_meta::admin::{Progress, ProgressCounts};
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::codec::{Answer, MAX_PAYLOAD_BYTES, Request, encode_progress, progress_of, take_request};
use super::error_number;
use crate::Vfs;

/// How often a command says how far it is.
const PROGRESS_PERIOD: Duration = Duration::from_millis(300);
/// Bytes of requests that wait: one of the longest.
const MAX_WAITING_BYTES: usize = MAX_PAYLOAD_BYTES + 8;

/// What a handle of the command channel holds. Dropping it asks its command to stop.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Whose permissions count.
    identity: Context,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to read, or nothing more will come.
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<u8>,
    answers: Vec<u8>,
    /// The command that runs; others wait for it.
    running: Option<Arc<Progress>>,
    closed: bool,
}

impl Exchange {
    /// Of a caller, who is always checked: no kernel can judge what a request names.
    pub(crate) fn new(identity: Context) -> Exchange {
        let check_permission = identity.uid != moorage_model::Uid::ROOT;
        Exchange {
            identity: Context {
                check_permission,
                ..identity
            },
            shared: Arc::default(),
        }
    }

    /// Takes bytes of requests and begins those that are complete, one after the other.
    ///
    /// # Errors
    /// `InvalidArgument` for a payload that is too long, `Busy` while too much waits.
    pub(crate) fn write(&self, vfs: &Vfs, data: &[u8]) -> Result<usize> {
        let request = {
            let mut state = self.shared.state.lock();
            if state.requests.len().saturating_add(data.len()) > MAX_WAITING_BYTES {
                return Err(Error::new(ErrorKind::Busy, "a command is at work on this handle"));
            }
            state.requests.extend_from_slice(data);
            match state.running {
                Some(_) => None,
                None => state.next()?,
            }
        };
        let Some(request) = request else {
            return Ok(data.len());
        };
        let this = vfs.this.upgrade().ok_or(ErrorKind::BadHandle)?;
        let (shared, identity) = (Arc::clone(&self.shared), self.identity.clone());
        vfs.runtime.spawn(async move {
            let mut next = Some(request);
            while let Some(request) = next {
                shared.serve(&this, &identity, request).await;
                next = shared.finish();
            }
        });
        Ok(data.len())
    }

    /// Takes bytes of answers out; waits while a command runs that has not said anything. None when nothing was asked.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn read(&self, buffer: &mut [u8]) -> usize {
        loop {
            let news = self.shared.news.notified();
            let mut news = std::pin::pin!(news);
            // Enlisted before the look, so that nothing in between is missed.
            news.as_mut().enable();
            {
                let mut state = self.shared.state.lock();
                let len = buffer.len().min(state.answers.len());
                for (to, from) in buffer.iter_mut().zip(state.answers.drain(..len)) {
                    *to = from;
                }
                if len > 0 || state.running.is_none() {
                    return len;
                }
            }
            news.await;
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.closed = true;
        if let Some(running) = &state.running {
            running.cancel();
        }
    }
}

/// A request and the counts of its work.
type Begun = (Result<Request>, Arc<Progress>);

impl State {
    /// The next complete request, which runs from now on.
    fn next(&mut self) -> Result<Option<Begun>> {
        if self.closed {
            return Ok(None);
        }
        let Some((command, payload)) = take_request(&mut self.requests)? else {
            return Ok(None);
        };
        let progress: Arc<Progress> = Arc::default();
        self.running = Some(Arc::clone(&progress));
        Ok(Some((Request::decode(command, &payload), progress)))
    }
}

impl Shared {
    /// Runs a request to its end, with news of how far it is.
    async fn serve(&self, vfs: &Arc<Vfs>, identity: &Context, (request, progress): Begun) {
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                tracing::warn!(%error, "a command was refused");
                return self.answer(&Answer::Status(error_number(error.kind())));
            }
        };
        let work = vfs.run_command(identity, &request, &progress);
        let mut work = std::pin::pin!(work);
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut work => break answer,
                () = vfs.sleep(PROGRESS_PERIOD) => self.tell(&request, progress.counts()),
            }
        };
        let counts = progress.counts();
        let answer = answer.unwrap_or_else(|error| {
            tracing::info!(%error, ?request, "a command failed");
            Answer::Status(error_number(error.kind()))
        });
        let mut state = self.state.lock();
        if counts.done > 0 {
            let (first, second) = progress_of(&request, counts);
            encode_progress(first, second, &mut state.answers);
        }
        answer.encode(&mut state.answers);
    }

    fn answer(&self, answer: &Answer) {
        answer.encode(&mut self.state.lock().answers);
    }

    /// Says how far the work is, unless what was said before is still to be read.
    fn tell(&self, request: &Request, counts: ProgressCounts) {
        let mut state = self.state.lock();
        if state.answers.is_empty() {
            let (first, second) = progress_of(request, counts);
            encode_progress(first, second, &mut state.answers);
            drop(state);
            self.news.notify_waiters();
        }
    }

    /// Ends a command; the next one that waits begins.
    fn finish(&self) -> Option<Begun> {
        let mut state = self.state.lock();
        state.running = None;
        let next = state.next().unwrap_or_else(|error| {
            Answer::Status(error_number(error.kind())).encode(&mut state.answers);
            None
        });
        drop(state);
        self.news.notify_waiters();
        next
    }
}
