//! Makes connections to one server, encrypted or not as the URL says.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Notification, Statement as Prepared};
use uuid::Uuid;

use super::failure::{has_no_tls, wants_tls};
use super::tls::Tls;
use crate::sql::was_idle;

/// Hears the messages of a connection, and `None` at its end.
pub(super) type Ears = Arc<dyn Fn(Option<&Notification>) + Send + Sync>;

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) config: Config,
    pub(super) tls: Tls,
}

/// A connection and what it knows.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) prepared: HashMap<String, Prepared>,
    /// How the server lists it; no other has this name.
    pub(super) name: String,
}

impl Connector {
    async fn connect(&self, config: &Config, ears: &Ears) -> Result<Client, tokio_postgres::Error> {
        match &self.tls.connector {
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                attend(connection, Arc::clone(ears));
                Ok(client)
            }
            Some(connector) => {
                let (client, connection) = config.connect(connector.clone()).await?;
                attend(connection, Arc::clone(ears));
                Ok(client)
            }
        }
    }

    /// A connection, encrypted or not as the address says, and how the server lists it.
    pub(super) async fn open(&self, ears: &Ears) -> Result<(Client, String), tokio_postgres::Error> {
        let own = self.config.get_application_name().unwrap_or_default();
        // Servers cut names off behind 63 bytes.
        let own: String = own.chars().filter(char::is_ascii).take(20).collect();
        let name = format!("{own} {}", Uuid::new_v4());
        let mut config = self.config.clone();
        config.application_name(&name).ssl_mode(self.tls.first);
        let client = match (self.connect(&config, ears).await, self.tls.second) {
            (Err(error), Some(second)) if wants_tls(&error) => {
                let again = self.connect(config.ssl_mode(second), ears).await;
                again.map_err(|other| if has_no_tls(&other) { error } else { other })?
            }
            (connected, _) => connected?,
        };
        Ok((client, name))
    }
}

/// Reads what the server sends until the connection ends.
fn attend<S, T>(mut connection: Connection<S, T>, ears: Ears)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            match message {
                Ok(AsyncMessage::Notification(notification)) => ears(Some(&notification)),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "a connection to PostgreSQL ended");
                    break;
                }
            }
        }
        ears(None);
    });
}

/// Ears of a connection on which nothing is to be heard.
fn deaf() -> Ears {
    Arc::new(|_| {})
}

impl Manager for Connector {
    type Type = Connected;
    type Error = tokio_postgres::Error;

    async fn create(&self) -> Result<Connected, tokio_postgres::Error> {
        let (client, name) = self.open(&deaf()).await?;
        Ok(Connected {
            client,
            prepared: HashMap::new(),
            name,
        })
    }

    async fn recycle(
        &self,
        connected: &mut Connected,
        metrics: &Metrics,
    ) -> RecycleResult<tokio_postgres::Error> {
        if connected.client.is_closed() {
            return Err(RecycleError::message("it broke"));
        }
        if was_idle(metrics) {
            connected.client.check_connection().await?;
        }
        Ok(())
    }
}
