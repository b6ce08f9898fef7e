//! Hears of changes by other clients of Moorage (LISTEN) on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use moorage_meta::{ChangeSender, Changes, change_channel};
use moorage_model::{Error, ErrorKind, Result};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, Notification, SimpleQueryMessage};

use super::address::Address;
use super::connector::{Connector, Ears};
use super::failure::failure;
use crate::sql::{Heard, Listening};

/// How often the server is asked whether it is still there.
const PING_PERIOD: Duration = Duration::from_secs(1);
/// Longest wait for its answer. With the period before, the longest time in which changes may be missed unnoticed.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Wait before the second try to connect again; it doubles.
const RETRY_DELAY: Duration = Duration::from_millis(50);
/// Longest wait between two tries.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Who listens for one volume.
struct Listener {
    connector: Arc<Connector>,
    address: Address,
    listening: Listening,
    sender: ChangeSender,
}

/// A connection that hears.
struct Hearing {
    client: Client,
    broken: Arc<Notify>,
}

/// Begins to tell what other clients of Moorage change, for as long as somebody wants to know.
///
/// # Errors
/// `NotSupported` when messages do not arrive; see [`failure`].
pub(super) async fn watch(
    connector: Arc<Connector>,
    address: Address,
    listening: Listening,
) -> Result<Changes> {
    let (sender, changes) = change_channel();
    let listener = Listener {
        connector,
        address,
        listening,
        sender,
    };
    let first = listener.connect().await?;
    tokio::spawn(listener.run(first));
    Ok(changes)
}

impl Listener {
    async fn connect(&self) -> Result<Hearing> {
        let limit = self.address.limits.connect + self.address.limits.answer;
        let hearing = timeout(limit, self.begin()).await;
        hearing.map_err(|_| {
            Error::new(ErrorKind::Timeout, format!("PostgreSQL {}", self.address.shown))
                .with_advice("Check that the server is reachable and not stopped.")
        })?
    }

    async fn begin(&self) -> Result<Hearing> {
        let refused = |error| failure(&self.address, error, None, false).error;
        let (broken, own) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let ears = self.ears(&own, &broken);
        let (client, _) = self.connector.open(&ears).await.map_err(refused)?;
        let volume = client
            .simple_query(&self.listening.volume)
            .await
            .map_err(refused)?;
        let volume = number(&volume).ok_or_else(|| {
            Error::new(
                ErrorKind::Io,
                format!(
                    "PostgreSQL {} did not answer with the number of a table",
                    self.address.shown
                ),
            )
        })?;
        for statement in Listening::begin(volume) {
            client.batch_execute(&statement).await.map_err(refused)?;
        }
        let test = self.listening.test(volume);
        client.batch_execute(&test).await.map_err(refused)?;
        if timeout(ANSWER_LIMIT, own.notified()).await.is_err() {
            return Err(Error::new(
                ErrorKind::NotSupported,
                format!("PostgreSQL {}: messages to listeners do not arrive", self.address.shown),
            )
            .with_advice(
                "A pooler in front of the server that shares connections between clients carries none: name the server \
                 itself in the metadata URL, or mount without --push-invalidation.",
            ));
        }
        self.sender.resume();
        Ok(Hearing { client, broken })
    }

    /// What to do with messages, and at the end of the connection.
    fn ears(&self, own: &Arc<Notify>, broken: &Arc<Notify>) -> Ears {
        let (listening, sender) = (self.listening.clone(), self.sender.clone());
        let (own, broken) = (Arc::clone(own), Arc::clone(broken));
        Arc::new(move |message: Option<&Notification>| match message {
            Some(message) => match listening.heard(message.payload()) {
                Heard::Own => own.notify_one(),
                Heard::Nodes(nodes) if nodes.is_empty() => {}
                Heard::Nodes(nodes) => sender.note(nodes),
                Heard::Everything => sender.note_everything(),
            },
            None => broken.notify_one(),
        })
    }

    async fn run(self, mut hearing: Hearing) {
        loop {
            tokio::select! {
                () = self.sender.unwanted() => return,
                () = until_lost(&hearing) => {}
            }
            drop(hearing);
            self.sender.lose();
            tracing::warn!(
                "PostgreSQL {}: changes by other clients are not told until it is reached again",
                self.address.shown
            );
            hearing = tokio::select! {
                () = self.sender.unwanted() => return,
                again = self.connect_again() => again,
            };
            tracing::info!(
                "PostgreSQL {}: changes by other clients are told again",
                self.address.shown
            );
        }
    }

    async fn connect_again(&self) -> Hearing {
        let mut delay = RETRY_DELAY;
        loop {
            match self.connect().await {
                Ok(hearing) => return hearing,
                Err(error) => tracing::debug!(%error, "nothing is heard yet"),
            }
            sleep(delay).await;
            delay = (delay * 2).min(MAX_RETRY_DELAY);
        }
    }
}

/// Waits until the connection breaks or the server does not answer.
async fn until_lost(hearing: &Hearing) {
    loop {
        tokio::select! {
            () = hearing.broken.notified() => return,
            () = sleep(PING_PERIOD) => {}
        }
        let answer = timeout(ANSWER_LIMIT, hearing.client.batch_execute("SELECT 1")).await;
        if !matches!(answer, Ok(Ok(()))) {
            return;
        }
    }
}

/// The one number of an answer.
fn number(answer: &[SimpleQueryMessage]) -> Option<i64> {
    answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    })
}
