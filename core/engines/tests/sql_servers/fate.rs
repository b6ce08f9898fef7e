//! The connection breaks in the middle of a commit: it is applied once, whatever was lost.

use std::sync::Arc;

use moorage_engines::open;
use moorage_meta::{Engine, Key, Record, TxnExt as _, run};
use moorage_model::{Counter, Entry, Ino, Name, NodeType, Result};

use crate::place::Place;
use crate::proxy::{Cut, Proxy};

fn edge() -> Key {
    Key::Edge(Ino::ROOT, Name::new(b"made").unwrap())
}

/// Makes an entry that must not exist and counts it.
async fn make(engine: &dyn Engine, ino: u64) -> Result<()> {
    run(engine, "make", move |txn| {
        Box::pin(async move {
            txn.lock(&[edge()]).await?;
            let (kind, ino) = (NodeType::File, Ino(ino));
            txn.insert(edge(), Record::Edge(Entry { kind, ino }));
            txn.add_counter(Counter::NextTrash, 1);
            Ok(())
        })
    })
    .await
}

async fn counted(engine: &dyn Engine) -> Option<i64> {
    let mut found = engine.get(&[Key::Counter(Counter::NextTrash)]).await.unwrap();
    found.counter().unwrap()
}

/// The name of the counter as it stands in requests: text, or hexadecimal digits.
const POSTGRES: &[u8] = b"nextTrash";
const MYSQL: &[u8] = b"6e6578745472617368";

async fn a_cut_commit_is_applied_once(place: Option<Place>, cut: Cut, at: &'static [u8]) {
    let Some(place) = place else { return };
    let proxy = Proxy::to(place.port()).await;
    let engine = open(&place.url_through(proxy.port()), None).unwrap();
    let other: Arc<dyn Engine> = open(&place.url(), None).unwrap();
    engine.prepare().await.unwrap();
    // So that the statements are known to the connection.
    make(engine.as_ref(), 7).await.unwrap();
    run(engine.as_ref(), "remove", |txn| {
        Box::pin(async move {
            txn.delete(edge());
            Ok(())
        })
    })
    .await
    .unwrap();
    proxy.cut(cut, at);
    let made = make(engine.as_ref(), 8).await;
    assert_eq!(proxy.cuts(), 1);
    made.unwrap();
    assert_eq!(counted(other.as_ref()).await, Some(2));
    if cut == Cut::Late {
        proxy.release().await;
        assert_eq!(
            counted(other.as_ref()).await,
            Some(2),
            "the late copy changes nothing"
        );
    }
    let found = other.get(&[edge()]).await.unwrap().edge().unwrap();
    assert_eq!(found.map(|entry| entry.ino), Some(Ino(8)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_to_postgres_that_was_lost_is_sent_again() {
    a_cut_commit_is_applied_once(Place::postgres(), Cut::Request, POSTGRES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_to_postgres_whose_answer_was_lost_is_not_applied_twice() {
    a_cut_commit_is_applied_once(Place::postgres(), Cut::Answer, POSTGRES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_to_postgres_that_arrives_late_is_not_applied_twice() {
    a_cut_commit_is_applied_once(Place::postgres(), Cut::Late, POSTGRES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_to_mysql_that_was_lost_is_sent_again() {
    a_cut_commit_is_applied_once(Place::mysql(), Cut::Request, MYSQL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_to_mysql_whose_answer_was_lost_is_not_applied_twice() {
    a_cut_commit_is_applied_once(Place::mysql(), Cut::Answer, MYSQL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_to_mysql_that_arrives_late_is_not_applied_twice() {
    a_cut_commit_is_applied_once(Place::mysql(), Cut::Late, MYSQL).await;
}
