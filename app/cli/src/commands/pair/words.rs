//! States, runs and previews of pairs in words.

use std::time::SystemTime;

use moorage_control::problem::Problem;
use moorage_control::state::Timestamp;
use moorage_control::sync::{SyncPair, SyncPreview, SyncRun, SyncSide, SyncState};

use crate::agent::rule_in_words;
use crate::mounting::timestamp;
use crate::noun::FILES;
use crate::output;
use crate::size;

/// Failures and conflicts named for each pair; `--json` has more.
const MOST_NAMED: usize = 5;

/// The word of a state.
pub(super) fn word(state: &SyncState) -> &'static str {
    match state {
        SyncState::Waiting => "waiting",
        SyncState::Paused { .. } => "paused",
        SyncState::Held { .. } => "held",
        SyncState::Running { .. } => "running",
        SyncState::UpToDate => "up to date",
        SyncState::Asking { .. } => "asking",
        SyncState::Incomplete => "incomplete",
        SyncState::Error { .. } => "error",
    }
}

/// What there is to say of a pair beside its row, one line each.
pub(super) fn lines(pair: &SyncPair, volume: &str) -> Vec<String> {
    let folder = &pair.settings.local_folder;
    let mut lines = Vec::new();
    match &pair.state {
        SyncState::Waiting => lines.push(format!(
            "{volume} is not mounted. `moorage volume mount {volume}` mounts it, and the pair goes on."
        )),
        SyncState::Paused { all: true } => {
            lines.push("All transfers are paused. `moorage agent resume` resumes them.".to_owned());
        }
        SyncState::Paused { all: false } => {
            lines.push(format!("`moorage pair resume {folder}` lets it go on."));
        }
        SyncState::Held { by } => lines.push(format!(
            "All transfers are held: {}. It goes on by itself; `moorage agent settings` has the rule.",
            rule_in_words(*by)
        )),
        SyncState::Asking { preview } => lines.extend(question(preview, folder, volume)),
        SyncState::Error { problem } => lines.push(in_full(problem)),
        SyncState::Running { .. } | SyncState::UpToDate | SyncState::Incomplete => {}
    }
    if let Some(run) = &pair.last_run {
        let named = run.failures.iter().take(MOST_NAMED);
        lines.extend(named.map(|failure| format!("{}: {}", failure.path, in_full(&failure.problem))));
        lines.extend(more(run.failed, run.failures.len().min(MOST_NAMED), "failed"));
    }
    for conflict in pair.conflicts.iter().take(MOST_NAMED) {
        let whose = match conflict.side {
            SyncSide::Local => "the version of this computer",
            SyncSide::Volume => "the version of the volume",
        };
        lines.push(format!(
            "conflict: {whose} of {} is {}",
            conflict.path, conflict.copy
        ));
    }
    let conflicts = pair.conflicts.len() as u64;
    lines.extend(more(
        conflicts,
        pair.conflicts.len().min(MOST_NAMED),
        "in conflict",
    ));
    let rests = matches!(
        pair.state,
        SyncState::UpToDate | SyncState::Incomplete | SyncState::Asking { .. }
    );
    if rests && !pair.watched {
        lines
            .push("Changes in the local folder are not heard of; they are found by the next run.".to_owned());
    }
    lines
}

fn more(all: u64, named: usize, what: &str) -> Option<String> {
    let more = all.saturating_sub(named as u64);
    (more > 0 && named > 0).then(|| format!("{} more {what}", FILES.count(more)))
}

fn question(preview: &SyncPreview, folder: &str, volume: &str) -> Vec<String> {
    let removals = [
        (preview.removed_local, "this computer"),
        (preview.removed_volume, volume),
    ];
    let removals: Vec<String> = removals
        .into_iter()
        .filter(|(files, _)| *files > 0)
        .map(|(files, place)| format!("{} from {place}", FILES.count(files)))
        .collect();
    vec![
        format!(
            "It would remove {}, of {} that both sides had. Nothing was changed.",
            removals.join(" and "),
            FILES.count(preview.known)
        ),
        format!("`moorage pair answer {folder} --remove` removes them this once; --keep keeps them."),
    ]
}

/// A problem with its cause and its advice.
fn in_full(problem: &Problem) -> String {
    let cause = problem.cause.as_ref().map(|cause| format!(": {cause}"));
    let message = format!("{problem}{}", cause.unwrap_or_default());
    format!("{}. {}", message.trim_end_matches('.'), problem.advice)
        .trim_end()
        .to_owned()
}

/// What a run did, in one line.
pub(super) fn run_in_words(run: &SyncRun) -> String {
    let parts = [
        (run.copied_volume, "copied to the volume"),
        (run.copied_local, "copied to this computer"),
        (run.removed_volume, "removed from the volume"),
        (run.removed_local, "removed from this computer"),
        (run.conflicts, "in conflict"),
        (run.postponed, "changed meanwhile, and left for the next run"),
        (run.failed, "failed"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    if parts.is_empty() {
        "nothing had to be done".to_owned()
    } else {
        parts.join(", ")
    }
}

/// What a run would do, as fields.
pub(super) fn preview_in_words(preview: &SyncPreview) -> String {
    let with_bytes = |files: u64, bytes: u64| format!("{files} ({})", size::show(bytes));
    let mut fields = vec![
        (
            "to the volume",
            with_bytes(preview.to_volume, preview.to_volume_bytes),
        ),
        (
            "to this computer",
            with_bytes(preview.to_local, preview.to_local_bytes),
        ),
        ("removed from the volume", preview.removed_volume.to_string()),
        ("removed from this computer", preview.removed_local.to_string()),
        ("on both, to be compared", preview.comparisons.to_string()),
        ("left alone as no files", preview.special.to_string()),
        ("not readable", preview.unreadable.to_string()),
    ];
    if preview.asks {
        fields.push(("asks first", "yes: it would remove much".to_owned()));
    }
    output::fields(&fields)
}

/// How far a moment is from now, either way.
pub(super) fn distance(moment: Option<Timestamp>) -> String {
    let Some(moment) = moment else {
        return "-".to_owned();
    };
    let now = timestamp(SystemTime::now()).0;
    let amount = |milliseconds: u64| match milliseconds / 1000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    };
    if moment.0 > now {
        format!("in {}", amount(moment.0 - now))
    } else {
        format!("{} ago", amount(now - moment.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_says_how_many_go_where_and_how_to_answer() {
        let preview = SyncPreview {
            known: 10,
            removed_volume: 10,
            ..SyncPreview::default()
        };
        let text = question(&preview, "/home/me/a", "disk").join("\n");
        assert!(text.contains("remove 10 files from disk, of 10 files"), "{text}");
        assert!(text.contains("moorage pair answer /home/me/a --remove"), "{text}");
    }

    #[test]
    fn a_run_is_told_in_one_line() {
        assert_eq!(run_in_words(&SyncRun::default()), "nothing had to be done");
        let run = SyncRun {
            copied_volume: 2,
            failed: 1,
            ..SyncRun::default()
        };
        assert_eq!(run_in_words(&run), "2 copied to the volume, 1 failed");
    }
}
