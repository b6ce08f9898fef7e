//! When rounds run.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use moorage_sync::pair::{Consent, DeletionGuard, End, Mode, Outcome, Schedule, Trigger, Wake, keep_in_sync};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::property::pair;
use crate::world::{Edit, World};

struct Changes(mpsc::Receiver<Wake>);

#[async_trait]
impl Trigger for Changes {
    async fn wake(&mut self) -> Wake {
        match self.0.recv().await {
            Some(wake) => wake,
            None => std::future::pending().await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_round_follows_a_change_once_it_is_quiet_and_the_schedule_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::default();
    let pair = pair(
        &world,
        &folder.path().join("pair.db"),
        Mode::TwoWay,
        DeletionGuard::default(),
    );
    let (tell, changes) = mpsc::channel(8);
    let begun = Instant::now();
    let rounds = Mutex::new(Vec::new());
    let schedule = Schedule::default();
    let mut changes = Changes(changes);
    let watching = keep_in_sync(&pair, &mut changes, schedule, |outcome| {
        assert!(matches!(outcome, Ok(Outcome::Done(_))));
        rounds.lock().unwrap().push(begun.elapsed().as_secs());
    });
    let user = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        for _ in 0..3 {
            tell.send(Wake::Changed).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(400)).await;
        // Somebody writes without a pause.
        for _ in 0..60 {
            tell.send(Wake::Changed).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = watching => {}
        () = user => {}
    }
    let rounds = rounds.into_inner().unwrap();
    assert_eq!(rounds[..3], [0, 14, 314], "{rounds:?}");
    assert_eq!(rounds[3], 443, "{rounds:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_person_asks_for_and_agrees_to_is_done_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::default();
    let file = folder.path().join("pair.db");
    let pair = pair(&world, &file, Mode::TwoWay, DeletionGuard::default());
    world.state.lock().edit(&Edit::Write(End::Left, "a"));
    pair.round(Consent::None).await.unwrap();
    world.state.lock().pass(5000);
    world.state.lock().edit(&Edit::Remove(End::Left, "a"));
    let (tell, changes) = mpsc::channel(8);
    let begun = Instant::now();
    let rounds = Mutex::new(Vec::new());
    let mut changes = Changes(changes);
    let keeping = keep_in_sync(&pair, &mut changes, Schedule::default(), |outcome| {
        let asks = matches!(outcome, Ok(Outcome::NeedsConfirmation(_)));
        rounds.lock().unwrap().push((begun.elapsed().as_secs(), asks));
    });
    let user = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        // Somebody writes, and the person does not wait for that to come to rest.
        tell.send(Wake::Changed).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        tell.send(Wake::Asked(Consent::None)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        tell.send(Wake::Asked(Consent::Removals(1))).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    tokio::select! {
        () = keeping => {}
        () = user => {}
    }
    assert_eq!(rounds.into_inner().unwrap(), [(0, true), (11, true), (12, false)]);
    assert!(world.state.lock().tree(End::Right).is_empty());
}
