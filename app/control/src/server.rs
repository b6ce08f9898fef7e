//! The agent's side of the protocol.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, WriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::changes::ChangeLog;
use crate::frame::{self, FrameError, MAX_TO_AGENT, MAX_TO_CLIENT};
use crate::greeting::greet_client;
use crate::message::{
    AgentMessage, Answer, CHANGES_PER_SECOND, ClientMessage, Hello, Request, RequestId, Response, Revision,
};
use crate::problem::Problem;

/// Clients at the same time: a tray, a window and the commands of a busy script; more wait until one leaves.
const MOST_CONNECTIONS: usize = 64;
/// Requests of one client that are worked on at the same time; further ones are read when one of them is answered.
const MOST_REQUESTS: usize = 16;
/// Messages that wait for one client to read them.
const MOST_QUEUED: usize = 16;
/// How long a client may take to say hello.
const GREETING_DEADLINE: Duration = Duration::from_secs(5);
/// How long a client may take to read one message; one that stops reading is left.
const READING_DEADLINE: Duration = Duration::from_secs(30);
/// How long answers that are under way may take when the agent ends.
const END_OF_CONNECTIONS: Duration = Duration::from_secs(2);
/// Pause after the system refused a connection, as when no descriptor is left.
const REFUSED_PAUSE: Duration = Duration::from_millis(200);
/// Least time between two events of change.
const EVENT_INTERVAL: Duration = Duration::from_millis(1000 / CHANGES_PER_SECOND as u64);

/// What the agent does for its clients.
pub trait Service: Send + Sync + 'static {
    /// Answers one request; [`Request::Subscribe`] never comes here. It is not cancelled when its client leaves.
    fn answer(&self, request: Request) -> impl Future<Output = Result<Response, Problem>> + Send;

    /// What clients are told when they have subscribed.
    fn changes(&self) -> &ChangeLog;
}

/// Serves clients until `stop`; then what is being answered is answered, for two seconds at most.
pub async fn serve<S: Service>(
    listener: crate::socket::Listener,
    service: Arc<S>,
    hello: Hello,
    stop: impl Future<Output = ()>,
) {
    use crate::socket::SocketError;

    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let stopping = watch::Sender::new(false);
    let mut connections = JoinSet::new();
    let accept = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok(stream) => {
                    while connections.try_join_next().is_some() {}
                    let (service, hello) = (Arc::clone(&service), hello.clone());
                    let stopping = stopping.subscribe();
                    connections.spawn(connection(stream, service, hello, stopping, place));
                }
                Err(error @ SocketError::ForeignPeer { .. }) => tracing::warn!("{error}; it is refused"),
                Err(error) => {
                    tracing::warn!("no connection can be taken: {error}");
                    sleep(REFUSED_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = stop => {}
    }
    drop(listener);
    stopping.send_replace(true);
    let ended = timeout(END_OF_CONNECTIONS, async {
        while connections.join_next().await.is_some() {}
    });
    if ended.await.is_err() {
        tracing::debug!("clients are left with an answer under way");
    }
}

async fn connection<S: Service>(
    mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: Arc<S>,
    hello: Hello,
    mut stopping: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    match timeout(GREETING_DEADLINE, greet_client(&mut stream, hello)).await {
        Ok(Ok(client)) => tracing::debug!(product = client.product, "a client connected"),
        Ok(Err(error)) => return tracing::info!("a client is not served: {error}"),
        Err(_) => return tracing::info!("a client did not say hello"),
    }
    let (mut reader, writer) = tokio::io::split(stream);
    let (out, queue) = mpsc::channel(MOST_QUEUED);
    let writing = tokio::spawn(write_all(writer, queue));
    let mut client = Served {
        service,
        out,
        places: Arc::new(Semaphore::new(MOST_REQUESTS)),
        answering: JoinSet::new(),
        telling: None,
    };
    let gone = client.out.clone();
    tokio::select! {
        // Dropped in the middle of a message only when no further one is read.
        outcome = client.read_all(&mut reader) => if let Err(error) = outcome {
            tracing::info!("a client is left: {error}");
        },
        _ = stopping.wait_for(|stopping| *stopping) => {}
        () = gone.closed() => {}
    }
    drop(gone);
    client.finish().await;
    if writing.await.is_err() {
        tracing::debug!("a client was not told everything");
    }
}

/// One client.
struct Served<S> {
    service: Arc<S>,
    out: mpsc::Sender<AgentMessage>,
    places: Arc<Semaphore>,
    answering: JoinSet<()>,
    /// The task that tells of changes, once somebody wants to hear.
    telling: Option<tokio::task::JoinHandle<()>>,
}

impl<S: Service> Served<S> {
    async fn read_all(&mut self, reader: &mut (impl AsyncRead + Unpin)) -> Result<(), FrameError> {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                return Ok(());
            };
            match frame::read(reader, MAX_TO_AGENT).await? {
                Some(ClientMessage::Ask { id, request }) => self.ask(id, *request, place).await,
                // Hello is said once.
                Some(ClientMessage::Hello(_)) | None => return Ok(()),
            }
        }
    }

    async fn ask(&mut self, id: RequestId, request: Request, place: OwnedSemaphorePermit) {
        while self.answering.try_join_next().is_some() {}
        let out = self.out.clone();
        if request == Request::Subscribe {
            let revision = self.service.changes().revision();
            send(&out, id, Ok(Response::Subscribed { revision })).await;
            if self.telling.is_none() {
                self.telling = Some(tokio::spawn(tell(Arc::clone(&self.service), revision, out)));
            }
            return;
        }
        let service = Arc::clone(&self.service);
        self.answering.spawn(async move {
            send(&out, id, service.answer(request).await).await;
            drop(place);
        });
    }

    /// Answers what is being worked on, and tells no more changes.
    async fn finish(mut self) {
        if let Some(telling) = self.telling.take() {
            telling.abort();
        }
        while self.answering.join_next().await.is_some() {}
    }
}

async fn send(out: &mpsc::Sender<AgentMessage>, id: RequestId, outcome: Result<Response, Problem>) {
    let answer = match outcome {
        Ok(response) => Answer::Done { response },
        Err(problem) => Answer::Failed { problem },
    };
    if out.send(AgentMessage::Answer { id, answer }).await.is_err() {
        tracing::debug!("a client left before its answer");
    }
}

/// Tells what changed after `told`, at most so often.
async fn tell<S: Service>(service: Arc<S>, mut told: Revision, out: mpsc::Sender<AgentMessage>) {
    let mut newest = service.changes().follow();
    while newest.wait_for(|newest| *newest > told).await.is_ok() {
        let changed = service.changes().since(told);
        told = changed.revision;
        if out.send(AgentMessage::Changed(changed)).await.is_err() {
            return;
        }
        sleep(EVENT_INTERVAL).await;
    }
}

/// Writes until nothing more comes, or the client does not read.
async fn write_all<W: AsyncRead + AsyncWrite>(
    mut writer: WriteHalf<W>,
    mut queue: mpsc::Receiver<AgentMessage>,
) {
    while let Some(message) = queue.recv().await {
        match timeout(
            READING_DEADLINE,
            frame::write(&mut writer, &message, MAX_TO_CLIENT),
        )
        .await
        {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return tracing::debug!("a client is left: {error}"),
            Err(_) => return tracing::info!("a client that does not read is left"),
        }
    }
    if let Err(error) = writer.shutdown().await {
        tracing::debug!(%error, "a client left first");
    }
}
