//! What holds for every process that the agent starts: a Ctrl-C for the agent is none for it.

use std::io;

use tokio::process::{Child, Command};

/// What ends with the process: on Windows all that it starts itself, and it with the agent, however the agent ends. Elsewhere
/// it ends by itself when its standard input does.
#[cfg(windows)]
pub(crate) type Kin = moorage_host::Job;
#[cfg(unix)]
pub(crate) type Kin = ();

/// Starts a process, whose kin end when it is dropped.
///
/// # Errors
/// What the system refuses.
#[cfg(unix)]
pub(crate) fn start(command: &mut Command) -> io::Result<(Child, Kin)> {
    Ok((command.process_group(0).spawn()?, ()))
}

/// Starts a process, whose kin end when it is dropped.
///
/// # Errors
/// What the system refuses.
#[cfg(windows)]
pub(crate) fn start(command: &mut Command) -> io::Result<(Child, Kin)> {
    use std::os::windows::io::BorrowedHandle;

    /// Of the system (winbase.h): the process is the first of a group of its own, and no window opens for it.
    const APART: u32 = 0x0000_0200 | 0x0800_0000;

    let job = moorage_host::Job::new()?;
    let child = command.creation_flags(APART).spawn()?;
    if let Some(handle) = child.raw_handle() {
        // SAFETY: the child holds its handle open.
        let taken = job.take(unsafe { BorrowedHandle::borrow_raw(handle) });
        // One that has ended already needs none.
        if let Err(error) = taken {
            tracing::debug!(%error, "a process is in no job");
        }
    }
    Ok((child, job))
}
