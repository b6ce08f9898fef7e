//! A cluster keeps a volume in one slot, under a hash tag that is the number of the database.

use moorage_engines::open;
use moorage_meta::Context;
use moorage_model::{Counter, ErrorKind, Ino};
use redis::Value;

use crate::conformance::{self, Fresh, conformance, write};
use crate::servers::{Node, until};
use crate::volume::{client, format, name};

const CLUSTER: [&str; 4] = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];

async fn is_ready(node: &Node) -> bool {
    match node.ask("CLUSTER INFO").await {
        Value::BulkString(info) => String::from_utf8_lossy(&info).contains("cluster_state:ok"),
        Value::VerbatimString { text, .. } => text.contains("cluster_state:ok"),
        _ => false,
    }
}

/// A cluster of one node.
async fn small() -> Option<Node> {
    let node = Node::start(&CLUSTER).await?;
    node.ask("CLUSTER ADDSLOTSRANGE 0 16383").await;
    until("the cluster is ready", || is_ready(&node)).await;
    Some(node)
}

async fn fresh() -> Option<Fresh> {
    let node = small().await?;
    let url = format!("{}/3", node.url());
    let (engine, other) = (open(&url, None).unwrap(), open(&url, None).unwrap());
    engine.prepare().await.unwrap();
    Some(Fresh {
        engine,
        other,
        _keep: Box::new(node),
    })
}

conformance!(fresh);

#[tokio::test]
async fn a_cluster_tells_nobody_of_changes() {
    let Some(node) = small().await else { return };
    let engine = open(&node.url(), None).unwrap();
    let refused = engine.watch().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotSupported, "{refused}");
}

#[tokio::test]
async fn a_volume_lies_in_one_slot_of_several_nodes() {
    let mut nodes = Vec::new();
    for _ in 0..3 {
        match Node::start(&CLUSTER).await {
            Some(node) => nodes.push(node),
            None => return,
        }
    }
    for (node, slots) in nodes.iter().zip(["0 5000", "5001 10000", "10001 16383"]) {
        node.ask(&format!("CLUSTER ADDSLOTSRANGE {slots}")).await;
    }
    for node in &nodes[1..] {
        node.ask(&format!("CLUSTER MEET 127.0.0.1 {}", nodes[0].port))
            .await;
    }
    for node in &nodes {
        until("the nodes know each other", || is_ready(node)).await;
    }
    // Whichever node is named, alone or in a list, the volume is the same.
    let one = format!("{}/1", nodes[0].url());
    let list = format!(
        "redis://127.0.0.1:{},127.0.0.1:{}/1",
        nodes[1].port, nodes[2].port
    );
    format(&one, 1).await;
    let (first, second) = (client(&one).await, client(&list).await);
    let root = Context::root();
    let made = first
        .create(&root, Ino::ROOT, &name("a"), 0o644, 0)
        .await
        .unwrap();
    let found = second.lookup(&root, Ino::ROOT, &name("a")).await.unwrap();
    assert_eq!(found.0, made.ino);
    let mut keys = 0;
    for node in &nodes {
        if let Value::Array(found) = node.ask("KEYS *").await {
            for key in found {
                let Value::BulkString(key) = key else {
                    panic!("{key:?}")
                };
                assert!(key.starts_with(b"{1}"), "{}", String::from_utf8_lossy(&key));
                keys += 1;
            }
        }
    }
    assert!(keys > 5, "{keys} keys");
    // Another database of the same cluster is another volume, and wiping one leaves the other.
    let other = open(&format!("{}/2", nodes[0].url()), None).unwrap();
    assert!(other.is_empty().await.unwrap());
    write(other.as_ref(), |txn| {
        txn.add_counter(Counter::UsedSpace, 1);
    })
    .await
    .unwrap();
    let engine = open(&one, None).unwrap();
    engine.wipe().await.unwrap();
    assert!(engine.is_empty().await.unwrap());
    assert!(!other.is_empty().await.unwrap());
}
