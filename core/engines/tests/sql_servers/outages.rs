//! Servers that stop, start again, pause, end connections or may not be written: each is an error that says so or a
//! connection that heals, and what was acknowledged is there once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use moorage_engines::open;
use moorage_meta::{Engine, Key, Record, TxnExt as _, run};
use moorage_model::{Counter, Entry, ErrorKind, Ino, Name, NodeType, Result};

use crate::mysql_server::PASSWORD;
use crate::place::Place;
use crate::proxy::Proxy;

/// Longest wait for something that must happen.
const LIMIT: Duration = Duration::from_secs(60);
const COUNTER: Key = Key::Counter(Counter::NextTrash);

/// Makes an entry that must not exist and counts it.
async fn make(engine: &dyn Engine, number: u64) -> Result<()> {
    make_after(engine, number, Arc::new(|| {})).await
}

/// The same, after something that is done between reading and writing.
async fn make_after(engine: &dyn Engine, number: u64, between: Arc<dyn Fn() + Send + Sync>) -> Result<()> {
    run(engine, "make", move |txn| {
        let between = Arc::clone(&between);
        Box::pin(async move {
            let edge = Key::Edge(Ino::ROOT, Name::new(format!("f{number}").as_bytes()).unwrap());
            txn.lock(std::slice::from_ref(&edge)).await?;
            between();
            let (kind, ino) = (NodeType::File, Ino(number));
            txn.insert(edge, Record::Edge(Entry { kind, ino }));
            txn.add_counter(Counter::NextTrash, 1);
            Ok(())
        })
    })
    .await
}

async fn counted(engine: &dyn Engine) -> i64 {
    let mut found = engine.get(&[COUNTER]).await.unwrap();
    found.counter().unwrap().unwrap_or_default()
}

/// That so many entries were made, each once.
async fn assert_made(place: &Place, engine: &dyn Engine, number: u32) {
    assert_eq!(counted(engine).await, i64::from(number));
    assert_eq!(place.count("SELECT count(*) FROM jfs_edge"), u64::from(number));
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.expect(what);
}

async fn engine_of(url: &str) -> Arc<dyn Engine> {
    let engine = open(url, None).unwrap();
    engine.prepare().await.unwrap();
    engine
}

/// How a server ends.
type End = fn(&mut Place);

async fn requests_wait_for_a_server_that_starts_again(place: Option<Place>, end: End) {
    let Some(mut place) = place else { return };
    let engine = engine_of(&place.url()).await;
    for number in 0..20 {
        make(engine.as_ref(), number).await.unwrap();
    }
    let first_id = engine.allocate(Counter::NextInode, 10).await.unwrap();
    end(&mut place);
    let waiting = Arc::clone(&engine);
    let changing = tokio::spawn(async move { make(waiting.as_ref(), 20).await });
    let waiting = Arc::clone(&engine);
    let reading = tokio::spawn(async move { counted(waiting.as_ref()).await });
    let waiting = Arc::clone(&engine);
    let allocating = tokio::spawn(async move { waiting.allocate(Counter::NextInode, 10).await });
    let place = tokio::task::spawn_blocking(move || {
        place.start_again();
        place
    });
    let place = place.await.unwrap();
    changing.await.unwrap().unwrap();
    assert!(reading.await.unwrap() >= 20);
    assert!(allocating.await.unwrap().unwrap() >= first_id + 10);
    assert_made(&place, engine.as_ref(), 21).await;
}

/// Changes go on while the server is killed; those that were acknowledged are there when it is back.
async fn a_killed_server_keeps_what_it_acknowledged(place: Option<Place>) {
    let Some(mut place) = place else { return };
    let engine = engine_of(&place.url()).await;
    let changing = Arc::clone(&engine);
    let acknowledged = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&acknowledged);
    let changing = tokio::spawn(async move {
        for number in 0..400 {
            make(changing.as_ref(), number).await.unwrap();
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    for kills in 1..=2 {
        until("changes go on", || {
            acknowledged.load(Ordering::SeqCst) > 100 * kills
        })
        .await;
        let restarted = tokio::task::spawn_blocking(move || {
            place.kill();
            place.start_again();
            place
        });
        place = restarted.await.unwrap();
    }
    changing.await.unwrap();
    assert_made(&place, engine.as_ref(), 400).await;
}

async fn a_server_that_was_never_there_is_not_waited_for(place: Option<Place>) {
    let Some(mut place) = place else { return };
    place.stop();
    let engine = open(&place.url(), None).unwrap();
    let read = tokio::time::timeout(LIMIT, engine.read(&[COUNTER])).await;
    let error = read.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.advice().unwrap().contains("runs"), "{error}");
    let error = make(engine.as_ref(), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

async fn a_change_at_a_paused_server_is_made_once_when_it_goes_on(place: Option<Place>) {
    let Some(place) = place else { return };
    let proxy = Proxy::to(place.port()).await;
    let engine = engine_of(&place.url_through(proxy.port())).await;
    make(engine.as_ref(), 1).await.unwrap();
    let before = proxy.requests();
    place.pause();
    let waiting = Arc::clone(&engine);
    let waiting = tokio::spawn(async move { make(waiting.as_ref(), 2).await });
    until("the server is asked", || proxy.requests() > before).await;
    place.resume();
    waiting.await.unwrap().unwrap();
    assert_made(&place, engine.as_ref(), 2).await;
}

async fn connections_that_the_server_ended_are_made_again(place: Option<Place>, limit: &str) {
    let Some(place) = place else { return };
    place.tell(limit);
    let engine = engine_of(&place.url()).await;
    make(engine.as_ref(), 1).await.unwrap();
    until("the server ends what is idle", || place.connections() == Some(0)).await;
    make(engine.as_ref(), 2).await.unwrap();
    until("the server ends what is idle", || place.connections() == Some(0)).await;
    assert_eq!(counted(engine.as_ref()).await, 2);
    until("the server ends what is idle", || place.connections() == Some(0)).await;
    engine.allocate(Counter::NextInode, 10).await.unwrap();
    assert_made(&place, engine.as_ref(), 2).await;
}

async fn a_read_only_server_is_read_and_called_so_by_a_change(place: Option<Place>, close: &str, open: &str) {
    let Some(place) = place else { return };
    let engine = engine_of(&place.url()).await;
    make(engine.as_ref(), 1).await.unwrap();
    place.tell(close);
    // A setting of the database counts for connections that are new.
    place.break_connections();
    assert_eq!(counted(engine.as_ref()).await, 1);
    for error in [
        make(engine.as_ref(), 2).await.unwrap_err(),
        engine.allocate(Counter::NextInode, 10).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
        assert!(error.advice().unwrap().contains("primary"), "{error}");
    }
    place.tell(open);
    place.break_connections();
    make(engine.as_ref(), 2).await.unwrap();
    assert_made(&place, engine.as_ref(), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_of_mysql_that_was_changed_is_called_wrong_and_not_waited_for() {
    let Some(place) = Place::own_mysql(&[]) else {
        return;
    };
    let engine = engine_of(&place.url()).await;
    make(engine.as_ref(), 1).await.unwrap();
    place.tell("ALTER USER tester@localhost IDENTIFIED BY 'other'");
    place.break_connections();
    until("the connections are gone", || place.connections() == Some(0)).await;
    let error = make(engine.as_ref(), 2).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    let same = format!("ALTER USER tester@localhost IDENTIFIED BY '{PASSWORD}'");
    place.tell(&same);
    make(engine.as_ref(), 2).await.unwrap();
    assert_made(&place, engine.as_ref(), 2).await;
}

/// The limit of MySQL's URLs; PostgreSQL has none there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_a_paused_mysql_does_not_answer_is_looked_up_and_made_once() {
    let Some(place) = Place::own_mysql(&[]).map(Arc::new) else {
        return;
    };
    let proxy = Proxy::to(place.port()).await;
    let through = place.url_through(proxy.port());
    let engine = engine_of(&format!("{through}?readTimeout=2s&timeout=2s&max_open_conns=1")).await;
    make(engine.as_ref(), 1).await.unwrap();
    let accepted = proxy.accepted();
    let (waiting, server) = (Arc::clone(&engine), Arc::clone(&place));
    let paused = AtomicBool::new(false);
    let waiting = tokio::spawn(async move {
        // Between what it reads and what it writes.
        let pause = move || {
            if !paused.swap(true, Ordering::SeqCst) {
                server.pause();
            }
        };
        make_after(waiting.as_ref(), 2, Arc::new(pause)).await
    });
    until("the answer is given up", || proxy.accepted() > accepted).await;
    place.resume();
    waiting.await.unwrap().unwrap();
    assert_made(&place, engine.as_ref(), 2).await;
}

/// Makes a test of each claim for each server.
macro_rules! on_both {
    ($($postgres:ident $mysql:ident $claim:ident
       [$($for_postgres:expr),*] [$($for_mysql:expr),*];)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $postgres() {
                $claim(Place::own_postgres(&[]), $($for_postgres),*).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $mysql() {
                $claim(Place::own_mysql(&[]), $($for_mysql),*).await;
            }
        )*
    };
}

on_both! {
    requests_wait_for_a_postgres_that_starts_again requests_wait_for_a_mysql_that_starts_again
        requests_wait_for_a_server_that_starts_again [Place::stop] [Place::stop];
    a_killed_postgres_keeps_what_it_acknowledged a_killed_mysql_keeps_what_it_acknowledged
        a_killed_server_keeps_what_it_acknowledged [] [];
    a_postgres_that_was_never_there_is_not_waited_for a_mysql_that_was_never_there_is_not_waited_for
        a_server_that_was_never_there_is_not_waited_for [] [];
    a_change_at_a_paused_postgres_is_made_once a_change_at_a_paused_mysql_is_made_once
        a_change_at_a_paused_server_is_made_once_when_it_goes_on [] [];
    connections_that_postgres_ended_are_made_again connections_that_mysql_ended_are_made_again
        connections_that_the_server_ended_are_made_again
        ["ALTER USER tester SET idle_session_timeout = '300ms'"]
        ["SET GLOBAL wait_timeout = 1"];
    a_read_only_postgres_is_called_so a_read_only_mysql_is_called_so
        a_read_only_server_is_read_and_called_so_by_a_change
        ["ALTER USER tester SET default_transaction_read_only = on",
         "BEGIN READ WRITE; ALTER USER tester RESET default_transaction_read_only; COMMIT"]
        ["REVOKE READ_ONLY ADMIN ON *.* FROM tester@localhost; SET GLOBAL read_only = 1",
         "SET GLOBAL read_only = 0"];
}
