//! Checks of a volume, and freeing what it takes for nothing: `moorage fsck` and `moorage gc` do the work, one of them at a
//! time for each volume, and for as long as it takes.

mod command;
mod job;

pub(crate) use job::Health;

use std::sync::Arc;

use moorage_control::health::HealthWork;
use moorage_control::job::JobProgress;
use moorage_control::message::{Response, Topic};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::VolumeSecrets;
use moorage_control::volume::VolumeId;

use self::command::{Outcome, Task};
use crate::agent::Agent;
use crate::job::Begun;
use crate::moment::Moment;
use crate::mounts::MountTable;
use crate::service::Desk;
use crate::settings_file::Entry;
use crate::trouble::passing;

/// Volumes that are worked on at once: each reads a whole database and lists a whole store.
const MOST_AT_WORK: usize = 2;

impl<T: MountTable> Desk<T> {
    pub(crate) fn health(&self, id: &VolumeId) -> Result<Response, Problem> {
        let health = self.0.state().find(id)?.health.shown(Moment::now().instant);
        Ok(Response::VolumeHealth {
            health: Box::new(health),
        })
    }

    /// Begins the work; that it has begun is the answer.
    pub(crate) fn start_health(&self, id: &VolumeId, work: HealthWork) -> Result<Response, Problem> {
        let (entry, held, task, begun) = {
            let mut state = self.0.state();
            let at_work = state.volumes.iter().filter(|kept| kept.health.is_running());
            let busy = at_work.count() >= MOST_AT_WORK;
            let kept = state.find_mut(id)?;
            if busy && !kept.health.is_running() {
                return Err(passing(
                    ProblemCode::WrongState,
                    format!("{MOST_AT_WORK} other volumes are being checked or freed"),
                    "Try it again when one of them is done, or cancel one.",
                ));
            }
            let (task, begun) = kept.health.begin(work, Moment::now())?;
            (kept.entry.clone(), kept.held.clone(), task, begun)
        };
        self.0.changes.record(Topic::VolumeHealth { id: id.clone() });
        let agent = Arc::clone(&self.0);
        tokio::spawn(async move {
            let number = begun.number;
            let outcome = agent.work_on_health(&entry, held, task, begun).await;
            agent.change_health(&entry.id, |health| health.end(number, outcome, Moment::now()));
            agent.remember_check(&entry.id).await;
        });
        self.health(id)
    }

    /// Tells the work to end; that it was told is the answer.
    pub(crate) fn cancel_health(&self, id: &VolumeId) -> Result<Response, Problem> {
        self.0.state().find_mut(id)?.health.cancel()?;
        self.0.changes.record(Topic::VolumeHealth { id: id.clone() });
        self.health(id)
    }
}

impl<T: MountTable> Agent<T> {
    async fn work_on_health(
        &self,
        entry: &Entry,
        held: Option<VolumeSecrets>,
        task: Task,
        begun: Begun,
    ) -> Result<Outcome, Problem> {
        let Begun {
            number,
            mut cancelled,
        } = begun;
        let secrets = tokio::select! {
            // The store of secrets may ask a person first.
            secrets = self.secrets_of(entry, held) => secrets?,
            () = cancelled.told() => return Ok(Outcome::Cancelled),
        };
        let told = |progress: JobProgress| {
            self.change_health(&entry.id, |health| health.advance(number, progress));
        };
        let program = &self.places.program;
        command::run(program, &entry.settings, task, &secrets, &mut cancelled, told)
            .await
            .inspect_err(|problem| {
                let cause = problem.cause.as_deref();
                tracing::warn!(volume = entry.settings.name, cause, "{problem}");
            })
    }

    /// Keeps what the last check found for the time after a restart. When the disk refuses, it is known until then.
    async fn remember_check(&self, id: &VolumeId) {
        let mut file = self.file.lock().await;
        let content = {
            let mut state = self.state();
            let Ok(kept) = state.find_mut(id) else { return };
            let last = kept.health.last_check();
            if kept.entry.last_check == last {
                return;
            }
            kept.entry.last_check = last;
            state.content()
        };
        if let Err(problem) = file.save(&content) {
            let cause = problem.cause.as_deref();
            tracing::warn!(cause, "what a check found is not kept: {problem}");
        }
    }

    /// A volume that is not in the list any more is nobody's concern.
    fn change_health(&self, id: &VolumeId, change: impl FnOnce(&mut Health)) {
        if let Ok(kept) = self.state().find_mut(id) {
            change(&mut kept.health);
            self.changes.record(Topic::VolumeHealth { id: id.clone() });
        }
    }
}
