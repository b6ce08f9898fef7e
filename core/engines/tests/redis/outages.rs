//! Servers that stop, start again, are full or may not be written.

use std::sync::Arc;

use moorage_engines::open;
use moorage_meta::{Engine, Key, Record};
use moorage_model::{Counter, ErrorKind, Result};
use redis::Value;
use tokio::time::timeout;

use crate::conformance::{LIMIT, read, write};
use crate::proxy::Proxy;
use crate::servers::{Node, until};

const COUNTER: Key = Key::Counter(Counter::UsedSpace);

async fn count(engine: &dyn Engine) -> Result<()> {
    write(engine, |txn| txn.add_counter(Counter::UsedSpace, 1)).await
}

async fn counted(engine: &dyn Engine) -> i64 {
    match read(engine, &COUNTER).await {
        Some(Record::Counter(value)) => value,
        other => panic!("{other:?}"),
    }
}

async fn engine_of(node: &Node, options: &str) -> Arc<dyn Engine> {
    let engine = open(&format!("{}?{options}", node.url()), None).unwrap();
    engine.prepare().await.unwrap();
    engine
}

#[tokio::test]
async fn requests_wait_for_a_server_that_starts_again() {
    let Some(mut node) = Node::start(&["--appendonly", "yes", "--appendfsync", "always"]).await else {
        return;
    };
    let engine = engine_of(&node, "read-timeout=15s").await;
    count(engine.as_ref()).await.unwrap();
    node.kill();
    let waiting = Arc::clone(&engine);
    let waiting = tokio::spawn(async move { count(waiting.as_ref()).await });
    node.start_again().await;
    waiting.await.unwrap().unwrap();
    assert_eq!(counted(engine.as_ref()).await, 2);
    // Scripts are gone after a restart.
    count(engine.as_ref()).await.unwrap();
    assert_eq!(counted(engine.as_ref()).await, 3);
}

#[tokio::test]
async fn requests_to_a_server_that_stays_away_fail_in_time() {
    let Some(mut node) = Node::start(&[]).await else {
        return;
    };
    let engine = engine_of(&node, "read-timeout=1s&dial-timeout=1s").await;
    node.kill();
    let error = timeout(LIMIT, engine.read(&[COUNTER]))
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let error = timeout(LIMIT, count(engine.as_ref())).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn a_commit_to_a_paused_server_is_applied_once_when_it_goes_on() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    let proxy = Proxy::to(node.port).await;
    let engine = open(&format!("{}?read-timeout=2s", proxy.url()), None).unwrap();
    count(engine.as_ref()).await.unwrap();
    node.signal("STOP");
    let before = proxy.requests();
    let waiting = Arc::clone(&engine);
    let waiting = tokio::spawn(async move { count(waiting.as_ref()).await });
    until("the commit has been sent twice", || async {
        proxy.requests() >= before + 2
    })
    .await;
    node.signal("CONT");
    waiting.await.unwrap().unwrap();
    assert_eq!(counted(engine.as_ref()).await, 2);
}

#[tokio::test]
async fn a_commit_to_a_server_that_stays_paused_says_that_its_fate_is_not_known() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    let engine = engine_of(&node, "read-timeout=300ms&dial-timeout=300ms").await;
    node.signal("STOP");
    let error = count(engine.as_ref()).await.unwrap_err();
    node.signal("CONT");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.to_string().contains("fate is not known"), "{error}");
}

#[tokio::test]
async fn a_replica_can_be_read_and_says_that_it_can_not_be_written() {
    let Some(master) = Node::start(&[]).await else {
        return;
    };
    count(engine_of(&master, "").await.as_ref()).await.unwrap();
    let of = format!("127.0.0.1 {}", master.port);
    let Some(replica) = Node::start(&["--replicaof", &of]).await else {
        return;
    };
    until("the replica has the record", || async {
        replica.ask("EXISTS usedSpace").await == Value::Int(1)
    })
    .await;
    let engine = engine_of(&replica, "").await;
    assert_eq!(counted(engine.as_ref()).await, 1);
    let error = count(engine.as_ref()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    assert!(error.to_string().contains("master"), "{error}");
}

#[tokio::test]
async fn a_full_server_refuses_whole_commits_and_keeps_what_it_has() {
    let Some(node) = Node::start(&["--maxmemory-policy", "noeviction"]).await else {
        return;
    };
    let engine = engine_of(&node, "").await;
    count(engine.as_ref()).await.unwrap();
    node.ask("CONFIG SET maxmemory 1").await;
    let error = count(engine.as_ref()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
    assert!(error.to_string().contains("maxmemory"), "{error}");
    assert_eq!(counted(engine.as_ref()).await, 1);
    node.ask("CONFIG SET maxmemory 0").await;
    count(engine.as_ref()).await.unwrap();
    assert_eq!(counted(engine.as_ref()).await, 2);
}
