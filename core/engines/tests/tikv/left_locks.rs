//! Locks of clients that are gone: they hold up others until their time is over, and no longer.

use moorage_engines::open;
use moorage_meta::{Key, Record};
use moorage_model::Ino;
use tikv_client::{CheckLevel, TransactionClient, TransactionOptions};

use crate::conformance::samples::file;
use crate::conformance::{read, write};
use crate::tikv_server::Server;

/// Nodes 5 and 9 are in different regions.
const BORDER: [&[u8]; 1] = [b"volume\xFDA\x07"];

fn node(ino: u64) -> Vec<u8> {
    [&b"volume\xFDA"[..], &ino.to_le_bytes(), b"I"].concat()
}

/// What is left when a client ends after the answer to some of its requests.
async fn left_by(options: TransactionOptions, lost: &str) {
    let Some(server) = Server::with_regions(&BORDER) else {
        return;
    };
    let engine = open(&server.url(), None).unwrap();
    write(engine.as_ref(), |txn| {
        for ino in [5, 9] {
            txn.insert(Key::Node(Ino(ino)), Record::Node(file(Ino(1))));
        }
    })
    .await
    .unwrap();
    let mut changed = file(Ino(1));
    changed.length = 77;
    let client = TransactionClient::new(vec![server.driver()]).await.unwrap();
    let options = options.drop_check(CheckLevel::None).no_resolve_regions();
    let mut transaction = client.begin_with_options(options).await.unwrap();
    for ino in [5, 9] {
        transaction.put(node(ino), changed.encode()).await.unwrap();
    }
    server.fail(lost, "before", 1);
    let complete = transaction.commit().await.is_ok();
    server.fail("none", "", 0);
    drop(transaction);
    for ino in [5, 9] {
        let Some(Record::Node(found)) = read(engine.as_ref(), &Key::Node(Ino(ino))).await else {
            panic!("the node is there");
        };
        assert_eq!(found.length == 77, complete, "inode {ino}");
    }
    write(engine.as_ref(), |txn| {
        for ino in [5, 9] {
            txn.put(Key::Node(Ino(ino)), Record::Node(file(Ino(1))));
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_of_a_commit_is_rolled_back() {
    left_by(TransactionOptions::new_optimistic(), "KvPrewrite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_without_its_second_phase_is_rolled_back() {
    left_by(TransactionOptions::new_optimistic(), "KvCommit").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_by_locks_alone_as_other_clients_make_it_is_completed() {
    let options = TransactionOptions::new_optimistic().use_async_commit();
    left_by(options, "KvCommit").await;
}
