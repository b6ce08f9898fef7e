//! A file system of a test's own.

use std::path::Path;
use std::process::Command;

/// A small disk in memory, gone when dropped.
pub(crate) struct Disk<'a>(&'a Path);

impl Disk<'_> {
    /// A disk of 8 MiB; `None` where this user may not mount.
    pub(crate) fn mounted(point: &Path) -> Option<Disk<'_>> {
        let mounted = mount(&["-t", "tmpfs", "-o", "size=8m", "moorage-test"], point);
        mounted.then_some(Disk(point))
    }

    pub(crate) fn make_read_only(&self) {
        assert!(mount(&["-o", "remount,ro"], self.0), "it stays writable");
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

fn mount(arguments: &[&str], point: &Path) -> bool {
    let run = Command::new("mount").args(arguments).arg(point).output();
    run.is_ok_and(|output| output.status.success())
}
