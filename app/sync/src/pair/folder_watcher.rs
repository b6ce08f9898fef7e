//! Hearing of changes in a folder of this computer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::sides::{folder_identity, is_temporary};
use crate::{Filter, RelativePath};

/// Tells when something changed below a folder that a pair would carry over.
///
/// It is a help and no more: what it does not tell of is found by the next full scan. Where the system can not watch, that is
/// said in the log and tried again now and then.
#[derive(Debug)]
pub struct FolderWatcher {
    root: PathBuf,
    filter: Arc<Filter>,
    heard: Arc<Heard>,
    state: Watching,
    /// What was said last, so that it is not said again and again.
    complaint: Option<String>,
}

#[derive(Debug)]
enum Watching {
    Off,
    /// The watches are being set, one for each folder of the tree.
    Beginning(JoinHandle<notify::Result<Established>>),
    On(Established),
}

/// Watches that were set.
#[derive(Debug)]
struct Established {
    /// Dropping it ends them.
    _watcher: RecommendedWatcher,
    /// The folder that was found at the path then: another one may be there later.
    node: Option<(u64, u64)>,
}

/// What was heard: however much it is, one permit and one sentence.
#[derive(Debug, Default)]
struct Heard {
    changed: Notify,
    trouble: Mutex<Option<String>>,
}

impl FolderWatcher {
    /// Begins to watch a folder; `filter` says which names count. Returns when it watches, or can not.
    pub async fn start(root: PathBuf, filter: Arc<Filter>) -> FolderWatcher {
        let mut watcher = FolderWatcher {
            root,
            filter,
            heard: Arc::default(),
            state: Watching::Off,
            complaint: None,
        };
        watcher.establish().await;
        watcher
    }

    /// Whether changes are heard of.
    pub fn is_watching(&self) -> bool {
        matches!(self.state, Watching::On(_))
    }

    /// Returns when something changed since the last call; never, where nothing can be watched.
    ///
    /// # Cancel safety
    /// Safe: no change is missed.
    pub async fn changed(&mut self) {
        let lost = match &self.state {
            Watching::On(established) => established.node != folder_identity(&self.root),
            Watching::Off | Watching::Beginning(_) => true,
        };
        if lost {
            if self.is_watching() {
                self.state = Watching::Off;
            }
            self.establish().await;
            if self.is_watching() {
                // What changed before the watches were set was not heard.
                return;
            }
        }
        self.heard.changed.notified().await;
        let trouble = self.heard.trouble.lock().take();
        if let Some(trouble) = trouble {
            self.state = Watching::Off;
            self.complain(trouble);
        }
    }

    async fn establish(&mut self) {
        if matches!(self.state, Watching::Off) {
            let (root, filter, heard) = (
                self.root.clone(),
                Arc::clone(&self.filter),
                Arc::clone(&self.heard),
            );
            self.state = Watching::Beginning(spawn_blocking(move || watch(&root, filter, heard)));
        }
        let Watching::Beginning(beginning) = &mut self.state else {
            return;
        };
        let begun = match beginning.await {
            Ok(begun) => begun.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        self.state = match begun {
            Ok(established) => {
                self.complaint = None;
                Watching::On(established)
            }
            Err(trouble) => {
                self.complain(trouble);
                Watching::Off
            }
        };
    }

    fn complain(&mut self, trouble: String) {
        if self.complaint.as_ref() != Some(&trouble) {
            tracing::warn!(
                folder = %self.root.display(),
                "changes are not heard of, and are found by the next full scan: {trouble}"
            );
            self.complaint = Some(trouble);
        }
    }
}

/// Sets the watches.
fn watch(root: &Path, filter: Arc<Filter>, heard: Arc<Heard>) -> notify::Result<Established> {
    let shown = root.to_owned();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| match event {
        Ok(event) if event.need_rescan() => {
            tracing::info!(folder = %shown.display(), "more changes than the system tells of: a full scan follows");
            heard.changed.notify_one();
        }
        Ok(event) if counts(&event, &shown, &filter) => heard.changed.notify_one(),
        Ok(_) => {}
        Err(error) => {
            *heard.trouble.lock() = Some(error.to_string());
            heard.changed.notify_one();
        }
    })?;
    let node = folder_identity(root);
    watcher.watch(root, RecursiveMode::Recursive)?;
    Ok(Established {
        _watcher: watcher,
        node,
    })
}

/// Whether an event tells of a change that a pair would carry over: not reading, and not what the pair itself writes before
/// it is whole.
fn counts(event: &Event, root: &Path, filter: &Filter) -> bool {
    let reads = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        _ => false,
    };
    !reads && (event.paths.is_empty() || event.paths.iter().any(|path| takes_part(path, root, filter)))
}

fn takes_part(path: &Path, root: &Path, filter: &Filter) -> bool {
    let Ok(below) = path.strip_prefix(root) else {
        return true;
    };
    let names: Vec<&[u8]> = below
        .components()
        .map(|name| name.as_os_str().as_encoded_bytes())
        .collect();
    if names.last().is_some_and(|name| is_temporary(name)) {
        return false;
    }
    match RelativePath::new(&names.join(&b'/')) {
        // The event does not say whether it is a folder.
        Ok(path) => filter.admits(&path, false) || filter.admits(&path, true),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use notify::event::{CreateKind, DataChange, Flag, ModifyKind, RenameMode};
    use tokio::time::timeout;

    use super::*;
    use crate::pair::PairOptions;
    use crate::{Tag, Verdict};

    /// Longer than any machine takes to hear of a change.
    const LIMIT: Duration = Duration::from_secs(60);

    fn filter() -> Arc<Filter> {
        PairOptions::filter_of([(Verdict::Exclude, "*.part"), (Verdict::Exclude, "cache/")]).unwrap()
    }

    fn is_heard(kind: EventKind, path: &str) -> bool {
        let event = Event::new(kind).add_path(Path::new("/r").join(path));
        counts(&event, Path::new("/r"), &filter())
    }

    #[test]
    fn reading_is_no_change_and_neither_is_what_takes_no_part() {
        let changed = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        assert!(is_heard(changed, "a/b"));
        assert!(is_heard(EventKind::Create(CreateKind::Folder), "a"));
        assert!(is_heard(EventKind::Modify(ModifyKind::Name(RenameMode::To)), "a"));
        let closed = |mode| EventKind::Access(AccessKind::Close(mode));
        assert!(is_heard(closed(AccessMode::Write), "a"));
        assert!(!is_heard(closed(AccessMode::Read), "a"));
        assert!(!is_heard(
            EventKind::Access(AccessKind::Open(AccessMode::Any)),
            "a"
        ));
        for left_out in ["a.part", "x/.DS_Store", "cache/a"] {
            assert!(!is_heard(changed, left_out), "{left_out}");
        }
        let own = String::from_utf8(Tag::random().name()).unwrap();
        assert!(!is_heard(changed, &format!("a/{own}")));
    }

    #[test]
    fn lost_events_and_those_of_the_folder_itself_count() {
        let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert!(lost.need_rescan());
        assert!(counts(&lost, Path::new("/r"), &filter()));
        assert!(is_heard(EventKind::Remove(notify::event::RemoveKind::Folder), ""));
    }

    #[tokio::test]
    async fn a_change_is_heard_of_and_many_are_one() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let mut watcher = FolderWatcher::start(root.clone(), filter()).await;
        assert!(watcher.is_watching());
        std::fs::create_dir(root.join("a")).unwrap();
        timeout(LIMIT, watcher.changed()).await.unwrap();
        // A folder that was made later is watched too.
        let writing = async {
            // Its own watch is set a moment after it was told of.
            loop {
                std::fs::write(root.join("a/b"), "1").unwrap();
                if timeout(Duration::from_millis(20), watcher.changed())
                    .await
                    .is_ok()
                {
                    break;
                }
            }
        };
        timeout(LIMIT, writing).await.unwrap();
    }

    #[tokio::test]
    async fn a_folder_that_is_missing_is_watched_once_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("away");
        let mut watcher = FolderWatcher::start(root.clone(), filter()).await;
        assert!(!watcher.is_watching());
        std::fs::create_dir(&root).unwrap();
        timeout(LIMIT, watcher.changed()).await.unwrap();
        assert!(watcher.is_watching());
        // Another one of its name is not the one that was watched.
        std::fs::rename(&root, folder.path().join("other")).unwrap();
        std::fs::create_dir(&root).unwrap();
        loop {
            timeout(LIMIT, watcher.changed()).await.unwrap();
            let Watching::On(established) = &watcher.state else {
                continue;
            };
            if established.node == folder_identity(&root) {
                break;
            }
        }
    }
}
