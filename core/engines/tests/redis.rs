//! Redis keeps the promises of every engine.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod conformance;
mod redis_server;

use conformance::{Fresh, conformance};
use moorage_engines::open;
use redis_server::Server;

async fn fresh() -> Option<Fresh> {
    let server = Server::start(&[]).await?;
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
async fn a_node_of_a_cluster_is_refused() {
    let Some(server) = Server::start(&["--cluster-enabled", "yes"]).await else {
        return;
    };
    let engine = open(&server.url(), None).unwrap();
    let error = engine.prepare().await.unwrap_err();
    assert_eq!(error.kind(), moorage_model::ErrorKind::NotSupported, "{error}");
    assert!(error.to_string().contains("Cluster"), "{error}");
}
