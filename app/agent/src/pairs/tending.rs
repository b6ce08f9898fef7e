//! Starting and ending the processes of pairs, and taking in what they say.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use moorage_control::message::Topic;
use moorage_control::settings::Pause;
use moorage_control::state::VolumeState;
use moorage_control::sync::SyncPairId;
use moorage_control::sync_work::{SyncReport, SyncTask};
use moorage_control::volume::VolumeId;
use tokio::time::timeout;

use super::kept::{Hold, KeptPair, PairStep};
use super::process;
use crate::agent::{Agent, State};
use crate::moment::Moment;
use crate::mounts::MountTable;

/// How long an unmount waits for the processes of pairs to end; they are killed long before.
const PATIENCE: Duration = Duration::from_secs(5);

impl State {
    /// What holds a pair.
    pub(crate) fn hold_of(&self, pair: &KeptPair, now: Moment) -> Option<Hold> {
        if pair.entry.paused {
            return Some(Hold::Paused { all: false });
        }
        if self.pause.at(now.wall) != Pause::Running {
            return Some(Hold::Paused { all: true });
        }
        if let Some(rule) = self.held() {
            return Some(Hold::Ruled(rule));
        }
        let kept = self.find(&pair.entry.settings.volume).ok()?;
        let serves = matches!(
            kept.keeper.state(!kept.entry.secrets.is_empty(), now),
            VolumeState::Mounted | VolumeState::Degraded { .. }
        );
        (!serves).then_some(Hold::Unmounted)
    }
}

impl<T: MountTable> Agent<T> {
    /// Where a pair keeps what it knows.
    pub(super) fn state_of(&self, id: &SyncPairId) -> PathBuf {
        self.places.pairs.join(format!("{}.db", id.0))
    }

    /// Does what is to be done about the pairs now, and tells clients which are not as they were told last.
    pub(crate) fn tend_pairs(self: &Arc<Self>, state: &mut State) {
        let now = Moment::now();
        let holds: Vec<Option<Hold>> = state.pairs.iter().map(|pair| state.hold_of(pair, now)).collect();
        let points: Vec<Option<String>> = state
            .pairs
            .iter()
            .map(|pair| {
                let volume = state.find(&pair.entry.settings.volume).ok()?;
                Some(volume.entry.settings.mount_point.clone())
            })
            .collect();
        let mut changed = false;
        for ((pair, hold), point) in state.pairs.iter_mut().zip(holds).zip(points) {
            match (pair.next(hold, pair.process.is_some(), now), point) {
                (Some(PairStep::Start), Some(point)) => self.start_pair(pair, point, now),
                (Some(PairStep::Stop), _) => stop(pair),
                _ => {}
            }
            let shown = pair.pair(hold);
            if pair.shown.as_ref() != Some(&shown) {
                pair.shown = Some(shown);
                changed = true;
            }
        }
        if changed {
            self.changes.record(Topic::SyncPairs);
        }
    }

    fn start_pair(self: &Arc<Self>, pair: &mut KeptPair, mount_point: String, now: Moment) {
        let entry = &pair.entry;
        tracing::info!(folder = entry.settings.local_folder, "keeping in sync");
        let task = SyncTask {
            id: Some(entry.id.clone()),
            settings: entry.settings.clone(),
            mount_point,
            state: Some(self.state_of(&entry.id).display().to_string()),
        };
        pair.generation += 1;
        let generation = pair.generation;
        let (agent, id) = (Arc::clone(self), entry.id.clone());
        let told = move |report| agent.pair_reported(&id, generation, report);
        let (agent, id) = (Arc::clone(self), entry.id.clone());
        let crashed = move |why| agent.pair_crashed(&id, generation, why);
        pair.process = Some(process::start(&self.places.program, task, told, crashed));
        pair.started(now);
    }

    fn pair_reported(self: &Arc<Self>, id: &SyncPairId, generation: u64, report: SyncReport) {
        let mut state = self.state();
        let pair = state.pairs.iter_mut().find(|pair| pair.entry.id == *id);
        let Some(pair) = pair.filter(|pair| pair.generation == generation && pair.process.is_some()) else {
            return;
        };
        if let SyncReport::Failed { problem, .. } = &report {
            let (folder, cause) = (&pair.entry.settings.local_folder, problem.cause.as_deref());
            tracing::warn!(folder, cause, "not in sync: {problem}");
        }
        pair.reported(report, Moment::now());
        self.tend_pairs(&mut state);
    }

    fn pair_crashed(self: &Arc<Self>, id: &SyncPairId, generation: u64, why: String) {
        let mut state = self.state();
        let pair = state.pairs.iter_mut().find(|pair| pair.entry.id == *id);
        let Some(pair) = pair.filter(|pair| pair.generation == generation && pair.process.is_some()) else {
            return;
        };
        tracing::error!(
            folder = pair.entry.settings.local_folder,
            "the process of the pair ended: {why}"
        );
        pair.process = None;
        pair.crashed(why, Moment::now());
        self.tend_pairs(&mut state);
    }

    /// Ends the processes of the pairs of a volume, which would keep it in use. They are started again when it is mounted.
    pub(crate) async fn end_pairs_of(&self, volume: &VolumeId) {
        let leaving: Vec<_> = {
            let mut state = self.state();
            let pairs = state.pairs.iter_mut();
            pairs
                .filter(|pair| pair.entry.settings.volume == *volume)
                .filter_map(|pair| {
                    stop(pair);
                    pair.leaving.take()
                })
                .collect()
        };
        for process in leaving {
            if timeout(PATIENCE, process).await.is_err() {
                tracing::warn!("the process of a pair does not end");
            }
        }
    }
}

/// Tells the process of a pair to end.
pub(super) fn stop(pair: &mut KeptPair) {
    if let Some(process) = pair.process.take() {
        drop(process.orders);
        pair.leaving = Some(process.task);
        pair.stopped();
    }
}
