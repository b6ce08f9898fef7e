//! The connection to the agent: made, kept, and made again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moorage_control::client::{Client, ClientError, deadline};
use moorage_control::message::{Request, Response};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::socket::SocketError;
use moorage_control::stopped_file;
use moorage_control::volume::VolumeId;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::seen::{Heard, Seen, Transfers};
use super::start::Program;

/// Version of this program, for a person.
const PRODUCT: &str = env!("CARGO_PKG_VERSION");
/// Time between two looks at an agent that tells of no change: one that hangs is noticed after this and a deadline.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Wait before the first new attempt to connect: an agent that was just started listens within it.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Longest wait between two attempts: a person who looks does not wait long, and it costs nothing.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The way to the agent, and what was heard on it.
#[derive(Debug)]
pub(crate) struct Link {
    seen: watch::Sender<Seen>,
    client: Mutex<Option<Arc<Client>>>,
    /// A person wants an agent to run.
    wanted: Notify,
}

impl Link {
    /// A link that is not connected yet; [`keep`] connects it.
    pub(crate) fn new() -> Link {
        Link {
            seen: watch::Sender::new(Seen::Silent { problem: None }),
            client: Mutex::new(None),
            wanted: Notify::new(),
        }
    }

    /// What is heard, from now on.
    pub(crate) fn follow(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }

    /// Asks the agent.
    ///
    /// # Errors
    /// When none is connected, it does not answer in time, or what was asked for could not be done.
    pub(crate) async fn ask(&self, request: Request) -> Result<Response, Problem> {
        let connected = self.client().clone();
        let Some(client) = connected else {
            return Err(self.not_connected());
        };
        let deadline = deadline(&request);
        Ok(client.ask(request, deadline).await?)
    }

    /// Asks for what a person chose in the tray; why it was not done is shown there until something else is done.
    pub(crate) async fn act(&self, request: Request) {
        let pauses = matches!(request, Request::Pause { .. });
        let failure = self.ask(request).await.err();
        self.seen.send_if_modified(|seen| {
            let Seen::Heard(heard) = seen else { return false };
            heard.pause_refused |= pauses
                && failure
                    .as_ref()
                    .is_some_and(|problem| problem.code == ProblemCode::NotSupported);
            let changed = heard.pause_refused || heard.failure != failure;
            heard.failure = failure;
            changed
        });
    }

    /// Shows in the tray what could not be done.
    pub(crate) fn report(&self, problem: Problem) {
        self.seen.send_if_modified(|seen| {
            let Seen::Heard(heard) = seen else { return false };
            heard.failure = Some(problem);
            true
        });
    }

    /// Has an agent started where none runs, though a person ended the last one.
    pub(crate) fn want_agent(&self) {
        self.wanted.notify_one();
    }

    /// Where a volume is mounted, as the agent says now.
    ///
    /// # Errors
    /// As [`Link::ask`].
    pub(crate) async fn mount_point(&self, id: VolumeId) -> Result<PathBuf, Problem> {
        match self.ask(Request::Volume { id }).await? {
            Response::Volume { volume } => Ok(PathBuf::from(volume.settings.mount_point)),
            _ => Err(ClientError::Unexpected.into()),
        }
    }

    fn client(&self) -> std::sync::MutexGuard<'_, Option<Arc<Client>>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_connected(&self) -> Problem {
        match &*self.seen.borrow() {
            Seen::Silent {
                problem: Some(problem),
            } => problem.clone(),
            Seen::Stopped => stopped(),
            Seen::Silent { problem: None } | Seen::Heard(_) => ClientError::Closed.into(),
        }
    }

    /// Serves one connection until it ends.
    async fn serve(&self, client: Client) -> Problem {
        let client = Arc::new(client);
        *self.client() = Some(Arc::clone(&client));
        let ended = self.listen(&client).await;
        *self.client() = None;
        ended.into()
    }

    async fn listen(&self, client: &Client) -> ClientError {
        let mut changes = match client.subscribe().await {
            Ok(changes) => changes,
            Err(error) => return error,
        };
        loop {
            if let Err(error) = self.look(client).await {
                return error;
            }
            if let Ok(None) = timeout(HEARTBEAT, changes.next()).await {
                return ClientError::Closed;
            }
        }
    }

    /// Asks for everything that is shown.
    async fn look(&self, client: &Client) -> Result<(), ClientError> {
        let status = client.status().await?;
        let volumes = client.volumes().await?;
        let transfers = match client
            .ask(Request::Transfers, deadline(&Request::Transfers))
            .await
        {
            Ok(Response::Transfers { transfers }) => Transfers::Known(transfers),
            Err(ClientError::Failed(problem)) if problem.code == ProblemCode::NotSupported => {
                Transfers::NotOffered
            }
            Ok(_) => return Err(ClientError::Unexpected),
            Err(error) => return Err(error),
        };
        let pairs = match client.sync_pairs().await {
            Ok(pairs) => pairs,
            Err(ClientError::Failed(problem)) if problem.code == ProblemCode::NotSupported => Vec::new(),
            Err(error) => return Err(error),
        };
        let Response::Settings { settings, .. } = client
            .ask(Request::Settings, deadline(&Request::Settings))
            .await?
        else {
            return Err(ClientError::Unexpected);
        };
        self.seen.send_if_modified(|seen| {
            let (pause_refused, failure) = match seen {
                Seen::Heard(before) => (before.pause_refused, before.failure.take()),
                Seen::Silent { .. } | Seen::Stopped => (false, None),
            };
            *seen = Seen::Heard(Box::new(Heard {
                status,
                volumes,
                transfers,
                pairs,
                settings,
                pause_refused,
                failure,
            }));
            true
        });
        Ok(())
    }
}

fn stopped() -> Problem {
    Problem {
        code: ProblemCode::AgentStopped,
        message: "the agent was stopped".to_owned(),
        cause: None,
        advice: "Start it again; mounted volumes stayed mounted.".to_owned(),
        retryable: false,
    }
}

/// Where the agent is met, and what it is.
pub(crate) struct Place {
    /// Where it listens.
    pub(crate) socket: PathBuf,
    /// The mark that a person ended it.
    pub(crate) stopped: PathBuf,
    /// The program that it is.
    pub(crate) program: Program,
}

/// Connects, connects again when the connection ends, and starts an agent where none runs: at first, since whoever starts
/// this program wants one, and later unless a person ended it.
pub(crate) async fn keep(link: Arc<Link>, place: Place) {
    let mut wait = FIRST_WAIT;
    let mut wanted = true;
    loop {
        let now = match Client::connect(&place.socket, PRODUCT).await {
            Ok(client) => {
                (wait, wanted) = (FIRST_WAIT, false);
                silent(link.serve(client).await)
            }
            Err(ClientError::Socket(SocketError::NobodyListens { path })) => {
                if wanted || !stopped_file::is_set(&place.stopped) {
                    wanted = false;
                    silent(match start(&place) {
                        Ok(()) => ClientError::Socket(SocketError::NobodyListens { path }).into(),
                        Err(problem) => problem,
                    })
                } else {
                    Seen::Stopped
                }
            }
            Err(error) => silent(error.into()),
        };
        link.seen.send_if_modified(|seen| {
            let changed = *seen != now;
            *seen = now;
            changed
        });
        tokio::select! {
            () = sleep(wait) => wait = (wait * 2).min(LONGEST_WAIT),
            () = link.wanted.notified() => (wait, wanted) = (FIRST_WAIT, true),
        }
    }
}

fn silent(problem: Problem) -> Seen {
    tracing::info!("not connected to an agent: {problem}");
    Seen::Silent {
        problem: Some(problem),
    }
}

fn start(place: &Place) -> Result<(), Problem> {
    if let Err(error) = stopped_file::clear(&place.stopped) {
        tracing::warn!("the mark that the agent was ended stays: {error}");
    }
    place.program.start()
}
