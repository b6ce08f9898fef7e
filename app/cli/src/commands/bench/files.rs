//! What one thread does with its files.

use std::fs::File;
use std::io::{Read as _, Result, Write as _};
use std::path::{Path, PathBuf};

/// What is measured, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    WriteBig,
    ReadBig,
    WriteSmall,
    ReadSmall,
    Stat,
}

impl Step {
    pub(super) const ALL: [Step; 5] = [
        Step::WriteBig,
        Step::ReadBig,
        Step::WriteSmall,
        Step::ReadSmall,
        Step::Stat,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Step::WriteBig => "Write big file",
            Step::ReadBig => "Read big file",
            Step::WriteSmall => "Write small files",
            Step::ReadSmall => "Read small files",
            Step::Stat => "Stat files",
        }
    }

    /// Whether it is about big files, measured in bytes; the others count files.
    pub(super) fn is_big(self) -> bool {
        matches!(self, Step::WriteBig | Step::ReadBig)
    }
}

/// How much of it each thread does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) files: u32,
    /// Bytes of each file.
    pub(super) bytes: u64,
    /// Bytes of one read or write.
    pub(super) block: usize,
}

/// Makes the files leave the page cache, so that reading them shows the volume and not the memory. Not measured.
pub(super) fn prepare(folder: &Path, step: Step, job: Job, thread: usize) -> Result<()> {
    if !matches!(step, Step::ReadBig | Step::ReadSmall) {
        return Ok(());
    }
    for number in 0..job.files {
        let file = File::open(path(folder, step, thread, number))?;
        drop_cache(&file)?;
    }
    Ok(())
}

#[cfg(unix)]
fn drop_cache(file: &File) -> Result<()> {
    use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
    // Only clean pages can be dropped.
    file.sync_data()?;
    posix_fadvise(file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    Ok(())
}

#[cfg(not(unix))]
fn drop_cache(_file: &File) -> Result<()> {
    Ok(())
}

/// The measured work of one thread.
pub(super) fn work(folder: &Path, step: Step, job: Job, thread: usize) -> Result<()> {
    let mut buffer = vec![0; job.block];
    fill(&mut buffer, thread as u64);
    for number in 0..job.files {
        let path = path(folder, step, thread, number);
        match step {
            Step::WriteBig | Step::WriteSmall => write(&path, job.bytes, &buffer)?,
            Step::ReadBig | Step::ReadSmall => read(&path, &mut buffer)?,
            Step::Stat => {
                std::fs::metadata(&path)?;
            }
        }
    }
    Ok(())
}

fn path(folder: &Path, step: Step, thread: usize, number: u32) -> PathBuf {
    let kind = if step.is_big() { "big" } else { "small" };
    folder.join(format!("{kind}-{thread}-{number}"))
}

fn write(path: &Path, bytes: u64, buffer: &[u8]) -> Result<()> {
    let mut file = File::create(path)?;
    let mut left = bytes;
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        file.write_all(buffer.get(..part).unwrap_or_default())?;
        left -= part as u64;
    }
    Ok(())
}

fn read(path: &Path, buffer: &mut [u8]) -> Result<()> {
    let mut file = File::open(path)?;
    while file.read(buffer)? > 0 {}
    Ok(())
}

/// Bytes that no compression makes smaller: a counter run through a xorshift generator.
fn fill(buffer: &mut [u8], seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for word in buffer.chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        for (byte, value) in word.iter_mut().zip(state.to_le_bytes()) {
            *byte = value;
        }
    }
}
