//! What one thread does with its files.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Result, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

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

/// One step on one folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bench<'a> {
    pub(super) folder: &'a Path,
    /// Set when the command was interrupted.
    pub(super) stopped: &'a AtomicBool,
    pub(super) step: Step,
    pub(super) job: Job,
}

impl Bench<'_> {
    /// Makes the files leave the page cache, so that reading them shows the volume and not the memory. Not measured.
    pub(super) fn prepare(&self, thread: usize) -> Result<()> {
        if !matches!(self.step, Step::ReadBig | Step::ReadSmall) {
            return Ok(());
        }
        for number in 0..self.job.files {
            self.check_stopped()?;
            drop_cache(&File::open(self.path(thread, number))?)?;
        }
        Ok(())
    }

    /// The measured work of one thread.
    pub(super) fn work(&self, thread: usize) -> Result<()> {
        let mut buffer = vec![0; self.job.block];
        fill(&mut buffer, thread as u64);
        for number in 0..self.job.files {
            let path = self.path(thread, number);
            match self.step {
                Step::WriteBig | Step::WriteSmall => self.write(&path, &buffer)?,
                Step::ReadBig | Step::ReadSmall => self.read(&path, &mut buffer)?,
                Step::Stat => {
                    std::fs::metadata(&path)?;
                }
            }
        }
        Ok(())
    }

    fn check_stopped(&self) -> Result<()> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(ErrorKind::Interrupted.into());
        }
        Ok(())
    }

    fn path(&self, thread: usize, number: u32) -> PathBuf {
        let kind = if self.step.is_big() { "big" } else { "small" };
        self.folder.join(format!("{kind}-{thread}-{number}"))
    }

    fn write(&self, path: &Path, buffer: &[u8]) -> Result<()> {
        let mut file = File::create(path)?;
        let mut left = self.job.bytes;
        while left > 0 {
            self.check_stopped()?;
            let part = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            file.write_all(buffer.get(..part).unwrap_or_default())?;
            left -= part as u64;
        }
        Ok(())
    }

    fn read(&self, path: &Path, buffer: &mut [u8]) -> Result<()> {
        let mut file = File::open(path)?;
        while file.read(buffer)? > 0 {
            self.check_stopped()?;
        }
        Ok(())
    }
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
