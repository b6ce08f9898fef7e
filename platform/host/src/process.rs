//! Processes as `/proc` shows them (proc(5)).

use std::fs;

/// Identifies a process for as long as the machine runs: ids are reused, start times with them are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Process id.
    pub pid: u32,
    /// Start in clock ticks since boot.
    pub start: u64,
}

impl ProcessIdentity {
    /// The process that has this id now.
    pub fn of(pid: u32) -> Option<ProcessIdentity> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything; state is the first field behind it, start time the twentieth.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        let state = fields.next()?;
        let start = fields.nth(18)?.parse().ok()?;
        // A zombie has ended; its parent only has not looked yet.
        (state != "Z").then_some(ProcessIdentity { pid, start })
    }

    /// The calling process.
    pub fn own() -> Option<ProcessIdentity> {
        ProcessIdentity::of(std::process::id())
    }

    /// Whether it still runs.
    pub fn is_running(self) -> bool {
        ProcessIdentity::of(self.pid) == Some(self)
    }
}

/// Whether a signal waits for a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalState {
    /// None.
    Quiet,
    /// One that this thread will take.
    Pending,
    /// One for its process that another thread may take.
    Shared,
    /// The thread is gone, or not ours to see.
    Unknown,
}

/// Whether a signal waits for this thread that it neither blocks nor ignores.
pub fn signal_state(thread: u32) -> SignalState {
    match fs::read_to_string(format!("/proc/{thread}/status")) {
        Ok(status) => judge_signals(&status),
        Err(_) => SignalState::Unknown,
    }
}

fn judge_signals(status: &str) -> SignalState {
    let set = |name| field(status, name).and_then(|value| u64::from_str_radix(value, 16).ok());
    let (Some(own), Some(shared), Some(blocked), Some(ignored)) =
        (set("SigPnd:"), set("ShdPnd:"), set("SigBlk:"), set("SigIgn:"))
    else {
        return SignalState::Unknown;
    };
    let heard = !(blocked | ignored);
    if own & heard != 0 {
        SignalState::Pending
    } else if shared & heard == 0 {
        SignalState::Quiet
    } else if field(status, "Threads:") == Some("1") {
        SignalState::Pending
    } else {
        SignalState::Shared
    }
}

/// Supplementary groups of a thread; none when it is gone.
pub fn supplementary_groups(thread: u32) -> Vec<u32> {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    field(&status, "Groups:")
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|group| group.parse().ok())
        .collect()
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::{ProcessIdentity, SignalState, judge_signals};

    fn status(own: u64, shared: u64, blocked: u64, ignored: u64, threads: u32) -> String {
        format!(
            "Name:\tx\nThreads:\t{threads}\nSigPnd:\t{own:016x}\nShdPnd:\t{shared:016x}\nSigBlk:\t{blocked:016x}\n\
             SigIgn:\t{ignored:016x}\n"
        )
    }

    #[test]
    fn a_blocked_or_ignored_signal_is_none() {
        assert_eq!(judge_signals(&status(2, 0, 2, 0, 1)), SignalState::Quiet);
        assert_eq!(judge_signals(&status(0, 2, 0, 2, 1)), SignalState::Quiet);
        assert_eq!(judge_signals(&status(1 << 8, 0, 0, 0, 4)), SignalState::Pending);
    }

    #[test]
    fn a_signal_for_a_process_is_for_its_only_thread() {
        assert_eq!(judge_signals(&status(0, 2, 0, 0, 1)), SignalState::Pending);
        assert_eq!(judge_signals(&status(0, 2, 0, 0, 2)), SignalState::Shared);
    }

    #[test]
    fn an_unreadable_status_is_unknown() {
        assert_eq!(judge_signals("Name:\tx\n"), SignalState::Unknown);
    }

    #[test]
    fn this_process_runs_and_one_that_started_at_another_time_does_not() {
        let own = ProcessIdentity::own().expect("own process");
        assert!(own.is_running());
        let other = ProcessIdentity {
            start: own.start + 1,
            ..own
        };
        assert!(!other.is_running());
    }
}
