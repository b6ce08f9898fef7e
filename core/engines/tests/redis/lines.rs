//! A caller who is alone waits for the server on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use moorage_engines::open;
use moorage_meta::{Engine, Key, Record};
use moorage_model::Counter;

use crate::conformance::{read, write};
use crate::servers::{Node, until};

const COUNTER: Key = Key::Counter(Counter::UsedSpace);

/// The id of the engine's second connection to database 3, if it was the last to read a counter.
async fn line(node: &Node) -> Option<u64> {
    let listed: String = redis::from_redis_value(node.ask("CLIENT LIST").await).unwrap();
    let clients = listed.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let mut clients: Vec<(u64, bool)> = clients
        .filter(|fields| fields.contains(&"db=3"))
        .map(|fields| {
            let id = fields[0].trim_start_matches("id=").parse().unwrap();
            (id, fields.contains(&"cmd=get"))
        })
        .collect();
    clients.sort_unstable();
    match clients[..] {
        [_, (id, true)] => Some(id),
        _ => None,
    }
}

/// Reads until the engine does so on a line; the id of that.
async fn line_of(engine: &dyn Engine, node: &Node) -> u64 {
    until("a line", || async {
        read(engine, &COUNTER).await;
        line(node).await.is_some()
    })
    .await;
    line(node).await.unwrap()
}

async fn engine_of(node: &Node) -> Arc<dyn Engine> {
    let engine = open(&format!("{}/3", node.url()), None).unwrap();
    engine.prepare().await.unwrap();
    engine
}

#[tokio::test]
async fn a_line_that_the_server_ends_fails_no_request_and_changes_are_made_once() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    let engine = engine_of(&node).await;
    for round in 1..=3 {
        let line = line_of(engine.as_ref(), &node).await;
        node.ask(&format!("CLIENT KILL ID {line}")).await;
        write(engine.as_ref(), |txn| txn.add_counter(Counter::UsedSpace, 1))
            .await
            .unwrap();
        let counted = read(engine.as_ref(), &COUNTER).await;
        assert_eq!(counted, Some(Record::Counter(round)));
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_answer_behind() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    let engine = engine_of(&node).await;
    line_of(engine.as_ref(), &node).await;
    write(engine.as_ref(), |txn| txn.add_counter(Counter::UsedSpace, 7))
        .await
        .unwrap();
    node.signal("STOP");
    let asked = [Key::Counter(Counter::TotalInodes)];
    let abandoned = tokio::time::timeout(Duration::from_millis(100), engine.read(&asked)).await;
    assert!(abandoned.is_err(), "the server does not answer");
    node.signal("CONT");
    for _ in 0..100 {
        let counted = read(engine.as_ref(), &COUNTER).await;
        assert_eq!(counted, Some(Record::Counter(7)));
    }
}
