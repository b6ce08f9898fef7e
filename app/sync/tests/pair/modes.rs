//! What each mode does, in small cases.

use std::path::PathBuf;

use moorage_model::ErrorKind;
use moorage_sync::pair::{Consent, DeletionGuard, End, Keep, Mode, Outcome, Pair, RoundReport};

use crate::property::pair;
use crate::world::{Edit, World};

/// A pair in which everything may be removed.
struct Case {
    world: World,
    pair: Pair,
    _folder: tempfile::TempDir,
}

impl Case {
    fn new(mode: Mode) -> Case {
        let folder = tempfile::tempdir().unwrap();
        let world = World::default();
        let file: PathBuf = folder.path().join("pair.db");
        let pair = pair(&world, &file, mode, DeletionGuard::default());
        Case {
            world,
            pair,
            _folder: folder,
        }
    }

    fn edit(&self, edits: &[Edit]) {
        for edit in edits {
            self.world.state.lock().edit(edit);
        }
    }

    /// A round after some time, so that what was noted has settled.
    async fn round(&self) -> RoundReport {
        self.world.state.lock().pass(5000);
        match self.pair.round(Consent::Removals(u64::MAX)).await.unwrap() {
            Outcome::Done(report) => report,
            asked @ Outcome::NeedsConfirmation(_) => panic!("{asked:?}"),
        }
    }

    fn names(&self, end: End) -> Vec<String> {
        self.world
            .state
            .lock()
            .files(end)
            .into_iter()
            .map(|file| file.0)
            .collect()
    }

    fn content(&self, end: End, name: &str) -> String {
        let files = self.world.state.lock().files(end);
        files.into_iter().find(|file| file.0 == name).unwrap().1
    }
}

use End::{Left, Right};

#[tokio::test]
async fn two_ways_carry_new_files_edits_and_removals() {
    let case = Case::new(Mode::TwoWay);
    case.edit(&[Edit::Write(Left, "a"), Edit::Write(Right, "b/c")]);
    let report = case.round().await;
    assert_eq!((report.copied_right, report.copied_left), (1, 2));
    assert_eq!(case.names(Left), ["a", "b/c"]);
    assert_eq!(case.names(Right), ["a", "b/c"]);
    case.round().await;
    case.edit(&[Edit::Write(Right, "a"), Edit::Remove(Left, "b")]);
    case.round().await;
    assert_eq!(case.names(Right), ["a"]);
    assert_eq!(case.content(Left, "a"), case.content(Right, "a"));
    let last = case.round().await;
    assert_eq!(
        (last.copied_left, last.copied_right, last.removed_right),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn both_edits_of_a_file_are_kept_and_the_copy_says_whose_it_is() {
    let case = Case::new(Mode::TwoWay);
    case.edit(&[Edit::Write(Left, "a.txt")]);
    case.round().await;
    case.round().await;
    case.edit(&[Edit::Write(Left, "a.txt"), Edit::Write(Right, "a.txt")]);
    let (mine, theirs) = (case.content(Left, "a.txt"), case.content(Right, "a.txt"));
    assert_eq!(case.round().await.conflicts, 1);
    case.round().await;
    for end in [Left, Right] {
        let names = case.names(end);
        assert_eq!(names.len(), 2, "{names:?}");
        let copy = names
            .iter()
            .find(|name| name.contains("(conflict here 20"))
            .unwrap();
        assert!(copy.ends_with(").txt"), "{copy}");
        assert_eq!(case.content(end, "a.txt"), theirs);
        assert_eq!(case.content(end, copy), mine);
    }
}

#[tokio::test]
async fn an_edit_is_stronger_than_a_removal() {
    let case = Case::new(Mode::TwoWay);
    case.edit(&[Edit::Write(Left, "a")]);
    case.round().await;
    case.round().await;
    case.edit(&[Edit::Remove(Left, "a"), Edit::Write(Right, "a")]);
    case.round().await;
    assert_eq!(case.names(Left), ["a"]);
    assert_eq!(case.content(Left, "a"), case.content(Right, "a"));
}

#[tokio::test]
async fn a_backup_keeps_what_was_removed_and_leaves_its_source_alone() {
    let case = Case::new(Mode::BackUp);
    case.edit(&[
        Edit::Write(Left, "a"),
        Edit::Write(Left, "b"),
        Edit::Write(Right, "own"),
    ]);
    case.round().await;
    case.round().await;
    assert_eq!(case.names(Right), ["a", "b", "own"]);
    assert_eq!(case.names(Left), ["a", "b"]);
    case.edit(&[
        Edit::Remove(Left, "a"),
        Edit::Write(Left, "b"),
        Edit::Write(Right, "b"),
    ]);
    let edited = case.content(Right, "b");
    case.round().await;
    let names = case.names(Right);
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(case.content(Right, "b"), case.content(Left, "b"));
    let copy = names.iter().find(|name| name.contains("conflict")).unwrap();
    assert_eq!(case.content(Right, copy), edited);
    assert_eq!(case.names(Left), ["b"]);
}

#[tokio::test]
async fn a_mirror_follows_its_source_and_sets_own_edits_aside() {
    let case = Case::new(Mode::Mirror);
    case.edit(&[
        Edit::Write(Right, "a"),
        Edit::Write(Right, "b"),
        Edit::Write(Left, "own"),
    ]);
    case.round().await;
    case.round().await;
    assert_eq!(case.names(Left), ["a", "b", "own"]);
    assert_eq!(case.names(Right), ["a", "b"]);
    case.edit(&[Edit::Remove(Right, "a"), Edit::Write(Left, "b")]);
    let edited = case.content(Left, "b");
    case.round().await;
    let names = case.names(Left);
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(case.content(Left, "b"), case.content(Right, "b"));
    let copy = names.iter().find(|name| name.contains("conflict")).unwrap();
    assert_eq!(case.content(Left, copy), edited);
    assert_eq!(case.names(Right), ["b"]);
}

/// A two-way pair with a conflict; the name of the copy, and the side where it was made.
async fn conflict(case: &Case) -> (String, End) {
    case.edit(&[Edit::Write(End::Left, "a.txt")]);
    case.round().await;
    case.edit(&[Edit::Write(End::Left, "a.txt"), Edit::Write(End::Right, "a.txt")]);
    assert_eq!(case.round().await.conflicts, 1);
    let found = case.pair.conflicts().await.unwrap();
    (found[0].copy.to_string(), found[0].end)
}

#[tokio::test]
async fn the_version_that_a_person_keeps_is_the_only_one_left_on_both_sides() {
    for keep in [Keep::Original, Keep::Copy] {
        let case = Case::new(Mode::TwoWay);
        let (copy, end) = conflict(&case).await;
        let kept = match keep {
            Keep::Copy => case.content(end, &copy),
            _ => case.content(end, "a.txt"),
        };
        // The copy came to the other side, too.
        case.round().await;
        let found = case.pair.conflicts().await.unwrap();
        case.pair.resolve(&found[0], keep).await.unwrap();
        case.round().await;
        for end in [End::Left, End::Right] {
            assert_eq!(case.names(end), ["a.txt"], "{keep:?}");
            assert_eq!(case.content(end, "a.txt"), kept, "{keep:?}");
        }
        assert!(case.pair.conflicts().await.unwrap().is_empty());
        case.round().await;
        assert_eq!(case.names(End::Left), ["a.txt"], "it is settled for good");
    }
}

#[tokio::test]
async fn both_versions_stay_when_a_person_keeps_both() {
    let case = Case::new(Mode::TwoWay);
    let (copy, _) = conflict(&case).await;
    let found = case.pair.conflicts().await.unwrap();
    case.pair.resolve(&found[0], Keep::Both).await.unwrap();
    case.round().await;
    assert!(case.pair.conflicts().await.unwrap().is_empty());
    for end in [End::Left, End::Right] {
        let names = case.names(end);
        assert!(
            names.contains(&copy) && names.contains(&"a.txt".to_owned()),
            "{names:?}"
        );
    }
}

#[tokio::test]
async fn no_version_goes_when_the_one_to_keep_is_gone() {
    let case = Case::new(Mode::TwoWay);
    let (copy, end) = conflict(&case).await;
    let found = case.pair.conflicts().await.unwrap();
    case.edit(&[Edit::Remove(end, "a.txt")]);
    let refused = case.pair.resolve(&found[0], Keep::Original).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(case.names(end).contains(&copy));
    case.pair.resolve(&found[0], Keep::Copy).await.unwrap();
    assert!(
        case.names(end).contains(&"a.txt".to_owned()),
        "it got its name back"
    );
}

#[tokio::test]
async fn a_copy_takes_no_place_where_changes_go_one_way() {
    let case = Case::new(Mode::Mirror);
    let (_, end) = conflict(&case).await;
    let found = case.pair.conflicts().await.unwrap();
    let before = case.names(end);
    let refused = case.pair.resolve(&found[0], Keep::Copy).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotSupported);
    assert_eq!(case.names(end), before);
    case.pair.resolve(&found[0], Keep::Original).await.unwrap();
    assert_eq!(case.names(end), ["a.txt"]);
}
