//! Metadata rates: uncached stat, open and close, create and unlink, alone and from eight threads.

use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::{Bench, timed};

/// Longer than the second that attributes stay in the kernel.
const CACHE_EXPIRY: Duration = Duration::from_millis(1100);

pub(super) fn lookups(bench: &mut Bench<'_>) -> Result<()> {
    let count = bench.amount(5_000);
    let directory = bench.directory.to_path_buf();
    let name = |index: u64| directory.join(format!("f{index}"));
    for index in 0..count {
        // The null file system has every name already and creates none.
        let _ = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(name(index));
    }
    (bench.cool)()?;
    let (time, ()) = timed(|| (0..count).try_for_each(|i| Ok(fs::metadata(name(i)).map(drop)?)))?;
    bench.each("uncached stat", count, time);
    std::thread::sleep(CACHE_EXPIRY);
    let (time, ()) = timed(|| (0..count).try_for_each(|i| Ok(File::open(name(i)).map(drop)?)))?;
    bench.each("open + close", count, time);
    for index in 0..count {
        let _ = fs::remove_file(name(index));
    }
    Ok(())
}

pub(super) fn creates(bench: &mut Bench<'_>) -> Result<()> {
    let count = bench.amount(4_000);
    let directory = bench.directory.join("create");
    fs::create_dir(&directory)?;
    let (time, ()) = timed(|| create(&directory, 0, count))?;
    bench.rate("create", count, time);
    let (time, ()) =
        timed(|| (0..count).try_for_each(|i| Ok(fs::remove_file(directory.join(format!("0-{i}")))?)))?;
    bench.rate("unlink", count, time);

    const THREADS: u64 = 8;
    let (time, ()) = timed(|| {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (1..=THREADS)
                .map(|thread| {
                    let folder = directory.join(format!("t{thread}"));
                    scope.spawn(move || {
                        fs::create_dir(&folder)?;
                        create(&folder, thread, count / THREADS)
                    })
                })
                .collect();
            workers
                .into_iter()
                .try_for_each(|w| w.join().unwrap_or_else(|_| anyhow::bail!("a thread panicked")))
        })
    })?;
    bench.rate("create, 8 threads", count / THREADS * THREADS, time);
    fs::remove_dir_all(&directory)?;
    Ok(())
}

fn create(directory: &Path, prefix: u64, count: u64) -> Result<()> {
    for index in 0..count {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(directory.join(format!("{prefix}-{index}")))?;
    }
    Ok(())
}
