//! How often each verb waits for the server, counted on the wire.

use crate::every_verb::every_verb;
use crate::place::Place;
use crate::proxy::Proxy;
use crate::volume::{client, format};

async fn stays_within(place: Option<Place>, mutation: u64) {
    let Some(place) = place else { return };
    format(&place.url(), 1).await;
    let proxy = Proxy::of_whole_batches(place.port()).await;
    // One connection, so that all statements are prepared in the first round.
    let url = format!("{}?max_open_conns=1", place.url_through(proxy.port()));
    let meta = client(&url).await;
    every_verb(&meta, || proxy.trips(), "first").await;
    let counts = every_verb(&meta, || proxy.trips(), "second").await;
    let reads = ["lookup", "getattr", "read", "getxattr", "readdir"];
    for (verb, trips) in &counts {
        let most = if reads.contains(verb) { 1 } else { mutation };
        assert!(*trips <= most, "{verb} takes {trips}: {counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_postgres_takes_two_round_trips_and_a_read_one() {
    stays_within(Place::postgres(), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_mysql_takes_two_round_trips_and_a_read_one() {
    stays_within(Place::mysql(), 2).await;
}
