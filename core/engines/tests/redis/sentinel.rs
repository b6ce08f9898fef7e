//! Sentinels name the master, also the next one.

use moorage_engines::open;
use moorage_meta::{Changed, Key, Record};
use moorage_model::{Counter, ErrorKind, Ino};
use redis::Value;

use crate::conformance::{read, write};
use crate::servers::{Node, free_port, until};
use crate::tracking::next;

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

/// A master with its replica, and a sentinel that knows both.
struct Watched {
    master: Node,
    replica: Node,
    sentinel: Node,
}

impl Watched {
    async fn start() -> Option<Watched> {
        let master = Node::start(&[]).await?;
        let of = format!("127.0.0.1 {}", master.port);
        let replica = Node::start(&["--replicaof", &of]).await?;
        let sentinel = sentinel(master.port).await?;
        until("the sentinel knows the replica", || async {
            matches!(sentinel.ask("SENTINEL REPLICAS main").await, Value::Array(found) if !found.is_empty())
        })
        .await;
        Some(Watched {
            master,
            replica,
            sentinel,
        })
    }

    fn url(&self) -> String {
        format!("redis://main,127.0.0.1:{}/1?read-timeout=15s", self.sentinel.port)
    }

    async fn replica_is_master(&self) -> bool {
        let role = self.replica.try_ask("ROLE").await;
        matches!(role, Ok(Value::Array(role)) if role[0] == Value::BulkString(b"master".to_vec()))
    }

    /// The replica has what the master has by now.
    async fn replicated(&self) {
        let Value::Int(written) = role(&self.master).await[1] else {
            panic!("a master has an offset")
        };
        until("the replica has it", || async {
            let Value::Array(replicas) = role(&self.master).await.remove(2) else {
                panic!("a master has a list of replicas")
            };
            replicas.iter().any(|replica| {
                let Value::Array(replica) = replica else { return false };
                matches!(&replica[2], Value::BulkString(has) if String::from_utf8_lossy(has).parse::<i64>().unwrap() >= written)
            })
        })
        .await;
    }
}

async fn role(node: &Node) -> Vec<Value> {
    match node.ask("ROLE").await {
        Value::Array(role) => role,
        other => panic!("a role is a list, not {other:?}"),
    }
}

#[tokio::test]
async fn a_volume_follows_the_master_of_its_name() {
    let Some(mut watched) = Watched::start().await else {
        return;
    };
    let engine = open(&watched.url(), None).unwrap();
    let count = || {
        write(engine.as_ref(), |txn| {
            txn.add_counter(Counter::UsedSpace, 1);
        })
    };
    count().await.unwrap();
    watched.replicated().await;
    watched.master.kill();
    count().await.unwrap();
    let found = read(engine.as_ref(), &Key::Counter(Counter::UsedSpace)).await;
    assert_eq!(found, Some(Record::Counter(2)));
    assert!(watched.replica_is_master().await);
}

#[tokio::test]
async fn the_next_master_tells_of_changes_too() {
    let Some(mut watched) = Watched::start().await else {
        return;
    };
    let engine = open(&watched.url(), None).unwrap();
    let changes = engine.watch().await.unwrap();
    watched.master.kill();
    // Nobody asks for anything meanwhile.
    until("there is another master", || watched.replica_is_master()).await;
    until("it tells", || async { changes.are_complete() }).await;
    changes.take();
    watched.replica.ask("SET i7 x").await;
    assert_eq!(next(&changes).await, Changed::Nodes(vec![Ino(7)]));
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
