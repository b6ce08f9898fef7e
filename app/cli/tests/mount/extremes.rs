//! As many, as long and as large as a system call can ask for.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use nix::fcntl::{OFlag, openat};
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::Mode;

use crate::fixture::{Volume, succeed};

#[test]
fn ten_thousand_files_are_open_at_once() {
    const FILES: usize = 10_000;
    /// What the test itself has open besides.
    const OTHERS: u64 = 200;
    let Some(volume) = Volume::format(&["--trash-days", "0"]) else {
        return;
    };
    let wanted = FILES as u64 + OTHERS;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("limit");
    if hard < wanted {
        eprintln!("SKIPPED: at most {hard} files may be open here");
        return;
    }
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(wanted), hard).expect("limit");
    let mount = volume.mount("mount", &[]);
    let folder = mount.file("folder");
    fs::create_dir(&folder).expect("folder");
    let files: Vec<File> = (0..FILES)
        .map(|number| {
            File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(folder.join(number.to_string()))
                .unwrap_or_else(|error| panic!("file {number}: {error}"))
        })
        .collect();
    for (number, file) in files.iter().enumerate() {
        file.write_all_at(number.to_string().as_bytes(), 0)
            .expect("written");
    }
    for number in (0..FILES).step_by(2) {
        fs::remove_file(folder.join(number.to_string())).expect("removed");
    }
    for (number, file) in files.iter().enumerate() {
        let expected = number.to_string();
        let mut found = vec![0; expected.len()];
        file.read_exact_at(&mut found, 0).expect("read");
        assert_eq!(found, expected.as_bytes());
    }
    drop(files);
    assert_eq!(fs::read_dir(&folder).expect("listed").count(), FILES / 2);
    assert!(mount.umount(&[]).status.success());
    succeed(volume.program().args(["fsck", &volume.url()]));
}

#[test]
fn a_folder_of_a_hundred_thousand_entries_lists_each_once_and_goes_as_a_whole() {
    const ENTRIES: usize = 100_000;
    let Some(volume) = Volume::format(&["--trash-days", "0"]) else {
        return;
    };
    let mount = volume.mount("mount", &[]);
    let folder = mount.file("many");
    fs::create_dir(&folder).expect("folder");
    std::thread::scope(|scope| {
        for half in 0..2 {
            let folder = &folder;
            scope.spawn(move || {
                for number in (half..ENTRIES).step_by(2) {
                    File::create_new(folder.join(number.to_string())).expect("made");
                }
            });
        }
    });
    let names: Vec<OsString> = fs::read_dir(&folder)
        .expect("listed")
        .map(|entry| entry.expect("entry").file_name())
        .collect();
    assert_eq!(names.len(), ENTRIES);
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), ENTRIES);
    succeed(volume.program().arg("rmr").arg(&folder));
    assert!(!folder.exists());
    assert!(mount.umount(&[]).status.success());
    succeed(volume.program().args(["fsck", &volume.url()]));
}

#[test]
fn names_of_255_bytes_that_are_no_text_and_paths_of_4095_bytes_work_and_longer_ones_do_not() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mount("mount", &[]);
    let longest = OsString::from_vec(vec![0xff; 255]);
    let folder = mount.file("folder");
    fs::create_dir(&folder).expect("folder");
    fs::write(folder.join(&longest), b"long").expect("written");
    let listed: Vec<OsString> = fs::read_dir(&folder)
        .expect("listed")
        .map(|entry| entry.expect("entry").file_name())
        .collect();
    assert_eq!(listed, [longest]);
    let longer = OsString::from_vec(vec![b'n'; 256]);
    let refused = fs::write(folder.join(longer), b"").expect_err("too long");
    assert_eq!(refused.raw_os_error(), Some(libc::ENAMETOOLONG));

    /// With the byte that ends it, as the kernel counts.
    const PATH_BYTES: usize = libc::PATH_MAX as usize;
    let mut path = mount.point().as_os_str().as_bytes().to_vec();
    while path.len() + 2 + 200 < PATH_BYTES {
        path.extend_from_slice(b"/");
        path.extend_from_slice(&[b'd'; 199]);
        fs::create_dir(Path::new(OsStr::from_bytes(&path))).expect("folder");
    }
    let deepest = path.clone();
    path.push(b'/');
    path.resize(PATH_BYTES - 1, b'f');
    let file = Path::new(OsStr::from_bytes(&path));
    fs::write(file, b"deep").expect("written");
    assert_eq!(fs::read(file).expect("read"), b"deep");
    // Beyond what one path names: a folder relative to another.
    let folder = File::open(OsStr::from_bytes(&deepest)).expect("opened");
    let below = OsString::from_vec(vec![b'g'; 255]);
    let flags = OFlag::O_CREAT | OFlag::O_RDWR | OFlag::O_CLOEXEC;
    let opened = openat(&folder, below.as_os_str(), flags, Mode::S_IRUSR).expect("opened");
    let opened = File::from(opened);
    opened.write_all_at(b"deeper", 0).expect("written");
    drop((opened, folder));
    assert!(mount.umount(&[]).status.success());
    succeed(volume.program().args(["fsck", &volume.url()]));
}
