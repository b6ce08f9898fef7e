//! The trash of a volume: `moorage trash` and `moorage restore` do the work.

use std::time::Duration;

use moorage_control::message::Response;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::trash::{MOST_CHOSEN, TrashChoice, TrashFolder, TrashPlace};
use moorage_control::volume::VolumeId;

use crate::mounts::MountTable;
use crate::service::Desk;
use crate::trouble::lasting;
use crate::volume_command::VolumeCommand;

/// How long a look may take: it reads the names of an hour.
const LOOK: Duration = Duration::from_secs(60);
/// How long it may take to restore or delete; what was done by then stays done.
const WORK: Duration = Duration::from_secs(600);

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

    pub(crate) async fn restore_trash(
        &self,
        id: &VolumeId,
        hour: String,
        entries: Vec<String>,
    ) -> Result<Response, Problem> {
        let command = VolumeCommand {
            words: &["restore"],
            flags: chosen(&entries)?,
            operands: vec![hour],
            task: "restoring from the trash of {}",
            deadline: WORK,
        };
        let entries = self.ask_volume(id, command).await?;
        Ok(Response::TrashRestored { entries })
    }

    pub(crate) async fn purge_trash(&self, id: &VolumeId, what: TrashChoice) -> Result<Response, Problem> {
        let (flags, operands) = match what {
            TrashChoice::Chosen { hour, entries } => (chosen(&entries)?, vec![hour]),
            TrashChoice::OlderThan { seconds } => (vec![format!("--older-than={seconds}")], Vec::new()),
            TrashChoice::Everything => (vec!["--all".to_owned()], Vec::new()),
        };
        let command = VolumeCommand {
            words: &["trash", "purge"],
            flags,
            operands,
            task: "deleting from the trash of {}",
            deadline: WORK,
        };
        let purged = self.ask_volume(id, command).await?;
        Ok(Response::TrashPurged { purged })
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

fn chosen(entries: &[String]) -> Result<Vec<String>, Problem> {
    if entries.is_empty() || entries.len() > MOST_CHOSEN {
        return Err(lasting(
            ProblemCode::InvalidRequest,
            format!("1 to {MOST_CHOSEN} entries of the trash can be named at once"),
            "Choose fewer, and the others afterwards.",
        ));
    }
    Ok(entries.iter().map(|entry| format!("--entry={entry}")).collect())
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

    #[test]
    fn nothing_and_too_much_can_not_be_chosen() {
        assert!(chosen(&[]).is_err());
        assert!(chosen(&vec![String::new(); MOST_CHOSEN + 1]).is_err());
        let one = ["1-2-a".to_owned()];
        assert_eq!(chosen(&one), Ok(vec!["--entry=1-2-a".to_owned()]));
    }
}
