//! The client's side of the protocol: requests with deadlines, and what changed.

mod changes;
mod error;
mod sync;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use self::waiting::{Forgotten, Waiting};
pub use self::{changes::Changes, error::ClientError};
use crate::frame::{self, FrameError, MAX_TO_AGENT, MAX_TO_CLIENT};
use crate::greeting::greet_agent;
use crate::message::{
    AgentMessage, AgentStatus, Answer, Changed, ClientMessage, Hello, Request, RequestId, Response,
};
use crate::secret::{Secret, VolumeSecrets};
use crate::settings::{Pause, SecretStore, SecretStoreStatus, Settings};
use crate::transfer::{Transfer, TransferId};
use crate::version::ProtocolVersion;
use crate::volume::{AddVolume, Volume, VolumeId};

/// How long an agent may take to be there and say hello: it is on this computer.
const GREETING_DEADLINE: Duration = Duration::from_secs(5);
/// How long an agent may take for what it answers from memory or from its own disk.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
/// How long it may take to add a volume, which tries its object store first, and to bring many secrets into another store.
const ADDING_DEADLINE: Duration = Duration::from_secs(150);
/// How long it may take to look at both sides of a pair: long enough for a million files.
const PREVIEW_DEADLINE: Duration = Duration::from_secs(610);
/// How long it may take to try this computer: a volume is made, mounted and unmounted, and each step may take a minute.
const SELF_TEST_DEADLINE: Duration = Duration::from_secs(250);
/// How long a look into the database of a volume may take.
const LOOK_DEADLINE: Duration = Duration::from_secs(70);
/// How long work on a volume may take that a person waits for.
const WORK_DEADLINE: Duration = Duration::from_secs(610);
/// Requests that wait to be sent.
const MOST_QUEUED: usize = 16;

/// How long an agent may take for `request`.
pub fn deadline(request: &Request) -> Duration {
    match request {
        Request::VolumeAdd { .. } | Request::ConnectionTest { .. } | Request::SecretStoreChoose { .. } => {
            ADDING_DEADLINE
        }
        Request::SyncPairPreview { .. } => PREVIEW_DEADLINE,
        Request::SelfTest => SELF_TEST_DEADLINE,
        Request::TrashHours { .. }
        | Request::TrashList { .. }
        | Request::SyncPairFolders { .. }
        | Request::VolumeSessions { .. }
        | Request::VolumeOptions { .. } => LOOK_DEADLINE,
        Request::VolumeOptionsChange { .. } => WORK_DEADLINE,
        _ => ANSWER_DEADLINE,
    }
}

/// A connection to the agent. It ends when this is dropped.
#[derive(Debug)]
pub struct Client {
    agent: Hello,
    next: AtomicU64,
    out: mpsc::Sender<ClientMessage>,
    waiting: Arc<Waiting>,
    changed: watch::Receiver<Option<Changed>>,
    task: AbortHandle,
}

impl Client {
    /// Connects to the agent of this user. `product` is the version of the calling program, for a person.
    ///
    /// # Errors
    ///
    /// Within five seconds: when no agent runs, another user's does, or its protocol is another.
    pub async fn connect(socket: &std::path::Path, product: &str) -> Result<Client, ClientError> {
        let connected = timeout(GREETING_DEADLINE, crate::socket::connect(socket)).await;
        let stream = connected.map_err(|_| ClientError::TimedOut(GREETING_DEADLINE))??;
        Client::begin(stream, product).await
    }

    /// Begins a connection over a stream.
    ///
    /// # Errors
    ///
    /// Within five seconds: when no agent is at the other end, or its protocol is another.
    pub async fn begin(
        mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        product: &str,
    ) -> Result<Client, ClientError> {
        let hello = Hello {
            protocol: ProtocolVersion::CURRENT,
            product: product.to_owned(),
        };
        let greeted = timeout(GREETING_DEADLINE, greet_agent(&mut stream, hello)).await;
        let agent = greeted.map_err(|_| ClientError::TimedOut(GREETING_DEADLINE))??;
        let (out, mut queue) = mpsc::channel(MOST_QUEUED);
        let (tell, changed) = watch::channel(None);
        let waiting = Arc::new(Waiting::default());
        let answers = Arc::clone(&waiting);
        let (mut reader, mut writer) = tokio::io::split(stream);
        let task = tokio::spawn(async move {
            let reading = read_all(&mut reader, &answers, &tell);
            let writing = async {
                while let Some(message) = queue.recv().await {
                    frame::write(&mut writer, &message, MAX_TO_AGENT).await?;
                }
                Ok::<(), FrameError>(())
            };
            // Whichever ends first, the connection is of no use any more.
            let ended = tokio::select! {
                ended = reading => ended,
                ended = writing => ended,
            };
            if let Err(error) = ended {
                tracing::debug!("the connection to the agent broke: {error}");
            }
            answers.close();
        });
        Ok(Client {
            agent,
            next: AtomicU64::new(1),
            out,
            waiting,
            changed,
            task: task.abort_handle(),
        })
    }

    /// What the agent is.
    pub fn agent(&self) -> &Hello {
        &self.agent
    }

    /// Asks for something, and waits for the answer until the deadline.
    ///
    /// # Cancel safety
    ///
    /// The agent may do what was asked all the same; its answer is dropped.
    ///
    /// # Errors
    ///
    /// When the connection breaks, nothing is answered in time, or it could not be done.
    pub async fn ask(&self, request: Request, deadline: Duration) -> Result<Response, ClientError> {
        let id = RequestId(self.next.fetch_add(1, Ordering::Relaxed));
        let answer = self.waiting.expect(id).ok_or(ClientError::Closed)?;
        let request = Box::new(request);
        let asked = async {
            let message = ClientMessage::Ask { id, request };
            self.out.send(message).await.map_err(|_| ClientError::Closed)?;
            answer.await.map_err(|_| ClientError::Closed)
        };
        let _forgotten = Forgotten::when_dropped(&self.waiting, id);
        match timeout(deadline, asked).await {
            Ok(Ok(Answer::Done { response })) => Ok(response),
            Ok(Ok(Answer::Failed { problem })) => Err(ClientError::Failed(problem)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ClientError::TimedOut(deadline)),
        }
    }

    /// From now on changes are told.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn subscribe(&self) -> Result<Changes, ClientError> {
        let changed = self.changed.clone();
        match self.ask(Request::Subscribe, ANSWER_DEADLINE).await? {
            Response::Subscribed { revision } => Ok(Changes::after(revision, changed)),
            _ => Err(ClientError::Unexpected),
        }
    }

    /// How the agent is doing.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn status(&self) -> Result<AgentStatus, ClientError> {
        match self.ask(Request::AgentStatus, ANSWER_DEADLINE).await? {
            Response::Agent { status } => Ok(status),
            _ => Err(ClientError::Unexpected),
        }
    }

    /// Ends the agent; mounted volumes stay mounted. It has ended once [`Client::closed`] returns.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn stop(&self) -> Result<(), ClientError> {
        self.for_nothing(Request::AgentStop).await
    }

    /// All volumes, in the person's order.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn volumes(&self) -> Result<Vec<Volume>, ClientError> {
        match self.ask(Request::Volumes, ANSWER_DEADLINE).await? {
            Response::Volumes { volumes } => Ok(volumes),
            _ => Err(ClientError::Unexpected),
        }
    }

    /// One volume.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn volume(&self, id: &VolumeId) -> Result<Volume, ClientError> {
        self.for_volume(Request::Volume { id: id.clone() }).await
    }

    /// Adds a volume to the list.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn add_volume(&self, volume: AddVolume) -> Result<Volume, ClientError> {
        let answer = self.ask(Request::VolumeAdd { volume }, ADDING_DEADLINE).await?;
        one_volume(answer)
    }

    /// What somebody else needs to join a volume, as the text of a file without a secret.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn export_volume(&self, id: &VolumeId) -> Result<String, ClientError> {
        let request = Request::VolumeExport { id: id.clone() };
        match self.ask(request, ANSWER_DEADLINE).await? {
            Response::VolumeFile { text, .. } => Ok(text),
            _ => Err(ClientError::Unexpected),
        }
    }

    /// The store of secrets in use.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn secret_store(&self) -> Result<SecretStoreStatus, ClientError> {
        self.for_store(Request::Settings).await
    }

    /// What holds for all volumes.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn settings(&self) -> Result<Settings, ClientError> {
        Ok(self.for_settings(Request::Settings).await?.0)
    }

    /// Changes what holds for all volumes.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn change_settings(&self, settings: Settings) -> Result<Settings, ClientError> {
        Ok(self.for_settings(Request::SettingsChange { settings }).await?.0)
    }

    /// Opens the store of secrets: with its passphrase, or by having the person asked for the password of the keyring.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn unlock_secret_store(
        &self,
        passphrase: Option<Secret>,
    ) -> Result<SecretStoreStatus, ClientError> {
        self.for_store(Request::SecretStoreUnlock { passphrase }).await
    }

    /// Keeps all secrets in another store; with `forget` leaves behind what the store in use does not give.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn choose_secret_store(
        &self,
        store: SecretStore,
        passphrase: Option<Secret>,
        forget: bool,
    ) -> Result<SecretStoreStatus, ClientError> {
        let request = Request::SecretStoreChoose {
            store,
            passphrase,
            forget,
        };
        self.for_store(request).await
    }

    async fn for_store(&self, request: Request) -> Result<SecretStoreStatus, ClientError> {
        Ok(self.for_settings(request).await?.1)
    }

    async fn for_settings(&self, request: Request) -> Result<(Settings, SecretStoreStatus), ClientError> {
        let deadline = deadline(&request);
        match self.ask(request, deadline).await? {
            Response::Settings {
                settings,
                secret_store,
            } => Ok((settings, secret_store)),
            _ => Err(ClientError::Unexpected),
        }
    }

    /// Gives the secrets of a volume, for the mounts that follow; what is absent is forgotten.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn give_secrets(&self, id: &VolumeId, secrets: VolumeSecrets) -> Result<(), ClientError> {
        let id = id.clone();
        self.for_nothing(Request::VolumeSecrets { id, secrets }).await
    }

    /// Takes a volume off the list; its data stays.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn remove_volume(&self, id: &VolumeId) -> Result<(), ClientError> {
        self.for_nothing(Request::VolumeRemove { id: id.clone() }).await
    }

    /// Mounts a volume; gives it as it is when its mount process starts.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn mount_volume(&self, id: &VolumeId) -> Result<Volume, ClientError> {
        self.for_volume(Request::VolumeMount { id: id.clone() }).await
    }

    /// Unmounts a volume; gives it as it is when the unmount is under way. `lazy` takes it away from those who hold it.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn unmount_volume(&self, id: &VolumeId, lazy: bool) -> Result<Volume, ClientError> {
        let id = id.clone();
        self.for_volume(Request::VolumeUnmount { id, lazy }).await
    }

    /// Holds uploads, and downloads that nobody waits for: for so many seconds, or until they are resumed.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn pause(&self, seconds: Option<u64>) -> Result<Pause, ClientError> {
        self.for_pause(Request::Pause { seconds }).await
    }

    /// Ends the pause.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn resume(&self) -> Result<Pause, ClientError> {
        self.for_pause(Request::Resume).await
    }

    /// Running, waiting, failed and recent transfers, the newest first.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn transfers(&self) -> Result<Vec<Transfer>, ClientError> {
        match self.ask(Request::Transfers, ANSWER_DEADLINE).await? {
            Response::Transfers { transfers } => Ok(transfers),
            _ => Err(ClientError::Unexpected),
        }
    }

    /// Tries a failed transfer again now.
    ///
    /// # Errors
    ///
    /// As [`Client::ask`].
    pub async fn retry_transfer(&self, id: TransferId) -> Result<(), ClientError> {
        self.for_nothing(Request::TransferRetry { id }).await
    }

    async fn for_pause(&self, request: Request) -> Result<Pause, ClientError> {
        match self.ask(request, ANSWER_DEADLINE).await? {
            Response::Pause { pause } => Ok(pause),
            _ => Err(ClientError::Unexpected),
        }
    }

    async fn for_nothing(&self, request: Request) -> Result<(), ClientError> {
        match self.ask(request, ANSWER_DEADLINE).await? {
            Response::Done => Ok(()),
            _ => Err(ClientError::Unexpected),
        }
    }

    async fn for_volume(&self, request: Request) -> Result<Volume, ClientError> {
        one_volume(self.ask(request, ANSWER_DEADLINE).await?)
    }

    /// Returns when the connection has ended.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn closed(&self) {
        self.out.closed().await;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn one_volume(response: Response) -> Result<Volume, ClientError> {
    match response {
        Response::Volume { volume } => Ok(*volume),
        _ => Err(ClientError::Unexpected),
    }
}

async fn read_all(
    reader: &mut (impl AsyncRead + Unpin),
    waiting: &Waiting,
    tell: &watch::Sender<Option<Changed>>,
) -> Result<(), FrameError> {
    while let Some(message) = frame::read(reader, MAX_TO_CLIENT).await? {
        match message {
            AgentMessage::Answer { id, answer } => {
                if let Some(waits) = waiting.take(id) {
                    // Nobody waits any more when its deadline passed just now.
                    let _late = waits.send(answer);
                }
            }
            AgentMessage::Changed(changed) => {
                tell.send_replace(Some(changed));
            }
            AgentMessage::Hello(_) | AgentMessage::Refused { .. } => return Ok(()),
        }
    }
    Ok(())
}
