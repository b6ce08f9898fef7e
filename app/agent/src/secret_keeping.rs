//! Secrets on their way into the store: held in memory until they are there, and tried again until then.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use moorage_control::message::Topic;
use moorage_control::problem::Problem;
use moorage_control::secret::VolumeSecrets;
use moorage_control::volume::VolumeId;

use crate::agent::{Agent, State};
use crate::mounts::MountTable;
use crate::secret_kind::{Leftover, SecretKind};
use crate::settings_file::Entry;
use crate::trouble::lasting;
use crate::vault::{Done, Work};

/// Between two looks at a store that something waits for: a person who unlocks a keyring sees it work soon.
const ROUND: Duration = Duration::from_secs(3);
/// How the notices of secrets that are not stored yet begin and go on, around the name of a volume.
const NOTICE: (&str, &str) = ("the secrets of ", " are in the memory of the agent only: ");

impl State {
    /// Whether something waits for the store to open.
    fn waits_for_store(&self) -> bool {
        !self.leftover.is_empty()
            || self
                .volumes
                .iter()
                .any(|kept| kept.held.is_some() || kept.keeper.waits_for_store())
    }

    fn has_secrets(&self) -> bool {
        self.volumes.iter().any(|kept| !kept.entry.secrets.is_empty())
    }

    fn work(&self) -> Work {
        let held = self.volumes.iter();
        Work {
            held: held
                .filter_map(|kept| Some((kept.entry.id.clone(), kept.held.clone()?)))
                .collect(),
            leftover: self.leftover.clone(),
        }
    }

    /// Says of which volumes the secrets would be lost with the agent, and why.
    pub(crate) fn tell_of_held_secrets(&mut self, why: Option<&Problem>) {
        self.notices
            .retain(|notice| !(notice.message.starts_with(NOTICE.0) && notice.message.contains(NOTICE.1)));
        let Some(why) = why else { return };
        let held = self.volumes.iter().filter(|kept| kept.held.is_some());
        let names: Vec<String> = held.map(|kept| kept.entry.settings.name.clone()).collect();
        for name in names {
            let message = format!("{}{name}{}{why}", NOTICE.0, NOTICE.1);
            self.notice(Problem {
                cause: why.cause.clone(),
                ..lasting(why.code, message, why.advice.clone())
            });
        }
    }
}

/// What is left over once a volume has these secrets and no others.
pub(crate) fn leftover_after(
    leftover: &[Leftover],
    id: &VolumeId,
    old: &BTreeSet<SecretKind>,
    new: &BTreeSet<SecretKind>,
) -> Vec<Leftover> {
    let (own, others): (Vec<&Leftover>, Vec<&Leftover>) = leftover.iter().partition(|left| left.id == *id);
    let own = own.into_iter().flat_map(|left| &left.secrets);
    let unused: BTreeSet<SecretKind> = own
        .chain(old)
        .copied()
        .filter(|kind| !new.contains(kind))
        .collect();
    let unused = (!unused.is_empty()).then(|| Leftover {
        id: id.clone(),
        secrets: unused,
    });
    others.into_iter().cloned().chain(unused).collect()
}

impl<T: MountTable> Agent<T> {
    /// The secrets of a volume for its mount process.
    ///
    /// # Errors
    /// When the store does not give them now.
    pub(crate) async fn secrets_of(
        &self,
        entry: &Entry,
        held: Option<VolumeSecrets>,
    ) -> Result<VolumeSecrets, Problem> {
        match held {
            Some(held) => Ok(held),
            None => {
                let name = &entry.settings.name;
                self.vault
                    .read(entry.id.clone(), name, entry.secrets.clone())
                    .await
            }
        }
    }

    /// Brings into the store what is held, and out of it what is left over.
    pub(crate) async fn settle_secrets(&self) {
        let _one = self.vault.writing.lock().await;
        let work = self.state().work();
        if work.held.is_empty() && work.leftover.is_empty() {
            self.state().tell_of_held_secrets(None);
            return;
        }
        let done = self.vault.work(work).await;
        self.settled(done).await;
    }

    async fn settled(&self, done: Done) {
        if let Some(problem) = &done.problem {
            tracing::warn!(cause = problem.cause, "secrets are not stored: {problem}");
        }
        {
            let mut state = self.state();
            for (id, secrets) in done.kept {
                if let Ok(kept) = state.find_mut(&id)
                    && kept.held.as_ref() == Some(&secrets)
                {
                    kept.held = None;
                }
            }
            state.tell_of_held_secrets(done.problem.as_ref());
        }
        if done.removed.is_empty() {
            return;
        }
        let mut file = self.file.lock().await;
        let content = {
            let mut state = self.state();
            state.leftover.retain(|left| !done.removed.contains(left));
            state.content()
        };
        if let Err(problem) = file.save(&content) {
            tracing::warn!("that secrets were removed is not kept: {problem}");
        }
    }

    /// What waited for secrets tries again.
    pub(crate) fn secrets_came(&self) {
        let mut state = self.state();
        for kept in &mut state.volumes {
            kept.keeper.secrets_came();
        }
        drop(state);
        self.wake.notify_one();
    }
}

/// Looks at the store for as long as something waits for it. Goes on until it is dropped.
///
/// # Cancel safety
/// Safe: what was not brought into the store is lost with the agent in any case, and said to be.
pub(crate) async fn keep_secrets<T: MountTable>(agent: Arc<Agent<T>>) {
    let mut before = None;
    loop {
        tokio::time::sleep(ROUND).await;
        let (waits, shown) = {
            let state = agent.state();
            let shown = agent.changes.is_followed() && state.has_secrets();
            (state.waits_for_store(), shown)
        };
        if !waits && !shown {
            continue;
        }
        let access = agent.vault.access().await;
        if access.is_ok() && waits {
            agent.settle_secrets().await;
            agent.secrets_came();
        }
        let code = access.err().map(|problem| problem.code);
        if before.is_some_and(|before| before != code) {
            agent.changes.record(Topic::Settings);
        }
        before = Some(code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> VolumeId {
        VolumeId(text.to_owned())
    }

    fn left(text: &str, secrets: &[SecretKind]) -> Leftover {
        Leftover {
            id: id(text),
            secrets: secrets.iter().copied().collect(),
        }
    }

    #[test]
    fn what_a_volume_does_not_need_any_more_is_left_over_and_what_it_needs_again_is_not() {
        use SecretKind::{KeyPassphrase, MetadataPassword};
        let none = BTreeSet::new();
        let both = BTreeSet::from([KeyPassphrase, MetadataPassword]);
        let other = left("b", &[MetadataPassword]);
        let one = std::slice::from_ref(&other);
        let after = leftover_after(one, &id("a"), &both, &BTreeSet::from([KeyPassphrase]));
        assert_eq!(after, [other.clone(), left("a", &[MetadataPassword])]);
        let gone = leftover_after(&after, &id("a"), &BTreeSet::from([KeyPassphrase]), &none);
        assert_eq!(
            gone,
            [other.clone(), left("a", &[KeyPassphrase, MetadataPassword])]
        );
        assert_eq!(leftover_after(&gone, &id("a"), &none, &both), [other]);
    }
}
