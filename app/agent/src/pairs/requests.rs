//! What clients ask about pairs.

use std::time::Duration;

use moorage_control::message::{Response, Topic};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::settings::HoldRule;
use moorage_control::sync::{SyncAnswer, SyncConflict, SyncKeep, SyncMode, SyncPairId, SyncPairSettings};
use moorage_control::sync_work::{SyncOrder, SyncTask};
use moorage_host::Folders;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::kept::{Hold, KeptPair, PairEntry};
use super::tending::stop;
use super::{process, validity};
use crate::agent::State;
use crate::child;
use crate::moment::Moment;
use crate::mounts::MountTable;
use crate::service::Desk;
use crate::trouble::{caused, lasting, of_host, passing};

/// How long both sides of a pair may be looked at for a preview.
const PREVIEW_DEADLINE: Duration = Duration::from_secs(600);
/// How long the folders in one folder of both sides may be looked for.
const FOLDERS_DEADLINE: Duration = Duration::from_secs(30);
/// How long a removed pair's process may take to end; it is killed long before.
const END_OF_PROCESS: Duration = Duration::from_secs(5);

impl State {
    fn find_pair(&mut self, id: &SyncPairId) -> Result<&mut KeptPair, Problem> {
        let found = self.pairs.iter_mut().find(|pair| pair.entry.id == *id);
        found.ok_or_else(|| unknown(id))
    }
}

fn unknown(id: &SyncPairId) -> Problem {
    lasting(
        ProblemCode::NotFound,
        format!("there is no sync pair {:?} in the list", id.0),
        "Look at the list, as `moorage pair list` shows it.",
    )
}

impl<T: MountTable> Desk<T> {
    pub(crate) fn pairs(&self) -> Response {
        let now = Moment::now();
        let state = self.0.state();
        let pairs = state.pairs.iter();
        Response::SyncPairs {
            pairs: pairs.map(|pair| pair.pair(state.hold_of(pair, now))).collect(),
        }
    }

    fn pair(&self, id: &SyncPairId) -> Result<Response, Problem> {
        let state = self.0.state();
        let found = state.pairs.iter().find(|pair| pair.entry.id == *id);
        let pair = found.ok_or_else(|| unknown(id))?;
        let pair = Box::new(pair.pair(state.hold_of(pair, Moment::now())));
        Ok(Response::SyncPair { pair })
    }

    pub(crate) async fn add_pair(&self, settings: SyncPairSettings) -> Result<Response, Problem> {
        let mut file = self.0.file.lock().await;
        let mut content = self.0.state().content();
        let settings = validity::checked(settings, &content.volumes, &content.sync_pairs)?;
        Folders::make_private(&self.0.places.pairs)
            .map_err(|error| of_host(ProblemCode::PermissionDenied, &error))?;
        let entry = PairEntry {
            id: SyncPairId(Uuid::new_v4().to_string()),
            settings,
            paused: false,
        };
        content.sync_pairs.push(entry.clone());
        file.save(&content)?;
        let id = entry.id.clone();
        let mut state = self.0.state();
        state.pairs.push(KeptPair::new(entry));
        self.0.tend_pairs(&mut state);
        drop(state);
        self.pair(&id)
    }

    /// Changes what of a pair can change; its process begins anew.
    pub(crate) async fn change_pair(
        &self,
        id: &SyncPairId,
        settings: SyncPairSettings,
    ) -> Result<Response, Problem> {
        validity::check_rules(&settings)?;
        let changed = |entry: &mut PairEntry| {
            let same = (&entry.settings.local_folder, &entry.settings.volume)
                == (&settings.local_folder, &settings.volume)
                && entry.settings.volume_folder == settings.volume_folder;
            if !same {
                return Err(lasting(
                    ProblemCode::NotSupported,
                    "the folders of a sync pair can not be changed",
                    "Remove it and add another one; both folders stay as they are.",
                ));
            }
            entry.settings.clone_from(&settings);
            Ok(())
        };
        self.edit_pair(id, changed).await?;
        self.pair(id)
    }

    pub(crate) async fn pause_pair(&self, id: &SyncPairId, paused: bool) -> Result<Response, Problem> {
        let changed = |entry: &mut PairEntry| {
            entry.paused = paused;
            Ok(())
        };
        self.edit_pair(id, changed).await?;
        self.pair(id)
    }

    /// Changes a pair of the list, on disk first; its process begins anew where it may.
    async fn edit_pair(
        &self,
        id: &SyncPairId,
        change: impl Fn(&mut PairEntry) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let mut file = self.0.file.lock().await;
        let mut content = {
            let mut state = self.0.state();
            state.find_pair(id)?;
            state.content()
        };
        for entry in content.sync_pairs.iter_mut().filter(|entry| entry.id == *id) {
            change(entry)?;
        }
        file.save(&content)?;
        let mut state = self.0.state();
        let pair = state.find_pair(id)?;
        change(&mut pair.entry)?;
        stop(pair);
        pair.hurry();
        self.0.tend_pairs(&mut state);
        Ok(())
    }

    pub(crate) async fn remove_pair(&self, id: &SyncPairId) -> Result<Response, Problem> {
        let mut file = self.0.file.lock().await;
        let mut content = {
            let mut state = self.0.state();
            state.find_pair(id)?;
            state.content()
        };
        content.sync_pairs.retain(|entry| entry.id != *id);
        file.save(&content)?;
        let removed = {
            let mut state = self.0.state();
            let place = state.pairs.iter().position(|pair| pair.entry.id == *id);
            place.map(|place| state.pairs.remove(place))
        };
        drop(file);
        self.0.changes.record(Topic::SyncPairs);
        if let Some(mut pair) = removed {
            stop(&mut pair);
            if let Some(process) = pair.leaving.take() {
                // It is killed before this.
                let _late = timeout(END_OF_PROCESS, process).await;
            }
        }
        let known = self.0.state_of(id);
        for end in ["", "-wal", "-shm"] {
            let mut part = known.clone().into_os_string();
            part.push(end);
            if let Err(error) = std::fs::remove_file(&part)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(file = %part.display(), "what a removed pair knew stays: {error}");
            }
        }
        Ok(Response::Done)
    }

    pub(crate) fn run_pair(&self, id: &SyncPairId) -> Result<Response, Problem> {
        self.order_pair(id, SyncOrder::Run)
    }

    pub(crate) fn answer_pair(&self, id: &SyncPairId, answer: SyncAnswer) -> Result<Response, Problem> {
        let question = self.0.state().find_pair(id)?.question().copied();
        let Some(question) = question else {
            return Err(lasting(
                ProblemCode::WrongState,
                "this sync pair asks nothing now",
                "Look at it again: it may ask something else soon.",
            ));
        };
        if let SyncAnswer::Remove { files } = answer
            && files < question.removed_local.max(question.removed_volume)
        {
            return Err(lasting(
                ProblemCode::WrongState,
                format!("it would remove more than {files} files by now"),
                "Look at what it asks now, and answer that.",
            ));
        }
        self.order_pair(id, SyncOrder::Answer { answer })
    }

    /// Has a conflict settled; the run that follows tells what came of it.
    pub(crate) fn resolve_conflict(
        &self,
        id: &SyncPairId,
        conflict: SyncConflict,
        keep: SyncKeep,
    ) -> Result<Response, Problem> {
        {
            let mut state = self.0.state();
            let pair = state.find_pair(id)?;
            if !pair.has_conflict(&conflict) {
                return Err(lasting(
                    ProblemCode::NotFound,
                    format!("{} is no conflict of this sync pair any more", conflict.copy),
                    "Look at the list again: it may be settled.",
                ));
            }
            if keep == SyncKeep::Copy && pair.entry.settings.mode != SyncMode::TwoWay {
                return Err(lasting(
                    ProblemCode::WrongState,
                    format!("{} can not take the place of {}", conflict.copy, conflict.path),
                    "Changes of this pair go one way. Keep both, or make the pair two-way first.",
                ));
            }
        }
        self.order_pair(id, SyncOrder::Resolve { conflict, keep })
    }

    fn order_pair(&self, id: &SyncPairId, order: SyncOrder) -> Result<Response, Problem> {
        {
            let now = Moment::now();
            let mut state = self.0.state();
            state.find_pair(id)?.hurry();
            self.0.tend_pairs(&mut state);
            let found = state.pairs.iter().find(|pair| pair.entry.id == *id);
            let hold = found.and_then(|pair| state.hold_of(pair, now));
            if let Some(hold) = hold {
                return Err(held(hold));
            }
            let pair = state.find_pair(id)?;
            let told = pair
                .process
                .as_ref()
                .map(|process| process.orders.try_send(order));
            if !matches!(told, Some(Ok(()))) {
                return Err(passing(
                    ProblemCode::TimedOut,
                    "the process of the sync pair takes no orders",
                    "Try it again in a moment.",
                ));
            }
            pair.ordered(now);
            self.0.tend_pairs(&mut state);
        }
        self.pair(id)
    }

    /// What a run would do. It is looked up by a process of its own, so that the agent waits for no disk.
    pub(crate) async fn preview_pair(
        &self,
        id: Option<SyncPairId>,
        settings: SyncPairSettings,
    ) -> Result<Response, Problem> {
        validity::check_rules(&settings)?;
        if let Some(id) = &id
            && self.0.state().find_pair(id)?.is_running()
        {
            return Err(passing(
                ProblemCode::WrongState,
                "this sync pair runs now",
                "Look again when the run has ended.",
            ));
        }
        let preview = self
            .look_at_pair(id, settings, "--preview".to_owned(), PREVIEW_DEADLINE)
            .await?;
        Ok(Response::SyncPreview { preview })
    }

    /// The folders of a pair in a folder.
    pub(crate) async fn pair_folders(
        &self,
        settings: SyncPairSettings,
        inside: String,
    ) -> Result<Response, Problem> {
        validity::check_rules(&settings)?;
        let folders = self
            .look_at_pair(None, settings, format!("--folders={inside}"), FOLDERS_DEADLINE)
            .await?;
        Ok(Response::SyncFolders { folders })
    }

    async fn look_at_pair<A: DeserializeOwned>(
        &self,
        id: Option<SyncPairId>,
        settings: SyncPairSettings,
        flag: String,
        deadline: Duration,
    ) -> Result<A, Problem> {
        let known = id.as_ref().map(|id| self.0.state_of(id));
        let mount_point = {
            let now = Moment::now();
            let state = self.0.state();
            let probe = KeptPair::new(PairEntry {
                id: SyncPairId(String::new()),
                settings: settings.clone(),
                paused: false,
            });
            let mount_point = state.find(&settings.volume)?.entry.settings.mount_point.clone();
            if state.hold_of(&probe, now) == Some(Hold::Unmounted) {
                return Err(held(Hold::Unmounted));
            }
            mount_point
        };
        let task = SyncTask {
            id,
            mount_point,
            state: known.map(|file| file.display().to_string()),
            settings,
        };
        let said = format!("looking at {}", task.settings.local_folder);
        let line = process::line(&task).map_err(|error| {
            let what = lasting(ProblemCode::Internal, said.clone(), "Report this.");
            caused(what, error)
        })?;
        let arguments = ["pair", "keep", "--json"].map(str::to_owned);
        let arguments = arguments.into_iter().chain([flag]).collect();
        let program = &self.0.places.program;
        child::ask_about(program, arguments, &Zeroizing::new(line), &said, deadline).await
    }
}

fn held(hold: Hold) -> Problem {
    match hold {
        Hold::Paused { all: true } => lasting(
            ProblemCode::WrongState,
            "all transfers are paused",
            "Resume them: `moorage agent resume`.",
        ),
        Hold::Paused { all: false } => lasting(
            ProblemCode::WrongState,
            "this sync pair is paused",
            "Resume it: `moorage pair resume`.",
        ),
        Hold::Ruled(rule) => passing(
            ProblemCode::WrongState,
            match rule {
                HoldRule::Metered => "transfers are held while the connection is metered",
                HoldRule::Battery => "transfers are held while the computer runs on its battery",
            },
            "It goes on by itself; `moorage agent settings` has the rule.",
        ),
        Hold::Unmounted => passing(
            ProblemCode::WrongState,
            "the volume of this sync pair is not mounted",
            "Mount it: `moorage volume mount`.",
        ),
    }
}
