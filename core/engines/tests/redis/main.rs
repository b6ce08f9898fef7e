//! Redis keeps the promises of every engine.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod all_or_nothing;
#[path = "../certificates/mod.rs"]
mod certificates;
mod cluster;
#[path = "../conformance/mod.rs"]
mod conformance;
mod cut_files;
mod fate;
mod locks;
mod logins;
mod new_quotas;
mod outages;
mod proxy;
#[path = "../redis_server/mod.rs"]
mod redis_server;
mod round_trips;
mod sentinel;
mod servers;
mod tracking;
mod volume;
mod without_scripts;

use conformance::{Fresh, conformance};
use moorage_engines::open;
use moorage_meta::{Key, Record, Scan, run};
use moorage_model::{FileLockKind, Ino, LockOwner, SessionId};
use redis_server::Server;

async fn fresh() -> Option<Fresh> {
    let server = Server::start(&[])?;
    let url = server.url();
    let (engine, other) = (open(&url, None).unwrap(), open(&url, None).unwrap());
    engine.prepare().await.unwrap();
    Some(Fresh {
        engine,
        other,
        _keep: Box::new(server),
    })
}

conformance!(fresh);

#[tokio::test]
async fn a_lock_that_can_not_be_read_keeps_nobody_from_locking() {
    let Some(Fresh { engine, _keep, .. }) = fresh().await else {
        return;
    };
    let mut server = redis::Client::open(engine.location())
        .unwrap()
        .get_connection()
        .unwrap();
    let _: () = redis::cmd("HSET")
        .arg("lockf7")
        .arg("of another form")
        .arg("W")
        .query(&mut server)
        .unwrap();
    let lock = Key::FileLock(Ino(7), SessionId(1), LockOwner(2));
    let wanted = lock.clone();
    let taken = run(engine.as_ref(), "lock", move |txn| {
        let lock = wanted.clone();
        Box::pin(async move {
            let held = txn.lock_range(&Scan::FileLocks(Ino(7))).await?;
            txn.put(lock, Record::FileLock(FileLockKind::Exclusive));
            Ok(held.len())
        })
    });
    assert_eq!(taken.await.unwrap(), 0);
    assert!(engine.read(&[lock]).await.unwrap()[0].is_some());
}

#[tokio::test]
async fn quotas_that_are_set_while_clients_work_count_what_these_did() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    new_quotas::gaps_of_several_clients_are_closed(&server.url()).await;
}
