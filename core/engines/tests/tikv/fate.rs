//! The answer to a commit is lost, or the commit itself: it is applied once, whatever was lost.

use std::sync::Arc;

use moorage_engines::open;
use moorage_meta::{Engine, Key, Record, run};
use moorage_model::{ErrorKind, Ino, NodeType, Result};

use crate::conformance::samples::{entry, file, name};
use crate::conformance::{read, write};
use crate::tikv_server::Server;

/// Entry and node are in different regions.
const BORDER: [&[u8]; 1] = [b"volume\xFDA\x02"];

fn edge() -> Key {
    Key::Edge(Ino::ROOT, name("made"))
}

/// Makes an entry that must not exist, with its node, and adds one to what a node counts.
pub(crate) async fn make(engine: &dyn Engine) -> Result<()> {
    run(engine, "make", |txn| {
        Box::pin(async move {
            txn.insert(edge(), entry(NodeType::File, 7));
            txn.insert(Key::Node(Ino(7)), Record::Node(file(Ino::ROOT)));
            let mut attr = txn.lock_node(Ino(8)).await?.unwrap_or_else(|| file(Ino::ROOT));
            attr.length += 1;
            txn.put(Key::Node(Ino(8)), Record::Node(attr));
            Ok(())
        })
    })
    .await
}

pub(crate) async fn made_once(engine: &dyn Engine) {
    assert_eq!(read(engine, &edge()).await, Some(entry(NodeType::File, 7)));
    assert!(read(engine, &Key::Node(Ino(7))).await.is_some());
    let Some(Record::Node(counted)) = read(engine, &Key::Node(Ino(8))).await else {
        panic!("the node is there");
    };
    assert_eq!(counted.length, 1);
}

/// A server of one or two regions and a client that commits in one or two phases.
fn place(regions: bool, two_phases: bool) -> Option<(Server, Arc<dyn Engine>)> {
    let server = if regions {
        Server::with_regions(&BORDER)?
    } else {
        Server::start()?
    };
    let url = if two_phases {
        server.two_phase_url()
    } else {
        server.url()
    };
    let engine = open(&url, None).unwrap();
    Some((server, engine))
}

async fn is_applied_once(method: &str, kind: &str, times: u32) {
    for regions in [false, true] {
        for two_phases in [false, true] {
            let Some((server, engine)) = place(regions, two_phases) else {
                return;
            };
            write(engine.as_ref(), |txn| {
                txn.put(Key::Node(Ino::ROOT), Record::Node(file(Ino::ROOT)));
            })
            .await
            .unwrap();
            server.fail(method, kind, times);
            make(engine.as_ref()).await.unwrap();
            server.fail("none", "", 0);
            made_once(engine.as_ref()).await;
            let again = make(engine.as_ref()).await.unwrap_err();
            assert_eq!(again.kind(), ErrorKind::Conflict);
            made_once(engine.as_ref()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_was_lost_is_sent_again() {
    is_applied_once("KvPrewrite", "before", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_was_lost_is_not_applied_twice() {
    is_applied_once("KvPrewrite", "after", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_may_be_lost_several_times() {
    is_applied_once("KvPrewrite", "after", 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_phase_that_was_lost_is_decided() {
    is_applied_once("KvCommit", "before", 1).await;
    is_applied_once("KvCommit", "after", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_not_in_charge_or_busy_are_asked_again() {
    for kind in [
        "NotLeader",
        "EpochNotMatch",
        "RegionNotFound",
        "StaleCommand",
        "ServerIsBusy",
    ] {
        for method in ["KvPrewrite", "KvCommit"] {
            is_applied_once(method, kind, 1).await;
        }
    }
}
