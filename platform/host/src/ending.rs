//! The end of other processes of this program.

use std::io;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Asks a process of this program to end, by SIGTERM.
///
/// # Errors
/// That there is none of this number, or that it belongs to somebody else.
pub fn ask_to_end(process: u32) -> io::Result<()> {
    send(process, Signal::SIGTERM)
}

/// Ends a process of this program at once, by SIGKILL.
///
/// # Errors
/// As of [`ask_to_end`].
pub fn end_at_once(process: u32) -> io::Result<()> {
    send(process, Signal::SIGKILL)
}

fn send(process: u32, signal: Signal) -> io::Result<()> {
    // 0 and what is negative as a number of the system stand for groups of processes.
    let process = i32::try_from(process).ok().filter(|process| *process > 0);
    let process = process.ok_or(io::ErrorKind::InvalidInput)?;
    kill(Pid::from_raw(process), signal).map_err(io::Error::from)
}
