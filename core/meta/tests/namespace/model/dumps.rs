//! Dumps of volumes that random operations made: the same operations on two engines give the same dump, times and
//! counters included, and what is loaded from a dump is dumped as it was.

use std::sync::Arc;

use moorage_engines::MemoryEngine;
use moorage_meta::Engine;
use proptest::prelude::*;

use super::operations::{Operation, operations};
use super::run::Run;
use super::runtime;
use crate::dumps::{Dumps, dumps, load, same};
#[cfg(unix)]
use crate::tikv_server;
use crate::{mysql_server, postgres_server, redis_server};

/// Sequences on an engine that takes part of a second for one.
const CASES: u32 = 12;

/// What the operations make of an empty engine, once both clients have ended.
async fn made_by(sequence: &[Operation], engine: Arc<dyn Engine>, trash: bool) -> Dumps {
    let mut run = Run::new(Arc::clone(&engine), None, trash).await;
    for operation in sequence {
        run.step(operation).await;
    }
    run.end_clients().await;
    dumps(&engine).await
}

fn memory() -> Arc<dyn Engine> {
    Arc::new(MemoryEngine::new())
}

/// Runs the operations in memory and on the engine of `url`, and compares.
fn agrees(sequence: &[Operation], url: &str) {
    let in_memory = runtime().block_on(made_by(sequence, memory(), false)).json;
    let there = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let engine = moorage_engines::open(url, None).unwrap();
        let made = made_by(sequence, Arc::clone(&engine), false).await;
        engine.close().await.unwrap();
        made.json
    });
    same(&there, &in_memory, url);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_volume_of_any_operations_is_dumped_as_it_was_after_loading(
        sequence in operations(80, false),
        trash in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            let first = made_by(&sequence, memory(), trash).await;
            for (form, dump) in [("json", first.json.clone().into_bytes()), ("binary", first.binary.clone())] {
                let url = format!("sqlite3://{}/{form}.db", folder.path().display());
                for engine in [memory(), moorage_engines::open(&url, None).unwrap()] {
                    load(&engine, dump.clone()).await;
                    let again = dumps(&engine).await;
                    same(&again.json, &first.json, &format!("{form}, {}", engine.location()));
                    // What a load counts anew is what was there: the two forms make the same volume.
                    let other = memory();
                    load(&other, again.binary).await;
                    same(&dumps(&other).await.json, &first.json, form);
                    engine.close().await.unwrap();
                }
            }
        });
    }

    #[test]
    fn the_same_operations_give_the_same_dump_of_sqlite(sequence in operations(60, false)) {
        let folder = tempfile::tempdir().unwrap();
        agrees(&sequence, &format!("sqlite3://{}/volume.db", folder.path().display()));
    }
}

#[test]
fn the_same_operations_give_the_same_dump_of_redis() {
    proptest!(ProptestConfig::with_cases(CASES), |(sequence in operations(60, false))| {
        let Some(server) = redis_server::Server::start(&[]) else {
            return Ok(());
        };
        agrees(&sequence, &server.url());
    });
}

#[test]
fn the_same_operations_give_the_same_dump_of_postgresql() {
    let Some(server) = postgres_server::Server::shared() else {
        return;
    };
    proptest!(ProptestConfig::with_cases(CASES), |(sequence in operations(60, false))| {
        agrees(&sequence, &server.url(&server.new_database()));
    });
}

#[test]
fn the_same_operations_give_the_same_dump_of_mariadb() {
    let Some(server) = mysql_server::Server::shared() else {
        return;
    };
    proptest!(ProptestConfig::with_cases(CASES), |(sequence in operations(60, false))| {
        agrees(&sequence, &server.url(&server.new_database()));
    });
}

#[cfg(unix)]
#[test]
fn the_same_operations_give_the_same_dump_of_tikv() {
    proptest!(ProptestConfig::with_cases(CASES), |(sequence in operations(60, false))| {
        let Some(server) = tikv_server::Server::start() else {
            return Ok(());
        };
        agrees(&sequence, &server.url());
    });
}
