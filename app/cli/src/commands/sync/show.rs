//! What a person or a program reads of a copy.

use std::sync::Mutex;
use std::sync::PoisonError;

use moorage_model::Result;
use moorage_sync::RelativePath;
use moorage_sync::copy::{Action, Failure, Observer, Report};
use serde_json::{Value, json};

use crate::noun::FILES;
use crate::output::{self, OutputArguments};
use crate::{failure, size};

/// Failures kept for the JSON of the end; all of them are told as they come.
const MOST_FAILURES_KEPT: usize = 1000;

/// Tells failures on standard error and, in a dry run, changes on standard output.
pub(super) struct Shown {
    output: OutputArguments,
    quiet: bool,
    failures: Mutex<Vec<Value>>,
}

impl Shown {
    pub(super) fn new(output: OutputArguments, quiet: bool) -> Shown {
        Shown {
            output,
            quiet,
            failures: Mutex::default(),
        }
    }

    /// Prints the sums.
    ///
    /// # Errors
    /// `Io` when standard output can not be written.
    pub(super) fn summary(&self, report: &Report, dry: bool) -> Result<()> {
        let failures = std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner));
        output::print(self.output, &as_json(report, dry, &failures), |_| {
            as_text(report, dry)
        })
    }
}

impl Observer for Shown {
    fn would(&self, action: Action, path: &RelativePath) {
        if self.output.json || self.quiet {
            return;
        }
        let what = match action {
            Action::Copy => "copy",
            Action::SetPermissions => "set permissions of",
            Action::DeleteSource => "delete from SRC",
            Action::DeleteDestination => "delete from DST",
        };
        // A reader that went away has seen enough.
        let _ = output::line(&format!("would {what} {}", output::plain(&path.to_string())));
    }

    fn failed(&self, failure: &Failure) {
        if !self.output.json {
            output::tell(&failure::described(&failure.error).0);
        }
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < MOST_FAILURES_KEPT {
            let mut described = failure::described_as_json(&failure.error);
            if let Some(members) = described.as_object_mut() {
                members.insert("path".to_owned(), failure.path.to_string().into());
            }
            failures.push(described);
        }
    }
}

fn as_json(report: &Report, dry: bool, failures: &[Value]) -> Value {
    json!({
        "dry": dry,
        "found": report.found,
        "copied": report.copied,
        "copied_bytes": report.copied_bytes,
        "checked": report.checked,
        "checked_bytes": report.checked_bytes,
        "permissions_set": report.changed,
        "skipped": report.skipped,
        "deleted_source": report.deleted_source,
        "deleted_destination": report.deleted_destination,
        "failed": report.failed,
        "failures": failures,
    })
}

fn as_text(report: &Report, dry: bool) -> String {
    let mut text = format!(
        "{} {} of {}, {}",
        if dry { "Would copy" } else { "Copied" },
        report.copied,
        FILES.count(report.found),
        size::show(report.copied_bytes)
    );
    for (count, what) in [
        (report.checked, "compared and found equal"),
        (report.changed, "with new permissions"),
        (report.skipped, "left as they are"),
        (report.deleted_source, "deleted from SRC"),
        (report.deleted_destination, "deleted from DST"),
        (report.failed, "failed"),
    ] {
        if count > 0 {
            text.push_str(&format!("; {count} {what}"));
        }
    }
    text.push_str(".\n");
    text
}
