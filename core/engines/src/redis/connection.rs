//! Requests to the server, repeated while the connection is made again.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use moorage_meta::Changes;
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::sync::Semaphore;

use super::address::{Address, Servers};
use super::commit::{Answer, Commit};
use super::facts::Facts;
use super::failure::{WRONG_TYPE, failure, is_demoted, is_passing, is_refused_connection, is_refused_login};
use super::layout::Layout;
use super::link::{Handle, Link};
use super::patience::Patience;
use super::scripts::Scripts;
use super::token::Token;
use super::{tracking, watch};

/// Commands sent at once; a server buffers their answers.
const COMMANDS_AT_ONCE: usize = 5000;
/// Commits side by side where each needs a connection of its own.
const MAX_OWN_CONNECTIONS: usize = 16;

/// The connection to the server or servers of one volume.
pub(super) struct Connection {
    pub(super) address: Address,
    link: Arc<Link>,
    scripts: Option<Scripts>,
    own: OwnConnections,
}

/// Connections for transactions that WATCH, where scripts are not allowed. Each serves one commit at a time.
struct OwnConnections {
    permits: Semaphore,
    /// With the generation of the link that they belong to.
    idle: Mutex<Vec<(u64, MultiplexedConnection)>>,
}

impl Default for OwnConnections {
    fn default() -> Self {
        OwnConnections {
            permits: Semaphore::new(MAX_OWN_CONNECTIONS),
            idle: Mutex::default(),
        }
    }
}

impl Connection {
    /// Connects, finds out whether the server is a node of a cluster and whether scripts may be run. Returns what
    /// stands in front of every key too. Three round trips.
    ///
    /// # Errors
    /// See [`failure`]; `NotSupported` for a cluster without scripts.
    pub(super) async fn open(address: Address) -> Result<(Connection, String)> {
        let link = match &address.servers {
            Servers::One(node) if Connection::is_in_cluster(&address).await? => {
                Link::open_cluster_of(&address, node).await?
            }
            _ => Link::open(&address).await?,
        };
        let prefix = if link.is_cluster() {
            format!("{{{}}}", address.database)
        } else {
            String::new()
        };
        let mut connection = Connection {
            address,
            link: Arc::new(link),
            scripts: None,
            own: OwnConnections::default(),
        };
        connection.look_at_server(&prefix).await?;
        connection.find_scripts(&prefix).await?;
        Ok((connection, prefix))
    }

    /// Whether the one server of the URL is a node of a cluster, where only database 0 can be selected.
    async fn is_in_cluster(address: &Address) -> Result<bool> {
        let whole = Address {
            database: 0,
            ..address.clone()
        };
        let mut handle = Link::open(&whole).await?.handle();
        let mut question = redis::cmd("CLUSTER");
        question.arg("INFO");
        match question.query_async::<Value>(&mut handle).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_io_error() => Err(failure(address, &error)),
            // A server of its own answers with an error (spec 30-redis section 1).
            Err(_) => Ok(false),
        }
    }

    /// Refuses a server that is too old and warns of one that may drop keys. A user who may not ask is not told.
    async fn look_at_server(&self, prefix: &str) -> Result<()> {
        let mut handle = self.link.handle();
        let info = match handle.on_node_of(prefix, &redis::cmd("INFO")).await {
            Ok(Value::BulkString(info)) => String::from_utf8_lossy(&info).into_owned(),
            Ok(_) => return Ok(()),
            Err(error) if is_passing(&error) || is_refused_login(&error) => return Err(self.failure(&error)),
            Err(_) => return Ok(()),
        };
        let facts = Facts::parse(&info);
        facts.check(&self.address.shown)?;
        if let Some(warning) = facts.warning(&self.address.shown) {
            tracing::warn!("{warning}");
        }
        Ok(())
    }

    async fn find_scripts(&mut self, prefix: &str) -> Result<()> {
        let scripts = Scripts::new();
        let mut handle = self.link.handle();
        match scripts.find_refused(&mut handle, prefix).await {
            Ok(refused) if refused.is_empty() => self.scripts = Some(scripts),
            Ok(refused) => {
                return Err(Error::new(
                    ErrorKind::Unauthenticated,
                    format!("Redis {}: the user may not run {refused}", self.address.shown),
                )
                .with_advice("Give the user all commands on all keys of the database (ACL SETUSER)."));
            }
            Err(error) if is_passing(&error) || is_refused_login(&error) => {
                return Err(self.failure(&error));
            }
            Err(error) if self.link.is_cluster() => {
                return Err(Error::new(
                    ErrorKind::NotSupported,
                    format!("Redis {}: a cluster that runs no scripts", self.address.shown),
                )
                .with_source(error)
                .with_advice("Allow the user EVALSHA and SCRIPT (ACL SETUSER)."));
            }
            Err(error) => {
                tracing::info!(
                    "Redis {} runs no scripts ({error}); every change takes a round trip more",
                    self.address.shown
                );
            }
        }
        Ok(())
    }

    /// A call of the script that reads children; `None` where scripts are not allowed.
    pub(super) fn child_call(&self, directory: &[u8], name: &[u8], prefix: &str) -> Option<Cmd> {
        let scripts = self.scripts.as_ref()?;
        Some(scripts.child_call(directory, name, prefix))
    }

    /// Runs one command that changes nothing, or may run twice.
    pub(super) async fn ask(&self, command: Cmd) -> Result<Value> {
        let command = &command;
        self.again(move |mut handle| Box::pin(async move { command.query_async(&mut handle).await }))
            .await
    }

    /// Runs a command that names no key on the node that has the keys of this tag.
    pub(super) async fn ask_node_of(&self, tag: &str, command: Cmd) -> Result<Value> {
        let command = &command;
        self.again(move |mut handle| Box::pin(async move { handle.on_node_of(tag, command).await }))
            .await
    }

    /// Runs commands that change nothing, in one round trip (one more per 5000 of them). What one command says of a
    /// value of another type is its answer; every other error fails them all.
    pub(super) async fn ask_all(&self, commands: Vec<Cmd>) -> Result<Vec<Value>> {
        let mut answers = Vec::with_capacity(commands.len());
        for part in commands.chunks(COMMANDS_AT_ONCE) {
            let mut pipeline = Pipeline::with_capacity(part.len());
            for command in part {
                pipeline.add_command(command.clone());
            }
            let pipeline = &*pipeline.ignore_errors();
            let request = move |mut handle| -> BoxFuture<'_, RedisResult<Vec<Value>>> {
                Box::pin(async move {
                    let found: Vec<Value> = pipeline.query_async(&mut handle).await?;
                    found.into_iter().map(refuse_error).collect()
                })
            };
            answers.extend(self.again(request).await?);
        }
        Ok(answers)
    }

    /// Runs a request that may be sent twice, again and again while the connection breaks, for at most the read time
    /// limit and the last try.
    async fn again<'r, T>(
        &self,
        request: impl Fn(Handle) -> BoxFuture<'r, RedisResult<T>> + Send + Sync,
    ) -> Result<T> {
        let mut patience = Patience::new(&self.address, 1);
        loop {
            let seen = self.link.generation();
            match request(self.link.handle()).await {
                Ok(value) => return Ok(value),
                Err(error) => {
                    if !self.recover(&error, seen, &mut patience).await {
                        return Err(self.failure(&error));
                    }
                }
            }
        }
    }

    /// Whether a failed request is worth another try, after waiting and doing what it needs.
    async fn recover(&self, error: &RedisError, seen: u64, patience: &mut Patience) -> bool {
        if error.kind() == redis::ErrorKind::Server(ServerErrorKind::NoScript) {
            // A server that has forgotten its scripts has just begun, and may go away again: the next try tells.
            return patience.pause().await
                && match self.load_scripts().await {
                    Ok(()) => true,
                    Err(error) => is_passing(&error),
                };
        }
        if is_refused_connection(error)
            && let Err(error) = self.link.connect_anew(&self.address, seen)
        {
            tracing::debug!("Redis {}: no new connection: {error}", self.address.shown);
        }
        let elsewhere = self.link.has_sentinels() && is_demoted(error);
        if !(elsewhere || is_passing(error)) || !patience.pause().await {
            return false;
        }
        // Sentinels that do not answer yet are asked again at the next try.
        if let Err(error) = self.link.renew(&self.address, seen).await {
            tracing::debug!("Redis {}: no master yet: {error}", self.address.shown);
        }
        true
    }

    async fn load_scripts(&self) -> RedisResult<()> {
        match &self.scripts {
            Some(scripts) => scripts.load(&mut self.link.handle()).await,
            None => Ok(()),
        }
    }

    /// Compares and applies; sent again until it is answered, for at most twice the read time limit and the last try.
    /// One round trip; two where scripts are not allowed.
    ///
    /// # Errors
    /// See [`failure`]; the text says when a commit was sent and no answer tells its fate.
    pub(super) async fn settle(&self, commit: &Commit, token: &Token) -> Result<Answer> {
        let mut patience = Patience::new(&self.address, 2);
        let mut sent = false;
        loop {
            let seen = self.link.generation();
            let error = match self.try_commit(commit, token, sent).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            sent |= error.is_io_error() && !error.is_connection_refusal();
            if !self.recover(&error, seen, &mut patience).await {
                let failure = self.failure(&error);
                return Err(if sent && !commit.commands.is_empty() {
                    failure.of_lost_commit()
                } else {
                    failure
                });
            }
        }
    }

    async fn try_commit(&self, commit: &Commit, token: &Token, sent: bool) -> RedisResult<Answer> {
        match &self.scripts {
            Some(scripts) => {
                let call = commit.call(&scripts.commit, token, sent);
                let answer: Value = call.query_async(&mut self.link.handle()).await?;
                let unexpected = (
                    redis::ErrorKind::UnexpectedReturnType,
                    "the commit answered oddly",
                );
                Answer::from_script(&answer).ok_or_else(|| unexpected.into())
            }
            None => self.commit_alone(commit, token, sent).await,
        }
    }

    async fn commit_alone(&self, commit: &Commit, token: &Token, sent: bool) -> RedisResult<Answer> {
        let _permit = self.own.permits.acquire().await;
        let generation = self.link.generation();
        let idle = {
            let mut idle = self.own.idle.lock();
            idle.retain(|(of, _)| *of == generation);
            idle.pop()
        };
        let mut own = match idle {
            Some((_, own)) => own,
            None => self.link.own(&self.address).await?,
        };
        let answer = watch::commit(&mut own, commit, token, sent).await?;
        self.own.idle.lock().push((generation, own));
        Ok(answer)
    }

    /// Begins to tell what anybody changes.
    ///
    /// # Errors
    /// See [`tracking::watch`].
    pub(super) async fn watch(&self, layout: &Layout) -> Result<Changes> {
        tracking::watch(&self.address, &self.link, layout).await
    }

    /// What a failed request means.
    pub(super) fn failure(&self, error: &RedisError) -> Error {
        failure(&self.address, error)
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Connection").field(&self.address.shown).finish()
    }
}

/// Passes on an answer that is no error, or one that concerns a single value.
fn refuse_error(answer: Value) -> RedisResult<Value> {
    match &answer {
        Value::ServerError(error) if error.code() != WRONG_TYPE => answer.extract_error(),
        _ => Ok(answer),
    }
}
