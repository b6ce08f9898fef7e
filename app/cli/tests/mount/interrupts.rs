//! Processes that wait for an object store which does not answer, and get a signal.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, openat2};
use nix::libc;
use nix::sys::signal::{Signal, kill};

use crate::dead_store::{LOST_BYTES, holding};
use crate::fixture::{Mounted, end_of, text, until};
use crate::remote::RemoteVolume;
use crate::server::Mood;
use crate::waiters::{handle, order, pid, signal_thread, start, waiting_thread};

/// A store that does not answer is given up after minutes; a signal takes a fraction of a second.
const AT_ONCE: Duration = Duration::from_secs(20);
/// In front of a child's answer, an errno or 0.
const ANSWER: &str = "answer ";
/// The orders of a child, each with the system call that waits: one that it makes nowhere else, since under load an
/// earlier one waits for the mount as well.
const ORDERS: [(&str, i64); 3] = [
    ("fsync", libc::SYS_fsync),
    ("read", libc::SYS_read),
    ("empty", libc::SYS_openat2),
];

/// Runs as a child of the tests below: waits in the call of its order, a name and a path.
#[test]
#[ignore = "runs only as the child of another test"]
fn child_that_waits_for_the_store() {
    let Some(order) = order() else { return };
    let (call, path) = order.split_once(' ').expect("call and path");
    handle(Signal::SIGINT);
    let answer = match call {
        "read" => {
            let file = File::open(path).expect("there");
            nix::unistd::read(&file, &mut [0; 4096]).map(drop)
        }
        "empty" => {
            let mut file = File::create(path).expect("made");
            file.write_all(&[7; LOST_BYTES]).expect("taken");
            std::mem::forget(file);
            let emptied = OpenHow::new().flags(OFlag::O_WRONLY | OFlag::O_TRUNC);
            openat2(AT_FDCWD, path, emptied).map(std::mem::forget)
        }
        "exec" => {
            let mut file = File::create(path).expect("made");
            file.write_all(&[7; LOST_BYTES]).expect("taken");
            // The file is closed in the middle of this call.
            let error = Command::new("true").exec();
            unreachable!("{error}");
        }
        _ => {
            let mut file = File::create(path).expect("made");
            file.write_all(&[7; LOST_BYTES]).expect("taken");
            // The standard library's repeats an interrupted one.
            let answer = nix::unistd::fsync(&file);
            std::mem::forget(file);
            answer
        }
    };
    let number = answer.map_or_else(|errno| errno as i32, |()| 0);
    println!("\n{ANSWER}{number}");
    nix::unistd::pause();
}

/// What the call of a child answered.
fn answer(child: &mut Child) -> i32 {
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let lines = output.lines().map_while(Result::ok);
    let mut answers = lines.filter_map(|line| line.strip_prefix(ANSWER)?.parse().ok());
    answers.next().expect("an answer")
}

fn waiter(call: &str, path: &Path) -> (Child, i32) {
    let order = format!("{call} {}", path.display());
    let (_, number) = ORDERS
        .into_iter()
        .find(|(order, _)| *order == call)
        .expect("an order");
    let child = start("interrupts::child_that_waits_for_the_store", &order);
    let mut thread = None;
    until("the child to wait for the store", || {
        thread = waiting_thread(&child, &[number]);
        thread.is_some()
    });
    (child, thread.expect("it waits"))
}

/// Ends within the time, though the store does not answer.
fn ends_at_once(child: &mut Child, what: &str) -> std::process::ExitStatus {
    let begun = Instant::now();
    let status = end_of(child);
    assert!(begun.elapsed() < AT_ONCE, "{what}: took {:?}", begun.elapsed());
    status
}

/// Stores what is left once the server is well again.
fn ends_well(remote: &RemoteVolume, mount: &Mounted<'_>, expected: &[&str]) {
    remote.server.be(Mood::Well);
    let output = mount.umount(&[]);
    assert!(output.status.success(), "{}", text(&output));
    let mount = remote.volume.mount("again", &[]);
    for name in expected {
        let found = std::fs::read(mount.file(name)).expect("read");
        assert!(found == [7; LOST_BYTES], "{name}");
    }
}

#[test]
fn a_killed_process_ends_at_once_and_what_it_wrote_is_stored_later() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mount("mount", &[]);
    remote.server.be(Mood::Silent);
    let (mut syncing, _) = waiter("fsync", &mount.file("synced"));
    kill(pid(&syncing), Signal::SIGKILL).expect("ours");
    let status = ends_at_once(&mut syncing, "fsync");
    assert_eq!(status.signal(), Some(Signal::SIGKILL as i32));
    let (mut emptying, _) = waiter("empty", &mount.file("emptied"));
    kill(pid(&emptying), Signal::SIGKILL).expect("ours");
    let status = ends_at_once(&mut emptying, "open");
    assert_eq!(status.signal(), Some(Signal::SIGKILL as i32));
    // Killed while it sleeps: the kernel closes its file, and that waits.
    let mut sleeping = holding(&mount.file("closed"));
    kill(pid(&sleeping), Signal::SIGKILL).expect("ours");
    let status = ends_at_once(&mut sleeping, "close");
    assert_eq!(status.signal(), Some(Signal::SIGKILL as i32));
    ends_well(&remote, &mount, &["synced", "emptied", "closed"]);
}

#[test]
fn a_process_that_ends_by_itself_waits_until_its_file_is_stored() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mount("mount", &[]);
    remote.server.be(Mood::Slow(Duration::from_secs(3)));
    let mut child = holding(&mount.file("closed"));
    drop(child.stdin.take());
    assert!(end_of(&mut child).success());
    assert_eq!(remote.blocks(), 1, "the next who opens the file sees it");
}

#[test]
fn a_program_that_executes_another_waits_until_its_file_is_stored_and_goes_on() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mount("mount", &[]);
    // Long enough for several looks whether the program was ended.
    remote.server.be(Mood::Slow(Duration::from_secs(3)));
    let order = format!("exec {}", mount.file("closed").display());
    let mut child = start("interrupts::child_that_waits_for_the_store", &order);
    assert!(end_of(&mut child).success());
    assert_eq!(remote.blocks(), 1);
}

#[test]
fn a_signal_with_a_handler_interrupts_fsync_and_read() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mount("first", &[]);
    std::fs::write(mount.file("stored"), [7; LOST_BYTES]).expect("written");
    let output = mount.umount(&[]);
    assert!(output.status.success(), "{}", text(&output));
    // Its cache is empty.
    let mount = remote.volume.mount("mount", &[]);
    remote.server.be(Mood::Silent);
    for (call, name) in [("fsync", "synced"), ("read", "stored")] {
        let (mut child, thread) = waiter(call, &mount.file(name));
        let begun = Instant::now();
        signal_thread(&child, thread, Signal::SIGINT);
        assert_eq!(answer(&mut child), libc::EINTR, "{call}");
        assert!(begun.elapsed() < AT_ONCE, "{call}: took {:?}", begun.elapsed());
        kill(pid(&child), Signal::SIGKILL).expect("ours");
        ends_at_once(&mut child, call);
    }
    ends_well(&remote, &mount, &["stored", "synced"]);
}
