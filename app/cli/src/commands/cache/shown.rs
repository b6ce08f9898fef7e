//! Answers of mounts about their caches, for people and programs.

use std::collections::BTreeMap;

use moorage_model::{Error, ErrorKind, Result};
use moorage_vfs::control::{CacheFigures, CacheReport, FailedPath, UnfetchedFile, UnfitFile, error_number};
use serde::Serialize;

use super::Answer;
use crate::noun::{BLOCKS, FILES, PATHS, agree};
use crate::{output, size};

/// Names of each kind that people are shown; programs get what the mount names.
const MOST_SHOWN: usize = 20;

/// A file that failed or did not fit.
#[derive(Serialize)]
struct Named {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<&FailedPath> for Named {
    fn from(failed: &FailedPath) -> Named {
        Named {
            path: failed.path.clone(),
            bytes: None,
            reason: Some(failed.reason.clone()),
        }
    }
}

impl From<&UnfetchedFile> for Named {
    fn from(unfetched: &UnfetchedFile) -> Named {
        Named {
            path: unfetched.path.clone(),
            bytes: None,
            reason: Some(unfetched.reason.clone()),
        }
    }
}

impl From<&UnfitFile> for Named {
    fn from(unfit: &UnfitFile) -> Named {
        Named {
            path: unfit.path.clone(),
            bytes: Some(unfit.bytes),
            reason: None,
        }
    }
}

impl Named {
    fn line(&self) -> String {
        let about = match (&self.reason, self.bytes) {
            (Some(reason), _) => format!(": {reason}"),
            (None, Some(bytes)) => format!(" ({})", size::show(bytes)),
            (None, None) => String::new(),
        };
        format!("  {}\n", output::plain(&format!("{}{about}", self.path)))
    }
}

fn lines(named: &[Named], number: u64) -> String {
    let mut text: String = named.iter().take(MOST_SHOWN).map(Named::line).collect();
    let shown = named.len().min(MOST_SHOWN) as u64;
    if number > shown {
        text.push_str(&format!("  and {} more\n", number - shown));
    }
    text
}

/// What failed, below a path.
#[derive(Serialize)]
struct Failures {
    failed_paths: u64,
    failed: Vec<Named>,
}

impl Failures {
    fn new(report: &CacheReport) -> Failures {
        Failures {
            failed_paths: report.failed_count,
            failed: report.failed.iter().map(Named::from).collect(),
        }
    }

    fn text(&self) -> String {
        if self.failed_paths == 0 {
            return String::new();
        }
        let failed = PATHS.count(self.failed_paths);
        format!("{failed} failed:\n{}", lines(&self.failed, self.failed_paths))
    }
}

/// What was fetched of a path.
#[derive(Serialize)]
pub(super) struct Fetched {
    path: String,
    files: u64,
    bytes: u64,
    fetched_bytes: u64,
    unfit_files: u64,
    unfit_bytes: u64,
    unfit: Vec<Named>,
    #[serde(flatten)]
    failures: Failures,
    needs_no_cache: bool,
}

impl Fetched {
    pub(super) fn new(answer: &Answer) -> Fetched {
        let report = &answer.report;
        Fetched {
            path: answer.path.display().to_string(),
            files: report.file_count,
            bytes: report.total_bytes,
            fetched_bytes: report.miss_bytes,
            unfit_files: report.unfit_count,
            unfit_bytes: report.unfit_bytes,
            unfit: report.unfit.iter().map(Named::from).collect(),
            failures: Failures::new(report),
            needs_no_cache: report.cache == Some(CacheFigures::Needless),
        }
    }

    pub(super) fn text(&self) -> String {
        let path = output::plain(&self.path);
        let (files, bytes) = (FILES.count(self.files), size::show(self.bytes));
        let mut text = if self.needs_no_cache {
            format!(
                "{path}: {files}, {bytes}; they lie in a folder of this computer, which needs no cache.\n"
            )
        } else {
            let fetched = size::show(self.fetched_bytes);
            format!("{path}: {files}, {bytes}; {fetched} of that fetched now.\n")
        };
        if self.unfit_files > 0 {
            text.push_str(&format!(
                "{} of {} did not stay in the cache, which is too small for all of it:\n{}",
                size::show(self.unfit_bytes),
                FILES.count(self.unfit_files),
                lines(&self.unfit, self.unfit_files)
            ));
        }
        text + &self.failures.text()
    }
}

/// What was dropped of a path.
#[derive(Serialize)]
pub(super) struct Dropped {
    path: String,
    files: u64,
    dropped_blocks: u64,
    dropped_bytes: u64,
    staged_blocks: u64,
    staged_bytes: u64,
    pinned_blocks: u64,
    pinned_bytes: u64,
    #[serde(flatten)]
    failures: Failures,
}

impl Dropped {
    pub(super) fn new(answer: &Answer) -> Dropped {
        let report = &answer.report;
        let direct = report.cache == Some(CacheFigures::Needless);
        let here = |all: u64, others: [u64; 3]| {
            if direct {
                0
            } else {
                others.into_iter().fold(all, u64::saturating_sub)
            }
        };
        Dropped {
            path: answer.path.display().to_string(),
            files: report.file_count,
            dropped_blocks: here(
                report.block_count,
                [report.miss_blocks, report.staged_blocks, report.kept_blocks],
            ),
            dropped_bytes: here(
                report.total_bytes,
                [report.miss_bytes, report.staged_bytes, report.kept_bytes],
            ),
            staged_blocks: report.staged_blocks,
            staged_bytes: report.staged_bytes,
            pinned_blocks: report.kept_blocks,
            pinned_bytes: report.kept_bytes,
            failures: Failures::new(report),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{}: dropped {}, {}, of {}.\n",
            output::plain(&self.path),
            BLOCKS.count(self.dropped_blocks),
            size::show(self.dropped_bytes),
            FILES.count(self.files)
        );
        if self.staged_blocks > 0 {
            text.push_str(&format!(
                "{}, {}, {} kept until the upload.\n",
                BLOCKS.count(self.staged_blocks),
                size::show(self.staged_bytes),
                agree(self.staged_blocks, "is", "are")
            ));
        }
        if self.pinned_blocks > 0 {
            text.push_str(&format!(
                "{}, {}, {} pinned and stay; `moorage cache unpin` lets them go.\n",
                BLOCKS.count(self.pinned_blocks),
                size::show(self.pinned_bytes),
                agree(self.pinned_blocks, "is", "are")
            ));
        }
        text + &self.failures.text()
    }
}

/// What is here of paths, and the caches that they belong to.
#[derive(Serialize)]
pub(super) struct Local {
    paths: Vec<LocalPath>,
    caches: BTreeMap<String, Cache>,
}

#[derive(Serialize)]
struct LocalPath {
    path: String,
    files: u64,
    blocks: u64,
    bytes: u64,
    local_blocks: u64,
    local_bytes: u64,
    staged_blocks: u64,
    staged_bytes: u64,
    pinned_blocks: u64,
    pinned_bytes: u64,
    unfetched_files: u64,
    unfetched: Vec<Named>,
    #[serde(flatten)]
    failures: Failures,
}

/// The cache of a mount.
#[derive(Debug, Serialize)]
pub(super) struct Cache {
    /// `disk`, `memory`, or `none` where objects lie in a folder of this computer.
    kind: &'static str,
    folders: Vec<String>,
    used: u64,
    limit: Option<u64>,
    blocks: Option<u64>,
    pinned: Option<u64>,
    pin_limit: Option<u64>,
}

impl Cache {
    pub(super) fn new(figures: &CacheFigures) -> Cache {
        let (kind, used) = match figures {
            CacheFigures::Needless => ("none", 0),
            CacheFigures::Memory { bytes } => ("memory", *bytes),
            CacheFigures::Disk { bytes, .. } => ("disk", *bytes),
        };
        let (folders, limit, blocks) = match figures {
            CacheFigures::Disk {
                folders,
                limit,
                blocks,
                ..
            } => (folders.as_slice(), Some(*limit), Some(*blocks)),
            CacheFigures::Needless | CacheFigures::Memory { .. } => (Default::default(), None, None),
        };
        let (pinned, pin_limit) = match figures {
            CacheFigures::Disk {
                pinned_bytes,
                pin_limit,
                ..
            } => (Some(*pinned_bytes), Some(*pin_limit)),
            CacheFigures::Needless | CacheFigures::Memory { .. } => (None, None),
        };
        Cache {
            kind,
            folders: folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect(),
            used,
            limit,
            blocks,
            pinned,
            pin_limit,
        }
    }

    pub(super) fn text(&self, point: &str) -> String {
        let mut fields = vec![("mount", point.to_owned())];
        match (self.kind, self.limit) {
            ("none", _) => fields.push((
                "cache",
                "none: objects lie in a folder of this computer".to_owned(),
            )),
            (_, None) => fields.push((
                "cache",
                format!("{} in memory, none on disk", size::show(self.used)),
            )),
            (_, Some(limit)) => {
                let blocks = BLOCKS.count(self.blocks.unwrap_or_default());
                let (used, limit) = (size::show(self.used), size::show(limit));
                fields.push(("cache", format!("{used} of {limit}, {blocks}")));
                if let (Some(pinned), Some(most)) = (self.pinned, self.pin_limit) {
                    let (pinned, most) = (size::show(pinned), size::show(most));
                    fields.push(("pinned", format!("{pinned} of at most {most}")));
                }
                fields.push(("folder", self.folders.join("\n")));
            }
        }
        output::fields(&fields)
    }
}

impl Local {
    pub(super) fn new(answers: &[Answer]) -> Local {
        let path = |answer: &Answer| {
            let report = &answer.report;
            LocalPath {
                path: answer.path.display().to_string(),
                files: report.file_count,
                blocks: report.block_count,
                bytes: report.total_bytes,
                local_blocks: report.block_count.saturating_sub(report.miss_blocks),
                local_bytes: report.total_bytes.saturating_sub(report.miss_bytes),
                staged_blocks: report.staged_blocks,
                staged_bytes: report.staged_bytes,
                pinned_blocks: report.pinned_blocks,
                pinned_bytes: report.pinned_bytes,
                unfetched_files: report.unfetched_count,
                unfetched: report.unfetched.iter().map(Named::from).collect(),
                failures: Failures::new(report),
            }
        };
        let caches = answers.iter().filter_map(|answer| {
            let cache = answer.report.cache.as_ref().map(Cache::new)?;
            Some((answer.point.display().to_string(), cache))
        });
        Local {
            paths: answers.iter().map(path).collect(),
            caches: caches.collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let rows: Vec<Vec<String>> = self.paths.iter().map(LocalPath::row).collect();
        let heading = [
            "files",
            "local",
            "size",
            "local blocks",
            "blocks",
            "pinned",
            "not uploaded",
            "path",
        ];
        let mut text = output::table(&heading, &rows);
        for path in &self.paths {
            text.push_str(&path.failures.text());
            text.push_str(&path.unfetched());
        }
        for (point, cache) in &self.caches {
            text.push('\n');
            text.push_str(&cache.text(point));
        }
        text
    }
}

impl LocalPath {
    fn row(&self) -> Vec<String> {
        vec![
            self.files.to_string(),
            size::show(self.local_bytes),
            size::show(self.bytes),
            self.local_blocks.to_string(),
            self.blocks.to_string(),
            size::show(self.pinned_bytes),
            size::show(self.staged_bytes),
            self.path.clone(),
        ]
    }

    fn unfetched(&self) -> String {
        if self.unfetched_files == 0 {
            return String::new();
        }
        format!(
            "{} that should be kept here could not be fetched; the mount tries again:\n{}",
            FILES.count(self.unfetched_files),
            lines(&self.unfetched, self.unfetched_files)
        )
    }
}

/// The failure of the whole command: what failed comes before what did not fit.
pub(super) fn verdict(answers: &[Answer]) -> Result<()> {
    let sum = |of: fn(&CacheReport) -> u64| answers.iter().map(|answer| of(&answer.report)).sum::<u64>();
    let failed = sum(|report| report.failed_count);
    if failed > 0 {
        let first = answers.iter().find_map(|answer| answer.report.failed.first());
        let kind = first.map_or(ErrorKind::Io, |first| kind_of(first.errno));
        return Err(Error::new(kind, format!("{} failed", PATHS.count(failed))));
    }
    let unfit = sum(|report| report.unfit_bytes);
    if unfit > 0 {
        return Err(Error::new(
            ErrorKind::NoSpace,
            format!("{} did not stay in the cache", size::show(unfit)),
        )
        .with_advice("Mount with a larger --cache-size, or a smaller --free-space-ratio, or fetch less."));
    }
    Ok(())
}

/// The kind behind the error number of a file, as far as exit codes tell kinds apart.
pub(super) fn kind_of(number: u8) -> ErrorKind {
    const KINDS: [ErrorKind; 7] = [
        ErrorKind::NotFound,
        ErrorKind::AccessDenied,
        ErrorKind::NotPermitted,
        ErrorKind::Timeout,
        ErrorKind::NoSpace,
        ErrorKind::NotSupported,
        ErrorKind::InvalidArgument,
    ];
    let known = KINDS.into_iter().find(|kind| error_number(*kind) == number);
    known.unwrap_or(ErrorKind::Io)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn answer(report: CacheReport) -> Answer {
        Answer {
            path: PathBuf::from("/mnt/d"),
            point: PathBuf::from("/mnt"),
            report,
        }
    }

    #[test]
    fn what_did_not_fit_or_failed_is_named_and_ends_with_its_code() {
        let mut report = CacheReport {
            file_count: 3,
            total_bytes: 3 << 20,
            miss_bytes: 2 << 20,
            unfit_count: 1,
            unfit_bytes: 1 << 20,
            unfit: vec![UnfitFile {
                path: "/d/large".to_owned(),
                bytes: 1 << 20,
            }],
            ..CacheReport::default()
        };
        let text = Fetched::new(&answer(report.clone())).text();
        assert!(text.contains("/d/large (1.0 MiB)"), "{text}");
        let verdict_of =
            |report: &CacheReport| verdict(&[answer(report.clone())]).map_err(|error| error.kind());
        assert_eq!(verdict_of(&report), Err(ErrorKind::NoSpace));
        report.failed_count = 25;
        report.failed = (0..25)
            .map(|n| FailedPath {
                path: format!("/d/{n}"),
                errno: error_number(ErrorKind::Timeout),
                reason: "the store is gone".to_owned(),
            })
            .collect();
        let text = Fetched::new(&answer(report.clone())).text();
        assert!(
            text.contains("/d/0: the store is gone") && text.contains("and 5 more"),
            "{text}"
        );
        assert_eq!(verdict_of(&report), Err(ErrorKind::Timeout));
    }

    #[test]
    fn a_staged_block_counts_as_here_and_not_as_dropped() {
        let report = CacheReport {
            block_count: 5,
            total_bytes: 500,
            miss_blocks: 2,
            miss_bytes: 200,
            staged_blocks: 1,
            staged_bytes: 100,
            ..CacheReport::default()
        };
        let dropped = Dropped::new(&answer(report.clone()));
        assert_eq!((dropped.dropped_blocks, dropped.dropped_bytes), (2, 200));
        let local = Local::new(&[answer(report)]);
        let path = local.paths.first().expect("one");
        assert_eq!((path.local_blocks, path.local_bytes), (3, 300));
    }
}
