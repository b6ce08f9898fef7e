//! Client tracking: the server tells which nodes anybody changes, JuiceFS's clients included (Redis 6 and later).
//!
//! A connection of its own asks, in broadcasting mode, for every change of a key that begins as those of nodes do. The
//! other mode, in which a server tells of what a connection has read, does not serve here: the kernel also keeps what it
//! learnt from the answer to a change, which is no read, and the server forgets a key once it told of it. In broadcasting
//! mode a server remembers nothing per client and key, and sends the keys that changed during one turn of its loop as
//! one message.
//!
//! Keys of directories are not asked for: whatever changes an entry that was there also changes the node that it led
//! to. Databases share their names of keys here, so that a volume in another database of the same server has its nodes
//! looked at in vain. Changes of this client are told too; that a server leaves them out (NOLOOP) holds neither for
//! scripts nor for changes on other connections.

use std::sync::{Arc, Weak};
use std::time::Duration;

use moorage_meta::{ChangeSender, Changes, change_channel};
use moorage_model::{Error, ErrorKind, Ino, Result};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ProtocolVersion, PushInfo, PushKind, RedisResult, Value};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::failure::{failure, is_passing, is_refused_login};
use super::layout::Layout;
use super::link::Link;
use super::names::one;

/// How often the server is asked whether it is still there, and whether another took its place.
const PING_PERIOD: Duration = Duration::from_secs(1);
/// Longest wait for its answer. With the period before, the longest time in which changes may be missed unnoticed.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Wait before the second try to connect again; it doubles.
const RETRY_DELAY: Duration = Duration::from_millis(50);
/// Longest wait between two tries.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Who asks for changes of one volume.
struct Tracker {
    address: Address,
    link: Arc<Link>,
    /// What the keys of nodes begin with.
    prefix: Vec<u8>,
    sender: ChangeSender,
}

/// A connection on which changes are told.
struct Tracked {
    connection: MultiplexedConnection,
    /// The server that it leads to ([`Link::generation`]).
    generation: u64,
    broken: Arc<Notify>,
    /// What comes later than this lives is of no interest.
    _current: Arc<()>,
}

/// Begins to tell what anybody changes, for as long as somebody listens.
///
/// # Errors
/// `NotSupported` on a cluster and on a server older than Redis 6; see [`failure`].
pub(super) async fn watch(address: &Address, link: &Arc<Link>, layout: &Layout) -> Result<Changes> {
    let (sender, changes) = change_channel();
    let tracker = Tracker {
        address: address.clone(),
        link: Arc::clone(link),
        prefix: layout.key("i"),
        sender,
    };
    let generation = link.generation();
    let Some(client) = link.client() else {
        return Err(Error::new(
            ErrorKind::NotSupported,
            format!(
                "Redis {}: clients of a cluster are not told of changes",
                address.shown
            ),
        )
        .with_advice("Mount without --push-invalidation."));
    };
    let first = tracker.connect(client, generation).await;
    let first = first.map_err(|error| tracker.refusal(&error))?;
    tokio::spawn(tracker.run(first));
    Ok(changes)
}

impl Tracker {
    async fn connect(&self, client: Client, generation: u64) -> RedisResult<Tracked> {
        let info = client.get_connection_info().clone();
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let (broken, current) = (Arc::new(Notify::new()), Arc::new(()));
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.address.options.dial_timeout))
            .set_response_timeout(Some(ANSWER_LIMIT))
            .set_push_sender(self.listener(&current, &broken));
        let client = Client::open(info.set_redis_settings(settings))?;
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let mut tracking = redis::cmd("CLIENT");
        tracking
            .arg(&["TRACKING", "ON", "BCAST", "PREFIX"])
            .arg(&self.prefix);
        tracking.exec_async(&mut connection).await?;
        self.sender.resume();
        Ok(Tracked {
            connection,
            generation,
            broken,
            _current: current,
        })
    }

    /// Takes what the server sends by itself.
    fn listener(
        &self,
        current: &Arc<()>,
        broken: &Arc<Notify>,
    ) -> impl Fn(PushInfo) -> Result<(), ()> + Send + Sync + use<> {
        let (sender, prefix) = (self.sender.clone(), self.prefix.clone());
        let (current, broken): (Weak<()>, _) = (Arc::downgrade(current), Arc::clone(broken));
        move |push| {
            if current.strong_count() == 0 {
                return Err(());
            }
            match push.kind {
                PushKind::Invalidate => note(&sender, &prefix, push.data),
                PushKind::Disconnection => {
                    sender.lose();
                    broken.notify_one();
                }
                _ => {}
            }
            Ok(())
        }
    }

    async fn run(self, mut tracked: Tracked) {
        loop {
            tokio::select! {
                () = self.sender.unwanted() => return,
                () = self.until_lost(&mut tracked) => {}
            }
            drop(tracked);
            self.sender.lose();
            tracing::warn!(
                "Redis {}: changes by other clients are not told until it is reached again",
                self.address.shown
            );
            tracked = tokio::select! {
                () = self.sender.unwanted() => return,
                again = self.connect_again() => again,
            };
            tracing::info!(
                "Redis {}: changes by other clients are told again",
                self.address.shown
            );
        }
    }

    /// Waits until the connection breaks, the server does not answer, or another one took its place.
    async fn until_lost(&self, tracked: &mut Tracked) {
        loop {
            tokio::select! {
                () = tracked.broken.notified() => return,
                () = sleep(PING_PERIOD) => {}
            }
            let ping = redis::cmd("PING");
            let answer = timeout(ANSWER_LIMIT, ping.exec_async(&mut tracked.connection)).await;
            if !matches!(answer, Ok(Ok(()))) || self.link.generation() != tracked.generation {
                return;
            }
        }
    }

    async fn connect_again(&self) -> Tracked {
        let mut delay = RETRY_DELAY;
        loop {
            let seen = self.link.generation();
            if let Some(client) = self.link.client() {
                match self.connect(client, seen).await {
                    Ok(tracked) => return tracked,
                    Err(error) => tracing::debug!(%error, "client tracking could not be switched on again"),
                }
            }
            // Sentinels may name another master.
            if let Err(error) = self.link.renew(&self.address, seen).await {
                tracing::debug!(%error, "no master yet");
            }
            sleep(delay).await;
            delay = (delay * 2).min(MAX_RETRY_DELAY);
        }
    }

    /// What it means that the server refuses at the start.
    fn refusal(&self, error: &redis::RedisError) -> Error {
        let known = failure(&self.address, error);
        if is_passing(error) || is_refused_login(error) || known.kind() != ErrorKind::Io {
            return known;
        }
        Error::new(
            ErrorKind::NotSupported,
            format!(
                "Redis {} does not tell its clients of changes",
                self.address.shown
            ),
        )
        .with_source(error.clone())
        .with_advice("Client tracking needs Redis 6 or later; mount without --push-invalidation elsewhere.")
    }
}

/// Notes the nodes whose keys a message names; one without names says that the database was emptied.
fn note(sender: &ChangeSender, prefix: &[u8], data: Vec<Value>) {
    for part in data {
        match part {
            Value::Array(keys) => sender.note(keys.iter().filter_map(|key| node(prefix, key))),
            _ => sender.note_everything(),
        }
    }
}

fn node(prefix: &[u8], key: &Value) -> Option<Ino> {
    match key {
        Value::BulkString(key) => one(key.strip_prefix(prefix)?).map(Ino),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use moorage_meta::Changed;

    use super::*;

    fn key(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn a_message_names_nodes_and_what_is_none_is_passed_over() {
        let (sender, changes) = change_channel();
        note(
            &sender,
            b"{3}i",
            vec![Value::Array(vec![key("{3}i12"), key("{3}info"), key("i7")])],
        );
        assert_eq!(changes.take(), Some(Changed::Nodes(vec![Ino(12)])));
    }

    #[test]
    fn a_message_without_keys_concerns_everything() {
        let (sender, changes) = change_channel();
        note(&sender, b"i", vec![Value::Nil]);
        assert_eq!(changes.take(), Some(Changed::Everything));
    }
}
