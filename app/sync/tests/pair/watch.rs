//! When rounds run.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use moorage_sync::pair::{Consent, DeletionGuard, Mode, Outcome, Schedule, Trigger, keep_in_sync};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::property::pair;
use crate::world::World;

struct Changes(mpsc::Receiver<()>);

#[async_trait]
impl Trigger for Changes {
    async fn changed(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
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
        Consent::None
    });
    let user = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        for _ in 0..3 {
            tell.send(()).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(400)).await;
        // Somebody writes without a pause.
        for _ in 0..60 {
            tell.send(()).await.unwrap();
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
