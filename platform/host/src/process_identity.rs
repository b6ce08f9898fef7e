//! Which process is meant, when its id may be given to another one.

use crate::process::look;

/// Identifies a process for as long as the machine runs: ids are reused, start times with them are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Process id.
    pub pid: u32,
    /// Start, in the unit of the system: clock ticks since boot on Linux, microseconds since 1970 on macOS, 100 ns since
    /// 1601 on Windows.
    pub start: u64,
}

/// A process that runs, as the system shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunningProcess {
    pub(crate) identity: ProcessIdentity,
    /// Somebody stopped it; `false` where the system does not tell.
    pub(crate) is_stopped: bool,
}

impl ProcessIdentity {
    /// The process that has this id now.
    pub fn of(pid: u32) -> Option<ProcessIdentity> {
        look(pid).map(|process| process.identity)
    }

    /// The calling process.
    pub fn own() -> Option<ProcessIdentity> {
        ProcessIdentity::of(std::process::id())
    }

    /// The process that started the calling one, or takes its place since that one ended.
    #[cfg(unix)]
    pub fn of_parent() -> Option<ProcessIdentity> {
        ProcessIdentity::of(std::os::unix::process::parent_id())
    }

    /// The process that started the calling one, while it runs.
    #[cfg(windows)]
    pub fn of_parent() -> Option<ProcessIdentity> {
        let own = ProcessIdentity::own()?;
        let parent = ProcessIdentity::of(crate::process::parent_of(own.pid)?)?;
        // A younger one has the number of a parent that is gone.
        (parent.start <= own.start).then_some(parent)
    }

    /// Whether it still runs.
    pub fn is_running(self) -> bool {
        ProcessIdentity::of(self.pid) == Some(self)
    }

    /// Whether somebody stopped it, with a signal or in a debugger: it does nothing until it is told to go on. Not told on
    /// Windows.
    pub fn is_stopped(self) -> bool {
        look(self.pid).is_some_and(|process| process.identity == self && process.is_stopped)
    }
}
