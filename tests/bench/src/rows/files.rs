//! Small files whose every byte is asked to be durable, by what each contender takes for that, and by a sync of the
//! whole disk below, which makes them promise the same.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;

use anyhow::Result;

use super::{Bench, timed};

pub(super) fn fsynced(bench: &mut Bench<'_>) -> Result<()> {
    let count = bench.amount(500);
    let directory = bench.directory.join("fsync");
    fs::create_dir(&directory)?;
    let content = vec![0x5a; 128 << 10];
    let (time, ()) = timed(|| {
        for index in 0..count {
            let path = directory.join(index.to_string());
            let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
            file.write_all(&content)?;
            file.sync_all()?;
        }
        Ok(())
    })?;
    bench.rate("128 KiB write + fsync + close", count, time);
    let disk = File::open(&bench.plan.disk)?;
    let (time, ()) = timed(|| {
        for index in 0..count {
            let path = directory.join(format!("durable{index}"));
            let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
            file.write_all(&content)?;
            file.sync_all()?;
            // SAFETY: the descriptor is open.
            if unsafe { libc::syncfs(disk.as_raw_fd()) } != 0 {
                return Err(std::io::Error::last_os_error().into());
            }
        }
        Ok(())
    })?;
    bench.rate("128 KiB write + fsync + syncfs of the disk", count, time);
    let (time, ()) = timed(|| {
        for index in 0..count {
            fs::write(directory.join(format!("plain{index}")), &content)?;
        }
        Ok(())
    })?;
    bench.rate("128 KiB write + close", count, time);
    fs::remove_dir_all(&directory)?;
    Ok(())
}
