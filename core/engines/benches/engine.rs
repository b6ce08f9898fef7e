//! Lookups and creates on SQLite with one and with eight threads.
//!
//! Creates of many threads share commits, so eight threads must make more of them per second than one.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use moorage_engines::open;
use moorage_meta::{Engine, Key, Record, TxnExt as _, run};
use moorage_model::{Attr, Counter, DirStat, Entry, Gid, Ino, Name, NodeType, Result, Timestamp, Uid};

/// Files that lookups choose from.
const FILES: u64 = 10_000;
const THREADS: [u64; 2] = [1, 8];

/// Wakes the thread that waits: what a mount's thread does for a future that is not ready at once.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn name(number: u64) -> Result<Name> {
    Name::new(format!("file-{number:08}").as_bytes())
}

/// What creating a file reads and writes.
async fn create(engine: &dyn Engine, number: u64) -> Result<()> {
    run(engine, "create", move |txn| {
        Box::pin(async move {
            let (edge, node) = (Key::Edge(Ino::ROOT, name(number)?), Key::Node(Ino::ROOT));
            let mut found = txn.get_locked(&[node, edge.clone()]).await?;
            black_box((found.node()?, found.edge()?));
            let now = Timestamp::new(1_700_000_000, 0);
            let (kind, ino) = (NodeType::File, Ino(1000 + number));
            txn.insert(edge, Record::Edge(Entry { kind, ino }));
            let attr = Attr::new(kind, 0o644, Uid(1000), Gid(1000), now, Ino::ROOT);
            txn.insert(Key::Node(ino), Record::Node(attr));
            let delta = DirStat {
                length: 0,
                space: 4096,
                inodes: 1,
            };
            txn.add_dir_stat(Ino::ROOT, delta);
            txn.add_counter(Counter::UsedSpace, 4096);
            txn.add_counter(Counter::TotalInodes, 1);
            Ok(())
        })
    })
    .await
}

/// Runs `work` `count` times, shared out among the threads, and returns how long that took.
fn shared_out(threads: u64, count: u64, work: impl Fn(u64) -> Result<()> + Sync) -> Duration {
    let next = AtomicU64::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    if let Err(error) = work(number) {
                        eprintln!("{error}");
                        std::process::exit(1);
                    }
                }
            });
        }
    });
    started.elapsed()
}

fn benches(criterion: &mut Criterion) {
    if let Err(error) = measure(criterion) {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn measure(criterion: &mut Criterion) -> Result<()> {
    let folder = tempfile::tempdir().map_err(|error| {
        moorage_model::Error::new(moorage_model::ErrorKind::Io, "making a folder").with_source(error)
    })?;
    let engine = open(
        &format!("sqlite3://{}", folder.path().join("meta.db").display()),
        None,
    )?;
    wait(engine.prepare())?;
    let now = Timestamp::new(1_700_000_000, 0);
    wait(run(engine.as_ref(), "root", move |txn| {
        let root = Attr::new(NodeType::Directory, 0o777, Uid(0), Gid(0), now, Ino::ROOT);
        txn.insert(Key::Node(Ino::ROOT), Record::Node(root));
        txn.insert(Key::DirStat(Ino::ROOT), Record::DirStat(DirStat::default()));
        Box::pin(async { Ok(()) })
    }))?;
    let made = AtomicU64::new(0);
    let make = || wait(create(engine.as_ref(), made.fetch_add(1, Ordering::Relaxed)));
    shared_out(8, FILES, |_| make());

    let mut group = criterion.benchmark_group("sqlite");
    group.throughput(Throughput::Elements(1));
    for threads in THREADS {
        group.bench_function(format!("lookup, {threads} threads"), |bencher| {
            bencher.iter_custom(|count| {
                shared_out(threads, count, |number| {
                    let name = name(number.wrapping_mul(7919) % FILES)?;
                    let found = wait(engine.lookup(Ino::ROOT, &name))?;
                    black_box(found);
                    Ok(())
                })
            });
        });
    }
    for threads in THREADS {
        group.bench_function(format!("getattr, {threads} threads"), |bencher| {
            bencher.iter_custom(|count| {
                shared_out(threads, count, |number| {
                    let ino = Ino(1000 + number.wrapping_mul(7919) % FILES);
                    let found = wait(engine.get(&[Key::Node(ino)]))?;
                    black_box(found);
                    Ok(())
                })
            });
        });
    }
    for threads in THREADS {
        group.bench_function(format!("create, {threads} threads"), |bencher| {
            bencher.iter_custom(|count| shared_out(threads, count, |_| make()));
        });
    }
    group.finish();
    wait(engine.get(&[Key::Node(Ino::ROOT)])).map(drop)
}

criterion_group!(engine, benches);
criterion_main!(engine);
