//! Connections on which callers wait for their answers themselves.
//!
//! The shared connection is driven by a task: a request is handed to it and its answer handed back, which wakes two
//! threads. Next to a server in the same building that takes as long as the round trip. So a caller that is alone sends
//! its request on a line and waits for the answer where it is, for a moment; what takes longer is awaited as usual, and a
//! server that takes long as a rule is asked on the shared connection only. Callers that come together are better off
//! there anyway: their requests leave in one packet.

mod line;
mod pace;
mod stream;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use redis::{Client, ConnectionAddr, ProtocolVersion, RedisResult, Value};
use tokio::runtime::Handle;

use super::address::Address;
use line::Line;
use pace::Pace;

/// Longest wait of a thread that could serve other callers meanwhile. Systems round it up to their clock's tick, 1 to 16 ms.
const MOMENT: Duration = Duration::from_millis(1);
/// A line that nobody used for so long is made anew: servers and the network's devices forget idle connections, and a
/// commit on one that is gone has to find out its fate.
const LONGEST_IDLE: Duration = Duration::from_secs(10);
/// With more commands than this a request is long enough for its hops not to matter.
const MOST_COMMANDS: usize = 64;
/// Longest request in bytes: the system takes it in whole on a connection with nothing under way, so that sending never
/// waits for the server.
const LONGEST_REQUEST: usize = 16 << 10;

/// The line to one server.
pub(super) struct Lines {
    client: Client,
    dial_timeout: Duration,
    read_timeout: Duration,
    /// Requests under way, on the line and on the shared connection.
    under_way: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    place: Place,
    pace: Pace,
}

enum Place {
    /// No line was made yet, or it broke.
    Empty,
    /// One is being made, or a caller waits on it.
    Taken,
    Idle(Line),
}

/// A request that counts as under way for as long as this lives.
pub(super) struct Request<'l> {
    lines: &'l Lines,
    is_alone: bool,
}

/// Makes room for another line when a caller goes away without giving the old one back.
struct Borrowed<'l> {
    lines: &'l Lines,
    is_back: bool,
}

impl Lines {
    /// For the server that this client connects to; `None` where it is reached by TLS, whose work a thread that serves
    /// others should not do.
    pub(super) fn new(address: &Address, client: &Client) -> Option<Arc<Lines>> {
        let info = client.get_connection_info();
        let is_plain = matches!(info.addr(), ConnectionAddr::Tcp(..) | ConnectionAddr::Unix(_));
        (is_plain && info.redis_settings().protocol() == ProtocolVersion::RESP2).then(|| {
            Arc::new(Lines {
                client: client.clone(),
                dial_timeout: address.options.dial_timeout,
                read_timeout: address.options.read_timeout,
                under_way: AtomicUsize::new(0),
                state: Mutex::new(State {
                    place: Place::Empty,
                    pace: Pace::new(),
                }),
            })
        })
    }

    /// Announces a request.
    pub(super) fn begin(&self) -> Request<'_> {
        let others = self.under_way.fetch_add(1, Ordering::Relaxed);
        Request {
            lines: self,
            is_alone: others == 0,
        }
    }

    /// The line, if it is free and worth waiting on; one is made if there is none.
    fn take(self: &Arc<Lines>) -> Option<(Line, Borrowed<'_>)> {
        let mut state = self.state.lock();
        let now = Instant::now();
        if state.pace.is_resting(now) || matches!(state.place, Place::Taken) {
            return None;
        }
        let runtime = Handle::try_current().ok()?;
        match std::mem::replace(&mut state.place, Place::Taken) {
            Place::Idle(line) if now.duration_since(line.used) < LONGEST_IDLE => {
                let borrowed = Borrowed {
                    lines: self,
                    is_back: false,
                };
                Some((line, borrowed))
            }
            _ => {
                let lines = Arc::clone(self);
                runtime.spawn_blocking(move || lines.make());
                None
            }
        }
    }

    fn make(&self) {
        match Line::open(&self.client, self.dial_timeout, self.read_timeout) {
            Ok(line) => self.state.lock().place = Place::Idle(line),
            Err(error) => {
                tracing::debug!(%error, "no connection to wait on; the shared one serves all");
                self.give_up();
            }
        }
    }

    fn give_up(&self) {
        let mut state = self.state.lock();
        state.place = Place::Empty;
        state.pace.rest(Instant::now());
    }

    /// Sends a request and waits for its answers: one round trip and no hop. `None` when it is to go to the shared
    /// connection; nothing was sent then.
    ///
    /// # Errors
    /// Of input and output only: what the server refuses is an answer.
    pub(super) async fn ask(
        self: &Arc<Lines>,
        request: &Request<'_>,
        packed: impl FnOnce() -> Vec<u8>,
        answers: usize,
    ) -> Option<RedisResult<Vec<Value>>> {
        if !request.is_alone || answers > MOST_COMMANDS {
            return None;
        }
        let (mut line, mut borrowed) = self.take()?;
        let packed = packed();
        if packed.len() > LONGEST_REQUEST {
            borrowed.give_back(line, None);
            return None;
        }
        let sent = Instant::now();
        if let Err(error) = line.send(&packed) {
            return Some(Err(error.into()));
        }
        Some(match line.receive(answers, self.read_timeout).await {
            Ok((line, answers)) => {
                borrowed.give_back(line, Some(sent.elapsed()));
                Ok(answers)
            }
            Err(error) => Err(error),
        })
    }
}

impl Borrowed<'_> {
    fn give_back(&mut self, mut line: Line, took: Option<Duration>) {
        self.is_back = true;
        let mut state = self.lines.state.lock();
        if let Some(took) = took {
            line.used = Instant::now();
            state.pace.note(took, line.used);
        }
        state.place = Place::Idle(line);
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if !self.is_back {
            self.lines.give_up();
        }
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.lines.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
