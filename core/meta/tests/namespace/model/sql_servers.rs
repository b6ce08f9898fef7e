//! The same on PostgreSQL and MariaDB, also while connections break all the time: no operation may be lost, applied
//! twice or reported as failed for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::operations::{Operation, operations};
use super::run::Run;
use crate::{mysql_server, postgres_server};

/// Leaves time for some requests and for making a connection again.
const BETWEEN_CUTS: Duration = Duration::from_millis(30);
const CASES: u32 = 12;

/// With `cut`, connections are broken by it from when the volume is made until the operations are done.
fn on_server(url: &str, sequence: &[Operation], cut: Option<&(dyn Fn() + Sync)>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut run = runtime.block_on(async {
        let engine = moorage_engines::open(url, None).unwrap();
        Run::new(engine, None, false).await
    });
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        if let Some(cut) = cut {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    cut();
                    std::thread::sleep(BETWEEN_CUTS);
                }
            });
        }
        let _end = SetOnDrop(&done);
        runtime.block_on(async {
            for operation in sequence {
                run.step(operation).await;
            }
        });
    });
    // A client that closes while its compaction waits for the server leaves the new slice to garbage collection.
    runtime.block_on(run.finish());
}

/// Ends the cuts also when an operation panics.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn postgres_agrees_with_the_reference() {
    let Some(server) = postgres_server::Server::shared() else {
        return;
    };
    proptest!(ProptestConfig::with_cases(CASES), |(sequence in operations(60, false))| {
        on_server(&server.url(&server.new_database()), &sequence, None);
    });
}

#[test]
fn mysql_agrees_with_the_reference() {
    let Some(server) = mysql_server::Server::shared() else {
        return;
    };
    proptest!(ProptestConfig::with_cases(CASES), |(sequence in operations(60, false))| {
        on_server(&server.url(&server.new_database()), &sequence, None);
    });
}

#[test]
fn postgres_agrees_with_the_reference_while_connections_break() {
    let Some(server) = postgres_server::Server::start(&[]) else {
        return;
    };
    proptest!(ProptestConfig::with_cases(CASES), |(sequence in operations(60, false))| {
        let url = server.url(&server.new_database());
        on_server(&url, &sequence, Some(&|| server.break_connections()));
    });
}

#[test]
fn mysql_agrees_with_the_reference_while_connections_break() {
    let Some(server) = mysql_server::Server::start(&[]) else {
        return;
    };
    proptest!(ProptestConfig::with_cases(CASES), |(sequence in operations(60, false))| {
        let url = server.url(&server.new_database());
        on_server(&url, &sequence, Some(&|| server.break_connections()));
    });
}
