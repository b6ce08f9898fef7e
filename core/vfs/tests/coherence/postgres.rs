//! On a real PostgreSQL server.

use moorage_engines::open;

use crate::claims;
use crate::pair::Pair;
use crate::postgres_server::Server;

async fn pair(server: &Server) -> Pair {
    let url = server.url(&server.new_database());
    let engine = || open(&url, None).unwrap();
    Pair::on(engine(), engine()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_pushes_changes_by_another_client() {
    let Some(server) = Server::shared() else { return };
    let pair = pair(&server).await;
    claims::hold(&pair).await;
    pair.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_to_postgres_drops_everything() {
    // Of its own: the connections of all clients are cut.
    let Some(server) = Server::start(&[]) else { return };
    let pair = pair(&server).await;
    claims::holds_across_a_cut(&pair, async || server.break_connections()).await;
    pair.close().await;
}
