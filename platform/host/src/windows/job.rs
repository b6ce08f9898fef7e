//! Processes that end together.

use std::io;
use std::mem::size_of;
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle};
use std::ptr::null;

use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_BREAKAWAY_OK,
    JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
    JobObjectExtendedLimitInformation, SetInformationJobObject,
};

use super::done;

/// Processes that end when it is dropped, and at the latest when this process ends, however that happens. One that they
/// start with [`start_detached`](super::start_detached) is not among them.
#[derive(Debug)]
pub struct Job(OwnedHandle);

impl Job {
    /// One without processes.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn new() -> io::Result<Job> {
        // SAFETY: no pointers but null; the handle is closed by its owner.
        let handle = unsafe { CreateJobObjectW(null(), null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle was made just now and is nobody else's.
        let job = Job(unsafe { OwnedHandle::from_raw_handle(handle) });
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags =
            JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK;
        // SAFETY: the structure is that of this class and lives until the call returns.
        done(unsafe {
            SetInformationJobObject(
                job.0.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                (&raw const limits).cast(),
                size_of::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>() as u32,
            )
        })?;
        Ok(job)
    }

    /// Takes a process in, with all that it starts from then on.
    ///
    /// # Errors
    /// When it has ended already, or the system refuses.
    pub fn take(&self, process: BorrowedHandle<'_>) -> io::Result<()> {
        // SAFETY: both handles are open until the call returns.
        done(unsafe { AssignProcessToJobObject(self.0.as_raw_handle(), process.as_raw_handle()) })
    }
}

#[cfg(test)]
mod tests {
    use std::os::windows::io::AsHandle as _;
    use std::process::{Child, Command, Stdio};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// A process that waits for its input to end.
    fn waiting() -> Child {
        Command::new("cmd")
            .arg("/q")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("started")
    }

    /// Longer than any machine takes to end a process.
    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn a_process_ends_with_its_job_and_not_before() {
        let job = Job::new().expect("made");
        let mut inside = waiting();
        let mut outside = waiting();
        // Waiting for a process ends its input, and with that the process, unless somebody else has it.
        let input = inside.stdin.take();
        job.take(inside.as_handle()).expect("taken in");
        assert!(inside.try_wait().expect("asked").is_none());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(inside.wait()));
        drop(job);
        told.recv_timeout(LIMIT).expect("in time").expect("ended");
        drop(input);
        assert!(outside.try_wait().expect("asked").is_none());
        outside.kill().expect("killed");
        outside.wait().expect("ended");
    }
}
