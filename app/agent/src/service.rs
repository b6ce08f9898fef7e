//! What the agent answers to its clients.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use moorage_control::changes::ChangeLog;
use moorage_control::message::{AgentStatus, Request, Response, Topic};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::VolumeSecrets;
use moorage_control::server::Service;
use moorage_control::settings::Settings;
use moorage_control::volume::{Volume, VolumeId, VolumeSettings};
use moorage_control::volume_file::VolumeFile;
use tokio::time::timeout;

use crate::agent::Agent;
use crate::limits;
use crate::moment::Moment;
use crate::mounts::MountTable;
use crate::pairs::KeptPair;
use crate::secret_keeping::leftover_after;
use crate::secret_kind::SecretKind;
use crate::settings_file::{Content, Entry};
use crate::sharing::shared;
use crate::trouble::{lasting, not_supported};
use crate::truth::over_all;
use crate::validity::checked;

/// How long an unmount may take before its request is answered with the unmount under way.
const UNMOUNT_PATIENCE: Duration = Duration::from_secs(3);

/// The agent as its clients see it.
pub(crate) struct Desk<T>(pub(crate) Arc<Agent<T>>);

impl<T: MountTable> Service for Desk<T> {
    async fn answer(&self, request: Request) -> Result<Response, Problem> {
        match request {
            Request::AgentStatus => {
                self.0.read_afresh().await;
                let status = self.status();
                Ok(Response::Agent { status })
            }
            Request::AgentStop => {
                self.0.stop.send_replace(true);
                Ok(Response::Done)
            }
            Request::Volumes => {
                self.0.read_afresh().await;
                let state = self.0.state();
                let now = Moment::now();
                let volumes = state.volumes.iter().map(|kept| kept.volume(now)).collect();
                Ok(Response::Volumes { volumes })
            }
            Request::Volume { id } => {
                self.0.read_afresh().await;
                self.volume(&id)
            }
            Request::VolumeAdd { volume } => self.add(volume).await,
            Request::VolumeExport { id } => self.export(&id),
            Request::VolumeFileRead { text } => shared(&VolumeFile::parse(&text)?),
            Request::VolumeChange { id, settings } => self.change(&id, settings).await,
            Request::VolumeSecrets { id, secrets } => self.learn_secrets(&id, secrets).await,
            Request::VolumeRemove { id } => self.remove(&id).await,
            Request::VolumeMount { id } => self.mount(&id),
            Request::VolumeUnmount { id, lazy } => self.unmount(&id, lazy).await,
            Request::SyncPairs => Ok(self.pairs()),
            Request::SyncPairAdd { settings } => self.add_pair(settings).await,
            Request::SyncPairChange { id, settings } => self.change_pair(&id, settings).await,
            Request::SyncPairRemove { id } => self.remove_pair(&id).await,
            Request::SyncPairPause { id, paused } => self.pause_pair(&id, paused).await,
            Request::SyncPairRun { id } => self.run_pair(&id),
            Request::SyncPairPreview { id, settings } => self.preview_pair(id, settings).await,
            Request::SyncPairAnswer { id, answer } => self.answer_pair(&id, answer),
            Request::SyncPairResolve { id, conflict, keep } => self.resolve_conflict(&id, conflict, keep),
            Request::SyncPairFolders { settings, inside } => self.pair_folders(settings, inside).await,
            Request::Settings => Ok(self.settings().await),
            Request::SettingsChange { settings } => self.change_settings(settings).await,
            Request::SecretStoreUnlock { passphrase } => self.unlock_store(passphrase).await,
            Request::SecretStoreChoose {
                store,
                passphrase,
                forget,
            } => self.choose_store(store, passphrase, forget).await,
            Request::VolumeSessions { id } => self.sessions(&id).await,
            Request::VolumeOptions { id } => self.options(&id).await,
            Request::VolumeOptionsChange { id, before, limits } => {
                self.change_options(&id, &before, &limits).await
            }
            Request::TrashHours { id } => self.trash_hours(&id).await,
            Request::TrashList { id, inside, from } => self.list_trash(&id, inside, from).await,
            Request::TrashJob { id } => self.trash_job(&id),
            Request::TrashStart { id, work } => self.start_trash(&id, work),
            Request::TrashCancel { id } => self.cancel_trash(&id),
            Request::VolumeHealth { id } => self.health(&id),
            Request::VolumeHealthStart { id, work } => self.start_health(&id, work),
            Request::VolumeHealthCancel { id } => self.cancel_health(&id),
            Request::ConnectionTest { volume } => self.test_connection(volume).await,
            Request::SelfTest => self.test_computer().await,
            Request::Log { volume, lines } => self.end_of_log(volume.as_ref(), lines).await,
            Request::Files { id, folder, after } => self.files(&id, &folder, after).await,
            Request::FilePin { id, path, pinned } => self.pin_file(&id, &path, pinned).await,
            Request::Transfers => {
                self.0.read_afresh().await;
                let transfers = self.0.state().transfers.all();
                Ok(Response::Transfers { transfers })
            }
            Request::TransferRetry { id } => self.0.retry(id).await,
            Request::TransferCancel { id } => self.0.cancel(id),
            Request::Pause { seconds } => self.0.pause(seconds).await,
            Request::Resume => self.0.resume().await,
            Request::Subscribe => Err(not_supported("subscribe twice")),
            Request::Other => Err(not_supported(
                "know this request: it is older than the program that asks",
            )),
        }
    }

    fn changes(&self) -> &ChangeLog {
        &self.0.changes
    }
}

impl<T: MountTable> Desk<T> {
    fn status(&self) -> AgentStatus {
        let state = self.0.state();
        AgentStatus {
            product: self.0.places.product.clone(),
            pid: std::process::id(),
            revision: self.0.changes.revision(),
            truth: over_all(state.volumes.iter().map(|kept| &kept.truth)),
            pause: state.pause.at(Moment::now().wall),
            held: state.held(),
            surroundings: state.surroundings,
            notices: state
                .notices
                .iter()
                .cloned()
                .chain(state.pairs.iter().filter_map(KeptPair::notice))
                .collect(),
        }
    }

    fn volume(&self, id: &VolumeId) -> Result<Response, Problem> {
        let volume = self.0.state().find(id)?.volume(Moment::now());
        Ok(of_volume(volume))
    }

    async fn change(&self, id: &VolumeId, settings: VolumeSettings) -> Result<Response, Problem> {
        let mut file = self.0.file.lock().await;
        let mut content = self.0.state().content();
        let settings = checked(settings, Some(id), &content.volumes)?;
        {
            let state = self.0.state();
            let kept = state.find(id)?;
            let old = &kept.entry.settings;
            let moved = old.mount_point != settings.mount_point || old.metadata_url != settings.metadata_url;
            if moved && !kept.keeper.is_at_rest() {
                return Err(in_use(old, "its mount point and its database can not be changed"));
            }
        }
        edit(&mut content, id, |entry| {
            entry.change(settings.clone());
        });
        file.save(&content)?;
        let mut state = self.0.state();
        let kept = state.find_mut(id)?;
        kept.deeds += 1;
        if kept.entry.change(settings) {
            kept.health.forget();
            kept.trash.forget();
        }
        self.0.publish(&mut state);
        drop(state);
        self.volume(id)
    }

    async fn learn_secrets(&self, id: &VolumeId, secrets: VolumeSecrets) -> Result<Response, Problem> {
        let kinds = SecretKind::of(&secrets);
        let mut file = self.0.file.lock().await;
        let mut content = {
            let state = self.0.state();
            let old = &state.find(id)?.entry.secrets;
            Content {
                leftover: leftover_after(&state.leftover, id, old, &kinds),
                ..state.content()
            }
        };
        edit(&mut content, id, |entry| entry.secrets.clone_from(&kinds));
        file.save(&content)?;
        {
            let mut state = self.0.state();
            let kept = state.find_mut(id)?;
            kept.held = (!kinds.is_empty()).then_some(secrets);
            kept.entry.secrets = kinds;
            kept.keeper.secrets_came();
            state.leftover = content.leftover;
        }
        drop(file);
        self.0.settle_secrets().await;
        self.0.wake.notify_one();
        Ok(Response::Done)
    }

    async fn remove(&self, id: &VolumeId) -> Result<Response, Problem> {
        let mut file = self.0.file.lock().await;
        let mut content = self.0.state().content();
        {
            let state = self.0.state();
            let kept = state.find(id)?;
            if !kept.keeper.is_at_rest() {
                return Err(in_use(
                    &kept.entry.settings,
                    "it can not be removed from the list",
                ));
            }
            if let Some(pair) = state.pairs.iter().find(|pair| pair.entry.settings.volume == *id) {
                let folder = &pair.entry.settings.local_folder;
                return Err(lasting(
                    ProblemCode::WrongState,
                    format!("{} is kept in sync with {folder}", kept.entry.settings.name),
                    "Remove that pair first: `moorage pair remove`.",
                ));
            }
        }
        let kinds = content.volumes.iter().find(|entry| entry.id == *id);
        let kinds = kinds.map(|entry| entry.secrets.clone()).unwrap_or_default();
        content.volumes.retain(|entry| entry.id != *id);
        content.leftover = leftover_after(&content.leftover, id, &kinds, &BTreeSet::new());
        file.save(&content)?;
        {
            let mut state = self.0.state();
            state.volumes.retain(|kept| kept.entry.id != *id);
            state.leftover = content.leftover;
        }
        drop(file);
        self.0.settle_secrets().await;
        self.0.changes.record(Topic::Volumes);
        Ok(Response::Done)
    }

    fn mount(&self, id: &VolumeId) -> Result<Response, Problem> {
        let mut state = self.0.state();
        let kept = state.find_mut(id)?;
        kept.deeds += 1;
        kept.keeper.mount();
        drop(self.0.act(kept));
        self.0.publish(&mut state);
        drop(state);
        self.0.wake.notify_one();
        self.volume(id)
    }

    async fn unmount(&self, id: &VolumeId, lazy: bool) -> Result<Response, Problem> {
        let refusal = {
            let mut state = self.0.state();
            let kept = state.find_mut(id)?;
            if kept.keeper.is_at_rest() {
                let name = &kept.entry.settings.name;
                return Err(lasting(
                    ProblemCode::WrongState,
                    format!("{name} is not mounted"),
                    "Nothing has to be done.",
                ));
            }
            kept.unmount(lazy);
            let refusal = self.0.act(kept);
            self.0.publish(&mut state);
            refusal
        };
        self.0.wake.notify_one();
        if let Some(refusal) = refusal
            && let Ok(Ok(problem)) = timeout(UNMOUNT_PATIENCE, refusal).await
        {
            return Err(problem);
        }
        self.volume(id)
    }

    async fn change_settings(&self, settings: Settings) -> Result<Response, Problem> {
        let mut file = self.0.file.lock().await;
        let mut content = self.0.state().content();
        let kept = Settings {
            start_at_login: settings.start_at_login,
            upload_limit: settings.upload_limit,
            download_limit: settings.download_limit,
            language: settings.language.clone(),
            theme: settings.theme,
            hold_on_metered: settings.hold_on_metered,
            hold_on_battery: settings.hold_on_battery,
            notifications: settings.notifications,
            ..content.settings.clone()
        };
        if kept != settings {
            return Err(not_supported("choose a store of secrets among other settings"));
        }
        limits::checked([settings.upload_limit, settings.download_limit])?;
        let before = std::mem::replace(&mut content.settings, settings.clone());
        file.save(&content)?;
        if let Err(problem) = self.0.set_start_at_login(settings.start_at_login).await {
            content.settings = before;
            if let Err(unsaved) = file.save(&content) {
                tracing::warn!("settings that were refused stay in the file: {unsaved}");
            }
            return Err(problem);
        }
        self.0.state().settings = settings;
        self.0.changes.record(Topic::Settings);
        drop(file);
        // What a rule goes by may not have been looked at before.
        self.0.look_around_once().await;
        self.0.wake.notify_one();
        // Mount processes hear of their limits and of what is held with it, or within a second.
        self.0.read_afresh().await;
        Ok(self.settings().await)
    }
}

pub(crate) fn of_volume(volume: Volume) -> Response {
    Response::Volume {
        volume: Box::new(volume),
    }
}

fn edit(content: &mut Content, id: &VolumeId, change: impl Fn(&mut Entry)) {
    content
        .volumes
        .iter_mut()
        .filter(|entry| entry.id == *id)
        .for_each(change);
}

fn in_use(settings: &VolumeSettings, what: &str) -> Problem {
    lasting(
        ProblemCode::WrongState,
        format!("{} is mounted or about to be, so {what}", settings.name),
        format!("Unmount it first: `moorage volume unmount {}`.", settings.name),
    )
}
