//! Pins, for people and programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use moorage_model::{Error, ErrorKind, Result};
use moorage_vfs::control::{FailedPath, PinStatus, UnfetchedFile};
use serde::Serialize;

use super::PinAnswer;
use super::shown::{Cache, kind_of};
use crate::noun::{FILES, PATHS};
use crate::{output, size};

/// A path with what is wrong with it.
#[derive(Debug, Serialize)]
struct Named {
    path: String,
    reason: String,
}

impl Named {
    fn line(&self) -> String {
        format!(
            "  {}\n",
            output::plain(&format!("{}: {}", self.path, self.reason))
        )
    }
}

/// A path of a mount as one of this computer.
fn whole(point: &Path, path: &str) -> String {
    let mut whole = point.to_owned();
    whole.extend(path.split('/').filter(|name| !name.is_empty()));
    whole.display().to_string()
}

fn failed(point: &Path, failed: &FailedPath) -> Named {
    Named {
        path: whole(point, &failed.path),
        reason: failed.reason.clone(),
    }
}

fn unfetched(point: &Path, file: &UnfetchedFile) -> Named {
    Named {
        path: whole(point, &file.path),
        reason: file.reason.clone(),
    }
}

/// How far a pin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// All of it is on this computer.
    Here,
    /// The rest is being fetched.
    Fetching,
    /// The rest is fetched when transfers are no longer paused.
    Paused,
    /// The rest does not fit.
    Full,
    /// The rest could not be fetched; it is tried again.
    Failed,
}

fn state(pin: &PinStatus, paused: bool) -> State {
    let missing = pin.bytes.saturating_sub(pin.local_bytes);
    match (missing, missing.saturating_sub(pin.unfit_bytes)) {
        (0, _) => State::Here,
        (_, 0) => State::Full,
        _ if pin.unfetched_count > 0 => State::Failed,
        _ if paused => State::Paused,
        _ => State::Fetching,
    }
}

/// What is kept, and the caches that it is kept in.
#[derive(Debug, Serialize)]
pub(super) struct Kept {
    pins: Vec<KeptPath>,
    failed: Vec<Named>,
    caches: BTreeMap<String, Cache>,
}

#[derive(Debug, Serialize)]
struct KeptPath {
    path: String,
    folder: bool,
    /// Seconds since 1970.
    pinned_at: i64,
    state: State,
    files: u64,
    bytes: u64,
    local_bytes: u64,
    unfit_bytes: u64,
    unfetched_files: u64,
    unfetched: Vec<Named>,
}

impl Kept {
    pub(super) fn new(answers: &[PinAnswer]) -> Kept {
        let mut kept = Kept {
            pins: Vec::new(),
            failed: Vec::new(),
            caches: BTreeMap::new(),
        };
        for PinAnswer { point, report } in answers {
            kept.pins.extend(
                report
                    .pins
                    .iter()
                    .map(|pin| KeptPath::new(point, pin, report.paused)),
            );
            kept.failed
                .extend(report.failed.iter().map(|path| failed(point, path)));
            if let Some(cache) = &report.cache {
                kept.caches.insert(point.display().to_string(), Cache::new(cache));
            }
        }
        kept
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if self.pins.is_empty() && self.failed.is_empty() {
            text.push_str("Nothing is pinned.\n");
        } else if !self.pins.is_empty() {
            let rows: Vec<Vec<String>> = self.pins.iter().map(KeptPath::row).collect();
            text.push_str(&output::table(&["files", "here", "size", "state", "path"], &rows));
        }
        for pin in &self.pins {
            text.push_str(&pin.troubles());
        }
        text.push_str(&refused(&self.failed));
        for (point, cache) in &self.caches {
            text.push('\n');
            text.push_str(&cache.text(point));
        }
        text
    }
}

impl KeptPath {
    fn new(point: &Path, pin: &PinStatus, paused: bool) -> KeptPath {
        KeptPath {
            path: whole(point, &pin.path),
            folder: pin.is_folder,
            pinned_at: pin.pinned_at,
            state: state(pin, paused),
            files: pin.files,
            bytes: pin.bytes,
            local_bytes: pin.local_bytes,
            unfit_bytes: pin.unfit_bytes,
            unfetched_files: pin.unfetched_count,
            unfetched: pin.unfetched.iter().map(|file| unfetched(point, file)).collect(),
        }
    }

    fn row(&self) -> Vec<String> {
        let state = match self.state {
            State::Here => "here",
            State::Fetching => "fetching",
            State::Paused => "paused",
            State::Full => "does not fit",
            State::Failed => "failed",
        };
        vec![
            self.files.to_string(),
            size::show(self.local_bytes),
            size::show(self.bytes),
            state.to_owned(),
            self.path.clone(),
        ]
    }

    fn troubles(&self) -> String {
        let mut text = String::new();
        let path = output::plain(&self.path);
        if self.unfit_bytes > 0 {
            text.push_str(&format!(
                "{path}: {} do not fit any more, since it has grown; unpin something, or mount with a larger --cache-size.\n",
                size::show(self.unfit_bytes)
            ));
        }
        if self.unfetched_files > 0 {
            let files = FILES.count(self.unfetched_files);
            text.push_str(&format!(
                "{path}: {files} could not be fetched; the mount tries again:\n"
            ));
            text.extend(self.unfetched.iter().map(Named::line));
            let more = self.unfetched_files.saturating_sub(self.unfetched.len() as u64);
            if more > 0 {
                text.push_str(&format!("  and {more} more\n"));
            }
        }
        text
    }
}

fn refused(failed: &[Named]) -> String {
    match failed.len() as u64 {
        0 => String::new(),
        number => {
            let lines: String = failed.iter().map(Named::line).collect();
            format!("{} failed:\n{lines}", PATHS.count(number))
        }
    }
}

/// What is no longer kept.
#[derive(Debug, Serialize)]
pub(super) struct Released {
    unpinned: Vec<String>,
    failed: Vec<Named>,
}

impl Released {
    pub(super) fn new(paths: &[PathBuf], answers: &[PinAnswer]) -> Released {
        let failed: Vec<Named> = answers
            .iter()
            .flat_map(|answer| {
                answer
                    .report
                    .failed
                    .iter()
                    .map(move |path| failed(&answer.point, path))
            })
            .collect();
        let is_failed = |path: &Path| {
            let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            failed.iter().any(|failed| Path::new(&failed.path) == path)
        };
        let unpinned = paths.iter().filter(|path| !is_failed(path));
        Released {
            unpinned: unpinned.map(|path| path.display().to_string()).collect(),
            failed,
        }
    }

    pub(super) fn text(&self) -> String {
        let lines = self
            .unpinned
            .iter()
            .map(|path| format!("{}: kept on this computer no longer.\n", output::plain(path)));
        lines.collect::<String>() + &refused(&self.failed)
    }
}

/// Bytes of the pins that are here.
pub(super) fn local_bytes(answers: &[PinAnswer]) -> u64 {
    let pins = answers.iter().flat_map(|answer| &answer.report.pins);
    pins.map(|pin| pin.local_bytes).sum()
}

/// Whether nothing more comes without help.
pub(super) fn is_done(answers: &[PinAnswer]) -> bool {
    answers.iter().all(|answer| {
        let mut pins = answer.report.pins.iter();
        pins.all(|pin| {
            matches!(
                state(pin, answer.report.paused),
                State::Here | State::Full | State::Failed
            )
        })
    })
}

/// The failure of the paths with which nothing could be done.
pub(super) fn refusal(answers: &[PinAnswer]) -> Result<()> {
    let mut failed = answers.iter().flat_map(|answer| &answer.report.failed);
    let Some(first) = failed.next() else { return Ok(()) };
    let number = 1 + failed.count() as u64;
    Err(Error::new(
        kind_of(first.errno),
        format!("{} failed: {}", PATHS.count(number), first.reason),
    ))
}

/// The failure of pins that are not here completely.
pub(super) fn verdict(answers: &[PinAnswer]) -> Result<()> {
    let pins = || {
        let each = answers.iter();
        each.flat_map(|answer| {
            answer
                .report
                .pins
                .iter()
                .map(move |pin| (pin, state(pin, answer.report.paused)))
        })
    };
    if let Some((pin, _)) = pins().find(|(_, state)| *state == State::Failed) {
        let reason = pin.unfetched.first().map_or("", |file| file.reason.as_str());
        let files = FILES.count(pin.unfetched_count);
        return Err(Error::new(
            ErrorKind::Io,
            format!("{files} of {} could not be fetched: {reason}", pin.path),
        ));
    }
    if let Some((pin, _)) = pins().find(|(_, state)| *state == State::Full) {
        let bytes = size::show(pin.unfit_bytes);
        return Err(
            Error::new(ErrorKind::NoSpace, format!("{bytes} of {} do not fit", pin.path))
                .with_advice("Unpin something, or mount with a larger --cache-size."),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use moorage_vfs::control::PinReport;

    use super::*;

    fn answer(pin: PinStatus, paused: bool) -> PinAnswer {
        let report = PinReport {
            pins: vec![pin],
            paused,
            ..PinReport::default()
        };
        PinAnswer {
            point: PathBuf::from("/mnt"),
            report,
        }
    }

    #[test]
    fn what_is_not_here_has_a_reason() {
        let pin = |local_bytes, unfit_bytes, unfetched_count| PinStatus {
            path: "/d".to_owned(),
            bytes: 100,
            local_bytes,
            unfit_bytes,
            unfetched_count,
            unfetched: vec![UnfetchedFile {
                path: "/d/a".to_owned(),
                reason: "the store is gone".to_owned(),
            }],
            ..PinStatus::default()
        };
        assert_eq!(state(&pin(100, 0, 0), true), State::Here);
        assert_eq!(state(&pin(40, 60, 0), false), State::Full);
        assert_eq!(state(&pin(40, 0, 0), false), State::Fetching);
        assert_eq!(state(&pin(40, 0, 0), true), State::Paused);
        assert_eq!(state(&pin(40, 10, 1), false), State::Failed);
        let failed = [answer(pin(40, 10, 1), false)];
        assert!(is_done(&failed) && !is_done(&[answer(pin(40, 0, 0), true)]));
        assert_eq!(verdict(&failed).unwrap_err().kind(), ErrorKind::Io);
        let text = Kept::new(&failed).text();
        let file: PathBuf = ["/mnt", "d", "a"].iter().collect();
        let said = format!("{}: the store is gone", file.display());
        assert!(text.contains(&said), "{text}");
        let full = [answer(pin(40, 60, 0), false)];
        assert_eq!(verdict(&full).unwrap_err().kind(), ErrorKind::NoSpace);
        assert!(verdict(&[answer(pin(100, 0, 0), false)]).is_ok());
    }
}
