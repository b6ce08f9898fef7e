//! One connection that all callers share: requests are pipelined in the order of their callers.

use std::time::Duration;

use futures_util::future::BoxFuture;
use moorage_model::{Error, ErrorKind, Result};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Cmd, Pipeline, Value};
use tokio::sync::OnceCell;

use super::address::Address;

/// Longest wait for a connection (JuiceFS waits as long).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Tries of a request that changes nothing, when the connection breaks.
const MAX_TRIES: u32 = 5;
/// Wait before the second of them; it doubles.
const RETRY_DELAY: Duration = Duration::from_millis(50);
/// Commands sent at once; a server buffers their answers.
const COMMANDS_AT_ONCE: usize = 5000;

/// The connection to one server, made when it is first needed and again after it broke.
pub(super) struct Connection {
    pub(super) address: Address,
    manager: OnceCell<ConnectionManager>,
}

impl Connection {
    pub(super) fn new(address: Address) -> Connection {
        Connection {
            address,
            manager: OnceCell::new(),
        }
    }

    /// A handle for one request.
    pub(super) async fn handle(&self) -> Result<ConnectionManager> {
        let made = self.manager.get_or_try_init(|| async {
            let manager = self.connect().await.map_err(|error| self.failure(&error))?;
            self.refuse_cluster(manager.clone()).await?;
            Ok(manager)
        });
        made.await.cloned()
    }

    async fn connect(&self) -> redis::RedisResult<ConnectionManager> {
        let client = redis::Client::open(self.address.info.clone())?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(2)
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(self.address.read_timeout));
        ConnectionManager::new_with_config(client, config).await
    }

    /// A node of a Cluster has keys of another form (spec 30-redis section 1), and only some of them. One round trip.
    async fn refuse_cluster(&self, mut server: ConnectionManager) -> Result<()> {
        let answer: redis::RedisResult<String> =
            redis::cmd("INFO").arg("cluster").query_async(&mut server).await;
        // A user that may not ask is not told; what it may not do shows later.
        if answer.is_ok_and(|info| info.contains("cluster_enabled:1")) {
            return Err(Error::new(
                ErrorKind::NotSupported,
                format!(
                    "{} is a node of a Redis Cluster, which is not built yet",
                    self.address.shown
                ),
            )
            .with_advice("Use a server of its own for the metadata."));
        }
        Ok(())
    }

    /// Runs one command that changes nothing.
    pub(super) async fn ask(&self, command: Cmd) -> Result<Value> {
        let answers = self.ask_all(vec![command]).await?;
        answers
            .into_iter()
            .next()
            .ok_or_else(|| Error::new(ErrorKind::Io, "Redis did not answer a command"))
    }

    /// Runs commands that change nothing, in one round trip (one more per 5000 of them). A broken connection is
    /// made again and they are sent again.
    pub(super) async fn ask_all(&self, commands: Vec<Cmd>) -> Result<Vec<Value>> {
        let mut answers = Vec::with_capacity(commands.len());
        for part in commands.chunks(COMMANDS_AT_ONCE) {
            let mut pipeline = Pipeline::with_capacity(part.len());
            for command in part {
                pipeline.add_command(command.clone());
            }
            let pipeline = &pipeline;
            let found: Vec<Value> = self
                .again(move |mut handle| Box::pin(async move { pipeline.query_async(&mut handle).await }))
                .await?;
            answers.extend(found);
        }
        Ok(answers)
    }

    /// Runs a request that may be sent twice.
    pub(super) async fn again<'r, T>(
        &self,
        request: impl Fn(ConnectionManager) -> BoxFuture<'r, redis::RedisResult<T>> + Send + Sync,
    ) -> Result<T> {
        let mut delay = RETRY_DELAY;
        let mut tries = 1;
        loop {
            match request(self.handle().await?).await {
                Ok(value) => return Ok(value),
                Err(error) if error.is_io_error() && !error.is_timeout() && tries < MAX_TRIES => {
                    tries += 1;
                    tokio::time::sleep(delay).await;
                    delay *= 2;
                }
                Err(error) => return Err(self.failure(&error)),
            }
        }
    }

    /// What a failed request means.
    pub(super) fn failure(&self, error: &redis::RedisError) -> Error {
        use redis::ServerErrorKind;
        let code = error.code().unwrap_or_default();
        let (kind, advice) = match error.kind() {
            redis::ErrorKind::AuthenticationFailed => (
                ErrorKind::Unauthenticated,
                "Check user and password in the metadata URL, or META_PASSWORD.",
            ),
            redis::ErrorKind::Server(ServerErrorKind::ReadOnly) => (
                ErrorKind::ReadOnly,
                "The server is a replica; write the address of its master.",
            ),
            redis::ErrorKind::Server(ServerErrorKind::NoPerm) => (
                ErrorKind::Unauthenticated,
                "Give the user all commands on all keys of the database (ACL SETUSER).",
            ),
            redis::ErrorKind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown) => (
                ErrorKind::Unavailable,
                "The server is starting; try again in a moment.",
            ),
            _ if matches!(code, "NOAUTH" | "WRONGPASS") => (
                ErrorKind::Unauthenticated,
                "Check user and password in the metadata URL, or META_PASSWORD.",
            ),
            _ if code == "OOM" => (
                ErrorKind::NoSpace,
                "The server has no memory left; raise maxmemory.",
            ),
            _ if code == "MISCONF" => (
                ErrorKind::Io,
                "The server can not save its data; look at its log and disk.",
            ),
            _ if error.is_timeout() => (ErrorKind::Timeout, "Check that the server is reachable."),
            _ if error.is_io_error() => (
                ErrorKind::Unavailable,
                "Check that the server runs and is reachable.",
            ),
            _ => (ErrorKind::Io, ""),
        };
        let failure = Error::new(kind, format!("Redis {}", self.address.shown)).with_source(error.clone());
        if advice.is_empty() {
            failure
        } else {
            failure.with_advice(advice)
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Connection").field(&self.address.shown).finish()
    }
}
