//! Sentinels name the master, also the next one.

use moorage_engines::open;
use moorage_meta::{Key, Record};
use moorage_model::{Counter, ErrorKind};
use redis::Value;

use crate::conformance::{read, write};
use crate::servers::{Node, free_port, until};

/// One sentinel that watches a master under the name `main`.
async fn sentinel(master: u16) -> Option<Node> {
    let folder = tempfile::tempdir().unwrap();
    let (port, file) = (free_port(), folder.path().join("sentinel.conf"));
    let lines = [
        format!("port {port}"),
        "bind 127.0.0.1".to_owned(),
        format!("dir {}", folder.path().display()),
        format!("sentinel monitor main 127.0.0.1 {master} 1"),
        "sentinel down-after-milliseconds main 500".to_owned(),
        "sentinel failover-timeout main 2000".to_owned(),
    ];
    std::fs::write(&file, lines.join("\n")).unwrap();
    let file = file.display().to_string();
    Node::start_with(folder, &[&file, "--sentinel"], port).await
}

#[tokio::test]
async fn a_volume_follows_the_master_of_its_name() {
    let Some(mut master) = Node::start(&[]).await else {
        return;
    };
    let of = format!("127.0.0.1 {}", master.port);
    let Some(replica) = Node::start(&["--replicaof", &of]).await else {
        return;
    };
    let Some(sentinel) = sentinel(master.port).await else {
        return;
    };
    until("the sentinel knows the replica", || async {
        matches!(sentinel.ask("SENTINEL REPLICAS main").await, Value::Array(found) if !found.is_empty())
    })
    .await;
    let url = format!("redis://main,127.0.0.1:{}/1?read-timeout=15s", sentinel.port);
    let engine = open(&url, None).unwrap();
    let count = || {
        write(engine.as_ref(), |txn| {
            txn.add_counter(Counter::UsedSpace, 1);
        })
    };
    count().await.unwrap();
    master.ask("WAIT 1 5000").await;
    master.kill();
    count().await.unwrap();
    let found = read(engine.as_ref(), &Key::Counter(Counter::UsedSpace)).await;
    assert_eq!(found, Some(Record::Counter(2)));
    let Value::Array(role) = replica.ask("ROLE").await else {
        panic!("a role is a list")
    };
    assert_eq!(role[0], Value::BulkString(b"master".to_vec()));
}

#[tokio::test]
async fn a_name_that_no_sentinel_knows_is_refused() {
    let Some(master) = Node::start(&[]).await else {
        return;
    };
    let Some(sentinel) = sentinel(master.port).await else {
        return;
    };
    let engine = open(&format!("redis://other,127.0.0.1:{}", sentinel.port), None).unwrap();
    let error = engine.prepare().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("SENTINEL"), "{error}");
}
