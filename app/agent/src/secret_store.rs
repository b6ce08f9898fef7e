//! Which store of secrets is used, how it is, and choosing another one.

use std::collections::BTreeSet;
use std::time::Duration;

use moorage_control::message::{Response, Topic};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::Secret;
use moorage_control::settings::{SecretAccess, SecretStore, SecretStoreStatus, Settings};
use moorage_control::volume::VolumeId;
use tokio::time::timeout;

use crate::mounts::MountTable;
use crate::secret_kind::SecretKind;
use crate::service::Desk;
use crate::vault::Moving;

/// How long the store may take to say how it is before that is told for it.
const ACCESS_PATIENCE: Duration = Duration::from_secs(2);
/// How long a person may take with the password of a keyring before the request is answered with the keyring still locked.
const UNLOCK_PATIENCE: Duration = Duration::from_secs(7);

impl<T: MountTable> Desk<T> {
    /// The settings with the store of secrets as it is now.
    pub(crate) async fn settings(&self) -> Response {
        let store = self.0.vault.used().choice;
        let found = timeout(ACCESS_PATIENCE, self.0.vault.access_lately()).await;
        let (access, problem) = match found {
            Ok(Ok(())) => (SecretAccess::Open, None),
            Ok(Err(problem)) if problem.code == ProblemCode::KeyringLocked => {
                (SecretAccess::Locked, Some(problem))
            }
            Ok(Err(problem)) => (SecretAccess::Missing, Some(problem)),
            Err(_) => (SecretAccess::Missing, None),
        };
        let start_at_login = self.0.starts_at_login().await;
        Response::Settings {
            settings: Settings {
                start_at_login,
                ..self.0.state().settings.clone()
            },
            secret_store: SecretStoreStatus {
                store,
                access,
                problem,
            },
        }
    }

    /// Opens the store; what waited for it goes on.
    pub(crate) async fn unlock_store(&self, passphrase: Option<Secret>) -> Result<Response, Problem> {
        // A person who takes longer finds it open at one of the next looks.
        if let Ok(unlocked) = timeout(UNLOCK_PATIENCE, self.0.vault.unlock(passphrase)).await {
            unlocked?;
            self.0.settle_secrets().await;
            self.0.secrets_came();
            self.0.changes.record(Topic::Settings);
        }
        Ok(self.settings().await)
    }

    /// Moves all secrets into another store.
    pub(crate) async fn choose_store(
        &self,
        choice: SecretStore,
        passphrase: Option<Secret>,
        forget: bool,
    ) -> Result<Response, Problem> {
        let agent = &self.0;
        if agent.vault.used().choice == choice {
            return match passphrase {
                Some(_) => self.unlock_store(passphrase).await,
                None => Ok(self.settings().await),
            };
        }
        let writing = agent.vault.writing.lock().await;
        let mut file = agent.file.lock().await;
        let (old, new) = (agent.vault.used(), agent.vault.make(choice));
        let (mut content, volumes, mut unused) = {
            let state = agent.state();
            let with_secrets = state.volumes.iter().filter(|kept| !kept.entry.secrets.is_empty());
            let volumes: Vec<Moving> = with_secrets
                .map(|kept| Moving {
                    id: kept.entry.id.clone(),
                    kinds: kept.entry.secrets.clone(),
                    held: kept.held.clone(),
                })
                .collect();
            let leftover = state.leftover.iter();
            let leftover: Vec<(VolumeId, BTreeSet<SecretKind>)> = leftover
                .map(|left| (left.id.clone(), left.secrets.clone()))
                .collect();
            (state.content(), volumes, leftover)
        };
        let moved = volumes
            .iter()
            .map(|moving| (moving.id.clone(), moving.kinds.clone()));
        let moved: Vec<(VolumeId, BTreeSet<SecretKind>)> = moved.collect();
        new.clone().copy(old.clone(), passphrase, volumes, forget).await?;
        content.settings.secret_store = choice;
        content.leftover.clear();
        if let Err(problem) = file.save(&content) {
            new.clear(moved).await;
            return Err(problem);
        }
        {
            let mut state = agent.state();
            state.settings.secret_store = choice;
            state.leftover.clear();
            for kept in &mut state.volumes {
                // A change of the secrets needs one of the two locks.
                kept.held = None;
            }
            state.tell_of_held_secrets(None);
        }
        agent.vault.use_from_now_on(new);
        drop(file);
        unused.extend(moved);
        old.clear(unused).await;
        drop(writing);
        agent.secrets_came();
        agent.changes.record(Topic::Settings);
        Ok(self.settings().await)
    }
}
