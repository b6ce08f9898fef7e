//! What each change and each read of metadata costs, from 1, 4 and 16 threads: latencies of one thread, rates of several.
//! Every thread has a folder of its own.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

use super::{Bench, timed};

/// Longer than the second that attributes and entries stay in the kernel.
const CACHE_EXPIRY: Duration = Duration::from_millis(1100);
/// Files of all threads together.
const FILES: u64 = 4_800;
/// Bytes of the small file.
const SMALL: usize = 4096;

/// Names of the rows of one number of threads.
struct Names {
    threads: u64,
    create: &'static str,
    stat: &'static str,
    open: &'static str,
    write: &'static str,
    rename: &'static str,
    unlink: &'static str,
    mkdir: &'static str,
    rmdir: &'static str,
}

macro_rules! names {
    ($threads:literal) => {
        Names {
            threads: $threads,
            create: concat!("create, threads: ", $threads),
            stat: concat!("uncached stat, threads: ", $threads),
            open: concat!("open + close, threads: ", $threads),
            write: concat!("4 KiB write + close, threads: ", $threads),
            rename: concat!("rename, threads: ", $threads),
            unlink: concat!("unlink, threads: ", $threads),
            mkdir: concat!("mkdir, threads: ", $threads),
            rmdir: concat!("rmdir, threads: ", $threads),
        }
    };
}

pub(super) fn verbs(bench: &mut Bench<'_>) -> Result<()> {
    for names in [names!(1), names!(4), names!(16)] {
        of_threads(bench, &names)?;
    }
    listings(bench)
}

fn of_threads(bench: &mut Bench<'_>, names: &Names) -> Result<()> {
    let top = bench.directory.join("verbs");
    fs::create_dir(&top)?;
    for thread in 0..names.threads {
        fs::create_dir(folder(&top, thread))?;
    }
    let each = (bench.amount(FILES) / names.threads).max(1);
    let mut row = |name, work: fn(&Path, u64) -> Result<()>| {
        let (time, ()) = timed(|| from_threads(&top, names.threads, each, work))?;
        bench.rate(name, each * names.threads, time);
        anyhow::Ok(())
    };
    row(names.create, |folder, file| {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path(folder, file))?;
        Ok(())
    })?;
    std::thread::sleep(CACHE_EXPIRY);
    row(names.stat, |folder, file| {
        Ok(fs::metadata(path(folder, file)).map(drop)?)
    })?;
    std::thread::sleep(CACHE_EXPIRY);
    row(names.open, |folder, file| {
        Ok(File::open(path(folder, file)).map(drop)?)
    })?;
    row(names.write, |folder, file| {
        let file = OpenOptions::new().write(true).open(path(folder, file))?;
        Ok(file.write_all_at(&[7; SMALL], 0)?)
    })?;
    row(names.rename, |folder, file| {
        Ok(fs::rename(
            path(folder, file),
            folder.join(format!("renamed{file}")),
        )?)
    })?;
    row(names.unlink, |folder, file| {
        Ok(fs::remove_file(folder.join(format!("renamed{file}")))?)
    })?;
    row(names.mkdir, |folder, file| {
        Ok(fs::create_dir(path(folder, file))?)
    })?;
    row(names.rmdir, |folder, file| {
        Ok(fs::remove_dir(path(folder, file))?)
    })?;
    fs::remove_dir_all(&top)?;
    Ok(())
}

/// `ls` with attributes of folders of two sizes.
fn listings(bench: &mut Bench<'_>) -> Result<()> {
    for (name, size) in [("readdir of 1,000", 1_000), ("readdir of 10,000", 10_000)] {
        let count = bench.amount(size);
        let folder = bench.directory.join("listing");
        fs::create_dir(&folder)?;
        for file in 0..count {
            File::create(path(&folder, file))?;
        }
        (bench.cool)()?;
        let (time, listed) = timed(|| {
            let mut listed = 0;
            for entry in fs::read_dir(&folder)? {
                entry?.metadata()?;
                listed += 1;
            }
            Ok(listed)
        })?;
        if listed != count {
            bail!("{listed} entries listed of {count}");
        }
        bench.seconds(name, time);
        fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

fn from_threads(top: &Path, threads: u64, each: u64, work: fn(&Path, u64) -> Result<()>) -> Result<()> {
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let folder = folder(top, thread);
                scope.spawn(move || (0..each).try_for_each(|file| work(&folder, file)))
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|w| w.join().unwrap_or_else(|_| bail!("a thread panicked")))
    })
}

fn folder(top: &Path, thread: u64) -> PathBuf {
    top.join(format!("t{thread}"))
}

fn path(folder: &Path, file: u64) -> PathBuf {
    folder.join(format!("f{file}"))
}
