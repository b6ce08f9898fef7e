//! A pair of a real folder with a folder or a volume.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::sync::Arc;

use moorage_sync::pair::{
    Consent, DeletionGuard, HostName, Mode, Outcome, Pair, PairObserver, PairOptions, RoundReport, State,
};
use moorage_sync::{FolderSide, MissingRoot, RelativePath, Side, Tag, Verdict, VolumeSide};
use moorage_vfs::Caller;
use parking_lot::Mutex;

use crate::fixture::{Folders, copied, options, set_time, tree, tree_of, volume, write};
use crate::world::World;

/// Keeps what failed.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl PairObserver for Told {
    fn failed(&self, failure: &moorage_sync::copy::Failure) {
        self.0.lock().push(format!("{}: {}", failure.path, failure.error));
    }

    fn conflict(&self, path: &RelativePath, copy: &RelativePath, end: moorage_sync::pair::End) {
        self.0.lock().push(format!("{end:?} {path} -> {copy}"));
    }
}

struct Case {
    folders: Folders,
    clock: World,
    told: Arc<Told>,
    pair: Pair,
}

fn folder(folders: &Folders, name: &str) -> Arc<dyn Side> {
    let path = folders.outside(name);
    Arc::new(FolderSide::open(&path, MissingRoot::Make, Tag::new("pair")).unwrap())
}

fn case(folders: Folders, right: Arc<dyn Side>) -> Case {
    let clock = World::default();
    let told = Arc::new(Told::default());
    let options = PairOptions {
        mode: Mode::TwoWay,
        filter: PairOptions::filter_of([(Verdict::Exclude, "*.part")]).unwrap(),
        guard: DeletionGuard::default(),
        host: HostName::new("here"),
        tag: Tag::new("pair"),
        threads: 4,
        clock: Arc::new(clock.clone()),
    };
    let state = State::open(&folders.outside("pair.db"), "from", "to").unwrap();
    let left = folder(&folders, "from");
    let pair = Pair::new(left, right, state, options, Arc::clone(&told) as _).unwrap();
    Case {
        folders,
        clock,
        told,
        pair,
    }
}

impl Case {
    async fn round(&self) -> RoundReport {
        self.clock.state.lock().pass(5000);
        match self.pair.round(Consent::Removals(u64::MAX)).await.unwrap() {
            Outcome::Done(report) => report,
            asked @ Outcome::NeedsConfirmation(_) => panic!("{asked:?}"),
        }
    }
}

#[tokio::test]
async fn two_folders_come_together_and_junk_stays_where_it_is() {
    let folders = Folders::new();
    write(&folders.from("a/b"), "one");
    symlink("b", folders.from("a/link")).unwrap();
    write(&folders.from("a/.DS_Store"), "junk");
    write(&folders.from("download.part"), "half");
    write(&folders.to("c"), "two");
    set_time(&folders.to("c"), 9);
    let right = folder(&folders, "to");
    let case = case(folders, right);
    let report = case.round().await;
    assert_eq!(
        (report.copied_right, report.copied_left, report.failed),
        (3, 1, 0)
    );
    let both = [("a", "/"), ("a/b", "one"), ("a/link", "-> b"), ("c", "two")];
    assert_eq!(case.folders.tree(), tree_of(both));
    assert_eq!(
        fs::metadata(case.folders.from("c")).unwrap().mtime(),
        1_000_000_009
    );
    assert_eq!(case.round().await.copied_right, 0);

    fs::remove_dir_all(case.folders.to("a")).unwrap();
    write(&case.folders.from("c"), "edited");
    let report = case.round().await;
    // The junk keeps its folder.
    assert_eq!(
        (report.removed_left, report.copied_right),
        (2, 1),
        "{:?}",
        case.told.0.lock()
    );
    let left: BTreeMap<String, String> = tree_of([
        ("a", "/"),
        ("a/.DS_Store", "junk"),
        ("c", "edited"),
        ("download.part", "half"),
    ]);
    assert_eq!(tree(&case.folders.from("")), left);
    assert_eq!(case.folders.tree(), tree_of([("c", "edited")]));
}

#[tokio::test]
async fn equal_files_on_both_sides_are_adopted_without_a_copy() {
    let folders = Folders::new();
    for place in [folders.from("a"), folders.to("a")] {
        write(&place, "same");
    }
    set_time(&folders.from("a"), 1);
    let right = folder(&folders, "to");
    let case = case(folders, right);
    let report = case.round().await;
    assert_eq!(
        (report.copied_left, report.copied_right, report.conflicts),
        (0, 0, 0)
    );
    // A touched file is not carried.
    set_time(&case.folders.from("a"), 2);
    assert_eq!(case.round().await.copied_right, 0);
    write(&case.folders.from("a"), "other");
    assert_eq!(case.round().await.copied_right, 1);
}

#[tokio::test]
async fn a_folder_and_a_volume_come_together() {
    let folders = Folders::new();
    write(&folders.from("a/b"), "one");
    write(&folders.from("same"), "1");
    let vfs = volume().await;
    let path = RelativePath::new(b"shared").unwrap();
    let root = Arc::clone(&vfs);
    let side = VolumeSide::open(root, path, MissingRoot::Make, Caller::root(), Tag::new("pair"))
        .await
        .unwrap();
    let case = case(folders, Arc::new(side.clone()));
    assert_eq!(case.round().await.failed, 0);
    copied(&side, &case.folders.destination(), &options()).await;
    assert_eq!(
        case.folders.tree(),
        tree_of([("a", "/"), ("a/b", "one"), ("same", "1")])
    );

    // Both are edited.
    write(&case.folders.from("same"), "mine");
    write(&case.folders.to("same"), "theirs");
    let mut force = options();
    force.selection.force_update = true;
    copied(&case.folders.destination(), &side, &force).await;
    let report = case.round().await;
    assert_eq!(report.conflicts, 1, "{:?}", case.told.0.lock());
    case.round().await;
    let left = tree(&case.folders.from(""));
    assert_eq!(left.get("same").map(String::as_str), Some("theirs"));
    let copy = left.iter().find(|(name, _)| name.contains("conflict here"));
    assert_eq!(copy.map(|(_, content)| content.as_str()), Some("mine"));
    let conflicts = case.pair.conflicts().await.unwrap();
    let [conflict] = conflicts.as_slice() else {
        panic!("one is told of: {conflicts:?}");
    };
    assert_eq!(conflict.path.as_bytes(), b"same");
    // It is settled when the copy is gone.
    fs::remove_file(case.folders.from(&conflict.copy.to_string())).unwrap();
    assert!(case.pair.conflicts().await.unwrap().is_empty());
    vfs.shutdown().await.unwrap();
}
