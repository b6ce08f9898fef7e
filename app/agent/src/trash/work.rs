//! What is to be done about a trash, as commands that follow each other.

use moorage_control::job::JobProgress;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::trash::{MOST_CHOSEN, TrashChosen, TrashDeed, TrashWork};

use crate::trouble::lasting;
use crate::volume_command::arguments;

/// Entries that one command is given: they become its arguments, each at most some hundred bytes.
const MOST_NAMED: usize = 200;

/// The commands that do it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// What they do.
    pub(super) deed: TrashDeed,
    /// They are done in this order.
    pub(super) parts: Vec<Part>,
}

/// One command.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    flags: Vec<String>,
    operands: Vec<String>,
    /// Entries that it is given; 0 where it is given a time, or nothing.
    pub(super) named: u64,
}

impl Plan {
    /// The commands for `work`.
    ///
    /// # Errors
    /// That it names no entry, or too many.
    pub(super) fn of(work: TrashWork) -> Result<Plan, Problem> {
        let flag = |flag: String| {
            vec![Part {
                flags: vec![flag],
                ..Part::default()
            }]
        };
        let (deed, parts) = match work {
            TrashWork::Restore { chosen } => (TrashDeed::Restore, named(&chosen)?),
            TrashWork::Purge { chosen } => (TrashDeed::Purge, named(&chosen)?),
            TrashWork::PurgeOlder { seconds } => (TrashDeed::Purge, flag(format!("--older-than={seconds}s"))),
            TrashWork::PurgeAll => (TrashDeed::Purge, flag("--all".to_owned())),
        };
        Ok(Plan { deed, parts })
    }
}

impl Part {
    /// The arguments of the command for the volume at `address`.
    pub(super) fn arguments(&self, deed: TrashDeed, address: &str) -> Vec<String> {
        let words: &[&str] = match deed {
            TrashDeed::Restore => &["restore"],
            TrashDeed::Purge => &["trash", "purge"],
        };
        let follow = ["--follow".to_owned()];
        let flags = follow.iter().chain(&self.flags);
        arguments(words, flags, address, &self.operands)
    }
}

fn named(chosen: &[TrashChosen]) -> Result<Vec<Part>, Problem> {
    let entries: usize = chosen.iter().map(|chosen| chosen.entries.len()).sum();
    if entries == 0 || entries > MOST_CHOSEN {
        return Err(lasting(
            ProblemCode::InvalidRequest,
            format!("1 to {MOST_CHOSEN} entries of the trash can be named at once"),
            "Choose fewer, and the others afterwards.",
        ));
    }
    let parts = chosen.iter().flat_map(|TrashChosen { hour, entries }| {
        entries.chunks(MOST_NAMED).map(|names| Part {
            flags: names.iter().map(|name| format!("--entry={name}")).collect(),
            operands: vec![hour.clone()],
            named: names.len() as u64,
        })
    });
    Ok(parts.collect())
}

/// How far all of the work is when a part of it came so far: `done` was done before, and `ahead` is named in later parts.
pub(super) fn of_all(part: JobProgress, done: u64, ahead: u64) -> JobProgress {
    JobProgress {
        done: part.done.saturating_add(done),
        total: part
            .total
            .map(|total| total.saturating_add(done).saturating_add(ahead)),
        ..part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: &str = "2026-01-05-09";

    fn chosen(hour: &str, entries: usize) -> TrashChosen {
        TrashChosen {
            hour: hour.to_owned(),
            entries: (0..entries).map(|entry| format!("1-{entry}-a")).collect(),
        }
    }

    #[test]
    fn nothing_and_too_much_can_not_be_chosen() {
        for entries in [0, MOST_CHOSEN + 1] {
            let chosen = vec![chosen(HOUR, entries)];
            assert!(Plan::of(TrashWork::Purge { chosen }).is_err(), "{entries}");
        }
    }

    #[test]
    fn entries_are_named_hour_by_hour_and_no_more_at_once_than_a_command_takes() {
        let chosen = vec![chosen(HOUR, MOST_NAMED + 1), chosen("2026-01-05-08", 1)];
        let plan = Plan::of(TrashWork::Restore { chosen }).expect("a plan");
        let parts: Vec<_> = plan
            .parts
            .iter()
            .map(|part| (part.operands.join(" "), part.named))
            .collect();
        assert_eq!(
            parts,
            [
                (HOUR.to_owned(), MOST_NAMED as u64),
                (HOUR.to_owned(), 1),
                ("2026-01-05-08".to_owned(), 1)
            ]
        );
    }

    #[test]
    fn what_a_client_names_is_never_taken_for_a_flag() {
        let chosen = vec![TrashChosen {
            hour: "--all".to_owned(),
            entries: vec!["--all".to_owned()],
        }];
        let plan = Plan::of(TrashWork::Purge { chosen }).expect("a plan");
        let arguments = plan.parts.first().expect("a part").arguments(plan.deed, "url");
        assert_eq!(
            arguments,
            [
                "trash",
                "purge",
                "--json",
                "--secrets-from-stdin",
                "--follow",
                "--entry=--all",
                "--",
                "url",
                "--all"
            ]
        );
    }

    #[test]
    fn progress_goes_on_from_part_to_part() {
        let part = JobProgress {
            done: 3,
            total: Some(5),
            ..JobProgress::default()
        };
        let all = of_all(part, 200, 7);
        assert_eq!((all.done, all.total), (203, Some(212)));
        assert_eq!(of_all(JobProgress { total: None, ..part }, 200, 7).total, None);
    }
}
