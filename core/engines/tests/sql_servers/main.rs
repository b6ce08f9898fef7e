//! What PostgreSQL and MySQL promise beside the claims of every engine.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../certificates/mod.rs"]
mod certificates;
mod encryption;
#[path = "../every_verb/mod.rs"]
mod every_verb;
mod fate;
mod full_disks;
#[path = "../mysql_server/mod.rs"]
#[allow(dead_code, reason = "not every program uses all of it")]
mod mysql_server;
#[path = "../redis/new_quotas.rs"]
mod new_quotas;
mod outages;
mod place;
#[path = "../postgres_server/mod.rs"]
#[allow(dead_code, reason = "not every program uses all of it")]
mod postgres_server;
#[path = "../redis/proxy.rs"]
#[allow(dead_code, reason = "not every program uses all of it")]
mod proxy;
mod races;
mod round_trips;
mod told_changes;
#[path = "../redis/volume.rs"]
mod volume;

#[tokio::test]
async fn quotas_that_are_set_while_clients_work_count_what_these_did_on_postgres() {
    if let Some(place) = place::Place::postgres() {
        new_quotas::gaps_of_several_clients_are_closed(&place.url()).await;
    }
}

#[tokio::test]
async fn quotas_that_are_set_while_clients_work_count_what_these_did_on_mysql() {
    if let Some(place) = place::Place::mysql() {
        new_quotas::gaps_of_several_clients_are_closed(&place.url()).await;
    }
}
