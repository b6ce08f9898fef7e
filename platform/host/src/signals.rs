//! Signals that wait for a thread, as `/proc` shows them (proc(5), signal(7)).

use std::fs;

use nix::libc;

use crate::process::field;

/// Flag of a task that is on its way out (`PF_EXITING`, linux/sched.h).
const EXITING: u64 = 0x4;
/// Part of an exit code that holds the signal which ended the process (wait(2)).
const ENDING_SIGNAL: u64 = 0x7F;
/// Signals that ask a program to end.
const ASKING: u64 = bit(libc::SIGHUP) | bit(libc::SIGINT) | bit(libc::SIGQUIT) | bit(libc::SIGTERM);
/// Signals that end no process which has no handler for them.
const HARMLESS: u64 = bit(libc::SIGCHLD)
    | bit(libc::SIGCONT)
    | bit(libc::SIGSTOP)
    | bit(libc::SIGTSTP)
    | bit(libc::SIGTTIN)
    | bit(libc::SIGTTOU)
    | bit(libc::SIGURG)
    | bit(libc::SIGWINCH);

const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// Which of the signals that a thread neither blocks nor ignores count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heeded {
    /// All.
    All,
    /// Those that end the process, and SIGHUP, SIGINT, SIGQUIT and SIGTERM when it has a handler for them.
    Stopping,
    /// Those that end the process.
    Fatal,
}

/// Whether a signal waits for a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalState {
    /// None.
    Quiet,
    /// One that this thread will take, or one that has ended its process while it still gives back what it has.
    Pending,
    /// One for its process that another thread may take.
    Shared,
    /// The thread is gone, or not ours to see.
    Unknown,
}

/// Whether a signal that counts waits for this thread. Reads one file of `/proc`, and one more of a thread that ends.
///
/// That a process was ended by a signal and is on its way out is seen only by root and by its own user.
pub fn signal_state(thread: u32, heeded: Heeded) -> SignalState {
    let Ok(status) = fs::read_to_string(format!("/proc/{thread}/status")) else {
        return SignalState::Unknown;
    };
    match judge_signals(&status, heeded) {
        SignalState::Quiet if heeded != Heeded::All && has_left_memory(&status) && is_dying(thread) => {
            SignalState::Pending
        }
        state => state,
    }
}

/// Whether a thread has given its memory back: it is on its way out, or belongs to the kernel.
///
/// Only then its `stat` may be read by a file system. A program that executes another closes files in between, while the
/// kernel keeps readers of its `stat` waiting (Linux, `exec_update_lock`): a file system that reads it before it has
/// answered waits for itself, for ever. `status` is read without that lock.
fn has_left_memory(status: &str) -> bool {
    field(status, "VmSize:").is_none()
}

/// Whether a thread waits in a system call; `None` where it can not be told. If not, it waits for a page of a mapping.
pub fn in_system_call(thread: u32) -> Option<bool> {
    let call = fs::read_to_string(format!("/proc/{thread}/syscall")).ok()?;
    let number = call.split_whitespace().next()?;
    (number != "running").then_some(number != "-1")
}

fn judge_signals(status: &str, heeded: Heeded) -> SignalState {
    let set = |name| field(status, name).and_then(|value| u64::from_str_radix(value, 16).ok());
    let (Some(own), Some(shared), Some(blocked), Some(ignored), Some(caught)) = (
        set("SigPnd:"),
        set("ShdPnd:"),
        set("SigBlk:"),
        set("SigIgn:"),
        set("SigCgt:"),
    ) else {
        return SignalState::Unknown;
    };
    let counts = match heeded {
        Heeded::All => u64::MAX,
        Heeded::Stopping => !(caught | HARMLESS) | caught & ASKING,
        Heeded::Fatal => !(caught | HARMLESS),
    };
    let heard = counts & !(blocked | ignored);
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

/// Whether a signal has ended the process of this thread. One that ends by itself closes its files in the same place,
/// and waits until they are stored.
fn is_dying(thread: u32) -> bool {
    fs::read_to_string(format!("/proc/{thread}/stat")).is_ok_and(|stat| judge_exit(&stat))
}

fn judge_exit(stat: &str) -> bool {
    // Behind the name in parentheses, which may hold anything: the flags are the seventh field, the exit code the
    // fiftieth.
    let Some((_, fields)) = stat.rsplit_once(')') else {
        return false;
    };
    let mut fields = fields.split_whitespace().skip(6);
    let mut number = |skipped| fields.nth(skipped).and_then(|field| field.parse::<u64>().ok());
    let (Some(flags), Some(code)) = (number(0), number(42)) else {
        return false;
    };
    flags & EXITING != 0 && code & ENDING_SIGNAL != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const USR1: u64 = bit(libc::SIGUSR1);
    const INT: u64 = bit(libc::SIGINT);

    #[derive(Clone, Copy, Default)]
    struct Masks {
        own: u64,
        shared: u64,
        blocked: u64,
        ignored: u64,
        caught: u64,
    }

    fn judged(masks: Masks, threads: u32, heeded: Heeded) -> SignalState {
        let Masks {
            own,
            shared,
            blocked,
            ignored,
            caught,
        } = masks;
        let status = format!(
            "Name:\tx\nThreads:\t{threads}\nSigPnd:\t{own:016x}\nShdPnd:\t{shared:016x}\nSigBlk:\t{blocked:016x}\n\
             SigIgn:\t{ignored:016x}\nSigCgt:\t{caught:016x}\n"
        );
        judge_signals(&status, heeded)
    }

    fn own(signal: u64) -> Masks {
        Masks {
            own: signal,
            ..Masks::default()
        }
    }

    #[test]
    fn a_blocked_or_ignored_signal_is_none() {
        for heeded in [Heeded::All, Heeded::Stopping, Heeded::Fatal] {
            let blocked = Masks {
                blocked: INT,
                ..own(INT)
            };
            assert_eq!(judged(blocked, 1, heeded), SignalState::Quiet);
            let ignored = Masks {
                ignored: INT,
                ..own(INT)
            };
            assert_eq!(judged(ignored, 1, heeded), SignalState::Quiet);
            assert_eq!(judged(own(bit(libc::SIGKILL)), 4, heeded), SignalState::Pending);
        }
    }

    #[test]
    fn a_signal_for_a_process_is_for_its_only_thread() {
        let shared = Masks {
            shared: INT,
            ..Masks::default()
        };
        assert_eq!(judged(shared, 1, Heeded::Stopping), SignalState::Pending);
        assert_eq!(judged(shared, 2, Heeded::Stopping), SignalState::Shared);
    }

    #[test]
    fn a_handler_hears_a_timer_in_a_lock_and_only_a_request_to_end_elsewhere() {
        let noticed = |signal| Masks {
            caught: signal,
            ..own(signal)
        };
        assert_eq!(judged(noticed(USR1), 1, Heeded::All), SignalState::Pending);
        assert_eq!(judged(noticed(USR1), 1, Heeded::Stopping), SignalState::Quiet);
        assert_eq!(judged(noticed(INT), 1, Heeded::Stopping), SignalState::Pending);
        assert_eq!(judged(noticed(INT), 1, Heeded::Fatal), SignalState::Quiet);
    }

    #[test]
    fn without_a_handler_most_signals_are_fatal() {
        assert_eq!(judged(own(USR1), 1, Heeded::Fatal), SignalState::Pending);
        assert_eq!(
            judged(own(bit(libc::SIGCHLD)), 1, Heeded::Stopping),
            SignalState::Quiet
        );
        assert_eq!(
            judged(own(bit(libc::SIGSTOP)), 1, Heeded::Fatal),
            SignalState::Quiet
        );
    }

    #[test]
    fn an_unreadable_status_is_unknown() {
        assert_eq!(judge_signals("Name:\tx\n", Heeded::All), SignalState::Unknown);
    }

    #[test]
    fn only_a_thread_without_memory_is_on_its_way_out() {
        assert!(!has_left_memory(
            "Name:\tx\nVmPeak:\t 4 kB\nVmSize:\t 4 kB\nThreads:\t1\n"
        ));
        assert!(has_left_memory("Name:\tx\nState:\tD (disk sleep)\nThreads:\t1\n"));
    }

    fn stat(flags: u64, code: u64) -> String {
        let between = "0 ".repeat(42);
        format!("1 (a) b) D 1 1 1 0 -1 {flags} {between}{code}\n")
    }

    #[test]
    fn only_a_process_that_a_signal_ended_is_dying() {
        assert!(judge_exit(&stat(0x40_0104, 9)));
        assert!(!judge_exit(&stat(0x40_0100, 9)), "not on its way out");
        assert!(!judge_exit(&stat(0x40_0104, 0x300)), "it ended by itself");
        assert!(!judge_exit("1 (a) D 1"));
    }
}
