//! Two clients that do what excludes each other at the same time: one wins, and nothing is left without a parent.

use std::collections::BTreeSet;
use std::sync::Arc;

use moorage_engines::open;
use moorage_meta::{Context, Key, Meta, Record, RenameFlags, Scan, UnlinkOptions};
use moorage_model::{ErrorKind, Ino, Name, Result};
use tokio::sync::Barrier;

use crate::conformance::scan_all;
use crate::tikv_server::Server;
use crate::volume::{client, format, name};

const ROUNDS: u32 = 40;

struct Two {
    server: Server,
    one: Arc<Meta>,
    other: Arc<Meta>,
}

async fn two(trash_days: u64) -> Option<Two> {
    let server = Server::start()?;
    let url = server.two_phase_url();
    format(&url, trash_days).await;
    let (one, other) = (client(&url).await, client(&url).await);
    Some(Two { server, one, other })
}

impl Two {
    /// Entries without their directory, and nodes without an entry.
    async fn orphans(&self) -> Vec<Key> {
        let engine = open(&self.server.url(), None).unwrap();
        let nodes = scan_all(engine.as_ref(), &Scan::AllNodes, 1000).await;
        let edges = scan_all(engine.as_ref(), &Scan::AllEdges, 1000).await;
        let mut without_entry: BTreeSet<Ino> = nodes
            .iter()
            .filter_map(|(key, _)| match key {
                Key::Node(ino) if *ino != Ino::ROOT && !ino.is_trash() => Some(*ino),
                _ => None,
            })
            .collect();
        let there: BTreeSet<Key> = nodes.into_iter().map(|(key, _)| key).collect();
        let mut orphans = Vec::new();
        for (key, record) in edges {
            if let (Key::Edge(parent, _), Record::Edge(entry)) = (&key, record) {
                without_entry.remove(&entry.ino);
                if !there.contains(&Key::Node(*parent)) {
                    orphans.push(key);
                }
            }
        }
        orphans.extend(without_entry.into_iter().map(Key::Node));
        orphans
    }
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

async fn removal_against_creation(trash_days: u64) {
    let Some(two) = two(trash_days).await else { return };
    let root = Context::root();
    for round in 0..ROUNDS {
        let directory = name(&format!("d{round}"));
        let made = two.one.mkdir(&root, Ino::ROOT, &directory, 0o755, 0).await;
        let ino = made.unwrap().ino;
        let (one, other) = (Arc::clone(&two.one), Arc::clone(&two.other));
        let (created, removed) = race(
            async move { one.create(&Context::root(), ino, &name("f"), 0o644, 0).await },
            async move {
                let options = UnlinkOptions::default();
                let root = Context::root();
                other.rmdir(&root, Ino::ROOT, &directory, options).await
            },
        )
        .await;
        match (created, removed) {
            (Ok(_), Err(error)) => assert_eq!(error.kind(), ErrorKind::NotEmpty, "{error}"),
            (Err(error), Ok(())) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
            both => panic!("round {round}: {both:?}"),
        }
    }
    assert_eq!(two.orphans().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_directory_is_removed_or_filled() {
    removal_against_creation(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_directory_is_trashed_or_filled() {
    removal_against_creation(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_is_moved_once() {
    let Some(two) = two(0).await else { return };
    let root = Context::root();
    for round in 0..ROUNDS {
        let from = name(&format!("f{round}"));
        two.one.create(&root, Ino::ROOT, &from, 0o644, 0).await.unwrap();
        let moved = |meta: &Arc<Meta>, to: Name| {
            let (meta, from) = (Arc::clone(meta), from.clone());
            async move {
                let (from, to) = ((Ino::ROOT, &from), (Ino::ROOT, &to));
                meta.rename(&Context::root(), from, to, RenameFlags::default())
                    .await
            }
        };
        let [a, b] = ["a", "b"].map(|side| name(&format!("{side}{round}")));
        match race(moved(&two.one, a), moved(&two.other, b)).await {
            (Ok(_), Err(error)) | (Err(error), Ok(_)) => {
                assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
            }
            both => panic!("round {round}: {both:?}"),
        }
    }
    assert_eq!(two.orphans().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_is_made_exclusively_once() {
    let Some(two) = two(0).await else { return };
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
    assert_eq!(two.orphans().await, []);
}
