//! Two clients of one server, or of one memory engine, change the same names at the same time: one of the two
//! orders happened, the loser hears why in POSIX's words, and no record is left over.

use std::any::Any;
use std::sync::Arc;

use moorage_engines::MemoryEngine;
use moorage_meta::{Context, Engine, Meta, RenameFlags, UnlinkOptions};
use moorage_model::{ErrorKind, Ino, Name, Result};

use crate::check::broken_invariants;
use crate::fixture::{TestClock, TestData, name, quiet, setting};
use crate::redis_server::Server;
use crate::{mysql_server, postgres_server};

/// Rounds of one race: a hole of a few microseconds in a verb of a millisecond shows after a hundred.
const ROUNDS: usize = 200;
const GONE: UnlinkOptions = UnlinkOptions { skip_trash: true };

/// Two clients of a fresh volume.
struct Pair {
    engine: Arc<dyn Engine>,
    data: Arc<TestData>,
    first: Arc<Meta>,
    second: Arc<Meta>,
    _server: Box<dyn Any>,
}

impl Pair {
    async fn new(first: Arc<dyn Engine>, second: Arc<dyn Engine>, server: Box<dyn Any>) -> Pair {
        let clock = Arc::new(TestClock::new());
        Meta::format(&first, &setting(), clock.as_ref()).await.unwrap();
        let data = Arc::new(TestData::default());
        let engine = Arc::clone(&first);
        let mut clients = Vec::new();
        for of in [first, second] {
            let meta = Meta::open(of, quiet(), clock.clone()).await.unwrap();
            meta.start_session(data.clone()).await.unwrap();
            clients.push(meta);
        }
        let (second, first) = (clients.pop().unwrap(), clients.pop().unwrap());
        Pair {
            engine,
            data,
            first,
            second,
            _server: server,
        }
    }

    /// Clients with connections of their own.
    async fn of(url: &str, server: Box<dyn Any>) -> Pair {
        let open = || moorage_engines::open(url, None).unwrap();
        Pair::new(open(), open(), server).await
    }

    async fn make(&self, parent: Ino, text: &str) -> Ino {
        let (root, name) = (Context::root(), name(text));
        let made = self.first.create(&root, parent, &name, 0o644, 0).await;
        made.unwrap().ino
    }

    async fn make_directory(&self, parent: Ino, text: &str) -> Ino {
        let (root, name) = (Context::root(), name(text));
        let made = self.first.mkdir(&root, parent, &name, 0o755, 0).await;
        made.unwrap().ino
    }

    async fn has(&self, parent: Ino, text: &str) -> bool {
        self.first
            .lookup(&Context::root(), parent, &name(text))
            .await
            .is_ok()
    }

    async fn assert_sound(&self) {
        for client in [&self.first, &self.second] {
            client.flush_deletions().await.unwrap();
            // Usage is written some time after the changes that it counts.
            client.engine().make_durable().await.unwrap();
        }
        let broken = broken_invariants(self.engine.as_ref(), Some(&self.data)).await;
        assert_eq!(broken, Vec::<String>::new());
    }
}

/// Runs a race on every engine whose clients are independent.
macro_rules! race {
    ($($race:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $race() {
                let engine = std::sync::Arc::new(super::MemoryEngine::new());
                let pair = super::Pair::new(engine.clone(), engine, Box::new(())).await;
                super::$race(&pair).await;
                pair.assert_sound().await;
            })*
        }

        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $race() {
                let Some(server) = super::Server::start(&[]) else { return };
                let pair = super::Pair::of(&server.url(), Box::new(server)).await;
                super::$race(&pair).await;
                pair.assert_sound().await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $race() {
                let Some(server) = super::postgres_server::Server::shared() else { return };
                let url = server.url(&server.new_database());
                let pair = super::Pair::of(&url, Box::new(server)).await;
                super::$race(&pair).await;
                pair.assert_sound().await;
            })*
        }

        mod mysql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $race() {
                let Some(server) = super::mysql_server::Server::shared() else { return };
                let url = server.url(&server.new_database());
                let pair = super::Pair::of(&url, Box::new(server)).await;
                super::$race(&pair).await;
                pair.assert_sound().await;
            })*
        }
    };
}

race!(
    a_directory_is_removed_or_gets_an_entry,
    one_of_two_exclusive_creations_wins,
    two_renames_to_one_name_leave_one_of_the_files,
    a_file_is_renamed_once,
    two_directories_never_end_up_in_each_other,
    a_file_is_linked_before_its_last_name_goes_or_not_at_all,
    a_name_is_removed_once,
);

fn kind<T>(result: Result<T>) -> std::result::Result<(), ErrorKind> {
    result.map(drop).map_err(|error| error.kind())
}

async fn renamed(
    meta: &Meta,
    source: (Ino, &Name),
    target: (Ino, &Name),
) -> std::result::Result<(), ErrorKind> {
    let context = Context::root();
    kind(
        meta.rename(&context, source, target, RenameFlags::default())
            .await,
    )
}

async fn a_directory_is_removed_or_gets_an_entry(pair: &Pair) {
    let (root, directory, file) = (Context::root(), name("d"), name("f"));
    for _ in 0..ROUNDS {
        let ino = pair.make_directory(Ino::ROOT, "d").await;
        let (removed, made) = tokio::join!(
            pair.first.rmdir(&root, Ino::ROOT, &directory, GONE),
            pair.second.create(&root, ino, &file, 0o644, 0)
        );
        match (kind(removed), kind(made)) {
            (Ok(()), Err(ErrorKind::NotFound)) => {}
            (Err(ErrorKind::NotEmpty), Ok(())) => {
                pair.second.unlink(&root, ino, &file, GONE).await.unwrap();
                pair.first
                    .rmdir(&root, Ino::ROOT, &directory, GONE)
                    .await
                    .unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn one_of_two_exclusive_creations_wins(pair: &Pair) {
    let (root, file) = (Context::root(), name("f"));
    for _ in 0..ROUNDS {
        let (one, other) = tokio::join!(
            pair.first.create(&root, Ino::ROOT, &file, 0o644, 0),
            pair.second.create(&root, Ino::ROOT, &file, 0o600, 0)
        );
        let results = [kind(one), kind(other)];
        assert!(results.contains(&Ok(())), "{results:?}");
        assert!(results.contains(&Err(ErrorKind::Exists)), "{results:?}");
        pair.first.unlink(&root, Ino::ROOT, &file, GONE).await.unwrap();
    }
}

async fn two_renames_to_one_name_leave_one_of_the_files(pair: &Pair) {
    let (root, a, b, target) = (Context::root(), name("a"), name("b"), name("t"));
    for _ in 0..ROUNDS {
        pair.make(Ino::ROOT, "a").await;
        pair.make(Ino::ROOT, "b").await;
        let results = tokio::join!(
            renamed(&pair.first, (Ino::ROOT, &a), (Ino::ROOT, &target)),
            renamed(&pair.second, (Ino::ROOT, &b), (Ino::ROOT, &target))
        );
        assert_eq!(results, (Ok(()), Ok(())));
        assert!(!pair.has(Ino::ROOT, "a").await && !pair.has(Ino::ROOT, "b").await);
        pair.first.unlink(&root, Ino::ROOT, &target, GONE).await.unwrap();
    }
}

async fn a_file_is_renamed_once(pair: &Pair) {
    let (root, a) = (Context::root(), name("a"));
    let (one, other) = (name("one"), name("other"));
    for _ in 0..ROUNDS {
        pair.make(Ino::ROOT, "a").await;
        let results = tokio::join!(
            renamed(&pair.first, (Ino::ROOT, &a), (Ino::ROOT, &one)),
            renamed(&pair.second, (Ino::ROOT, &a), (Ino::ROOT, &other))
        );
        let winner = match results {
            (Ok(()), Err(ErrorKind::NotFound)) => &one,
            (Err(ErrorKind::NotFound), Ok(())) => &other,
            other => panic!("{other:?}"),
        };
        pair.first.unlink(&root, Ino::ROOT, winner, GONE).await.unwrap();
    }
}

async fn two_directories_never_end_up_in_each_other(pair: &Pair) {
    let (root, a, b) = (Context::root(), name("a"), name("b"));
    for _ in 0..ROUNDS {
        let one = pair.make_directory(Ino::ROOT, "a").await;
        let other = pair.make_directory(Ino::ROOT, "b").await;
        let results = tokio::join!(
            renamed(&pair.first, (Ino::ROOT, &a), (other, &a)),
            renamed(&pair.second, (Ino::ROOT, &b), (one, &b))
        );
        let (outer, inner, at) = match results {
            (Ok(()), Err(ErrorKind::NotPermitted | ErrorKind::NotFound)) => (&b, &a, other),
            (Err(ErrorKind::NotPermitted | ErrorKind::NotFound), Ok(())) => (&a, &b, one),
            other => panic!("{other:?}"),
        };
        pair.first.rmdir(&root, at, inner, GONE).await.unwrap();
        pair.first.rmdir(&root, Ino::ROOT, outer, GONE).await.unwrap();
    }
}

async fn a_file_is_linked_before_its_last_name_goes_or_not_at_all(pair: &Pair) {
    let (root, file, link) = (Context::root(), name("f"), name("l"));
    for _ in 0..ROUNDS {
        let ino = pair.make(Ino::ROOT, "f").await;
        let (linked, removed) = tokio::join!(
            pair.first.link(&root, ino, Ino::ROOT, &link),
            pair.second.unlink(&root, Ino::ROOT, &file, GONE)
        );
        assert_eq!(kind(removed), Ok(()));
        match kind(linked) {
            Ok(()) => {
                assert_eq!(pair.first.getattr(ino).await.unwrap().nlink, 1);
                pair.first.unlink(&root, Ino::ROOT, &link, GONE).await.unwrap();
            }
            Err(ErrorKind::NotFound) => assert!(!pair.has(Ino::ROOT, "l").await),
            other => panic!("{other:?}"),
        }
    }
}

async fn a_name_is_removed_once(pair: &Pair) {
    let (root, file) = (Context::root(), name("f"));
    for _ in 0..ROUNDS {
        pair.make(Ino::ROOT, "f").await;
        let (one, other) = tokio::join!(
            pair.first.unlink(&root, Ino::ROOT, &file, GONE),
            pair.second.unlink(&root, Ino::ROOT, &file, GONE)
        );
        let mut results = [kind(one), kind(other)];
        results.sort_by_key(Result::is_err);
        assert_eq!(results, [Ok(()), Err(ErrorKind::NotFound)]);
    }
}
