//! What one part of a commit meets leaves no other part behind.

use moorage_engines::open;
use moorage_meta::{Engine, Key, Record, run};
use moorage_model::{Counter, DirStat, Entry, ErrorKind, Ino, Name, NodeType, Result, SessionId};

use crate::servers::Node;

fn edge() -> Key {
    Key::Edge(Ino::ROOT, Name::new(b"made").unwrap())
}

/// Writes records of every type, the counters last.
async fn write(engine: &dyn Engine) -> Result<()> {
    run(engine, "write", |txn| {
        Box::pin(async move {
            let (kind, ino) = (NodeType::File, Ino(7));
            txn.insert(edge(), Record::Edge(Entry { kind, ino }));
            txn.put(Key::Sustained(SessionId(3), ino), Record::Sustained);
            txn.put(Key::DeletedFile(ino, 5), Record::DeletedFile(1));
            txn.append_changelog("LINE".to_owned());
            let one = DirStat {
                length: 1,
                space: 1,
                inodes: 1,
            };
            txn.add_dir_stat(Ino::ROOT, one);
            txn.add_counter(Counter::UsedSpace, 1);
            Ok(())
        })
    })
    .await
}

async fn nothing_is_left_by_a_commit_that_meets(damage: &str, arguments: &[&str]) {
    let Some(node) = Node::start(arguments).await else {
        return;
    };
    let engine = open(&node.url(), None).unwrap();
    engine.prepare().await.unwrap();
    node.ask("HSET dirUsedSpace 1 0").await;
    node.ask(damage).await;
    let before = node.ask("DBSIZE").await;
    let error = write(engine.as_ref()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{damage}: {error}");
    let key = damage.split(' ').nth(1).unwrap();
    assert!(format!("{error:#} {error:?}").contains(key), "{damage}: {error}");
    assert_eq!(node.ask("DBSIZE").await, before, "{damage}");
}

const DAMAGES: [&str; 9] = [
    "SET d1 x",
    "SET session3 x",
    "SET delfiles x",
    "SET txnLog x",
    "SET txnLastLog x",
    "HSET dirUsedSpace 1 x",
    "HSET dirUsedInodes 1 9223372036854775807",
    "SET usedSpace 9223372036854775807",
    "LPUSH usedSpace x",
];

#[tokio::test]
async fn values_of_another_kind_leave_nothing_behind() {
    for damage in DAMAGES {
        nothing_is_left_by_a_commit_that_meets(damage, &[]).await;
    }
}

#[tokio::test]
async fn nor_do_they_where_scripts_are_not_allowed() {
    let arguments = [
        "--user",
        "default",
        "on",
        "nopass",
        "~*",
        "&*",
        "+@all",
        "-@scripting",
    ];
    for damage in DAMAGES {
        nothing_is_left_by_a_commit_that_meets(damage, &arguments).await;
    }
}

#[tokio::test]
async fn a_user_who_may_not_run_every_command_is_told_before_anything_is_written() {
    let arguments = [
        "--user", "default", "on", "nopass", "~*", "&*", "+@all", "-hincrby",
    ];
    let Some(node) = Node::start(&arguments).await else {
        return;
    };
    let engine = open(&node.url(), None).unwrap();
    let error = engine.prepare().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    assert!(error.to_string().contains("HINCRBY"), "{error}");
}
