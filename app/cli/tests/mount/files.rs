//! Reading and writing through the kernel's caches.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use nix::libc;

use crate::fixture::{Volume, succeed};

#[test]
fn what_is_written_is_read_again_after_a_remount() {
    let Some(volume) = Volume::format(&["--block-size", "64K"]) else {
        return;
    };
    let content: Vec<u8> = (0..1_000_003_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    {
        let mount = volume.mount("mount", &[]);
        fs::create_dir(mount.file("folder")).expect("folder");
        fs::write(mount.file("folder/file"), &content).expect("written");
        std::os::unix::fs::symlink("file", mount.file("folder/link")).expect("link");
        assert_eq!(fs::read(mount.file("folder/link")).expect("read"), content);
        assert!(mount.umount(&[]).status.success());
    }
    let mount = volume.mount("mount", &["--read-only"]);
    assert_eq!(fs::read(mount.file("folder/link")).expect("read"), content);
    let names: Vec<_> = fs::read_dir(mount.file("folder"))
        .expect("listed")
        .map(|entry| entry.expect("entry").file_name())
        .collect();
    assert_eq!(names.len(), 2);
    let refused = fs::write(mount.file("new"), b"x").expect_err("read-only");
    assert_eq!(refused.raw_os_error(), Some(libc::EROFS));
}

#[test]
fn appends_of_two_writers_do_not_overwrite_each_other() {
    const LINES: usize = 500;
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mount("mount", &[]);
    let path = mount.file("log");
    fs::write(&path, b"").expect("made");
    std::thread::scope(|scope| {
        for writer in ["a", "b"] {
            let path = &path;
            scope.spawn(move || {
                let mut file = OpenOptions::new().append(true).open(path).expect("opened");
                for line in 0..LINES {
                    file.write_all(format!("{writer}{line:04}\n").as_bytes())
                        .expect("appended");
                }
            });
        }
    });
    let text = fs::read_to_string(&path).expect("read");
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2 * LINES);
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 2 * LINES);
}

/// A shared mapping of a file.
struct Mapping {
    address: *mut u8,
    length: usize,
}

impl Mapping {
    fn new(file: &File, length: usize) -> Mapping {
        // SAFETY: a fresh shared mapping of a file that is as long; checked for failure below.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        assert_ne!(address, libc::MAP_FAILED, "{}", std::io::Error::last_os_error());
        Mapping {
            address: address.cast(),
            length,
        }
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the mapping is this long, lives as long as `self`, and no test maps the same file twice.
        unsafe { std::slice::from_raw_parts_mut(self.address, self.length) }
    }

    fn sync(&self) {
        // SAFETY: the range is the whole mapping.
        let answer = unsafe { libc::msync(self.address.cast(), self.length, libc::MS_SYNC) };
        assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is the whole mapping, and nobody has a reference into it any more.
        unsafe { libc::munmap(self.address.cast(), self.length) };
    }
}

#[test]
fn what_a_mapping_writes_is_stored() {
    const LENGTH: usize = 300_000;
    let Some(volume) = Volume::format(&["--block-size", "64K"]) else {
        return;
    };
    {
        let mount = volume.mount("mount", &[]);
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(mount.file("m"))
            .expect("file");
        file.set_len(LENGTH as u64).expect("sized");
        let mut mapping = Mapping::new(&file, LENGTH);
        for (at, byte) in mapping.bytes().iter_mut().enumerate() {
            *byte = (at % 251) as u8;
        }
        mapping.sync();
        let mut one = [0];
        file.read_exact_at(&mut one, 777).expect("read");
        assert_eq!(one[0], (777 % 251) as u8);
        file.write_all_at(b"!", 5).expect("written");
        assert_eq!(mapping.bytes()[5], b'!');
        mapping.bytes()[LENGTH - 1] = b'?';
        drop(mapping);
        drop(file);
        assert!(mount.umount(&[]).status.success());
    }
    let mount = volume.mount("mount", &[]);
    let content = fs::read(mount.file("m")).expect("read");
    assert_eq!(
        (content.len(), content[5], content[777]),
        (LENGTH, b'!', (777 % 251) as u8)
    );
    assert_eq!(content[LENGTH - 1], b'?');
}

#[test]
fn a_mapping_written_through_an_append_handle_stays_in_its_place() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mount("mount", &[]);
    let path = mount.file("m");
    fs::write(&path, [b'a'; 8192]).expect("made");
    {
        let file = File::options()
            .read(true)
            .append(true)
            .open(&path)
            .expect("opened");
        let mut mapping = Mapping::new(&file, 8192);
        mapping.bytes()[0] = b'X';
        mapping.sync();
    }
    let content = fs::read(&path).expect("read");
    assert_eq!((content.len(), content[0], content[1]), (8192, b'X', b'a'));
}

#[test]
fn a_deleted_file_lives_until_it_is_closed() {
    let Some(volume) = Volume::format(&["--trash-days", "0"]) else {
        return;
    };
    let mount = volume.mount("mount", &[]);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(mount.file("f"))
        .expect("file");
    file.write_all(b"still here").expect("written");
    fs::remove_file(mount.file("f")).expect("removed");
    file.write_all(b", and growing").expect("written");
    file.seek(SeekFrom::Start(0)).expect("seek");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("read");
    assert_eq!(text, "still here, and growing");
    assert_eq!(file.metadata().expect("attributes").nlink(), 0);
}

#[test]
fn holes_ranges_and_copies_are_what_the_kernel_is_told() {
    let Some(volume) = Volume::format(&["--block-size", "64K"]) else {
        return;
    };
    let mount = volume.mount("mount", &[]);
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(mount.file("f"))
        .expect("file");
    file.write_all_at(&[b'x'; 4096], 1 << 20).expect("written");
    // SAFETY: plain system calls on an open file.
    let data = unsafe { libc::lseek(file.as_raw_fd(), 0, libc::SEEK_DATA) };
    assert_eq!(data, 1 << 20);
    // SAFETY: as above.
    let hole = unsafe { libc::lseek(file.as_raw_fd(), data, libc::SEEK_HOLE) };
    assert_eq!(hole, (1 << 20) + 4096);
    let punch = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: as above.
    let punched = unsafe { libc::fallocate(file.as_raw_fd(), punch, 1 << 20, 100) };
    assert_eq!(punched, 0);
    let mut bytes = [1; 101];
    file.read_exact_at(&mut bytes, 1 << 20).expect("read");
    assert_eq!((bytes[0], bytes[99], bytes[100]), (0, 0, b'x'));
    // SAFETY: as above.
    let collapsed = unsafe { libc::fallocate(file.as_raw_fd(), libc::FALLOC_FL_COLLAPSE_RANGE, 0, 65_536) };
    assert_eq!(
        (collapsed, std::io::Error::last_os_error().raw_os_error()),
        (-1, Some(libc::EOPNOTSUPP))
    );
    drop(file);
    fs::copy(mount.file("f"), mount.file("copy")).expect("copied");
    assert_eq!(
        fs::read(mount.file("copy")).expect("read"),
        fs::read(mount.file("f")).expect("read")
    );
}

#[test]
fn writing_by_another_user_takes_the_set_user_id_bit_away() {
    let Some(volume) = Volume::format(&[]) else { return };
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: only root can act as another user");
        return;
    }
    // What the kernel remembers would be seen for long.
    let mount = volume.mount("mount", &["-o", "allow_other", "--attr-cache", "1h"]);
    fs::set_permissions(volume.path(), fs::Permissions::from_mode(0o755)).expect("others pass through");
    let path = mount.file("program");
    fs::write(&path, b"#!/bin/true").expect("made");
    std::os::unix::fs::chown(&path, Some(1000), Some(1000)).expect("given away");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o6777)).expect("changed");
    succeed(as_nobody(&format!("echo changed >> '{}'", path.display())).current_dir("/"));
    assert_eq!(mode(&path), 0o777);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o6777)).expect("changed");
    succeed(as_nobody(&format!(": > '{}'", path.display())).current_dir("/"));
    assert_eq!(mode(&path), 0o777);
    for how in [
        "--length 1M",
        "--zero-range --length 4K",
        "--punch-hole --length 4K",
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o6777)).expect("changed");
        succeed(as_nobody(&format!("fallocate {how} '{}'", path.display())).current_dir("/"));
        assert_eq!(mode(&path), 0o777, "fallocate {how}");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("attributes").permissions().mode() & 0o7777
}

fn as_nobody(script: &str) -> std::process::Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = std::process::Command::new("sh");
    command.arg("-c").arg(script).uid(65_534).gid(65_534);
    command
}

#[test]
fn attributes_of_chattr_are_kept_and_enforced() {
    let Some(volume) = Volume::format(&[]) else { return };
    let has = |program: &str| std::process::Command::new(program).arg("-V").output().is_ok();
    if !has("chattr") || !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: chattr and root are needed");
        return;
    }
    let mount = volume.mount("mount", &[]);
    let path = mount.file("fixed");
    fs::write(&path, b"x").expect("made");
    succeed(std::process::Command::new("chattr").arg("+i").arg(&path));
    let listed = succeed(std::process::Command::new("lsattr").arg(&path));
    assert!(
        listed
            .split_whitespace()
            .next()
            .is_some_and(|flags| flags.contains('i')),
        "{listed}"
    );
    let refused = fs::remove_file(&path).expect_err("immutable");
    assert_eq!(refused.raw_os_error(), Some(libc::EPERM));
    succeed(std::process::Command::new("chattr").arg("-i").arg(&path));
    fs::remove_file(&path).expect("removable again");
}
