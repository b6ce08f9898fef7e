//! The command that does it.

use std::path::Path;

use moorage_control::health::{CheckReport, GarbageReport, MOST_FINDINGS};
use moorage_control::job::JobProgress;
use moorage_control::problem::Problem;
use moorage_control::secret::VolumeSecrets;
use moorage_control::volume::VolumeSettings;

use crate::followed::{Ending, follow};
use crate::job::Cancelled;

/// What the command is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Check the volume.
    Check {
        /// Read every object too.
        contents: bool,
        /// Repair what has a safe repair.
        repair: bool,
    },
    /// Find what takes space for nothing.
    Collect {
        /// Delete it.
        delete: bool,
    },
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The volume was checked.
    Checked(CheckReport),
    /// What takes space for nothing was found, or deleted.
    Collected(GarbageReport),
    /// It was told to end before.
    Cancelled,
}

/// Runs it to its end, or until `cancel` is told; `told` hears how far it is.
///
/// # Cancel safety
/// The command is killed; what it finished stays.
///
/// # Errors
/// What it says instead of a result; that it can not be started.
pub(super) async fn run(
    program: &Path,
    settings: &VolumeSettings,
    task: Task,
    secrets: &VolumeSecrets,
    cancel: &mut Cancelled,
    told: impl Fn(JobProgress),
) -> Result<Outcome, Problem> {
    let arguments = arguments(task, settings.metadata_url.as_str());
    let named = in_words(task, &settings.name);
    let ending = match task {
        Task::Check { .. } => follow(program, arguments, secrets, &named, cancel, told)
            .await?
            .map(|report| Outcome::Checked(shortened(report))),
        Task::Collect { .. } => follow(program, arguments, secrets, &named, cancel, told)
            .await?
            .map(Outcome::Collected),
    };
    Ok(match ending {
        Ending::Result(outcome) => outcome,
        Ending::Cancelled => Outcome::Cancelled,
    })
}

/// The worst findings come first, so that none of them is left out for a mild one.
fn shortened(mut report: CheckReport) -> CheckReport {
    report
        .findings
        .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    report.findings.truncate(MOST_FINDINGS);
    report
}

fn in_words(task: Task, name: &str) -> String {
    match task {
        Task::Check { repair: false, .. } => format!("checking {name}"),
        Task::Check { repair: true, .. } => format!("repairing {name}"),
        Task::Collect { delete: false } => format!("finding what {name} takes for nothing"),
        Task::Collect { delete: true } => format!("freeing what {name} takes for nothing"),
    }
}

fn arguments(task: Task, address: &str) -> Vec<String> {
    let (word, flags) = match task {
        Task::Check { contents, repair } => (
            "fsck",
            [("--verify-contents", contents), ("--repair", repair)].to_vec(),
        ),
        Task::Collect { delete } => ("gc", [("--delete", delete)].to_vec()),
    };
    let chosen = flags.into_iter().filter(|(_, is_chosen)| *is_chosen);
    [word, "--json", "--follow", "--secrets-from-stdin"]
        .into_iter()
        .chain(chosen.map(|(flag, _)| flag))
        .chain(["--", address])
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use moorage_control::health::{
        CheckedContents, FindingRepair, FindingSeverity, HealthFinding, OpenFindings,
    };

    use super::*;

    #[test]
    fn only_what_is_to_be_repaired_or_freed_changes_the_volume() {
        let told = |task| arguments(task, "redis://host/1");
        let changes = |task| {
            told(task)
                .iter()
                .any(|word| word == "--delete" || word == "--repair")
        };
        for contents in [false, true] {
            let check = |repair| Task::Check { contents, repair };
            assert!(!changes(check(false)) && changes(check(true)));
            assert_eq!(
                told(check(true)).contains(&"--verify-contents".to_owned()),
                contents
            );
        }
        assert!(!changes(Task::Collect { delete: false }));
        assert!(changes(Task::Collect { delete: true }));
    }

    #[test]
    fn no_error_is_left_out_for_a_note() {
        let finding = |severity| HealthFinding {
            defect: "x".to_owned(),
            severity,
            message: String::new(),
            advice: String::new(),
            repair: FindingRepair::Impossible,
        };
        let mut findings = vec![finding(FindingSeverity::Note); MOST_FINDINGS];
        findings.push(finding(FindingSeverity::Error));
        let report = shortened(CheckReport {
            nodes: 0,
            entries: 0,
            slices: 0,
            objects: 0,
            damaged_records: 0,
            contents: CheckedContents::NotRead,
            verified_objects: 0,
            verified_bytes: 0,
            open: OpenFindings::default(),
            repaired: 0,
            repairable: 0,
            findings,
        });
        assert_eq!(report.findings.len(), MOST_FINDINGS);
        let first = report.findings.first().map(|finding| finding.severity);
        assert_eq!(first, Some(FindingSeverity::Error));
    }
}
