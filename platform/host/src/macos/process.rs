//! Processes as macOS shows them (`libproc`).

use std::mem::MaybeUninit;

use nix::libc::{self, c_int, proc_bsdinfo};

use crate::process_identity::{ProcessIdentity, RunningProcess};

/// Microseconds of a second.
const SECOND_MICROSECONDS: u64 = 1_000_000;
/// State of a process that was stopped (`SSTOP`, sys/proc.h).
const STOPPED: u32 = 4;
/// State of a process that has ended, and whose parent has not looked yet (`SZOMB`, sys/proc.h).
const ENDED: u32 = 5;

/// The process that has this id now.
pub(crate) fn look(pid: u32) -> Option<RunningProcess> {
    let info = info(pid)?;
    let start = info
        .pbi_start_tvsec
        .saturating_mul(SECOND_MICROSECONDS)
        .saturating_add(info.pbi_start_tvusec);
    (info.pbi_status != ENDED).then_some(RunningProcess {
        identity: ProcessIdentity { pid, start },
        is_stopped: info.pbi_status == STOPPED,
    })
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
