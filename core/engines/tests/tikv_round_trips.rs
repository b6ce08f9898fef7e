//! How often each verb waits for TiKV, as the client library counts its requests. A program of its own: the counts are
//! of the whole process.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "every_verb/mod.rs"]
mod every_verb;
#[path = "tikv_server/mod.rs"]
#[allow(dead_code, reason = "not every program uses all of it")]
mod tikv_server;
#[path = "redis/volume.rs"]
mod volume;

use every_verb::every_verb;
use tikv_server::Server;
use volume::{client, format};

/// Requests to TiKV servers so far. All keys are in one region, and none follows another without waiting for it.
fn requests() -> u64 {
    let families = prometheus::gather();
    let family = families
        .iter()
        .find(|family| family.get_name() == "tikv_request_total");
    let counters = family.into_iter().flat_map(|family| family.get_metric());
    counters
        .map(|counter| counter.get_counter().get_value() as u64)
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verbs_take_few_round_trips() {
    let Some(server) = Server::start() else { return };
    format(&server.url(), 1).await;
    let meta = client(&server.url()).await;
    every_verb(&meta, requests, "first").await;
    let counts = every_verb(&meta, requests, "second").await;
    println!("{counts:?}");
    for (verb, trips) in &counts {
        let most = match *verb {
            "lookup" | "getattr" | "read" | "getxattr" => 1,
            "readdir" => 2,
            // What belongs to a directory or a link is looked for.
            "rmdir" | "unlink" | "unlink a link" | "link" | "rename" => 4,
            _ => 3,
        };
        assert!(*trips <= most, "{verb} takes {trips}: {counts:?}");
    }
}
