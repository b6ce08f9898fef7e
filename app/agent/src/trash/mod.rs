//! The trash of a volume: `moorage trash` and `moorage restore` do the work, one of them at a time for each volume, and for
//! as long as it takes.

mod job;
mod work;

pub(crate) use job::TrashJobs;

use std::sync::Arc;
use std::time::Duration;

use moorage_control::message::{Response, Topic};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::VolumeSecrets;
use moorage_control::trash::{TrashDeed, TrashFolder, TrashPlace, TrashWork};
use moorage_control::volume::VolumeId;

use self::job::Outcome;
use self::work::{Plan, of_all};
use crate::agent::Agent;
use crate::followed::{Ending, follow};
use crate::job::{Begun, End};
use crate::moment::Moment;
use crate::mounts::MountTable;
use crate::service::Desk;
use crate::settings_file::Entry;
use crate::trouble::{lasting, passing};
use crate::volume_command::VolumeCommand;

/// How long a look may take: it reads the names of an hour.
const LOOK: Duration = Duration::from_secs(60);
/// Volumes whose trash is worked on at once: each may move a whole tree.
const MOST_AT_WORK: usize = 2;

impl<T: MountTable> Desk<T> {
    pub(crate) async fn trash_hours(&self, id: &VolumeId) -> Result<Response, Problem> {
        let command = VolumeCommand {
            words: &["trash", "hours"],
            flags: Vec::new(),
            operands: Vec::new(),
            task: "looking into the trash of {}",
            deadline: LOOK,
        };
        let hours = self.ask_volume(id, command).await?;
        Ok(Response::TrashHours { hours })
    }

    pub(crate) async fn list_trash(
        &self,
        id: &VolumeId,
        inside: Option<TrashFolder>,
        from: Option<TrashPlace>,
    ) -> Result<Response, Problem> {
        let (flags, operands) = which(inside, from)?;
        let command = VolumeCommand {
            words: &["trash", "list"],
            flags,
            operands,
            task: "looking into the trash of {}",
            deadline: LOOK,
        };
        let page = self.ask_volume(id, command).await?;
        Ok(Response::TrashPage { page })
    }

    pub(crate) fn trash_job(&self, id: &VolumeId) -> Result<Response, Problem> {
        let job = self.0.state().find(id)?.trash.shown().map(Box::new);
        Ok(Response::TrashJob { job })
    }

    /// Begins the work; that it has begun is the answer.
    pub(crate) fn start_trash(&self, id: &VolumeId, work: TrashWork) -> Result<Response, Problem> {
        let plan = Plan::of(work)?;
        let (entry, held, begun) = {
            let mut state = self.0.state();
            let at_work = state.volumes.iter().filter(|kept| kept.trash.is_running());
            let busy = at_work.count() >= MOST_AT_WORK;
            let kept = state.find_mut(id)?;
            if busy && !kept.trash.is_running() {
                return Err(passing(
                    ProblemCode::WrongState,
                    format!("the trash of {MOST_AT_WORK} other volumes is being worked on"),
                    "Try it again when one of them is done, or cancel one.",
                ));
            }
            let begun = kept.trash.begin(plan.deed, Moment::now())?;
            (kept.entry.clone(), kept.held.clone(), begun)
        };
        self.0.changes.record(Topic::VolumeTrash { id: id.clone() });
        let agent = Arc::clone(&self.0);
        tokio::spawn(async move {
            let number = begun.number;
            let end = agent.work_on_trash(&entry, held, plan, begun).await;
            let end = end.unwrap_or_else(|problem| {
                let cause = problem.cause.as_deref();
                tracing::warn!(volume = entry.settings.name, cause, "{problem}");
                End::Failed(problem)
            });
            agent.change_trash(&entry.id, |trash| trash.end(number, end, Moment::now()));
        });
        self.trash_job(id)
    }

    /// Tells the work to end; that it was told is the answer.
    pub(crate) fn cancel_trash(&self, id: &VolumeId) -> Result<Response, Problem> {
        self.0.state().find_mut(id)?.trash.cancel()?;
        self.0.changes.record(Topic::VolumeTrash { id: id.clone() });
        self.trash_job(id)
    }
}

impl<T: MountTable> Agent<T> {
    async fn work_on_trash(
        &self,
        entry: &Entry,
        held: Option<VolumeSecrets>,
        plan: Plan,
        begun: Begun,
    ) -> Result<End, Problem> {
        let Begun {
            number,
            mut cancelled,
        } = begun;
        let secrets = tokio::select! {
            // The store of secrets may ask a person first.
            secrets = self.secrets_of(entry, held) => secrets?,
            () = cancelled.told() => return Ok(End::Cancelled),
        };
        let name = &entry.settings.name;
        let task = match plan.deed {
            TrashDeed::Restore => format!("restoring from the trash of {name}"),
            TrashDeed::Purge => format!("deleting from the trash of {name}"),
        };
        let mut done = 0;
        let mut ahead: u64 = plan.parts.iter().map(|part| part.named).sum();
        for part in plan.parts {
            if cancelled.is_told() {
                return Ok(End::Cancelled);
            }
            ahead -= part.named;
            let arguments = part.arguments(plan.deed, entry.settings.metadata_url.as_str());
            let told = |progress| {
                self.change_trash(&entry.id, |trash| {
                    trash.advance(number, of_all(progress, done, ahead));
                });
            };
            let (program, cancel) = (&self.places.program, &mut cancelled);
            let outcome = match plan.deed {
                TrashDeed::Restore => follow(program, arguments, &secrets, &task, cancel, told)
                    .await?
                    .map(Outcome::Restored),
                TrashDeed::Purge => follow(program, arguments, &secrets, &task, cancel, told)
                    .await?
                    .map(Outcome::Purged),
            };
            let Ending::Result(outcome) = outcome else {
                return Ok(End::Cancelled);
            };
            done += outcome.entries();
            self.change_trash(&entry.id, |trash| trash.learn(number, outcome));
        }
        Ok(End::Done)
    }

    /// A volume that is not in the list any more is nobody's concern.
    fn change_trash(&self, id: &VolumeId, change: impl FnOnce(&mut TrashJobs)) {
        if let Ok(kept) = self.state().find_mut(id) {
            change(&mut kept.trash);
            self.changes.record(Topic::VolumeTrash { id: id.clone() });
        }
    }
}

/// Flags and operands for a page of the list.
fn which(
    inside: Option<TrashFolder>,
    from: Option<TrashPlace>,
) -> Result<(Vec<String>, Vec<String>), Problem> {
    let mut flags = Vec::new();
    let mut operands = Vec::new();
    let from_hour = from.as_ref().map(|place| place.hour.clone());
    match inside {
        Some(folder) => {
            if from_hour.is_some_and(|hour| hour != folder.hour) {
                return Err(lasting(
                    ProblemCode::InvalidRequest,
                    "a page of what was in a folder begins in another hour than the folder's",
                    "Give the place where the page before ended.",
                ));
            }
            flags.push(format!("--in={}", folder.entry));
            operands.push(folder.hour);
        }
        None => flags.extend(from_hour.map(|hour| format!("--from={hour}"))),
    }
    let after = from.and_then(|place| place.after);
    flags.extend(after.map(|after| format!("--after={after}")));
    Ok((flags, operands))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_where_the_one_before_ended() {
        let place = TrashPlace {
            hour: "2026-01-05-09".to_owned(),
            after: Some("1-2-a".to_owned()),
        };
        let folder = TrashFolder {
            hour: "2026-01-05-09".to_owned(),
            entry: "1-3-d".to_owned(),
        };
        let expected = ["--from=2026-01-05-09", "--after=1-2-a"].map(str::to_owned);
        assert_eq!(
            which(None, Some(place.clone())),
            Ok((expected.to_vec(), Vec::new()))
        );
        let expected = ["--in=1-3-d", "--after=1-2-a"].map(str::to_owned);
        let hour = vec![folder.hour.clone()];
        assert_eq!(
            which(Some(folder.clone()), Some(place.clone())),
            Ok((expected.to_vec(), hour))
        );
        let elsewhere = TrashPlace {
            hour: "2026-01-05-08".to_owned(),
            ..place
        };
        assert!(which(Some(folder), Some(elsewhere)).is_err());
    }
}
