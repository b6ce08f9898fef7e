//! Rounds of a pair that opens both sides anew each time, so that between them it keeps no volume in use.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moorage_control::sync::{
    SyncConflict, SyncFailure, SyncFolders, SyncGuard, SyncKeep, SyncMode, SyncPreview,
};
use moorage_control::sync_work::{SyncReport, SyncTask};
use moorage_model::{Error, ErrorKind, Result, SystemClock};
use moorage_sync::copy::Failure;
use moorage_sync::pair::{
    Conflict, Consent, DeletionGuard, End, HostName, Keep, Mode, Outcome, Pair, PairObserver, PairOptions,
    Rounds, State,
};
use moorage_sync::{Filter, FolderSide, MissingRoot, RelativePath, Side, Tag, Verdict};
use parking_lot::Mutex;

use super::{folders, words};
use crate::agent::problem_of;
use crate::mounting::host_error;

/// Transfers at the same time: enough to hide the waits for a disk or a mount, few enough to leave it to others.
const THREADS: usize = 8;
/// Failures that are named; the rest is counted.
const MOST_FAILURES: usize = 20;
/// What the root of a mount shows that is not stored in the volume.
const NODES_OF_MOUNTS: [&str; 10] = [
    "/.accesslog",
    "/.control",
    "/.stats",
    "/.config",
    "/.trash",
    "/.jfs.accesslog",
    "/.jfs.control",
    "/.jfs.stats",
    "/.jfs.config",
    "/.jfs.trash",
];

/// A pair that is opened for each round.
pub(super) struct OpenedEachTime {
    task: SyncTask,
    filter: Arc<Filter>,
    tag: Tag,
    told: Arc<Told>,
    conflicts: Mutex<Vec<Conflict>>,
    /// What the next round does first.
    resolutions: Mutex<Vec<(SyncConflict, SyncKeep)>>,
    /// What of these the last round could not do.
    unsettled: Mutex<Vec<SyncFailure>>,
}

/// What a round said while it ran.
#[derive(Default)]
struct Told {
    failures: Mutex<Vec<SyncFailure>>,
}

impl PairObserver for Told {
    fn failed(&self, failure: &Failure) {
        let path = words::text(&failure.path);
        tracing::warn!(path, "left as it is: {}", failure.error);
        let mut failures = self.failures.lock();
        if failures.len() < MOST_FAILURES {
            failures.push(SyncFailure {
                path,
                problem: problem_of(&failure.error),
            });
        }
    }

    fn conflict(&self, path: &RelativePath, copy: &RelativePath, _end: End) {
        tracing::info!(
            path = words::text(path),
            copy = words::text(copy),
            "both sides had a version of their own"
        );
    }
}

/// How both sides are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Run,
    Preview,
}

impl OpenedEachTime {
    /// A pair as the agent describes it.
    ///
    /// # Errors
    /// `InvalidArgument` for a pattern that can not be understood.
    pub(super) fn new(task: SyncTask) -> Result<OpenedEachTime> {
        let of_mounts: &[&str] = if task.settings.volume_folder.is_empty() {
            &NODES_OF_MOUNTS
        } else {
            &[]
        };
        let given = task.settings.ignore.iter().map(String::as_str);
        let rules = given.chain(of_mounts.iter().copied());
        let left_out = task.settings.left_out.iter();
        let left_out: Vec<RelativePath> = left_out
            .map(|folder| RelativePath::new(folder.as_bytes()))
            .collect::<Result<_>>()?;
        let rules = rules.map(|pattern| (Verdict::Exclude, pattern));
        let filter = PairOptions::filter_without(&left_out, rules)?;
        let tag = match &task.id {
            Some(id) => Tag::new(&id.0),
            None => Tag::random(),
        };
        Ok(OpenedEachTime {
            task,
            filter,
            tag,
            told: Arc::default(),
            conflicts: Mutex::default(),
            resolutions: Mutex::default(),
            unsettled: Mutex::default(),
        })
    }

    pub(super) fn local_folder(&self) -> PathBuf {
        PathBuf::from(&self.task.settings.local_folder)
    }

    pub(super) fn filter(&self) -> Arc<Filter> {
        Arc::clone(&self.filter)
    }

    fn guard(&self) -> DeletionGuard {
        let SyncGuard { files, percent } = self.task.settings.guard;
        DeletionGuard { files, percent }
    }

    fn options(&self) -> PairOptions {
        PairOptions {
            mode: match self.task.settings.mode {
                SyncMode::TwoWay => Mode::TwoWay,
                SyncMode::BackUp => Mode::BackUp,
                SyncMode::Mirror => Mode::Mirror,
            },
            filter: Arc::clone(&self.filter),
            guard: self.guard(),
            host: HostName::new(&moorage_host::host_name()),
            tag: self.tag.clone(),
            threads: THREADS,
            clock: Arc::new(SystemClock),
        }
    }

    /// Opens both sides.
    fn open(&self, purpose: Purpose) -> Result<Pair> {
        let settings = &self.task.settings;
        let file = self.task.state.as_deref().map(Path::new);
        // Later a folder that is missing was taken away, and is not to be taken for an emptied one.
        let is_first = file.is_none_or(|file| !file.exists());
        let missing = match (purpose, is_first) {
            (Purpose::Preview, true) => MissingRoot::TakeAsEmpty,
            (Purpose::Run, true) if settings.mode != SyncMode::Mirror => MissingRoot::Make,
            _ => MissingRoot::Refuse,
        };
        let local_missing = match missing {
            MissingRoot::TakeAsEmpty => MissingRoot::TakeAsEmpty,
            // The agent made it, where it was to be made.
            MissingRoot::Make | MissingRoot::Refuse => MissingRoot::Refuse,
        };
        let local = FolderSide::open(&self.local_folder(), local_missing, self.tag.clone())?;
        let remote = self.open_in_mount(missing)?;
        // Looking leaves no file behind, which would say that a run was made.
        let file = file.filter(|_| (purpose, is_first) != (Purpose::Preview, true));
        let file = file.unwrap_or(Path::new(":memory:"));
        let right = format!("{}/{}", settings.volume.0, settings.volume_folder);
        let state = State::open(file, &settings.local_folder, &right)?;
        let sides: [Arc<dyn Side>; 2] = [Arc::new(local), Arc::new(remote)];
        let [left, right] = sides;
        Pair::new(left, right, state, self.options(), Arc::clone(&self.told) as _)
    }

    /// Opens the folder of the volume. It is opened between two looks at the mount, so that the empty folder below an
    /// unmounted volume is never taken for the volume's.
    fn open_in_mount(&self, missing: MissingRoot) -> Result<FolderSide> {
        let point = Path::new(&self.task.mount_point);
        let folder = point.join(&self.task.settings.volume_folder);
        let before = device_of_mount(point)?;
        let side = FolderSide::open(&folder, missing, self.tag.clone())?;
        let inside = match std::fs::metadata(&folder) {
            Ok(found) => found.dev() == before,
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        if !inside || device_of_mount(point)? != before {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!(
                    "{} is not in the volume mounted at {}",
                    folder.display(),
                    point.display()
                ),
            )
            .with_advice("Choose a folder of the volume that is no link and no mount point."));
        }
        Ok(side)
    }

    /// What a round would do.
    ///
    /// # Errors
    /// As [`Pair::preview`]; that a side can not be opened.
    pub(super) async fn preview(&self) -> Result<SyncPreview> {
        let pair = self.open(Purpose::Preview)?;
        Ok(words::preview(&pair.preview().await?, self.guard()))
    }

    /// The folders that both sides have in one.
    ///
    /// # Errors
    /// As opening them; that a side can not be listed.
    pub(super) fn folders(&self, inside: &str) -> Result<SyncFolders> {
        let inside = RelativePath::new(inside.as_bytes())?;
        // What is opened is in the volume, and not below an unmounted one.
        self.open(Purpose::Preview)?;
        let volume = Path::new(&self.task.mount_point).join(&self.task.settings.volume_folder);
        let sides = [self.local_folder(), volume].map(|root| folders::inside(&root, &inside));
        let [local, volume] = sides;
        Ok(folders::together(&local?, &volume?, |name| {
            let path = inside.join(name.as_bytes());
            path.is_ok_and(|path| self.filter.admits(&path, true))
        }))
    }

    /// Has the next round settle a conflict before anything else.
    pub(super) fn resolve_first(&self, conflict: SyncConflict, keep: SyncKeep) {
        self.resolutions.lock().push((conflict, keep));
    }

    /// Settles what a person decided; what can not be is told with the round.
    async fn resolve(&self, pair: &Pair) -> Result<Vec<SyncFailure>> {
        let resolutions = std::mem::take(&mut *self.resolutions.lock());
        let mut failures = Vec::new();
        for (told, keep) in resolutions {
            let known = pair.conflicts().await?;
            let Some(conflict) = known.iter().find(|known| words::conflict(known) == told) else {
                // It was settled by hand meanwhile.
                continue;
            };
            let keep = match keep {
                SyncKeep::Original => Keep::Original,
                SyncKeep::Copy => Keep::Copy,
                SyncKeep::Both => Keep::Both,
            };
            if let Err(error) = pair.resolve(conflict, keep).await {
                tracing::warn!(copy = told.copy, "a conflict stays: {error}");
                failures.push(SyncFailure {
                    path: told.copy,
                    problem: problem_of(&error),
                });
            }
        }
        Ok(failures)
    }

    /// What is told of a round that ended.
    pub(super) fn report(&self, outcome: &Result<Outcome>, watched: bool, pause: Duration) -> SyncReport {
        let next = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        match outcome {
            Ok(Outcome::Done(report)) => SyncReport::Ended {
                run: words::run(
                    report,
                    std::mem::take(&mut *self.unsettled.lock()),
                    std::mem::take(&mut *self.told.failures.lock()),
                ),
                conflicts: self.conflicts.lock().iter().map(words::conflict).collect(),
                watched,
                next,
            },
            Ok(Outcome::NeedsConfirmation(preview)) => SyncReport::Asking {
                preview: words::preview(preview, self.guard()),
                watched,
                next,
            },
            Err(error) => SyncReport::Failed {
                problem: problem_of(error),
                next,
            },
        }
    }
}

#[async_trait]
impl Rounds for OpenedEachTime {
    async fn round(&self, consent: Consent) -> Result<Outcome> {
        self.told.failures.lock().clear();
        let pair = self.open(Purpose::Run)?;
        let unsettled = self.resolve(&pair).await?;
        let outcome = pair.round(consent).await?;
        *self.unsettled.lock() = unsettled;
        *self.conflicts.lock() = pair.conflicts().await?;
        Ok(outcome)
    }
}

/// The device of the volume that is mounted there.
///
/// # Errors
/// `Unavailable` when none is, or it does not answer.
fn device_of_mount(point: &Path) -> Result<u64> {
    let away = || {
        Error::new(
            ErrorKind::Unavailable,
            format!("no volume is mounted at {}", point.display()),
        )
        .with_advice("Mount it: the pair goes on by itself then.")
    };
    let mounts = moorage_host::mounts().map_err(|error| host_error(ErrorKind::Io, &error))?;
    let is_mounted = mounts.iter().any(|mount| mount.is_fuse() && mount.point == point);
    if !is_mounted {
        return Err(away());
    }
    let found = std::fs::metadata(point).map_err(|error| away().with_source(error))?;
    Ok(found.dev())
}
