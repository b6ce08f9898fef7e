//! The volumes of the agent, and all that changes them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moorage_control::changes::ChangeLog;
use moorage_control::message::Topic;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::VolumeSecrets;
use moorage_control::settings::{Pause, Settings, Surroundings};
use moorage_control::truth::Truth;
use moorage_control::volume::{Volume, VolumeId};
use tokio::sync::{Notify, Semaphore, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::condition::with_reasons;
use crate::health::Health;
use crate::keeper::{Event, Keeper, Step};
use crate::limits::Limits;
use crate::moment::Moment;
use crate::mounts::{MountTable, Watched};
use crate::pairs::KeptPair;
use crate::reading::Hearing;
use crate::run::Options;
use crate::secret_kind::Leftover;
use crate::settings_file::{Content, Entry, SettingsFile};
use crate::transfers::TransferList;
use crate::trash::TrashJobs;
use crate::trouble::lasting;
use crate::vault::Vault;
use crate::volume_command::MOST_COMMANDS;
use crate::{mount_command, unmounting};

/// Most notices that are kept; the oldest give way.
const MOST_NOTICES: usize = 20;

/// What the agent knows, shared by all its tasks.
pub(crate) struct Agent<T> {
    pub(crate) table: Arc<T>,
    pub(crate) places: Options,
    pub(crate) changes: ChangeLog,
    pub(crate) vault: Vault,
    /// Whoever changes the list or the settings holds this from reading them to having them saved.
    pub(crate) file: tokio::sync::Mutex<SettingsFile>,
    state: Mutex<State>,
    /// When the last reading of all volumes began; held while one is under way.
    pub(crate) read_at: tokio::sync::Mutex<Option<Instant>>,
    /// Which mount process has which share of the limits; held while they are told.
    pub(crate) limits: tokio::sync::Mutex<Limits>,
    /// Places of commands that work on a volume for a client.
    pub(crate) commands: Semaphore,
    /// Something is to be looked at sooner than at the next round.
    pub(crate) wake: Notify,
    /// Becomes true when the agent is to end.
    pub(crate) stop: watch::Sender<bool>,
}

pub(crate) struct State {
    pub(crate) settings: Settings,
    /// As it was asked for last; it may have ended since.
    pub(crate) pause: Pause,
    /// What was seen of the network and the power last.
    pub(crate) surroundings: Surroundings,
    pub(crate) volumes: Vec<Kept>,
    pub(crate) pairs: Vec<KeptPair>,
    /// What is to be removed from the store of secrets when it is open.
    pub(crate) leftover: Vec<Leftover>,
    pub(crate) transfers: TransferList,
    pub(crate) notices: Vec<Problem>,
}

/// A volume of the list with what is known of it.
pub(crate) struct Kept {
    pub(crate) entry: Entry,
    /// Its secrets, while they are not in the store of secrets yet.
    pub(crate) held: Option<VolumeSecrets>,
    pub(crate) keeper: Keeper,
    /// What was heard of its mount process last.
    pub(crate) hearing: Hearing,
    pub(crate) truth: Truth,
    /// Checks of it, and what was freed.
    pub(crate) health: Health,
    /// What is done about its trash.
    pub(crate) trash: TrashJobs,
    /// Grows with everything that is done, so that what was seen before is not taken for its result.
    pub(crate) deeds: u64,
    /// As clients were told last.
    pub(crate) shown: Option<Volume>,
    start: Option<AbortHandle>,
}

impl Kept {
    pub(crate) fn new(entry: Entry, held: Option<VolumeSecrets>, mount: bool) -> Kept {
        Kept {
            keeper: Keeper::new(mount),
            health: Health::remembered(entry.last_check.clone()),
            trash: TrashJobs::default(),
            entry,
            held,
            hearing: Hearing::default(),
            truth: Truth::Unknown {
                message: "the volume was not looked at yet".to_owned(),
            },
            deeds: 0,
            shown: None,
            start: None,
        }
    }

    /// As a client shows it.
    pub(crate) fn volume(&self, now: Moment) -> Volume {
        let has_secrets = !self.entry.secrets.is_empty();
        Volume {
            id: self.entry.id.clone(),
            settings: self.entry.settings.clone(),
            state: with_reasons(self.keeper.state(has_secrets, now), &self.hearing.reasons),
            truth: self.truth.clone(),
            figures: self.hearing.report.as_ref().map(|report| report.figures.clone()),
        }
    }

    pub(crate) fn watched(&self) -> Watched {
        Watched {
            settings: self.entry.settings.clone(),
            uuid: self.entry.uuid.clone(),
        }
    }

    /// A person wants it unmounted.
    pub(crate) fn unmount(&mut self, lazy: bool) {
        self.deeds += 1;
        if self.keeper.unmount(lazy)
            && let Some(start) = self.start.take()
        {
            start.abort();
        }
    }
}

impl State {
    pub(crate) fn find(&self, id: &VolumeId) -> Result<&Kept, Problem> {
        let found = self.volumes.iter().find(|kept| kept.entry.id == *id);
        found.ok_or_else(|| unknown(id))
    }

    pub(crate) fn find_mut(&mut self, id: &VolumeId) -> Result<&mut Kept, Problem> {
        let found = self.volumes.iter_mut().find(|kept| kept.entry.id == *id);
        found.ok_or_else(|| unknown(id))
    }

    pub(crate) fn content(&self) -> Content {
        Content {
            settings: self.settings.clone(),
            volumes: self.volumes.iter().map(|kept| kept.entry.clone()).collect(),
            sync_pairs: self.pairs.iter().map(|pair| pair.entry.clone()).collect(),
            leftover: self.leftover.clone(),
        }
    }

    /// Adds a notice, unless it is there already.
    pub(crate) fn notice(&mut self, notice: Problem) {
        if self.notices.contains(&notice) {
            return;
        }
        if self.notices.len() >= MOST_NOTICES {
            self.notices.remove(0);
        }
        self.notices.push(notice);
    }
}

fn unknown(id: &VolumeId) -> Problem {
    lasting(
        ProblemCode::NotFound,
        format!("there is no volume {:?} in the list", id.0),
        "Look at the list, as `moorage volume list` shows it.",
    )
}

impl<T: MountTable> Agent<T> {
    pub(crate) fn new(
        table: T,
        places: Options,
        file: SettingsFile,
        content: Content,
        pause: Pause,
        notices: Vec<Problem>,
    ) -> Agent<T> {
        let volumes = content.volumes.into_iter().map(|entry| {
            let at_start = entry.settings.options.mount_at_start;
            Kept::new(entry, None, at_start)
        });
        Agent {
            table: Arc::new(table),
            vault: Vault::new(places.secrets.clone(), content.settings.secret_store),
            places,
            changes: ChangeLog::default(),
            file: tokio::sync::Mutex::new(file),
            state: Mutex::new(State {
                settings: content.settings,
                pause,
                surroundings: Surroundings::default(),
                volumes: volumes.collect(),
                pairs: content.sync_pairs.into_iter().map(KeptPair::new).collect(),
                leftover: content.leftover,
                transfers: TransferList::default(),
                notices,
            }),
            read_at: tokio::sync::Mutex::default(),
            limits: tokio::sync::Mutex::default(),
            commands: Semaphore::new(MOST_COMMANDS),
            wake: Notify::new(),
            stop: watch::Sender::new(false),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins what is to be done about a volume now. The receiver gets the outcome of an unmount.
    pub(crate) fn act(self: &Arc<Self>, kept: &mut Kept) -> Option<oneshot::Receiver<Problem>> {
        let step = kept.keeper.next(Moment::now())?;
        kept.deeds += 1;
        match step {
            Step::Start => {
                tracing::info!(volume = kept.entry.settings.name, "mounting");
                let (agent, entry) = (Arc::clone(self), kept.entry.clone());
                let held = kept.held.clone();
                let task = tokio::spawn(async move {
                    let outcome = agent.start_mount(&entry, held).await;
                    agent.started(&entry, outcome);
                });
                kept.start = Some(task.abort_handle());
                None
            }
            Step::Stop { lazy } => {
                tracing::info!(volume = kept.entry.settings.name, lazy, "unmounting");
                let (agent, entry) = (Arc::clone(self), kept.entry.clone());
                let watched = kept.watched();
                let (refused, refusal) = oneshot::channel();
                tokio::spawn(async move {
                    agent.end_pairs_of(&entry.id).await;
                    let outcome = unmounting::take_away(&agent.table, watched, lazy).await;
                    agent.stopped(&entry, outcome, refused);
                });
                Some(refusal)
            }
        }
    }

    async fn start_mount(&self, entry: &Entry, held: Option<VolumeSecrets>) -> Result<(), Problem> {
        let secrets = self.secrets_of(entry, held).await?;
        if let Ok(kept) = self.state().find_mut(&entry.id) {
            kept.keeper.has_secrets();
        }
        mount_command::start(&self.places.program, &entry.settings, &secrets).await
    }

    fn started(&self, entry: &Entry, outcome: Result<(), Problem>) {
        if let Err(problem) = &outcome {
            let cause = problem.cause.as_deref();
            tracing::warn!(volume = entry.settings.name, cause, "not mounted: {problem}");
        }
        if let Ok(kept) = self.state().find_mut(&entry.id) {
            kept.deeds += 1;
            kept.start = None;
            kept.keeper.started(outcome, Moment::now());
        }
        self.wake.notify_one();
    }

    /// Nobody may be waiting for the refusal any more: then it becomes a notice.
    fn stopped(&self, entry: &Entry, outcome: Result<(), Problem>, refused: oneshot::Sender<Problem>) {
        let mut state = self.state();
        if let Ok(kept) = state.find_mut(&entry.id) {
            kept.deeds += 1;
            kept.keeper.stopped(outcome.is_ok());
        }
        if let Err(problem) = outcome {
            tracing::warn!(volume = entry.settings.name, "not unmounted: {problem}");
            if let Err(unheard) = refused.send(problem) {
                state.notice(unheard);
            }
        }
        drop(state);
        self.wake.notify_one();
    }

    /// What a person should hear of a volume, beside its state.
    pub(crate) fn tell(state: &mut State, name: &str, event: Event) {
        match event {
            Event::Crashed { times } => {
                tracing::error!(volume = name, times, "the mount process ended unexpectedly");
                state.notices.retain(|notice| !is_crash_of(notice, name));
                state.notice(lasting(
                    ProblemCode::MountCrashed,
                    crash_message(name),
                    "It is brought back by itself. If that happens again, look at the log of the mount and report it.",
                ));
            }
            Event::UnmountedByOthers => {
                tracing::info!(volume = name, "unmounted by somebody else, and left so");
            }
            Event::Lost(text) => tracing::error!(volume = name, "the mount ended with unstored data: {text}"),
        }
    }

    /// Tells clients which volumes are not as they were told last.
    pub(crate) fn publish(&self, state: &mut State) {
        let now = Moment::now();
        for kept in &mut state.volumes {
            let volume = kept.volume(now);
            if kept.shown.as_ref() != Some(&volume) {
                let id = volume.id.clone();
                kept.shown = Some(volume);
                self.changes.record(Topic::Volume { id });
            }
        }
    }
}

fn crash_message(name: &str) -> String {
    format!("the mount process of {name} ended unexpectedly")
}

fn is_crash_of(notice: &Problem, name: &str) -> bool {
    notice.code == ProblemCode::MountCrashed && notice.message == crash_message(name)
}
