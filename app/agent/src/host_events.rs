//! Sleep of this computer and changes of its network: what hangs on old connections, and what waits for its next attempt, is
//! tried again at once.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use moorage_control::message::Topic;
use moorage_control::mount::{MountRequest, ask};
use moorage_host::{HostEvent, HostEvents, host_events};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep};

use crate::agent::Agent;
use crate::moment::Moment;
use crate::mounts::MountTable;
use crate::reading::PATIENCE;

/// Between two attempts to find somebody who tells of events: a bus that is started again is found soon, and a system that has
/// none is not kept busy.
const RETRY: Duration = Duration::from_secs(60);
/// Events that wait to be acted on; of more the last ones say the same.
const MOST_WAITING: usize = 8;
/// Events that follow each other within this are one: a network that comes changes several times.
const SETTLING: Duration = Duration::from_millis(500);

/// Goes on until it is dropped.
///
/// # Cancel safety
/// Safe: the thread that listens ends with its next event.
pub(crate) async fn follow_host<T: MountTable>(agent: Arc<Agent<T>>) {
    loop {
        match spawn_blocking(host_events).await {
            Ok(Ok(events)) => serve(&agent, events).await,
            Ok(Err(error)) => tracing::debug!("{error}"),
            Err(error) => tracing::error!(%error, "nobody listens for sleep and network"),
        }
        sleep(RETRY).await;
    }
}

/// Acts on events until nobody tells of any more.
async fn serve<T: MountTable>(agent: &Arc<Agent<T>>, mut events: Box<dyn HostEvents>) {
    let (tell, mut told) = mpsc::channel(MOST_WAITING);
    // A thread of its own: it blocks for hours.
    let listening = thread::Builder::new()
        .name("host-events".to_owned())
        .spawn(move || {
            loop {
                match events.next() {
                    Ok(event) => {
                        if tell.blocking_send(event).is_err() {
                            return;
                        }
                    }
                    Err(error) => return tracing::debug!("{error}"),
                }
            }
        });
    if let Err(error) = listening {
        tracing::error!(%error, "nobody listens for sleep and network");
        return;
    }
    while let Some(event) = told.recv().await {
        tracing::info!(?event, "of this computer");
        match event {
            HostEvent::Sleeping => {}
            HostEvent::Woke | HostEvent::Online => {
                let settled = Instant::now() + SETTLING;
                while let Ok(Some(_)) = tokio::time::timeout_at(settled, told.recv()).await {}
                agent.begin_again().await;
            }
        }
    }
}

impl<T: MountTable> Agent<T> {
    /// The network may be another one, or there again: mounts try again what hangs and what waits, volumes that could not be
    /// mounted are tried now, and what is known of the surroundings is looked up.
    async fn begin_again(self: &Arc<Self>) {
        for kept in &mut self.state().volumes {
            kept.keeper.begin_again(Moment::now());
        }
        self.wake.notify_one();
        let table = Arc::clone(&self.table);
        let processes = spawn_blocking(move || table.all_processes()).await;
        let mut telling = JoinSet::new();
        for socket in processes.unwrap_or_default() {
            telling.spawn(async move {
                let told = ask(&socket, MountRequest::Retry, PATIENCE).await;
                told.map_err(|error| (socket, error))
            });
        }
        while let Some(told) = telling.join_next().await {
            if let Ok(Err((socket, error))) = told {
                tracing::debug!(socket = %socket.display(), "a mount did not hear of the network: {error}");
            }
        }
        self.look_around_once().await;
        // What was read before says nothing of now.
        self.changes.record(Topic::Volumes);
    }
}
