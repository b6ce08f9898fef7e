//! Locks of fcntl(2) and flock(2) through the kernel.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Child;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, Flock, FlockArg, fcntl};
use nix::libc;
use nix::sys::signal::{Signal, kill};

use crate::fixture::{Volume, end_of, until};
use crate::waiters::{handle, order, pid, signal_thread, start, waiting_thread};

/// Where a child waits.
const CALLS: [i64; 2] = [libc::SYS_fcntl, libc::SYS_flock];

fn whole_file(kind: i32) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

fn open(path: &Path) -> File {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .expect("file")
}

fn try_record_lock(file: &File, kind: i32) -> Result<(), Errno> {
    fcntl(file, FcntlArg::F_SETLK(&whole_file(kind))).map(|_| ())
}

/// Runs as a child of the tests below: waits for the lock of its order, a kind and a path.
#[test]
#[ignore = "runs only as the child of another test"]
fn child_that_waits_for_a_lock() {
    let Some(order) = order() else { return };
    let (kind, path) = order.split_once(' ').expect("kind and path");
    handle(Signal::SIGUSR1);
    let file = open(Path::new(path));
    match kind {
        "record" => {
            let answer = fcntl(&file, FcntlArg::F_SETLKW(&whole_file(libc::F_WRLCK)));
            std::process::exit(answer.map_or_else(|errno| errno as i32, |_| 0));
        }
        _ => match Flock::lock(file, FlockArg::LockExclusive) {
            Ok(_lock) => std::process::exit(0),
            Err((_, errno)) => std::process::exit(errno as i32),
        },
    }
}

fn waiter(kind: &str, path: &Path) -> Child {
    let child = start(
        "locks::child_that_waits_for_a_lock",
        &format!("{kind} {}", path.display()),
    );
    until("the child to wait for the lock", || {
        waiting_thread(&child, &CALLS).is_some()
    });
    child
}

#[test]
fn a_killed_waiter_ends_at_once_and_leaves_no_lock() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mount("mount", &[]);
    for kind in ["record", "flock"] {
        let path = mount.file(kind);
        let holder = open(&path);
        let flock = match kind {
            "record" => {
                try_record_lock(&holder, libc::F_WRLCK).expect("free");
                None
            }
            _ => {
                Some(Flock::lock(holder.try_clone().expect("handle"), FlockArg::LockExclusive).expect("free"))
            }
        };
        let mut child = waiter(kind, &path);
        let killed = std::time::Instant::now();
        kill(pid(&child), Signal::SIGKILL).expect("ours");
        assert_eq!(end_of(&mut child).signal(), Some(Signal::SIGKILL as i32));
        assert!(
            killed.elapsed().as_secs() < 2,
            "{kind}: took {:?}",
            killed.elapsed()
        );
        if kind == "record" {
            try_record_lock(&holder, libc::F_UNLCK).expect("ours");
        }
        drop(flock);
        let other = open(&path);
        match kind {
            // A lock of a dead process would be in the way of another process; ours is one for record locks.
            "record" => assert_eq!(try_record_lock(&other, libc::F_WRLCK), Ok(())),
            _ => assert!(Flock::lock(other, FlockArg::LockExclusiveNonblock).is_ok()),
        }
    }
}

#[test]
fn a_signal_with_a_handler_interrupts_a_wait() {
    let Some(volume) = Volume::format(&[]) else {
        return;
    };
    let mount = volume.mount("mount", &[]);
    let path = mount.file("file");
    let holder = open(&path);
    try_record_lock(&holder, libc::F_WRLCK).expect("free");
    let mut child = waiter("record", &path);
    // The signal is for the waiting thread: the test harness has others, which would take one for the process.
    let thread = waiting_thread(&child, &CALLS).expect("a thread that waits");
    signal_thread(&child, thread, Signal::SIGUSR1);
    assert_eq!(end_of(&mut child).code(), Some(libc::EINTR));
}

#[test]
fn a_waiter_gets_the_lock_when_it_becomes_free() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mount("mount", &[]);
    let path = mount.file("file");
    let holder = open(&path);
    try_record_lock(&holder, libc::F_WRLCK).expect("free");
    let mut child = waiter("record", &path);
    try_record_lock(&holder, libc::F_UNLCK).expect("ours");
    assert_eq!(end_of(&mut child).code(), Some(0));
}

#[test]
fn a_lock_of_flock_and_one_of_fcntl_do_not_collide() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mount("mount", &[]);
    let path = mount.file("file");
    let flock = Flock::lock(open(&path), FlockArg::LockExclusiveNonblock).expect("free");
    let record = open(&path);
    assert_eq!(try_record_lock(&record, libc::F_WRLCK), Ok(()));
    let second = Flock::lock(open(&path), FlockArg::LockExclusiveNonblock);
    assert_eq!(second.err().map(|(_, errno)| errno), Some(Errno::EWOULDBLOCK));
    drop(flock);
    assert!(Flock::lock(open(&path), FlockArg::LockExclusiveNonblock).is_ok());
}

#[test]
fn two_mounts_of_one_volume_see_each_others_locks() {
    let Some(volume) = Volume::format(&[]) else { return };
    let (one, two) = (volume.mount("one", &[]), volume.mount("two", &[]));
    let flock = Flock::lock(open(&one.file("file")), FlockArg::LockExclusiveNonblock).expect("free");
    let other = Flock::lock(open(&two.file("file")), FlockArg::LockExclusiveNonblock);
    assert_eq!(other.err().map(|(_, errno)| errno), Some(Errno::EWOULDBLOCK));
    drop(flock);
    assert!(Flock::lock(open(&two.file("file")), FlockArg::LockExclusiveNonblock).is_ok());
}
