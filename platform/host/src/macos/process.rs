//! Processes as macOS shows them (`libproc`).

use std::mem::MaybeUninit;

use nix::libc::{self, c_int, proc_bsdinfo};

/// Microseconds of a second.
const SECOND_MICROSECONDS: u64 = 1_000_000;
/// State of a process that was stopped (`SSTOP`, sys/proc.h).
const STOPPED: u32 = 4;
/// State of a process that has ended, and whose parent has not looked yet (`SZOMB`, sys/proc.h).
const ENDED: u32 = 5;

/// Identifies a process for as long as the machine runs: ids are reused, start times with them are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Process id.
    pub pid: u32,
    /// Start in microseconds since 1970.
    pub start: u64,
}

impl ProcessIdentity {
    /// The process that has this id now.
    pub fn of(pid: u32) -> Option<ProcessIdentity> {
        look(pid).map(|(process, _)| process)
    }

    /// The calling process.
    pub fn own() -> Option<ProcessIdentity> {
        ProcessIdentity::of(std::process::id())
    }

    /// The process that started the calling one, or takes its place since that one ended.
    pub fn of_parent() -> Option<ProcessIdentity> {
        ProcessIdentity::of(std::os::unix::process::parent_id())
    }

    /// Whether it still runs.
    pub fn is_running(self) -> bool {
        ProcessIdentity::of(self.pid) == Some(self)
    }

    /// Whether somebody stopped it, with a signal or in a debugger: it does nothing until it is told to go on.
    pub fn is_stopped(self) -> bool {
        look(self.pid).is_some_and(|(process, state)| process == self && state == STOPPED)
    }
}

/// The process that has this id now, and its state.
fn look(pid: u32) -> Option<(ProcessIdentity, u32)> {
    let info = info(pid)?;
    let start = info
        .pbi_start_tvsec
        .saturating_mul(SECOND_MICROSECONDS)
        .saturating_add(info.pbi_start_tvusec);
    (info.pbi_status != ENDED).then_some((ProcessIdentity { pid, start }, info.pbi_status))
}

fn info(pid: u32) -> Option<proc_bsdinfo> {
    let pid = c_int::try_from(pid).ok()?;
    let size = c_int::try_from(size_of::<proc_bsdinfo>()).ok()?;
    let mut info = MaybeUninit::<proc_bsdinfo>::zeroed();
    // SAFETY: the buffer has room for as many bytes as is said.
    let filled =
        unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, info.as_mut_ptr().cast(), size) };
    // SAFETY: it was filled whole; and all its fields are numbers, which may be zero.
    (filled == size).then(|| unsafe { info.assume_init() })
}

/// The process of this number, and the name of its program; `None` when it is gone.
pub fn process_of(pid: u32) -> Option<(u32, String)> {
    let info = info(pid)?;
    let name = info.pbi_comm.iter().map(|character| *character as u8);
    let name: Vec<u8> = name.take_while(|byte| *byte != 0).collect();
    Some((pid, String::from_utf8_lossy(&name).into_owned()))
}
