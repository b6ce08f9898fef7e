//! Numbers of things in words: "1 entry", "2 entries".

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Noun {
    one: &'static str,
    many: &'static str,
}

pub(crate) const BLOCKS: Noun = Noun::new("block", "blocks");
pub(crate) const CHUNKS: Noun = Noun::new("chunk", "chunks");
pub(crate) const DAYS: Noun = Noun::new("day", "days");
pub(crate) const DIRECTORIES: Noun = Noun::new("directory", "directories");
pub(crate) const ENTRIES: Noun = Noun::new("entry", "entries");
pub(crate) const ERRORS: Noun = Noun::new("error", "errors");
pub(crate) const FILES: Noun = Noun::new("file", "files");
pub(crate) const FINDINGS: Noun = Noun::new("finding", "findings");
pub(crate) const HOURS: Noun = Noun::new("hour", "hours");
pub(crate) const NODES: Noun = Noun::new("node", "nodes");
pub(crate) const OBJECTS: Noun = Noun::new("object", "objects");
pub(crate) const PATHS: Noun = Noun::new("path", "paths");
pub(crate) const PIECES: Noun = Noun::new("piece", "pieces");
pub(crate) const QUOTAS: Noun = Noun::new("quota", "quotas");
pub(crate) const RANGES: Noun = Noun::new("locked range", "locked ranges");
pub(crate) const RECORDS: Noun = Noun::new("record", "records");
pub(crate) const RECORDS_AND_OBJECTS: Noun = Noun::new("record or object", "records and objects");
pub(crate) const SLICES: Noun = Noun::new("slice", "slices");
pub(crate) const STEPS: Noun = Noun::new("step", "steps");
pub(crate) const WARNINGS: Noun = Noun::new("warning", "warnings");

impl Noun {
    const fn new(one: &'static str, many: &'static str) -> Noun {
        Noun { one, many }
    }

    /// The word for a number of them.
    pub(crate) fn word(self, number: u64) -> &'static str {
        if number == 1 { self.one } else { self.many }
    }

    /// The number and the word for it.
    pub(crate) fn count(self, number: u64) -> String {
        format!("{number} {}", self.word(number))
    }
}

/// The word of a sentence that follows the number of its subject, such as "is" and "are".
pub(crate) fn agree(number: u64, one: &'static str, many: &'static str) -> &'static str {
    if number == 1 { one } else { many }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_not_many() {
        assert_eq!(ENTRIES.count(0), "0 entries");
        assert_eq!(ENTRIES.count(1), "1 entry");
        assert_eq!(ENTRIES.count(2), "2 entries");
        assert_eq!(agree(1, "is", "are"), "is");
    }
}
