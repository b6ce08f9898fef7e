//! TiKV keeps the promises of every engine. The server is one that speaks its protocols; it keeps no locks in memory
//! while it commits in one round trip, as TiKV does, so what is about clients at the same time commits in two phases.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../certificates/mod.rs"]
mod certificates;
mod cluster;
#[path = "../conformance/mod.rs"]
mod conformance;
#[cfg(target_os = "linux")]
mod encryption;
mod fate;
#[cfg(target_os = "linux")]
mod front;
mod left_locks;
mod outages;
mod races;
mod regions;
mod stores;
#[path = "../tikv_server/mod.rs"]
#[allow(dead_code, reason = "not every program uses all of it")]
mod tikv_server;
mod versions;
#[path = "../redis/volume.rs"]
mod volume;

use conformance::{Fresh, conformance};
use moorage_engines::open;
use tikv_server::Server;

/// Two clients of a server whose store begins with these regions.
async fn clients(server: Option<Server>) -> Option<Fresh> {
    let server = server?;
    let url = server.two_phase_url();
    let (engine, other) = (open(&url, None).unwrap(), open(&url, None).unwrap());
    engine.prepare().await.unwrap();
    Some(Fresh {
        engine,
        other,
        _keep: Box::new(server),
    })
}

async fn fresh() -> Option<Fresh> {
    clients(Server::start()).await
}

conformance!(fresh);
