//! The connection breaks in the middle of a commit: it is applied once, whatever was lost.

use std::sync::Arc;

use moorage_engines::open;
use moorage_meta::{Engine, Key, Record, run};
use moorage_model::{Counter, Entry, Ino, Name, NodeType, Result};

use crate::conformance::read;
use crate::proxy::{Cut, Proxy};
use crate::servers::Node;

const COUNTER: Key = Key::Counter(Counter::UsedSpace);

/// An engine behind a wire, connected.
async fn wired() -> Option<(Node, Proxy, Arc<dyn Engine>)> {
    let node = Node::start(&[]).await?;
    let proxy = Proxy::to(node.port).await;
    let engine = open(&proxy.url(), None).unwrap();
    engine.prepare().await.unwrap();
    Some((node, proxy, engine))
}

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
            txn.add_counter(Counter::UsedSpace, 1);
            Ok(())
        })
    })
    .await
}

async fn counted(engine: &dyn Engine) -> i64 {
    match read(engine, &COUNTER).await {
        Some(Record::Counter(value)) => value,
        other => panic!("{other:?}"),
    }
}

async fn a_cut_commit_is_applied_once(cut: Cut) {
    let Some((_node, proxy, engine)) = wired().await else {
        return;
    };
    proxy.cut(cut, b"EVALSHA");
    make(engine.as_ref(), 7).await.unwrap();
    assert_eq!(proxy.cuts(), 1);
    assert_eq!(counted(engine.as_ref()).await, 1);
    if cut == Cut::Late {
        proxy.release().await;
        assert_eq!(counted(engine.as_ref()).await, 1, "the late copy changes nothing");
    }
    assert!(read(engine.as_ref(), &edge()).await.is_some());
}

#[tokio::test]
async fn a_commit_that_was_lost_is_sent_again() {
    a_cut_commit_is_applied_once(Cut::Request).await;
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_not_applied_twice() {
    a_cut_commit_is_applied_once(Cut::Answer).await;
}

#[tokio::test]
async fn a_commit_that_arrives_late_is_not_applied_twice() {
    a_cut_commit_is_applied_once(Cut::Late).await;
}

#[tokio::test]
async fn a_late_copy_of_a_commit_that_met_a_conflict_changes_nothing() {
    let Some((node, proxy, engine)) = wired().await else {
        return;
    };
    let other = open(&node.url(), None).unwrap();
    let other = Arc::clone(&other);
    let removing = Arc::clone(&other);
    let (seen, was_seen) = tokio::sync::oneshot::channel();
    let seen = parking_lot::Mutex::new(Some(seen));
    proxy.cut(Cut::Late, b"EVALSHA");
    // The first run decides on an absent entry; then another client makes it, so the second run leaves.
    let failed = run(engine.as_ref(), "make", move |txn| {
        let other = Arc::clone(&other);
        let seen = seen.lock().take();
        Box::pin(async move {
            if txn.lock(&[edge()]).await?.pop().flatten().is_some() {
                return Err(moorage_model::ErrorKind::Exists.into());
            }
            let (kind, ino) = (NodeType::File, Ino(7));
            txn.insert(edge(), Record::Edge(Entry { kind, ino }));
            txn.add_counter(Counter::UsedSpace, 1);
            make(other.as_ref(), 8).await?;
            let _ = seen.map(|seen| seen.send(()));
            Ok(())
        })
    })
    .await;
    was_seen.await.unwrap();
    assert_eq!(failed.unwrap_err().kind(), moorage_model::ErrorKind::Exists);
    // Now nothing but the number of the commit keeps the late copy from being applied.
    run(removing.as_ref(), "remove", |txn| {
        Box::pin(async move {
            txn.delete(edge());
            Ok(())
        })
    })
    .await
    .unwrap();
    proxy.release().await;
    assert_eq!(read(removing.as_ref(), &edge()).await, None);
    assert_eq!(counted(removing.as_ref()).await, 1);
}

#[tokio::test]
async fn where_scripts_are_not_allowed_a_cut_commit_is_applied_once_too() {
    for cut in [Cut::Request, Cut::Answer, Cut::Late] {
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
        let Some(node) = Node::start(&arguments).await else {
            return;
        };
        let proxy = Proxy::to(node.port).await;
        let engine = open(&proxy.url(), None).unwrap();
        engine.prepare().await.unwrap();
        proxy.cut(cut, b"MULTI");
        make(engine.as_ref(), 7).await.unwrap();
        assert_eq!((proxy.cuts(), counted(engine.as_ref()).await), (1, 1), "{cut:?}");
        if cut == Cut::Late {
            proxy.release().await;
            assert_eq!(counted(engine.as_ref()).await, 1, "the late copy changes nothing");
        }
    }
}
