//! Names that never take part.

/// Patterns of files that belong to a computer and not to its user's work: what systems leave in folders, and files that
/// programs hold while they have another one open.
pub const IGNORED: [&str; 13] = [
    ".DS_Store",
    "._*",
    ".Spotlight-V100/",
    ".Trashes/",
    ".fseventsd/",
    "Thumbs.db",
    "desktop.ini",
    "$RECYCLE.BIN/",
    "System Volume Information/",
    ".Trash-*/",
    ".directory",
    "~$*",
    ".~lock.*#",
];

#[cfg(test)]
mod tests {
    use crate::{Filter, RelativePath, Verdict};

    #[test]
    fn every_pattern_is_understood_and_files_of_people_take_part() {
        let filter = Filter::new(super::IGNORED.map(|text| (Verdict::Exclude, text))).unwrap();
        let admits = |name: &str| filter.admits(&RelativePath::new(name.as_bytes()).unwrap(), false);
        assert!(!admits("a/.DS_Store") && !admits("~$report.docx") && !admits(".~lock.a.odt#"));
        assert!(admits("a/report.docx") && admits("..a") && admits("$x"));
    }
}
