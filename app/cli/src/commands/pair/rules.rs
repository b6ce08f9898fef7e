//! What of a pair can be set when it is added, and changed later.

use clap::Args;
use moorage_control::sync::SyncGuard;
use moorage_model::Result;
use moorage_sync::RelativePath;

/// Folders that are left out, and the limits of removals.
#[derive(Args, Debug)]
pub(super) struct RuleArguments {
    /// Leave FOLDER out with all below it, as a path from the roots of both sides; may be given several times, and replaces
    /// what was left out before. It stays as it is on both sides
    #[arg(long, value_name = "FOLDER")]
    leave_out: Vec<String>,

    /// Ask before more than N files of one side are removed [default: 100, or as it is]
    #[arg(long, value_name = "N")]
    ask_above: Option<u64>,

    /// Ask before more than so many percent of the files that both sides had are removed [default: 25, or as it is]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(..=100))]
    ask_above_percent: Option<u64>,
}

impl RuleArguments {
    /// The folders, where some are given.
    ///
    /// # Errors
    /// `InvalidArgument` for what is no path below the roots.
    pub(super) fn left_out(&self) -> Result<Option<Vec<String>>> {
        if self.leave_out.is_empty() {
            return Ok(None);
        }
        let folders = self.leave_out.iter().map(|folder| {
            let folder = folder.trim_matches('/');
            RelativePath::new(folder.as_bytes()).map(|_| folder.to_owned())
        });
        folders.collect::<Result<_>>().map(Some)
    }

    /// The limits, where they are not given as `before`.
    pub(super) fn guard(&self, before: SyncGuard) -> SyncGuard {
        SyncGuard {
            files: self.ask_above.unwrap_or(before.files),
            percent: self.ask_above_percent.unwrap_or(before.percent),
        }
    }
}
