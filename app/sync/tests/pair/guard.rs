//! Removals that a person is asked about.

use moorage_sync::pair::{Consent, DeletionGuard, End, Mode, Outcome};

use crate::property::pair;
use crate::world::{Edit, World};

#[tokio::test]
async fn an_emptied_side_is_asked_about_and_consent_is_for_so_many() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pair.db");
    let world = World::default();
    let pair = pair(&world, &file, Mode::TwoWay, DeletionGuard::default());
    for name in ["a/b", "a/c", "f", "g"] {
        world.state.lock().edit(&Edit::Write(End::Left, name));
    }
    for _ in 0..2 {
        pair.round(Consent::None).await.unwrap();
        world.state.lock().pass(5000);
    }
    for name in ["a", "f", "g"] {
        world.state.lock().edit(&Edit::Remove(End::Left, name));
    }
    let before = world.state.lock().tree(End::Right);
    for consent in [Consent::None, Consent::Removals(3)] {
        match pair.round(consent).await.unwrap() {
            Outcome::NeedsConfirmation(preview) => {
                assert_eq!(
                    (preview.known, preview.removals_right, preview.removals_left),
                    (4, 4, 0)
                );
            }
            done @ Outcome::Done(_) => panic!("{done:?}"),
        }
        assert_eq!(world.state.lock().tree(End::Right), before);
    }
    pair.round(Consent::Removals(4)).await.unwrap();
    assert!(world.state.lock().tree(End::Right).is_empty());
}

#[tokio::test]
async fn what_is_kept_comes_back_where_it_was_removed_and_stays_in_a_mirror() {
    for mode in [Mode::TwoWay, Mode::Mirror] {
        let folder = tempfile::tempdir().unwrap();
        let world = World::default();
        let pair = pair(
            &world,
            &folder.path().join("pair.db"),
            mode,
            DeletionGuard::default(),
        );
        for name in ["a/b", "f"] {
            world.state.lock().edit(&Edit::Write(End::Right, name));
        }
        for _ in 0..2 {
            pair.round(Consent::None).await.unwrap();
            world.state.lock().pass(5000);
        }
        let before = world.state.lock().tree(End::Left);
        for name in ["a", "f"] {
            world.state.lock().edit(&Edit::Remove(End::Right, name));
        }
        for consent in [Consent::Keep, Consent::None] {
            let outcome = pair.round(consent).await.unwrap();
            assert!(matches!(outcome, Outcome::Done(_)), "{mode:?} {outcome:?}");
            world.state.lock().pass(5000);
        }
        assert_eq!(world.state.lock().tree(End::Left), before, "{mode:?}");
        let comes_back = mode == Mode::TwoWay;
        assert_eq!(world.state.lock().tree(End::Right) == before, comes_back);
    }
}

#[tokio::test]
async fn one_process_has_a_pair_at_a_time_and_a_state_belongs_to_its_pair() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pair.db");
    let first = moorage_sync::pair::State::open(&file, "left", "right").unwrap();
    let second = moorage_sync::pair::State::open(&file, "left", "right").unwrap_err();
    assert_eq!(second.kind(), moorage_model::ErrorKind::Busy, "{second}");
    drop(first);
    let other = moorage_sync::pair::State::open(&file, "left", "elsewhere").unwrap_err();
    assert_eq!(other.kind(), moorage_model::ErrorKind::InvalidArgument);
    std::fs::write(&file, vec![b'x'; 8192]).unwrap();
    let damaged = moorage_sync::pair::State::open(&file, "left", "right").unwrap_err();
    assert_eq!(damaged.kind(), moorage_model::ErrorKind::Corrupt, "{damaged}");
}
