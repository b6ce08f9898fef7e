//! On a real Redis server.

use moorage_engines::open;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::claims;
use crate::pair::Pair;
use crate::redis_server::Server;

async fn pair(server: &Server) -> Pair {
    let engine = || open(&server.url(), None).unwrap();
    Pair::on(engine(), engine()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_pushes_changes_by_another_client() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let pair = pair(&server).await;
    claims::hold(&pair).await;
    pair.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_to_redis_drops_everything() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let pair = pair(&server).await;
    claims::holds_across_a_cut(&pair, async || {
        let mut other = tokio::net::UnixStream::connect(server.socket()).await.unwrap();
        other
            .write_all(b"CLIENT KILL TYPE normal SKIPME yes\r\n")
            .await
            .unwrap();
        let mut answer = [0; 64];
        let length = other.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b":"), "{answer:?}");
    })
    .await;
    pair.close().await;
}
