//! The rounds in which the agent looks at its volumes and does what is to be done.

use std::sync::Arc;
use std::time::Duration;

use moorage_control::volume::VolumeId;
use tokio::task::spawn_blocking;

use crate::agent::Agent;
use crate::moment::Moment;
use crate::mounts::{Look, MountTable, Watched};

/// Between two rounds. What it reads is in memory: a table of the kernel, and a small file for each volume.
const ROUND: Duration = Duration::from_secs(1);

/// What was seen of one volume, and what had been done about it before the look.
struct Seen {
    id: VolumeId,
    deeds: u64,
    look: Look,
}

/// Goes on until it is dropped.
///
/// # Cancel safety
/// Safe: what a round has not applied is seen in the next one of another agent.
pub(crate) async fn watch<T: MountTable>(agent: Arc<Agent<T>>) {
    loop {
        let seen = look(&agent).await;
        let learned = apply(&agent, seen);
        agent.end_pause_in_time();
        if learned {
            agent.save_learned().await;
        }
        tokio::select! {
            () = tokio::time::sleep(ROUND) => {}
            () = agent.wake.notified() => {}
        }
    }
}

async fn look<T: MountTable>(agent: &Arc<Agent<T>>) -> Vec<Seen> {
    let volumes: Vec<(VolumeId, u64, Watched)> = agent
        .state()
        .volumes
        .iter()
        .map(|kept| (kept.entry.id.clone(), kept.deeds, kept.watched()))
        .collect();
    let table = Arc::clone(&agent.table);
    let looked = spawn_blocking(move || {
        let watched: Vec<Watched> = volumes.iter().map(|(_, _, watched)| watched.clone()).collect();
        let looks = table.look(&watched);
        let seen = volumes.into_iter().zip(looks);
        seen.map(|((id, deeds, _), look)| Seen { id, deeds, look })
            .collect()
    });
    looked.await.unwrap_or_else(|error| {
        tracing::error!(%error, "the volumes could not be looked at");
        Vec::new()
    })
}

/// Takes in what was seen, and does what follows from it. Whether an identity was learned that is not saved yet.
fn apply<T: MountTable>(agent: &Arc<Agent<T>>, seen: Vec<Seen>) -> bool {
    let now = Moment::now();
    let mut learned = false;
    let mut state = agent.state();
    for seen in seen {
        let Ok(kept) = state.find_mut(&seen.id) else {
            continue;
        };
        let Look { sighting, uuid, .. } = seen.look;
        if uuid.is_some() && kept.entry.uuid != uuid {
            kept.entry.uuid = uuid;
            learned = true;
        }
        if kept.deeds != seen.deeds {
            // The look may be older than what was done; the next one is not.
            agent.wake.notify_one();
            continue;
        }
        let event = kept.keeper.saw(sighting, now);
        let name = kept.entry.settings.name.clone();
        if let Some(event) = event {
            Agent::<T>::tell(&mut state, &name, event);
        }
    }
    for kept in &mut state.volumes {
        // An unmount that is refused later becomes a notice.
        drop(agent.act(kept));
    }
    agent.publish(&mut state);
    agent.tend_pairs(&mut state);
    learned
}

impl<T: MountTable> Agent<T> {
    async fn save_learned(&self) {
        let mut file = self.file.lock().await;
        let content = self.state().content();
        if let Err(problem) = file.save(&content) {
            tracing::warn!("what was learned of a volume is not kept: {problem}");
        }
    }
}
