//! A client is told what others change.

use std::time::Duration;

use moorage_engines::open;
use moorage_meta::{Changed, Changes, Key};
use moorage_model::{Counter, ErrorKind, Ino};
use tokio::time::timeout;

use crate::servers::{Node, until};

const LIMIT: Duration = Duration::from_secs(60);

/// What is told next.
pub(crate) async fn next(changes: &Changes) -> Changed {
    let told = async {
        loop {
            changes.told().await;
            if let Some(changed) = changes.take() {
                return changed;
            }
        }
    };
    timeout(LIMIT, told).await.expect("something is told")
}

/// Watches a server, and has heard that this began.
async fn watch(node: &Node, options: &str) -> Changes {
    let engine = open(&format!("{}{options}", node.url()), None).unwrap();
    let changes = engine.watch().await.unwrap();
    assert!(changes.are_complete());
    assert_eq!(next(&changes).await, Changed::Everything);
    changes
}

#[tokio::test]
async fn nodes_are_told_whoever_changes_them_and_however() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    let changes = watch(&node, "").await;
    for change in [
        "SET i5 one",
        "EVAL redis.call('SET',KEYS[1],'two') 1 i5",
        "DEL i5",
    ] {
        node.ask(change).await;
        assert_eq!(next(&changes).await, Changed::Nodes(vec![Ino(5)]), "{change}");
    }
    // Of other records nothing is told.
    for other in [
        "HSET d5 name entry",
        "RPUSH c5_0 slice",
        "SET totalInodes 7",
        "SET i6 last",
    ] {
        node.ask(other).await;
    }
    assert_eq!(next(&changes).await, Changed::Nodes(vec![Ino(6)]));
    node.ask("FLUSHDB").await;
    assert_eq!(next(&changes).await, Changed::Everything);
}

#[tokio::test]
async fn a_server_that_starts_again_tells_again() {
    let Some(mut node) = Node::start(&[]).await else {
        return;
    };
    let changes = watch(&node, "").await;
    node.kill();
    assert_eq!(next(&changes).await, Changed::Everything);
    assert!(!changes.are_complete());
    node.start_again().await;
    until("it tells again", || async { changes.are_complete() }).await;
    changes.take();
    node.ask("SET i7 x").await;
    assert_eq!(next(&changes).await, Changed::Nodes(vec![Ino(7)]));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_relied_on() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    let changes = watch(&node, "").await;
    node.signal("STOP");
    assert_eq!(next(&changes).await, Changed::Everything);
    assert!(!changes.are_complete());
    node.signal("CONT");
    until("it tells again", || async { changes.are_complete() }).await;
}

#[tokio::test]
async fn a_connection_nobody_needs_is_closed() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    let tracking = || async {
        let listed = node.ask("CLIENT LIST").await;
        format!("{listed:?}").contains("flags=tB")
    };
    let changes = watch(&node, "").await;
    assert!(tracking().await);
    drop(changes);
    until("the connection is closed", || async { !tracking().await }).await;
}

#[tokio::test]
async fn a_user_who_may_not_ask_is_told_so() {
    let Some(node) = Node::start(&[]).await else {
        return;
    };
    node.ask("ACL SETUSER limited on >secret ~* &* +@all -client|tracking")
        .await;
    let url = format!("redis://limited:secret@127.0.0.1:{}", node.port);
    let engine = open(&url, None).unwrap();
    engine.read(&[Key::Counter(Counter::UsedSpace)]).await.unwrap();
    let refused = engine.watch().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthenticated, "{refused}");
}
