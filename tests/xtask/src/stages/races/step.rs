//! One system call of a contest.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// A system call; paths are relative to the folder of the round.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Of a file, exclusively.
    Create(&'static str),
    MakeDirectory(&'static str),
    Remove(&'static str),
    RemoveDirectory(&'static str),
    Rename(&'static str, &'static str),
    Link(&'static str, &'static str),
}

impl Step {
    /// The name that it makes out of nothing.
    pub(super) fn made(self) -> Option<&'static str> {
        match self {
            Step::Create(name) | Step::MakeDirectory(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn take(self, folder: &Path) -> io::Result<()> {
        let at = |name: &str| folder.join(name);
        match self {
            Step::Create(name) => File::create_new(at(name)).map(drop),
            Step::MakeDirectory(name) => fs::create_dir(at(name)),
            Step::Remove(name) => fs::remove_file(at(name)),
            Step::RemoveDirectory(name) => fs::remove_dir(at(name)),
            Step::Rename(from, to) => fs::rename(at(from), at(to)),
            Step::Link(from, to) => fs::hard_link(at(from), at(to)),
        }
    }
}
