//! Old versions of records: a client moves the safe point of the cluster as far as its URL lets it.

use std::time::Duration;

use moorage_engines::open;
use tikv_client::{Timestamp, TransactionClient};

use crate::tikv_server::Server;

const HOUR: Duration = Duration::from_secs(3600);

/// Whether nobody has moved the safe point beyond this long ago; it is there afterwards.
async fn keeps_since(server: &Server, ago: Duration) -> bool {
    let client = TransactionClient::new(vec![server.driver()]).await.unwrap();
    let now = client.current_timestamp().await.unwrap();
    let point = Timestamp {
        physical: now.physical - i64::try_from(ago.as_millis()).unwrap(),
        ..Timestamp::default()
    };
    client.gc(point).await.unwrap()
}

async fn drop_old_versions(server: &Server, options: &str) {
    let engine = open(&format!("{}{options}", server.url()), None).unwrap();
    engine.drop_old_versions().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_safe_point_is_as_far_behind_as_the_url_says() {
    let Some(server) = Server::start() else { return };
    drop_old_versions(&server, "").await;
    assert!(
        !keeps_since(&server, 3 * HOUR + HOUR / 2).await,
        "three hours are kept"
    );
    assert!(keeps_since(&server, 2 * HOUR + HOUR / 2).await);
    drop_old_versions(&server, "?gc-interval=2h").await;
    assert!(!keeps_since(&server, 2 * HOUR + HOUR / 4).await);
    assert!(keeps_since(&server, HOUR + HOUR / 2).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_never_goes_back() {
    let Some(server) = Server::start() else { return };
    drop_old_versions(&server, "?gc-interval=1h").await;
    drop_old_versions(&server, "?gc-interval=5h").await;
    assert!(!keeps_since(&server, 2 * HOUR).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_left_to_others_without_an_interval() {
    let Some(server) = Server::start() else { return };
    drop_old_versions(&server, "?gc-interval=0").await;
    assert!(keeps_since(&server, 100 * HOUR).await);
}
