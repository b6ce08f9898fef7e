//! The files of a package, before any format.

use std::collections::{BTreeMap, BTreeSet};

/// A program, which everybody may run.
pub(crate) const PROGRAM: u16 = 0o755;
/// Everything else.
pub(crate) const DATA: u16 = 0o644;

/// A file to install.
#[derive(Debug)]
pub(crate) struct File {
    /// Permission bits.
    pub(crate) mode: u16,
    /// What is in it.
    pub(crate) content: Vec<u8>,
}

/// Files by their path below `/`, sorted.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, File>,
}

impl Tree {
    /// Adds a file at a path such as `usr/bin/moorage`.
    pub(crate) fn add(&mut self, path: impl Into<String>, mode: u16, content: Vec<u8>) {
        self.files.insert(path.into(), File { mode, content });
    }

    /// The files in the order of their paths.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }
}

/// Every folder above these paths, each before what is in it.
pub(crate) fn folders_above<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    for path in paths {
        for (end, _) in path.match_indices('/') {
            folders.extend(path.get(..end).map(str::to_owned));
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::folders_above;

    #[test]
    fn a_folder_comes_before_what_is_in_it() {
        let folders: Vec<String> = folders_above(["usr/share/man/a", "usr/bin/b"].into_iter())
            .into_iter()
            .collect();
        assert_eq!(folders, ["usr", "usr/bin", "usr/share", "usr/share/man"]);
    }
}
