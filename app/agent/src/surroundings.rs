//! Rules that hold transfers by themselves: what this computer says of its network and its power is looked at, and mount
//! processes and sync pairs are held as by a pause.

use std::sync::Arc;
use std::time::Duration;

use moorage_control::message::Topic;
use moorage_control::settings::{HoldRule, Pause, Surroundings};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::agent::{Agent, State};
use crate::moment::Moment;
use crate::mounts::MountTable;

/// Between two looks: a person who takes the cable out sees what follows, and asking costs some messages.
const ROUND: Duration = Duration::from_secs(5);
/// How long a look may take; what a bus does not say in time is not known.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks again and again until it is dropped: while a rule is chosen, or somebody follows the changes.
///
/// # Cancel safety
/// Safe.
pub(crate) async fn look_around<T: MountTable>(agent: Arc<Agent<T>>) {
    loop {
        let (chosen, followed) = {
            let settings = &agent.state().settings;
            let chosen = settings.hold_on_metered || settings.hold_on_battery;
            (chosen, agent.changes.is_followed())
        };
        if chosen || followed {
            agent.look_around_once().await;
        }
        sleep(ROUND).await;
    }
}

impl State {
    /// The rule that holds transfers now.
    pub(crate) fn held(&self) -> Option<HoldRule> {
        self.settings.held_in(self.surroundings)
    }

    /// What mount processes are told: the person's pause, or that of a rule, which lasts until it is taken back.
    pub(crate) fn pause_now(&self, now: Moment) -> Pause {
        match self.pause.at(now.wall) {
            Pause::Running if self.held().is_some() => Pause::Paused { until: None },
            pause => pause,
        }
    }
}

impl<T: MountTable> Agent<T> {
    /// Looks, and has what follows from it done.
    pub(crate) async fn look_around_once(self: &Arc<Self>) {
        let looked = timeout(PATIENCE, spawn_blocking(moorage_host::Surroundings::now));
        let seen = looked.await.ok().and_then(Result::ok).unwrap_or_default();
        let seen = Surroundings {
            metered: seen.metered,
            on_battery: seen.on_battery,
        };
        let changed = {
            let mut state = self.state();
            let changed = state.surroundings != seen;
            state.surroundings = seen;
            changed
        };
        if changed {
            tracing::info!(?seen, "the network or the power changed");
            self.changes.record(Topic::Pause);
            self.tell_all_of_pause().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use moorage_control::settings::Settings;
    use moorage_control::state::Timestamp;

    use super::*;

    #[test]
    fn a_rule_holds_as_a_pause_does_and_the_end_of_a_pause_does_not_end_it() {
        let now = Moment::now();
        let mut state = State {
            settings: Settings {
                hold_on_metered: true,
                ..Settings::default()
            },
            pause: Pause::Running,
            surroundings: Surroundings::default(),
            volumes: Vec::new(),
            pairs: Vec::new(),
            leftover: Vec::new(),
            transfers: crate::transfers::TransferList::default(),
            notices: Vec::new(),
        };
        assert_eq!(state.pause_now(now), Pause::Running);
        state.surroundings.metered = Some(true);
        let held = Pause::Paused { until: None };
        assert_eq!(
            (state.held(), state.pause_now(now)),
            (Some(HoldRule::Metered), held)
        );
        let until = Some(Timestamp(now.wall.0 + 1000));
        state.pause = Pause::Paused { until };
        assert_eq!(state.pause_now(now), Pause::Paused { until });
        state.pause = Pause::Paused {
            until: Some(Timestamp(now.wall.0)),
        };
        assert_eq!(state.pause_now(now), held);
    }
}
