//! Processes as `/proc` shows them (proc(5)).

use std::fs;

use crate::process_identity::{ProcessIdentity, RunningProcess};

/// The process that has this id now.
pub(crate) fn look(pid: u32) -> Option<RunningProcess> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; state is the first field behind it, start time the twentieth.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let start = fields.nth(18)?.parse().ok()?;
    // A zombie has ended; its parent only has not looked yet.
    (state != 'Z').then_some(RunningProcess {
        identity: ProcessIdentity { pid, start },
        is_stopped: matches!(state, 'T' | 't'),
    })
}

/// The process of a thread, and the name of its program; `None` when it is gone.
pub fn process_of(thread: u32) -> Option<(u32, String)> {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    let pid = field(&status, "Tgid:")?.parse().ok()?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some((pid, name.trim().to_owned()))
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

pub(crate) fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::{ProcessIdentity, process_of};

    #[test]
    fn a_thread_belongs_to_its_process() {
        let thread = std::thread::spawn(|| {
            let thread = nix::unistd::gettid().as_raw();
            process_of(u32::try_from(thread).expect("a thread id"))
        });
        let (pid, name) = thread.join().expect("ended").expect("found");
        assert_eq!(pid, std::process::id());
        assert!(!name.is_empty());
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
