//! No edit is lost and both sides become the same, whatever users do and whenever the process dies.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use moorage_sync::pair::{
    Consent, DeletionGuard, End, HostName, Mode, Outcome, Pair, PairObserver, PairOptions, State,
};
use moorage_sync::{RelativePath, Tag};
use proptest::prelude::*;

use crate::simulated::sides;
use crate::world::{Content, Edit, World};

/// Rounds after which everything has come to rest.
const MOST_ROUNDS: usize = 12;

struct Silent;

impl PairObserver for Silent {
    fn failed(&self, _failure: &moorage_sync::copy::Failure) {}

    fn conflict(&self, _path: &RelativePath, _copy: &RelativePath, _end: End) {}
}

/// A process opens the pair anew.
pub(crate) fn pair(world: &World, state: &Path, mode: Mode, guard: DeletionGuard) -> Pair {
    let [left, right] = sides(world);
    let options = PairOptions {
        mode,
        filter: PairOptions::filter_of([]).unwrap(),
        guard,
        host: HostName::new("here"),
        tag: Tag::new("pair"),
        threads: 2,
        clock: Arc::new(world.clone()),
    };
    let state = State::open(state, "left", "right").unwrap();
    Pair::new(left, right, state, options, Arc::new(Silent)).unwrap()
}

/// A round of a new process; `None` when it died.
async fn round(world: &World, state: &Path, mode: Mode) -> Option<Outcome> {
    let pair = pair(world, state, mode, DeletionGuard::default());
    let outcome = tokio::select! {
        outcome = pair.round(Consent::Removals(u64::MAX)) => Some(outcome.unwrap()),
        () = world.death() => None,
    };
    drop(pair);
    let mut state = world.state.lock();
    state.dead = false;
    state.death = None;
    outcome
}

fn trees(world: &World) -> [BTreeMap<String, Content>; 2] {
    let state = world.state.lock();
    [state.tree(End::Left), state.tree(End::Right)]
}

/// Rounds without edits until one finds nothing to do.
async fn rest(world: &World, state: &Path, mode: Mode) {
    world.state.lock().script.clear();
    for _ in 0..MOST_ROUNDS {
        world.state.lock().pass(3000);
        let before = trees(world);
        let Some(Outcome::Done(report)) = round(world, state, mode).await else {
            panic!("nobody kills it and it asks nothing");
        };
        if before == trees(world) && report.is_complete() {
            return;
        }
    }
    panic!("no rest after {MOST_ROUNDS} rounds");
}

fn check(world: &World, mode: Mode) {
    let state = world.state.lock();
    let (left, right) = (state.tree(End::Left), state.tree(End::Right));
    if mode == Mode::TwoWay {
        assert_eq!(left, right, "both sides are the same");
    }
    let mut kept: Vec<String> = state.files(End::Left).into_iter().map(|file| file.1).collect();
    kept.extend(state.files(End::Right).into_iter().map(|file| file.1));
    for content in &state.owed {
        assert!(kept.contains(content), "{content} is lost: {left:#?} {right:#?}");
    }
    for name in left.keys().chain(right.keys()) {
        assert!(!name.contains(".moorage-sync."), "{name} is left over");
    }
}

const NAMES: [&str; 7] = ["a", "a/b", "a/c", "a/d/e", "f", "g", "g/h"];

fn edit() -> impl Strategy<Value = Edit> {
    let end = prop_oneof![Just(End::Left), Just(End::Right)];
    let name = || prop::sample::select(NAMES.as_slice());
    (end, 0..6, name(), name()).prop_map(|(end, kind, one, other)| match kind {
        0..=3 => Edit::Write(end, one),
        4 => Edit::Remove(end, one),
        _ => Edit::Rename(end, one, other),
    })
}

#[derive(Clone, Debug)]
struct Turn {
    before: Vec<Edit>,
    /// With how many calls after the start of the round they come.
    during: Vec<(u64, Edit)>,
    death: Option<(u64, bool)>,
    pause: i64,
}

fn turn() -> impl Strategy<Value = Turn> {
    (
        prop::collection::vec(edit(), 0..4),
        prop::collection::vec((0..80u64, edit()), 0..4),
        prop::option::of((0..120u64, any::<bool>())),
        prop_oneof![Just(0), 0..1500i64, Just(5000)],
    )
        .prop_map(|(before, mut during, death, pause)| {
            during.sort_by_key(|(at, _)| *at);
            Turn {
                before,
                during,
                death,
                pause,
            }
        })
}

fn run(mode: Mode, skews: [i64; 2], turns: &[Turn]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pair.db");
    runtime.block_on(async {
        let world = World::default();
        for (end, skew) in [End::Left, End::Right].into_iter().zip(skews) {
            world.state.lock().disk(end).skew_seconds = skew;
        }
        for turn in turns {
            let calls = world.calls();
            {
                let mut state = world.state.lock();
                for edit in &turn.before {
                    state.edit(edit);
                }
                state.script = turn
                    .during
                    .iter()
                    .cloned()
                    .map(|(at, edit)| (calls + at, edit))
                    .collect();
                state.death = turn.death.map(|(at, happens)| (calls + at, happens));
                state.pass(turn.pause);
            }
            round(&world, &file, mode).await;
            // Edits that the round was too short for come now.
            let late: Vec<Edit> = world
                .state
                .lock()
                .script
                .drain(..)
                .map(|(_, edit)| edit)
                .collect();
            for edit in &late {
                world.state.lock().edit(edit);
            }
        }
        rest(&world, &file, mode).await;
        check(&world, mode);
    });
}

fn skews() -> impl Strategy<Value = [i64; 2]> {
    let skew = || prop_oneof![Just(0), -7200..7200i64];
    (skew(), skew()).prop_map(|(left, right)| [left, right])
}

/// As many cases as a moment allows; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let wanted = ProptestConfig::default();
    ProptestConfig {
        cases: match std::env::var_os("PROPTEST_CASES") {
            Some(_) => wanted.cases,
            None => 96,
        },
        max_shrink_iters: 2000,
        failure_persistence: None,
        ..wanted
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn two_ways_lose_nothing_and_come_together(turns in prop::collection::vec(turn(), 1..6), skews in skews()) {
        run(Mode::TwoWay, skews, &turns);
    }

    #[test]
    fn a_backup_and_a_mirror_lose_nothing(
        mirror in any::<bool>(),
        turns in prop::collection::vec(turn(), 1..5),
        skews in skews(),
    ) {
        run(if mirror { Mode::Mirror } else { Mode::BackUp }, skews, &turns);
    }
}

/// A round that has everything to do: copies both ways, a conflict, removals, a folder in the place of a file.
#[test]
fn a_process_that_dies_at_any_call_loses_nothing() {
    let turn = |before: &[Edit], death| Turn {
        before: before.to_vec(),
        during: Vec::new(),
        death,
        pause: 5000,
    };
    let first = [
        Edit::Write(End::Left, "a/b"),
        Edit::Write(End::Left, "a/c"),
        Edit::Write(End::Left, "f"),
        Edit::Write(End::Right, "g"),
    ];
    let second = [
        Edit::Write(End::Left, "f"),
        Edit::Write(End::Right, "f"),
        Edit::Remove(End::Left, "a/b"),
        Edit::Remove(End::Right, "g"),
        Edit::Write(End::Right, "g/h"),
        Edit::Write(End::Right, "a/d/e"),
        Edit::Rename(End::Left, "a/c", "a"),
    ];
    for at in 0..140 {
        for happens in [false, true] {
            let turns = [
                turn(&first, None),
                turn(&[], None),
                turn(&second, Some((at, happens))),
            ];
            run(Mode::TwoWay, [0, 3600], &turns);
        }
    }
}
