//! Two clients that do what excludes each other at the same time: one wins, and nothing is left without a parent.

use std::sync::Arc;

use moorage_meta::{Context, Meta, RenameFlags, UnlinkOptions};
use moorage_model::{ErrorKind, Ino, Result};
use tokio::sync::Barrier;

use crate::place::Place;
use crate::volume::{client, format, name};

const ROUNDS: u32 = 40;
/// Entries whose directory is gone or in the trash while they were made, and nodes without an entry.
const ORPHANS: &str = "SELECT (SELECT count(*) FROM jfs_edge e LEFT JOIN jfs_node n ON n.inode = e.parent \
                       WHERE n.inode IS NULL AND e.parent < 9223372032828243968) + \
                       (SELECT count(*) FROM jfs_node n LEFT JOIN jfs_edge e ON e.inode = n.inode \
                       WHERE e.id IS NULL AND n.inode > 1 AND n.inode < 9223372032828243968)";

struct Two {
    place: Place,
    one: Arc<Meta>,
    other: Arc<Meta>,
}

async fn two(place: Option<Place>, trash_days: u64) -> Option<Two> {
    let place = place?;
    format(&place.url(), trash_days).await;
    let (one, other) = (client(&place.url()).await, client(&place.url()).await);
    Some(Two { place, one, other })
}

/// Both at once.
async fn race<A: Send + 'static, B: Send + 'static>(
    one: impl Future<Output = Result<A>> + Send + 'static,
    other: impl Future<Output = Result<B>> + Send + 'static,
) -> (Result<A>, Result<B>) {
    let barrier = Arc::new(Barrier::new(2));
    let second = Arc::clone(&barrier);
    let one = tokio::spawn(async move {
        barrier.wait().await;
        one.await
    });
    let other = tokio::spawn(async move {
        second.wait().await;
        other.await
    });
    (one.await.unwrap(), other.await.unwrap())
}

async fn removal_against_creation(place: Option<Place>, trash_days: u64) {
    let Some(two) = two(place, trash_days).await else {
        return;
    };
    let root = Context::root();
    for round in 0..ROUNDS {
        let directory = name(&format!("d{round}"));
        let made = two
            .one
            .mkdir(&root, Ino::ROOT, &directory, 0o755, 0)
            .await
            .unwrap();
        let (one, other) = (Arc::clone(&two.one), Arc::clone(&two.other));
        let ino = made.ino;
        let (created, removed) = race(
            async move { one.create(&Context::root(), ino, &name("f"), 0o644, 0).await },
            async move {
                let options = UnlinkOptions::default();
                other
                    .rmdir(&Context::root(), Ino::ROOT, &directory, options)
                    .await
            },
        )
        .await;
        match (created, removed) {
            (Ok(_), Err(error)) => assert_eq!(error.kind(), ErrorKind::NotEmpty, "{error}"),
            (Err(error), Ok(())) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
            both => panic!("round {round}: {both:?}"),
        }
    }
    assert_eq!(two.place.count(ORPHANS), 0);
}

async fn two_moves_of_one_file(place: Option<Place>) {
    let Some(two) = two(place, 0).await else { return };
    let root = Context::root();
    for round in 0..ROUNDS {
        let from = name(&format!("f{round}"));
        two.one.create(&root, Ino::ROOT, &from, 0o644, 0).await.unwrap();
        let targets = ["a", "b"].map(|side| name(&format!("{side}{round}")));
        let moved = |meta: &Arc<Meta>, to: moorage_model::Name| {
            let (meta, from) = (Arc::clone(meta), from.clone());
            async move {
                let (from, to) = ((Ino::ROOT, &from), (Ino::ROOT, &to));
                meta.rename(&Context::root(), from, to, RenameFlags::default())
                    .await
            }
        };
        let [a, b] = targets.clone();
        let results = race(moved(&two.one, a), moved(&two.other, b)).await;
        match results {
            (Ok(_), Err(error)) | (Err(error), Ok(_)) => {
                assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
            }
            both => panic!("round {round}: {both:?}"),
        }
        let mut found = 0;
        for target in &targets {
            found += u32::from(two.one.lookup(&root, Ino::ROOT, target).await.is_ok());
        }
        assert_eq!(found, 1, "round {round}");
    }
    assert_eq!(two.place.count(ORPHANS), 0);
}

async fn two_exclusive_creations(place: Option<Place>) {
    let Some(two) = two(place, 0).await else { return };
    for round in 0..ROUNDS {
        let created = |meta: &Arc<Meta>| {
            let meta = Arc::clone(meta);
            async move {
                let name = name(&format!("f{round}"));
                let root = Context::root();
                meta.create_or_open(&root, Ino::ROOT, &name, 0o644, 0, true).await
            }
        };
        match race(created(&two.one), created(&two.other)).await {
            (Ok(_), Err(error)) | (Err(error), Ok(_)) => {
                assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
            }
            both => panic!("round {round}: {both:?}"),
        }
    }
    assert_eq!(two.place.count(ORPHANS), 0);
}

/// Directories that are moved into each other would be a circle that nobody can reach.
async fn two_directories_moved_into_each_other(place: Option<Place>) {
    let Some(two) = two(place, 0).await else { return };
    let root = Context::root();
    for round in 0..ROUNDS {
        let names = ["a", "b"].map(|side| name(&format!("{side}{round}")));
        let mut made = Vec::new();
        for name in &names {
            made.push(two.one.mkdir(&root, Ino::ROOT, name, 0o755, 0).await.unwrap().ino);
        }
        let moved = |meta: &Arc<Meta>, from: moorage_model::Name, into: Ino| {
            let meta = Arc::clone(meta);
            async move {
                let (from, to) = ((Ino::ROOT, &from), (into, &from));
                meta.rename(&Context::root(), from, to, RenameFlags::default())
                    .await
            }
        };
        let [a, b] = names;
        let (&[in_a, in_b], _) = made.split_first_chunk().unwrap();
        let results = race(moved(&two.one, a, in_b), moved(&two.other, b, in_a)).await;
        assert_ne!(results.0.is_ok(), results.1.is_ok(), "round {round}: {results:?}");
    }
    let circles =
        "SELECT count(*) FROM jfs_edge a JOIN jfs_edge b ON a.inode = b.parent AND b.inode = a.parent";
    assert_eq!(two.place.count(circles), 0);
}

/// Makes a test of each claim for each server.
macro_rules! on_both {
    ($($postgres:ident $mysql:ident $claim:ident($($argument:expr),*);)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $postgres() {
                $claim(Place::postgres(), $($argument),*).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $mysql() {
                $claim(Place::mysql(), $($argument),*).await;
            }
        )*
    };
}

on_both! {
    postgres_lets_a_directory_be_removed_or_filled mysql_lets_a_directory_be_removed_or_filled
        removal_against_creation(0);
    postgres_lets_a_directory_be_trashed_or_filled mysql_lets_a_directory_be_trashed_or_filled
        removal_against_creation(1);
    postgres_moves_a_file_once mysql_moves_a_file_once two_moves_of_one_file();
    postgres_makes_a_file_exclusively_once mysql_makes_a_file_exclusively_once two_exclusive_creations();
    postgres_makes_no_circle_of_directories mysql_makes_no_circle_of_directories
        two_directories_moved_into_each_other();
}
