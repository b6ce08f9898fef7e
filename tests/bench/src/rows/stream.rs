//! One big file: sequential write, cold and cached read, random reads.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use super::{Bench, timed};

const FULL_BYTES: u64 = 512 << 20;
const RANDOM_READ_BYTES: usize = 4096;

pub(super) fn big_file(bench: &mut Bench<'_>) -> Result<()> {
    let mebibytes = bench.amount(FULL_BYTES >> 20);
    let bytes = mebibytes << 20;
    let path = bench.directory.join("big");
    let mut random = StdRng::seed_from_u64(11);
    let mut buffer = vec![0; 1 << 20];
    random.fill_bytes(&mut buffer);
    let (time, ()) = timed(|| {
        let mut file = File::create(&path)?;
        for index in 0..mebibytes {
            if let Some(head) = buffer.first_chunk_mut::<8>() {
                *head = index.to_le_bytes();
            }
            file.write_all(&buffer)?;
        }
        file.sync_all()?;
        Ok(())
    })?;
    bench.throughput("sequential write + fsync", bytes, time);

    (bench.cool)()?;
    let (time, ()) = timed(|| read_all(&path, &mut buffer))?;
    bench.throughput("sequential read, cold", bytes, time);
    let (time, ()) = timed(|| read_all(&path, &mut buffer))?;
    bench.throughput("sequential read, cached", bytes, time);

    (bench.cool)()?;
    let limit = Duration::from_millis(4_000 / bench.plan.divide.min(10));
    let mut page = vec![0; RANDOM_READ_BYTES];
    let file = File::open(&path)?;
    let pages = bytes / RANDOM_READ_BYTES as u64;
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < limit {
        file.read_exact_at(
            &mut page,
            random.random_range(0..pages) * RANDOM_READ_BYTES as u64,
        )?;
        count += 1;
    }
    bench.rate("4 KiB random read, cold", count, start.elapsed());
    drop(file);
    fs::remove_file(&path)?;
    Ok(())
}

fn read_all(path: &std::path::Path, buffer: &mut [u8]) -> Result<()> {
    let mut file = File::open(path)?;
    while file.read(buffer)? > 0 {}
    Ok(())
}
