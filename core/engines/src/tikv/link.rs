//! The connection to a cluster, and moments at which it can be read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use moorage_model::{Error, ErrorKind, Result};
use tikv_client::{
    Backoff, CheckLevel, Config, KvPair, ProtoLockInfo, RetryOptions, Snapshot, Timestamp, TimestampExt as _,
    Transaction, TransactionClient, TransactionOptions, transaction::HeartbeatOption,
    transaction::ResolveLocksOptions,
};
use tokio::sync::RwLock;
use tokio::time::Instant;

use super::address::Address;
use super::failure::{failure, is_orphan_lock, is_passing, is_unconnected};
use super::layout::{Span, behind};
use super::tls;

/// Longest wait for an answer with all tries: as JuiceFS waits for one of Redis.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// Longest wait for one try of the client library.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);
/// Longest wait for a connection, so that a wrong address is told soon.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// First pause before a request is repeated; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Longest pause, so that a server that is back is noticed.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Largest answer. A page of slice lists is far below it.
const MAX_ANSWER_BYTES: usize = 256 << 20;
/// Locks of one key that are looked at when their owner is gone.
const LOCKS_OF_A_KEY: u32 = 16;
/// Locks of a span that are looked at at once when their owners are gone.
const LOCKS_OF_A_SPAN: u32 = 1024;

/// Values by key; an absent key has none.
pub(super) type Values = HashMap<Vec<u8>, Vec<u8>>;

/// The connection; it is made when it is first needed, and made again after a failure.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) address: Arc<Address>,
    /// With a number that tells it from later ones.
    client: Arc<RwLock<(u64, Option<TransactionClient>)>>,
}

/// The state of the cluster at one moment.
#[derive(Clone)]
pub(super) struct Moment {
    link: Link,
    /// The number of the client.
    number: u64,
    client: TransactionClient,
    timestamp: Timestamp,
}

impl Link {
    pub(super) fn new(address: Address) -> Link {
        Link {
            address: Arc::new(address),
            client: Arc::new(RwLock::new((0, None))),
        }
    }

    /// The client with its number.
    async fn client(&self) -> Result<(u64, TransactionClient)> {
        if let (number, Some(client)) = &*self.client.read().await {
            return Ok((*number, client.clone()));
        }
        let mut place = self.client.write().await;
        if let (number, Some(client)) = &*place {
            return Ok((*number, client.clone()));
        }
        let mut config = Config::default()
            .with_timeout(REQUEST_LIMIT)
            .with_grpc_max_decoding_message_size(MAX_ANSWER_BYTES);
        if let Some(tls) = &self.address.tls {
            // The library's words for a file that is of no use name none.
            tls.configuration()?;
            config = config.with_security(&tls.ca, &tls.certificate, &tls.key);
        }
        let connecting = TransactionClient::new_with_config(self.address.drivers.clone(), config);
        let client = match self.within(CONNECT_LIMIT, connecting).await {
            Ok(client) => client,
            // Once it worked, encryption is not why it does not.
            Err(error) if place.0 == 0 => {
                return Err(tls::reason(&self.address).await.unwrap_or(error));
            }
            Err(error) => return Err(error),
        };
        place.0 += 1;
        place.1 = Some(client.clone());
        Ok((place.0, client))
    }

    /// Gives up a connection that failed; one made since stays.
    async fn forget(&self, number: u64) {
        let mut place = self.client.write().await;
        if place.0 == number {
            place.1 = None;
        }
    }

    async fn within<T>(
        &self,
        limit: Duration,
        asked: impl Future<Output = tikv_client::Result<T>>,
    ) -> Result<T> {
        match tokio::time::timeout(limit, asked).await {
            Ok(answer) => answer.map_err(|error| failure(&self.address.shown, &error)),
            Err(_) => Err(late(&self.address.shown)),
        }
    }

    /// Asks a placement driver, again while it is not reachable.
    async fn patiently<T, F>(&self, ask: impl Fn(TransactionClient) -> F) -> Result<(u64, T)>
    where
        F: Future<Output = tikv_client::Result<T>>,
    {
        let mut patience = Patience::new();
        loop {
            let asked = async {
                let (number, client) = self.client().await.map_err(|error| (None, error))?;
                let answer = self.within(CONNECT_LIMIT, ask(client)).await;
                let answer = answer.map_err(|error| (Some(number), error))?;
                Ok((number, answer))
            };
            let (number, error) = match asked.await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if let Some(number) = number {
                self.forget(number).await;
            }
            let passing = matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout);
            // A first connection is not waited for: the address may be wrong.
            let never = number.is_none() && self.client.read().await.0 == 0;
            if !passing || never || !patience.pause().await {
                return Err(error);
            }
        }
    }

    /// The state as it is now: what was acknowledged before is in it.
    pub(super) async fn now(&self) -> Result<Moment> {
        let found = self.patiently(|client| async move {
            let timestamp = client.current_timestamp().await?;
            Ok((client, timestamp))
        });
        let (number, (client, timestamp)) = found.await?;
        Ok(Moment {
            link: self.clone(),
            number,
            client,
            timestamp,
        })
    }

    /// A transaction and the moment that it begins at.
    pub(super) async fn begin(&self) -> Result<(Transaction, Moment)> {
        let two_phases = self.address.two_phases;
        let begun = self.patiently(|client| async move {
            let transaction = client.begin_with_options(committing(two_phases)).await?;
            Ok((transaction, client))
        });
        let (number, (transaction, client)) = begun.await?;
        let moment = Moment {
            link: self.clone(),
            number,
            client,
            timestamp: transaction.start_timestamp(),
        };
        Ok((transaction, moment))
    }
}

/// How committed values are read: the library looks for the servers in charge by itself.
fn reading() -> TransactionOptions {
    options(Backoff::equal_jitter_backoff(2, 500, 10))
}

/// How a transaction is committed: in one round trip where all keys are in one region. A request is sent once, so that a
/// refusal is no answer to a second try of the same commit. Commits by locks alone (async commit) would save a round
/// trip across regions; but the library's readers wait for ever for those that a client left behind.
fn committing(two_phases: bool) -> TransactionOptions {
    let options = options(Backoff::no_backoff());
    if two_phases { options } else { options.try_one_pc() }
}

fn options(regions: Backoff) -> TransactionOptions {
    TransactionOptions::new_optimistic()
        .drop_check(CheckLevel::None)
        .heartbeat_option(HeartbeatOption::NoHeartbeat)
        .retry_options(RetryOptions {
            region_backoff: regions,
            // About a second; whoever waits longer looks whether the owner of the lock is gone.
            lock_backoff: Backoff::equal_jitter_backoff(2, 200, 10),
        })
}

fn late(place: &str) -> Error {
    Error::new(ErrorKind::Timeout, format!("TiKV {place} does not answer"))
        .with_advice("Check that the placement drivers and the TiKV servers run and are reachable.")
}

/// Ends transactions whose owners are gone, by a client that knows where their regions are now.
async fn end_expired(client: &TransactionClient, locks: &[ProtoLockInfo]) {
    let Ok(Ok(now)) = tokio::time::timeout(REQUEST_LIMIT, client.current_timestamp()).await else {
        return;
    };
    for lock in locks {
        let began = Timestamp::from_version(lock.lock_version);
        let ends = began.physical.saturating_add_unsigned(lock.lock_ttl);
        if now.physical >= ends && !lock.key.is_empty() {
            // Some servers look at those that began before the given moment only.
            let before = Timestamp::from_version(lock.lock_version.saturating_add(1));
            let ended = end_locks(client, &lock.key, &before);
            if let Ok(Err(error)) = tokio::time::timeout(REQUEST_LIMIT, ended).await {
                tracing::debug!(%error, "a lock of a client that is gone stays for now");
            }
        }
    }
}

/// Ends every transaction that has a lock on a key and began before `before`: those that are complete are committed, the
/// others rolled back.
async fn end_locks(client: &TransactionClient, key: &[u8], before: &Timestamp) -> tikv_client::Result<()> {
    let options = ResolveLocksOptions {
        async_commit_only: false,
        batch_size: LOCKS_OF_A_KEY,
    };
    let span = key.to_vec()..behind(key.to_vec());
    client.cleanup_locks(span, before, options).await?;
    Ok(())
}

impl Moment {
    /// The number of the moment; later ones are higher.
    pub(super) fn version(&self) -> u64 {
        self.timestamp.version()
    }

    /// Values of keys, in one round trip per region; an empty value is none, as other clients see it.
    ///
    /// # Errors
    /// `Unavailable`, `Timeout`.
    pub(super) async fn values(&self, keys: &[Vec<u8>]) -> Result<Values> {
        if keys.is_empty() {
            return Ok(Values::new());
        }
        let first = keys.iter().min().cloned().unwrap_or_default();
        let last = keys.iter().max().cloned().unwrap_or_default();
        let span = (first, behind(last));
        let found = self.patiently(&span, |mut snapshot: Snapshot| async move {
            let pairs = snapshot.batch_get(keys.iter().cloned()).await?;
            Ok(pairs.map(pair).collect::<Vec<_>>())
        });
        let pairs = found.await?.into_iter();
        Ok(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The first pairs of a span, in the order of their keys.
    ///
    /// # Errors
    /// `Unavailable`, `Timeout`.
    pub(super) async fn pairs(&self, span: Span, limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let (span, asked) = (&span, limit);
        self.patiently(span, |mut snapshot: Snapshot| async move {
            let pairs = snapshot.scan(span.0.clone()..span.1.clone(), asked).await?;
            Ok(pairs.map(pair).collect())
        })
        .await
    }

    /// The first keys of a span, in their order.
    ///
    /// # Errors
    /// `Unavailable`, `Timeout`.
    pub(super) async fn keys(&self, span: Span, limit: usize) -> Result<Vec<Vec<u8>>> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let (span, asked) = (&span, limit);
        self.patiently(span, |mut snapshot: Snapshot| async move {
            let keys = snapshot.scan_keys(span.0.clone()..span.1.clone(), asked).await?;
            Ok(keys.map(Vec::from).collect())
        })
        .await
    }

    /// Asks for keys of a span.
    async fn patiently<T, F>(&self, span: &Span, ask: impl Fn(Snapshot) -> F) -> Result<T>
    where
        F: Future<Output = tikv_client::Result<T>>,
    {
        let mut patience = Patience::new();
        let (mut number, mut client) = (self.number, self.client.clone());
        loop {
            let snapshot = client.snapshot(self.timestamp.clone(), reading());
            let Ok(answer) = tokio::time::timeout_at(patience.deadline, ask(snapshot)).await else {
                self.link.forget(number).await;
                return Err(late(&self.link.address.shown));
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(tikv_client::Error::ResolveLockError(locks)) if patience.pause().await => {
                    end_expired(&client, &locks).await;
                }
                Err(error) if is_orphan_lock(&error) && patience.pause().await => {
                    self.end_orphans(&client, span).await;
                }
                Err(error) if is_unconnected(&error) && patience.pause().await => {
                    self.link.forget(number).await;
                    if let Ok(fresh) = self.link.client().await {
                        (number, client) = fresh;
                    }
                }
                Err(error) if is_passing(&error) && patience.pause().await => {}
                Err(error) => return Err(failure(&self.link.address.shown, &error)),
            }
        }
    }

    /// Ends transactions whose owners are gone. The library does so by itself except for those that were committed by
    /// their locks alone, which it leaves as they are.
    pub(super) async fn end_expired(&self, locks: &[ProtoLockInfo]) {
        end_expired(&self.client, locks).await;
    }

    /// Ends transactions whose first key was never locked, so that only the locks themselves tell of them.
    async fn end_orphans(&self, client: &TransactionClient, span: &Span) {
        let range = span.0.clone()..span.1.clone();
        let found = client.scan_locks(&self.timestamp, range, LOCKS_OF_A_SPAN);
        if let Ok(Ok(locks)) = tokio::time::timeout(REQUEST_LIMIT, found).await {
            end_expired(client, &locks).await;
        }
    }

    /// Ends the transaction of this client that began at this moment, whose first key decides it, without waiting until
    /// its locks end by themselves. Only to save that time: nothing rests on its success.
    pub(super) async fn end_own(&self, keys: &[Vec<u8>]) {
        let Some(first) = keys.first() else { return };
        let lock = ProtoLockInfo {
            key: first.clone(),
            primary_lock: first.clone(),
            lock_version: self.version(),
            ..ProtoLockInfo::default()
        };
        let ended = async {
            let now = self.client.current_timestamp().await?;
            let once = Backoff::no_backoff();
            self.client.resolve_locks(vec![lock], now, once).await
        };
        if let Ok(Err(error)) = tokio::time::timeout(REQUEST_LIMIT, ended).await {
            tracing::debug!(%error, "the fate of a commit is not decided yet");
        }
    }

    /// Removes versions that nobody needs any more, older than this moment less `kept`.
    ///
    /// # Errors
    /// `Unavailable`, `Timeout`.
    pub(super) async fn drop_versions(&self, kept: Duration) -> Result<()> {
        let milliseconds = u64::try_from(kept.as_millis()).unwrap_or(u64::MAX);
        let safe_point = Timestamp {
            physical: self
                .timestamp
                .physical
                .saturating_sub_unsigned(milliseconds)
                .max(0),
            ..Timestamp::default()
        };
        let Err(error) = self.client.gc(safe_point).await else {
            return Ok(());
        };
        self.forget().await;
        Err(failure(&self.link.address.shown, &error))
    }

    /// Gives up the client that this moment was taken with, so that later requests find stores by a new one.
    pub(super) async fn forget(&self) {
        self.link.forget(self.number).await;
    }
}

fn pair(pair: KvPair) -> (Vec<u8>, Vec<u8>) {
    let KvPair(key, value) = pair;
    (key.into(), value)
}

/// How long a request is repeated.
pub(super) struct Patience {
    deadline: Instant,
    pause: Duration,
}

impl Patience {
    pub(super) fn new() -> Patience {
        Patience {
            deadline: Instant::now() + ANSWER_LIMIT,
            pause: FIRST_PAUSE,
        }
    }

    /// Waits before the next try; `false` when there is to be none.
    pub(super) async fn pause(&mut self) -> bool {
        if Instant::now() >= self.deadline {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}
