//! The store of secrets in use, and what is done with it. It blocks, so all of it is done beside the agent's own tasks.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::{Secret, VolumeSecrets};
use moorage_control::settings::SecretStore as Choice;
use moorage_control::volume::VolumeId;
use moorage_host::secrets::{
    EncryptedFile, KeySource, Keyring, SecretError, SecretErrorKind, SecretName, SecretStore,
};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::secret_kind::{Leftover, SecretKind};
use crate::trouble::{caused, lasting, passing};

/// How long an answer of the store counts: a window asks for it with every change that it hears of.
const FRESH: Duration = Duration::from_secs(1);

/// A store with what it was chosen as.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) choice: Choice,
    store: Arc<dyn SecretStore>,
}

/// The store in use.
#[derive(Debug)]
pub(crate) struct Vault {
    /// For stores that are files.
    folder: PathBuf,
    used: Mutex<Store>,
    /// What the store in use said of itself last, and when.
    seen: Mutex<Option<(Instant, Result<(), Problem>)>>,
    /// Whoever writes into the store, or replaces it, holds this; taken before the lock of the settings file.
    pub(crate) writing: tokio::sync::Mutex<()>,
}

/// What is to be brought into the store and out of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    pub(crate) held: Vec<(VolumeId, VolumeSecrets)>,
    pub(crate) leftover: Vec<Leftover>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) kept: Vec<(VolumeId, VolumeSecrets)>,
    pub(crate) removed: Vec<Leftover>,
    /// Why not all was done.
    pub(crate) problem: Option<Problem>,
}

/// A volume whose secrets go from one store to another.
#[derive(Clone, Debug)]
pub(crate) struct Moving {
    pub(crate) id: VolumeId,
    pub(crate) kinds: BTreeSet<SecretKind>,
    /// Not in the old store yet.
    pub(crate) held: Option<VolumeSecrets>,
}

impl Vault {
    pub(crate) fn new(folder: PathBuf, choice: Choice) -> Vault {
        let used = Mutex::new(make(&folder, choice));
        Vault {
            folder,
            used,
            seen: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn used(&self) -> Store {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn make(&self, choice: Choice) -> Store {
        make(&self.folder, choice)
    }

    pub(crate) fn use_from_now_on(&self, store: Store) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = store;
        self.saw(None);
    }

    fn saw(&self, seen: Option<(Instant, Result<(), Problem>)>) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }

    /// Whether the store answers, or answered a moment ago.
    pub(crate) async fn access_lately(&self) -> Result<(), Problem> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match seen {
            Some((at, seen)) if at.elapsed() < FRESH => seen,
            _ => self.access().await,
        }
    }

    /// Whether the store answers.
    pub(crate) async fn access(&self) -> Result<(), Problem> {
        let store = self.used();
        let asked = Instant::now();
        let seen = aside(move || store.store.access().map_err(|error| of_store(&error))).await;
        self.saw(Some((asked, seen.clone())));
        seen
    }

    /// Opens the store.
    pub(crate) async fn unlock(&self, passphrase: Option<Secret>) -> Result<(), Problem> {
        let store = self.used();
        let unlocked = aside(move || store.unlock(passphrase.as_ref())).await;
        self.saw(None);
        unlocked
    }

    /// The secrets of a volume.
    pub(crate) async fn read(
        &self,
        id: VolumeId,
        name: &str,
        kinds: BTreeSet<SecretKind>,
    ) -> Result<VolumeSecrets, Problem> {
        if kinds.is_empty() {
            return Ok(VolumeSecrets::default());
        }
        let store = self.used();
        let wanted = kinds.clone();
        let secrets = aside(move || store.read(&id, &wanted)).await?;
        match kinds.difference(&SecretKind::of(&secrets)).next() {
            None => Ok(secrets),
            Some(kind) => Err(lasting(
                ProblemCode::SecretMissing,
                format!(
                    "the {} of {name} is not in the store of secrets any more",
                    kind.name().replace('_', " ")
                ),
                format!("Give it again: `moorage volume password {name}`."),
            )),
        }
    }

    /// Does what can be done.
    pub(crate) async fn work(&self, work: Work) -> Done {
        let store = self.used();
        let done = aside(move || Ok(store.work(work))).await;
        done.unwrap_or_else(|problem| Done {
            problem: Some(problem),
            ..Done::default()
        })
    }
}

impl Store {
    fn unlock(&self, passphrase: Option<&Secret>) -> Result<(), Problem> {
        let given = passphrase.map(Secret::expose);
        self.store.unlock(given).map_err(|error| of_store(&error))
    }

    fn read(&self, id: &VolumeId, kinds: &BTreeSet<SecretKind>) -> Result<VolumeSecrets, Problem> {
        let mut secrets = VolumeSecrets::default();
        for kind in kinds {
            let found = self.store.read(&name(id, *kind));
            if let Some(text) = found.map_err(|error| of_store(&error))? {
                kind.put_into(&mut secrets, Secret::new(text.as_str().to_owned()));
            }
        }
        Ok(secrets)
    }

    fn write(&self, id: &VolumeId, secrets: &VolumeSecrets) -> Result<(), Problem> {
        for kind in SecretKind::of(secrets) {
            if let Some(secret) = kind.in_secrets(secrets) {
                let written = self.store.write(&name(id, kind), secret.expose());
                written.map_err(|error| of_store(&error))?;
            }
        }
        Ok(())
    }

    fn remove(&self, id: &VolumeId, kinds: &BTreeSet<SecretKind>) -> Result<(), Problem> {
        for kind in kinds {
            let removed = self.store.remove(&name(id, *kind));
            removed.map_err(|error| of_store(&error))?;
        }
        Ok(())
    }

    fn work(&self, work: Work) -> Done {
        let mut done = Done::default();
        for (id, secrets) in work.held {
            match self.write(&id, &secrets) {
                Ok(()) => done.kept.push((id, secrets)),
                Err(problem) if problem.retryable => {
                    return Done {
                        problem: Some(problem),
                        ..done
                    };
                }
                Err(problem) => done.problem = Some(problem),
            }
        }
        for leftover in work.leftover {
            match self.remove(&leftover.id, &leftover.secrets) {
                Ok(()) => done.removed.push(leftover),
                Err(problem) if problem.retryable => {
                    return Done {
                        problem: Some(problem),
                        ..done
                    };
                }
                Err(problem) => done.problem = Some(problem),
            }
        }
        done
    }

    /// Copies the secrets of these volumes here. Those that the old store does not show are left there with `forget`, and
    /// are a reason to copy nothing without.
    pub(crate) async fn copy(
        self,
        old: Store,
        passphrase: Option<Secret>,
        volumes: Vec<Moving>,
        forget: bool,
    ) -> Result<(), Problem> {
        aside(move || {
            if self.choice == Choice::EncryptedFile {
                self.unlock(passphrase.as_ref())?;
            }
            self.store.access().map_err(|error| of_store(&error))?;
            for moving in volumes {
                let secrets = match moving.held {
                    Some(held) => held,
                    None => match old.read(&moving.id, &moving.kinds) {
                        Ok(secrets) => secrets,
                        Err(problem) if forget => {
                            tracing::warn!("secrets are left behind: {problem}");
                            continue;
                        }
                        Err(problem) => return Err(left_behind(problem)),
                    },
                };
                self.write(&moving.id, &secrets)?;
            }
            Ok(())
        })
        .await
    }

    /// Removes what this store holds of these volumes, as far as that is possible.
    pub(crate) async fn clear(self, volumes: Vec<(VolumeId, BTreeSet<SecretKind>)>) {
        let cleared = aside(move || {
            for (id, kinds) in volumes {
                self.remove(&id, &kinds)?;
            }
            self.store.abandon().map_err(|error| of_store(&error))
        });
        if let Err(problem) = cleared.await {
            tracing::warn!("secrets stay in the store that is not used any more: {problem}");
        }
    }
}

fn make(folder: &std::path::Path, choice: Choice) -> Store {
    let store: Arc<dyn SecretStore> = match choice {
        Choice::Keyring => Arc::new(Keyring::new()),
        Choice::EncryptedFile => Arc::new(EncryptedFile::new(
            folder.join("passphrase.enc"),
            KeySource::Passphrase,
        )),
        Choice::KeyFile => Arc::new(EncryptedFile::new(
            folder.join("key-file.enc"),
            KeySource::KeyFile,
        )),
    };
    Store { choice, store }
}

fn name(id: &VolumeId, kind: SecretKind) -> SecretName {
    SecretName::new(id.0.as_str(), kind.name())
}

fn left_behind(problem: Problem) -> Problem {
    Problem {
        message: format!("the store in use does not give what it holds: {problem}"),
        advice: format!(
            "{} Or add --forget to leave its secrets behind, and give them again.",
            problem.advice
        ),
        ..problem
    }
}

/// Runs what blocks on a thread of its own.
async fn aside<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    spawn_blocking(call).await.unwrap_or_else(|error| {
        let what = "the store of secrets could not be asked";
        Err(caused(
            passing(ProblemCode::Internal, what, "Try it again."),
            error,
        ))
    })
}

/// A store's refusal in the words of the protocol.
fn of_store(error: &SecretError) -> Problem {
    let (code, retryable) = match error.kind() {
        // What does not answer most often waits for its password.
        SecretErrorKind::Locked | SecretErrorKind::Silent => (ProblemCode::KeyringLocked, true),
        SecretErrorKind::Absent => (ProblemCode::KeyringMissing, true),
        SecretErrorKind::Refused => (ProblemCode::PermissionDenied, false),
        SecretErrorKind::Damaged => (ProblemCode::Internal, false),
    };
    Problem {
        cause: error.cause(),
        retryable,
        ..lasting(code, error.message(), error.advice())
    }
}
