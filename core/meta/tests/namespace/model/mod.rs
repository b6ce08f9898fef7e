//! Random operations of two clients against a plain tree in memory.
//!
//! A failure prints the shortest sequence found; `proptest-regressions` keeps its seed, so that it is run again first.

mod compare;
mod dumps;
mod operations;
mod reference;
mod run;
mod sql_servers;
#[cfg(unix)]
mod tikv;

use std::sync::Arc;
use std::time::Duration;

use moorage_engines::{MemoryEngine, SeededFaults};
use moorage_meta::Engine;
use proptest::prelude::*;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::UnixStream;

use crate::redis_server::Server;
use operations::{Action, Operation, operations};
use run::Run;

fn runtime() -> tokio::runtime::Runtime {
    // Paused time moves only when every task waits, so loops of the sessions do not depend on the machine's speed.
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

fn on_memory(sequence: &[Operation], trash: bool, faults: Option<SeededFaults>) {
    runtime().block_on(async {
        let engine = Arc::new(MemoryEngine::new());
        let mut run = Run::new(engine.clone(), Some(engine.clone()), trash).await;
        let exact = faults.is_none();
        if let Some(faults) = faults {
            engine.set_fault(Some(Box::new(faults)));
        }
        for operation in sequence {
            run.step(operation).await;
        }
        let power_cut = |operation: &Operation| matches!(operation.action, Action::PowerCut);
        if exact && !sequence.iter().any(power_cut) {
            run.finish_without_leaks().await;
        } else {
            run.finish().await;
        }
    });
}

fn on_sqlite(sequence: &[Operation]) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite3://{}", folder.path().join("volume.db").display());
    runtime().block_on(async {
        let engine: Arc<dyn Engine> = moorage_engines::open(&url, None).unwrap();
        let mut run = Run::new(engine, None, false).await;
        for operation in sequence {
            run.step(operation).await;
        }
        run.finish_without_leaks().await;
    });
}

/// With `cuts`, connections to the server break all the time: no operation may be lost, applied twice or reported as
/// failed for it.
fn on_redis(sequence: &[Operation], cuts: bool) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let Some(server) = Server::start(&[]) else {
            return;
        };
        let url = format!("{}?min-retry-backoff=10ms&max-retry-backoff=10ms", server.url());
        let engine: Arc<dyn Engine> = moorage_engines::open(&url, None).unwrap();
        let mut run = Run::new(engine, None, false).await;
        let cutting = tokio::spawn(cut_connections(server.socket(), cuts));
        for operation in sequence {
            run.step(operation).await;
        }
        cutting.abort();
        // A client that closes while its compaction waits for the server leaves the new slice to garbage collection.
        run.finish().await;
    });
}

/// Commands that a server runs between two cuts: some requests of both clients, and those that begin a connection. Counted and
/// not timed, so that a busy machine gets on as well.
const COMMANDS_BETWEEN_CUTS: u64 = 24;
/// Between two looks at what the server has done.
const LOOK: Duration = Duration::from_millis(1);

/// Breaks every connection of a server again and again.
async fn cut_connections(socket: std::path::PathBuf, cuts: bool) {
    let Ok(wire) = UnixStream::connect(socket).await else {
        return;
    };
    let mut wire = BufStream::new(wire);
    let mut next = COMMANDS_BETWEEN_CUTS;
    while cuts && let Some(commands) = commands_run(&mut wire).await {
        // The look is a command too.
        next += 1;
        if commands >= next {
            if ask(&mut wire, "CLIENT KILL TYPE normal").await.is_none() {
                return;
            }
            next = commands + COMMANDS_BETWEEN_CUTS;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Commands that the server has run since it began.
async fn commands_run(wire: &mut BufStream<UnixStream>) -> Option<u64> {
    let length = ask(wire, "INFO stats").await?;
    let mut text = vec![0; length.strip_prefix('$')?.parse::<usize>().ok()? + "\r\n".len()];
    wire.read_exact(&mut text).await.ok()?;
    let text = String::from_utf8(text).ok()?;
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix("total_commands_processed:")?.parse().ok())
}

/// First line of the answer to a command.
async fn ask(wire: &mut BufStream<UnixStream>, command: &str) -> Option<String> {
    wire.write_all(format!("{command}\r\n").as_bytes()).await.ok()?;
    wire.flush().await.ok()?;
    let mut answer = String::new();
    wire.read_line(&mut answer).await.ok()?;
    Some(answer.trim_end().to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_memory_engine_agrees_with_the_reference(sequence in operations(80, false)) {
        on_memory(&sequence, false, None);
    }

    #[test]
    fn a_volume_with_trash_agrees_with_the_reference(sequence in operations(60, false)) {
        on_memory(&sequence, true, None);
    }

    #[test]
    fn conflicts_and_failures_around_commits_leave_a_whole_operation_or_none(
        sequence in operations(60, false),
        seed in any::<u64>(),
    ) {
        let mut faults = SeededFaults::new(seed);
        (faults.conflicts, faults.before, faults.after) = (100, 50, 50);
        on_memory(&sequence, false, Some(faults));
    }

    #[test]
    fn a_power_cut_leaves_the_state_of_the_last_barrier(sequence in operations(80, true)) {
        on_memory(&sequence, false, None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn sqlite_agrees_with_the_reference(sequence in operations(60, false)) {
        on_sqlite(&sequence);
    }

    #[test]
    fn redis_agrees_with_the_reference(sequence in operations(60, false)) {
        on_redis(&sequence, false);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn redis_agrees_with_the_reference_while_connections_break(sequence in operations(60, false)) {
        on_redis(&sequence, true);
    }
}
