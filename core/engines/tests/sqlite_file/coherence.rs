//! Nodes and entries that a client remembers are the ones in the file, whoever changed it.

use std::collections::HashMap;
use std::sync::Arc;

use moorage_meta::{Engine, Key, Record, run};
use moorage_model::{
    AclId, Attr, Entry, ErrorKind, Flags, Gid, Ino, Name, NodeType, Result, TierId, Timestamp, Uid,
};
use proptest::prelude::*;
use rusqlite::Connection;

use super::folder::{Folder, add_node};

/// Nodes, and names of one directory, that the steps work on.
const NODES: u64 = 4;
/// Cases of the property.
const CASES: u32 = 64;

#[derive(Clone, Debug)]
enum Step {
    /// A client stores a node in a transaction of its own, or removes it; the job may fail afterwards.
    Store(Who, u64, Option<Box<Attr>>, Ending),
    /// A client lets a name point to a node, or takes it away.
    Name(Who, u64, Option<u64>, Ending),
    /// Another program changes the mode of every node.
    Meddle(u16),
    /// Another program lets every name point to a node.
    Rename(u64),
    /// The log is moved into the file.
    Checkpoint,
}

/// One of two clients.
#[derive(Clone, Copy, Debug)]
enum Who {
    First,
    Second,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Commits,
    Fails,
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![4 => Just(Ending::Commits), 1 => Just(Ending::Fails)]
}

fn time() -> impl Strategy<Value = Timestamp> {
    // Also times that the columns can not hold.
    let seconds = prop_oneof![any::<i64>(), -2..2_000_000_000_i64];
    (seconds, 0..1_000_000_000_u32).prop_map(|(seconds, nanoseconds)| Timestamp::new(seconds, nanoseconds))
}

fn attributes() -> impl Strategy<Value = Box<Attr>> {
    let identity = (any::<u8>(), 0..0o10000_u16, any::<u32>(), any::<u32>());
    let numbers = (
        any::<u32>(),
        0..1_u64 << 40,
        any::<u32>(),
        any::<u64>(),
        any::<u32>(),
    );
    (identity, (time(), time(), time()), numbers).prop_map(|(identity, times, numbers)| {
        Box::new(Attr {
            flags: Flags(identity.0),
            kind: NodeType::File,
            mode: identity.1,
            uid: Uid(identity.2),
            gid: Gid(identity.3),
            atime: times.0,
            mtime: times.1,
            ctime: times.2,
            nlink: numbers.0,
            length: numbers.1,
            rdev: numbers.2,
            parent: Ino(numbers.3),
            access_acl: AclId(numbers.4),
            default_acl: AclId(0),
            tier: TierId(0),
        })
    })
}

fn step() -> impl Strategy<Value = Step> {
    let client = || prop_oneof![Just(Who::First), Just(Who::Second)];
    let node = || 10..10 + NODES;
    prop_oneof![
        6 => (client(), node(), proptest::option::weighted(0.8, attributes()), ending())
            .prop_map(|(client, node, attr, ending)| Step::Store(client, node, attr, ending)),
        6 => (client(), node(), proptest::option::weighted(0.7, node()), ending())
            .prop_map(|(client, name, node, ending)| Step::Name(client, name, node, ending)),
        1 => (0..0o1000_u16).prop_map(Step::Meddle),
        1 => node().prop_map(Step::Rename),
        1 => Just(Step::Checkpoint),
    ]
}

fn name_of(number: u64) -> Name {
    Name::new(format!("f{number}").as_bytes()).unwrap()
}

/// Stores a record, or removes it, as verbs do: what is changed was read before.
async fn store(engine: &dyn Engine, key: Key, record: Option<Record>, ending: Ending) {
    let ran: Result<()> = run(engine, "store", move |txn| {
        let (key, record) = (key.clone(), record.clone());
        Box::pin(async move {
            txn.lock(std::slice::from_ref(&key)).await?;
            match record.clone() {
                Some(record) => txn.put(key.clone(), record),
                None => txn.delete(key.clone()),
            }
            let found = txn.lock(std::slice::from_ref(&key)).await?;
            assert_eq!(
                found.iter().all(Option::is_some),
                record.is_some(),
                "its own change is seen inside"
            );
            if let Key::Edge(parent, name) = &key {
                let child = txn.lock_child(*parent, name).await?;
                assert_eq!(child.is_some(), record.is_some(), "its own change is seen inside");
            }
            match ending {
                Ending::Commits => Ok(()),
                Ending::Fails => Err(ErrorKind::NotEmpty.into()),
            }
        })
    })
    .await;
    match ending {
        Ending::Commits => ran.unwrap(),
        Ending::Fails => assert_eq!(ran.unwrap_err().kind(), ErrorKind::NotEmpty),
    }
}

type Seen = HashMap<u64, (Option<Record>, Option<(Entry, Option<Attr>)>)>;

async fn seen_by(engine: &dyn Engine) -> Seen {
    let mut seen = HashMap::new();
    for number in 10..10 + NODES {
        let mut node = engine.read(&[Key::Node(Ino(number))]).await.unwrap();
        let child = engine.lookup(Ino(1), &name_of(number)).await.unwrap();
        seen.insert(number, (node.pop().flatten(), child));
    }
    seen
}

async fn clients_agree_after_each_step(steps: Vec<Step>) {
    let folder = Folder::new();
    let (first, second) = (folder.prepared().await, folder.prepared().await);
    let engine_of = |who| match who {
        Who::First => first.as_ref(),
        Who::Second => second.as_ref(),
    };
    let other: Connection = folder.raw();
    for step in steps {
        match step.clone() {
            Step::Store(client, node, attr, ending) => {
                let record = attr.map(|attr| Record::Node(*attr));
                store(engine_of(client), Key::Node(Ino(node)), record, ending).await;
            }
            Step::Name(client, name, node, ending) => {
                let entry = |ino| Entry {
                    kind: NodeType::File,
                    ino: Ino(ino),
                };
                let record = node.map(|ino| Record::Edge(entry(ino)));
                let key = Key::Edge(Ino(1), name_of(name));
                store(engine_of(client), key, record, ending).await;
            }
            Step::Meddle(mode) => {
                other.execute("UPDATE jfs_node SET mode = ?1", [mode]).unwrap();
            }
            Step::Rename(node) => {
                other
                    .execute("UPDATE jfs_edge SET inode = ?1", [node.cast_signed()])
                    .unwrap();
            }
            Step::Checkpoint => {
                let sql = "PRAGMA wal_checkpoint(PASSIVE)";
                other.query_row(sql, [], |_| Ok(())).unwrap();
            }
        }
        // A client that has never looked before.
        let truth = seen_by(folder.engine().as_ref()).await;
        for client in [&first, &second] {
            // Twice: the second answer comes from what the first one left.
            for _ in 0..2 {
                assert_eq!(seen_by(client.as_ref()).await, truth, "after {step:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn what_a_client_remembers_is_what_the_file_holds(
        steps in proptest::collection::vec(step(), 1..24),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(clients_agree_after_each_step(steps));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_change_a_node_at_once_never_read_backwards() {
    const ROUNDS: u64 = 400;
    let folder = Folder::new();
    let (first, second) = (folder.prepared().await, folder.prepared().await);
    add_node(first.as_ref(), 10).await.unwrap();
    let raise = |engine: Arc<dyn Engine>| async move {
        for _ in 0..ROUNDS {
            run(engine.as_ref(), "raise", |txn| {
                Box::pin(async move {
                    let found = txn.lock(&[Key::Node(Ino(10))]).await?;
                    let Some(Some(Record::Node(mut attr))) = found.into_iter().next() else {
                        return Err(ErrorKind::NotFound.into());
                    };
                    attr.length += 1;
                    txn.put(Key::Node(Ino(10)), Record::Node(attr));
                    Ok(())
                })
            })
            .await
            .unwrap();
        }
    };
    let length = |record: &Option<Record>| match record {
        Some(Record::Node(attr)) => attr.length,
        _ => 0,
    };
    let raisers = [
        tokio::spawn(raise(Arc::clone(&first))),
        tokio::spawn(raise(Arc::clone(&second))),
    ];
    let mut last = 0;
    while !raisers.iter().all(tokio::task::JoinHandle::is_finished) {
        for engine in [&first, &second] {
            let now = length(&engine.read(&[Key::Node(Ino(10))]).await.unwrap()[0]);
            assert!(now >= last, "{now} after {last}");
            last = now;
        }
        tokio::task::yield_now().await;
    }
    for raiser in raisers {
        raiser.await.unwrap();
    }
    for engine in [&first, &second] {
        let found = engine.read(&[Key::Node(Ino(10))]).await.unwrap();
        assert_eq!(length(&found[0]), 2 * ROUNDS, "no change was lost");
    }
}
