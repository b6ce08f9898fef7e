//! A wire between a client and a server that counts round trips and can be cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Between the pieces of a batch that a client sends without waiting: far more than a busy machine needs.
const SILENCE: Duration = Duration::from_millis(20);

/// What happens to the next request that holds a certain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is lost and the connection breaks.
    Request,
    /// It arrives, its answer is lost and the connection breaks.
    Answer,
    /// The connection breaks for the client; the request arrives when it is let go.
    Late,
}

#[derive(Default)]
struct State {
    cut: Mutex<Option<(Cut, &'static [u8])>>,
    /// Round trips so far: requests that follow an answer.
    trips: AtomicU64,
    /// Pieces of requests so far, answered or not.
    requests: AtomicU64,
    /// Whether the last bytes went to the server.
    asking: Mutex<bool>,
    cuts: AtomicU64,
    /// Connections that clients made.
    accepted: AtomicU64,
    release: Notify,
    delivered: Notify,
}

/// The wire.
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// A wire to a server on this computer.
    pub(crate) async fn to(server: u16) -> Proxy {
        Proxy::that_holds(Duration::ZERO, server).await
    }

    /// A wire that delivers what a client sends only once it has sent nothing more for [`SILENCE`]. A client that sends
    /// a batch in several pieces is not answered in between then, so that what is counted is what it waits for.
    #[allow(dead_code, reason = "some clients send a batch in one piece")]
    pub(crate) async fn of_whole_batches(server: u16) -> Proxy {
        Proxy::that_holds(SILENCE, server).await
    }

    async fn that_holds(silence: Duration, server: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared.accepted.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
                    continue;
                };
                let state = Arc::clone(&shared);
                tokio::spawn(async move { carry(client, server, silence, &state).await });
            }
        });
        Proxy { port, state, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its end for clients, on the loopback interface.
    #[allow(dead_code, reason = "other servers have other URLs")]
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Cuts at the next request that holds this text.
    pub(crate) fn cut(&self, cut: Cut, text: &'static [u8]) {
        *self.state.cut.lock() = Some((cut, text));
    }

    /// Cuts so far.
    pub(crate) fn cuts(&self) -> u64 {
        self.state.cuts.load(Ordering::SeqCst)
    }

    /// Lets a late request go and waits until the server has answered it.
    pub(crate) async fn release(&self) {
        self.state.release.notify_one();
        self.state.delivered.notified().await;
    }

    /// Pieces of requests so far, answered or not.
    pub(crate) fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Connections that clients made so far.
    #[allow(dead_code, reason = "some clients keep one connection")]
    pub(crate) fn accepted(&self) -> u64 {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// Round trips so far.
    pub(crate) fn trips(&self) -> u64 {
        self.state.trips.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, silence: Duration, state: &State) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut batch = Vec::new();
    let mut lose_answer = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Some(first) = read.ok().filter(|length| *length > 0).and_then(|length| asked.get(..length)) else { return };
                batch.clear();
                batch.extend_from_slice(first);
                while !silence.is_zero()
                    && let Ok(more) = tokio::time::timeout(silence, client.read_buf(&mut batch)).await
                {
                    if more.unwrap_or(0) == 0 { return }
                }
                let request = batch.as_slice();
                state.requests.fetch_add(1, Ordering::SeqCst);
                if !std::mem::replace(&mut *state.asking.lock(), true) {
                    state.trips.fetch_add(1, Ordering::SeqCst);
                }
                let cut = {
                    let mut cut = state.cut.lock();
                    cut.take_if(|(_, text)| request.windows(text.len()).any(|part| part == *text))
                };
                match cut {
                    None => {}
                    Some((Cut::Request, _)) => {
                        state.cuts.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                    Some((Cut::Answer, _)) => lose_answer = true,
                    Some((Cut::Late, _)) => {
                        state.cuts.fetch_add(1, Ordering::SeqCst);
                        drop(client);
                        state.release.notified().await;
                        if server.write_all(request).await.is_ok() {
                            let _ = server.read(&mut answered).await;
                        }
                        state.delivered.notify_one();
                        return;
                    }
                }
                if server.write_all(request).await.is_err() { return }
            }
            read = server.read(&mut answered) => {
                let Some(answer) = read.ok().filter(|length| *length > 0).and_then(|length| answered.get(..length)) else { return };
                if lose_answer {
                    state.cuts.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                *state.asking.lock() = false;
                if client.write_all(answer).await.is_err() { return }
            }
        }
    }
}
