//! Servers that stop, start again, or were never there.

use std::sync::Arc;
use std::time::Duration;

use moorage_engines::open;
use moorage_meta::{Key, Record};
use moorage_model::{ErrorKind, Ino};
use tokio::time::timeout;

use crate::conformance::samples::file;
use crate::conformance::{LIMIT, read, write};
use crate::tikv_server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_wait_for_a_server_that_starts_again() {
    let Some(mut server) = Server::start() else { return };
    let engine = open(&server.url(), None).unwrap();
    let store = |ino: u64| {
        let engine = Arc::clone(&engine);
        async move {
            write(engine.as_ref(), move |txn| {
                txn.insert(Key::Node(Ino(ino)), Record::Node(file(Ino(1))));
            })
            .await
        }
    };
    store(5).await.unwrap();
    server.stop();
    let waiting = tokio::spawn(store(6));
    server.go_on();
    timeout(LIMIT, waiting).await.unwrap().unwrap().unwrap();
    for ino in [5, 6] {
        assert!(
            read(engine.as_ref(), &Key::Node(Ino(ino))).await.is_some(),
            "{ino}"
        );
    }
}

#[tokio::test]
async fn an_address_without_a_server_is_told_soon() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let engine = open(&format!("tikv://{address}/volume"), None).unwrap();
    let asked = timeout(Duration::from_secs(20), engine.read(&[Key::Setting]));
    let error = asked.await.unwrap().unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout),
        "{error}"
    );
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
