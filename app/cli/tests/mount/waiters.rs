//! Child processes that wait inside a system call: this test program again, running one ignored test.

use std::process::{Child, Command, Stdio};

use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::Pid;

/// Says in the environment of a child what it does.
const ORDER: &str = "MOORAGE_TEST_ORDER";

/// Starts a child that runs this test with an order.
pub(crate) fn start(test: &str, order: &str) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(ORDER, order)
        .stdout(Stdio::piped())
        .spawn()
        .expect("child")
}

/// What this process was started for; `None` in the parent.
pub(crate) fn order() -> Option<String> {
    std::env::var(ORDER).ok()
}

/// A signal that a program handles ends its wait.
extern "C" fn notice(_signal: i32) {}

/// Gives this process a handler that does nothing.
pub(crate) fn handle(signal: Signal) {
    let noticed = SigAction::new(SigHandler::Handler(notice), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing.
    unsafe { sigaction(signal, &noticed) }.expect("a handler");
}

pub(crate) fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("pid"))
}

/// The thread of a child that waits for the mount inside one of these system calls, not in an earlier one.
pub(crate) fn waiting_thread(child: &Child, calls: &[i64]) -> Option<i32> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id())).ok()?;
    tasks
        .flatten()
        .find(|task| {
            let read = |name| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let (call, place) = (read("syscall"), read("wchan"));
            let number = call.split(' ').next().and_then(|number| number.parse().ok());
            number.is_some_and(|number| calls.contains(&number))
                && (place.contains("request_wait_answer") || place.contains("folio_wait"))
        })
        .and_then(|task| task.file_name().to_str()?.parse().ok())
}

/// Sends a signal to one thread: the test harness has others, which would take one for the process.
pub(crate) fn signal_thread(child: &Child, thread: i32, signal: Signal) {
    // SAFETY: a plain system call with the ids of a child of ours.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, pid(child).as_raw(), thread, signal as i32) };
    assert_eq!(sent, 0);
}
