//! Which names take part: include and exclude patterns in the manner of rsync.

use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use moorage_model::{Error, ErrorKind, Result};

use crate::RelativePath;

/// What a pattern does with the names that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They take part.
    Include,
    /// They do not, nor anything below them.
    Exclude,
}

/// Patterns in order. A name takes part when the first pattern that matches it says so, or none matches, and the same is
/// true of each folder above it.
///
/// A pattern with `/` at its end matches folders only. One with `/` at its start matches from the root; one with `/` in
/// its middle, or `**`, matches the end of a path; any other matches a name. `*` and `?` stop at `/`, `**` does not;
/// `[a-z]`, `[!a-z]` and `[[:digit:]]` match one character.
#[derive(Debug, Default)]
pub struct Filter {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    verdict: Verdict,
    folders_only: bool,
    reach: Reach,
    matcher: Matcher,
}

/// What of a path is held against a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The last name.
    Name,
    /// Any tail that begins with a name.
    Tail,
    /// All of it.
    Whole,
}

#[derive(Debug)]
enum Matcher {
    Text(Vec<u8>),
    Wild(GlobMatcher),
}

impl Matcher {
    fn matches(&self, bytes: &[u8]) -> bool {
        match self {
            Matcher::Text(text) => text == bytes,
            Matcher::Wild(glob) => glob.is_match_candidate(&globset::Candidate::from_bytes(bytes)),
        }
    }
}

impl Rule {
    fn new(verdict: Verdict, pattern: &str) -> Result<Rule> {
        let wrong = || Error::new(ErrorKind::InvalidArgument, format!("{pattern:?} is no pattern"));
        let (text, folders_only) = match pattern.strip_suffix('/') {
            Some(text) => (text, true),
            None => (pattern, false),
        };
        let (text, anchored) = match text.strip_prefix('/') {
            Some(text) => (text, true),
            None => (text, false),
        };
        if text.is_empty() {
            return Err(wrong().with_advice("A pattern names files or folders, such as *.tmp or /cache/."));
        }
        let reach = if anchored {
            Reach::Whole
        } else if text.contains('/') || text.contains("**") {
            Reach::Tail
        } else {
            Reach::Name
        };
        let matcher = if text.contains(['*', '?', '[']) {
            let glob = GlobBuilder::new(&spell_classes(text)?)
                .literal_separator(true)
                .backslash_escape(true)
                .build()
                .map_err(|error| wrong().with_source(error.to_string()))?;
            Matcher::Wild(glob.compile_matcher())
        } else {
            Matcher::Text(text.as_bytes().to_vec())
        };
        Ok(Rule {
            verdict,
            folders_only,
            reach,
            matcher,
        })
    }

    fn matches(&self, path: &[u8], folder: bool) -> bool {
        if self.folders_only && !folder {
            return false;
        }
        match self.reach {
            Reach::Whole => self.matcher.matches(path),
            Reach::Name => {
                let name = path.rsplit(|&byte| byte == b'/').next();
                self.matcher.matches(name.unwrap_or_default())
            }
            Reach::Tail => {
                let starts = path.iter().enumerate().filter(|&(_, &byte)| byte == b'/');
                std::iter::once(0)
                    .chain(starts.map(|(at, _)| at + 1))
                    .any(|at| self.matcher.matches(path.get(at..).unwrap_or_default()))
            }
        }
    }
}

/// Replaces named classes such as `[:digit:]` by their characters.
fn spell_classes(pattern: &str) -> Result<String> {
    const CLASSES: [(&str, &str); 7] = [
        ("[:alpha:]", "a-zA-Z"),
        ("[:digit:]", "0-9"),
        ("[:alnum:]", "a-zA-Z0-9"),
        ("[:upper:]", "A-Z"),
        ("[:lower:]", "a-z"),
        ("[:xdigit:]", "0-9a-fA-F"),
        ("[:space:]", " \t"),
    ];
    let spelt = CLASSES
        .iter()
        .fold(pattern.to_owned(), |text, (name, characters)| {
            text.replace(name, characters)
        });
    if spelt.contains("[:") {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{pattern:?} has a class of characters that is not known"),
        )
        .with_advice(
            "Known are [:alpha:], [:digit:], [:alnum:], [:upper:], [:lower:], [:xdigit:] and [:space:].",
        ));
    }
    Ok(spelt)
}

impl Filter {
    /// Reads patterns in their order.
    ///
    /// # Errors
    /// `InvalidArgument` for one that can not be understood.
    pub fn new<'a>(rules: impl IntoIterator<Item = (Verdict, &'a str)>) -> Result<Arc<Filter>> {
        Filter::without(&[], rules)
    }

    /// As [`Filter::new`]; before all patterns, these paths and what is below them do not take part, whatever characters
    /// they hold.
    ///
    /// # Errors
    /// As there.
    pub fn without<'a>(
        left_out: &[RelativePath],
        rules: impl IntoIterator<Item = (Verdict, &'a str)>,
    ) -> Result<Arc<Filter>> {
        let left_out = left_out.iter().map(|path| Rule {
            verdict: Verdict::Exclude,
            folders_only: false,
            reach: Reach::Whole,
            matcher: Matcher::Text(path.as_bytes().to_vec()),
        });
        let rules = rules
            .into_iter()
            .map(|(verdict, pattern)| Rule::new(verdict, pattern));
        let rules = left_out.map(Ok).chain(rules).collect::<Result<_>>()?;
        Ok(Arc::new(Filter { rules }))
    }

    /// Whether a path takes part; the folders above it are asked too.
    pub fn admits(&self, path: &RelativePath, folder: bool) -> bool {
        if self.rules.is_empty() {
            return true;
        }
        let bytes = path.as_bytes();
        let ends = bytes.iter().enumerate().filter(|&(_, &byte)| byte == b'/');
        ends.map(|(at, _)| bytes.get(..at).unwrap_or_default())
            .all(|above| self.admits_here(above, true))
            && self.admits_here(bytes, folder)
    }

    /// As [`Filter::admits`], for a path whose folders were admitted before.
    pub fn admits_name(&self, path: &RelativePath, folder: bool) -> bool {
        self.admits_here(path.as_bytes(), folder)
    }

    fn admits_here(&self, path: &[u8], folder: bool) -> bool {
        let rule = self.rules.iter().find(|rule| rule.matches(path, folder));
        rule.is_none_or(|rule| rule.verdict == Verdict::Include)
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Exclude, Include};
    use super::*;

    fn admitted<'a>(rules: &[(Verdict, &str)], paths: &[&'a str]) -> Vec<&'a str> {
        let filter = Filter::new(rules.iter().copied()).unwrap();
        let admits = |text: &&&str| {
            let folder = text.ends_with('/');
            let path = RelativePath::new(text.trim_end_matches('/').as_bytes()).unwrap();
            filter.admits(&path, folder)
        };
        paths.iter().filter(admits).copied().collect()
    }

    #[test]
    fn the_first_pattern_that_matches_decides() {
        let paths = ["a1/b1", "a2/b2", "aaa/b1", "b1", "b2"];
        assert_eq!(admitted(&[(Exclude, "a?/b*")], &paths), ["aaa/b1", "b1", "b2"]);
        assert_eq!(
            admitted(&[(Include, "a1/b1"), (Exclude, "a[1-9]/b*")], &paths),
            ["a1/b1", "aaa/b1", "b1", "b2"]
        );
        let rules = [
            (Include, "a1/b1"),
            (Exclude, "a*"),
            (Include, "b2"),
            (Exclude, "b?"),
        ];
        assert_eq!(admitted(&rules, &paths), ["b2"]);
    }

    #[test]
    fn patterns_reach_as_far_as_their_slashes_say() {
        let paths = ["cache/", "x/cache/", "x/cache/y", "x/cache.txt", "cache.txt"];
        assert_eq!(
            admitted(&[(Exclude, "cache/")], &paths),
            ["x/cache.txt", "cache.txt"]
        );
        assert_eq!(
            admitted(&[(Exclude, "/cache")], &paths),
            ["x/cache/", "x/cache/y", "x/cache.txt", "cache.txt"]
        );
        assert_eq!(
            admitted(&[(Exclude, "*.txt")], &paths),
            ["cache/", "x/cache/", "x/cache/y"]
        );
        assert_eq!(admitted(&[(Exclude, "/x/**/y")], &["x/y", "x/a/b/y", "y"]), ["y"]);
        assert_eq!(admitted(&[(Exclude, "[[:digit:]]*")], &["1a", "a1"]), ["a1"]);
    }

    #[test]
    fn wildcards_stop_at_slashes_and_plain_text_is_taken_literally() {
        assert_eq!(admitted(&[(Exclude, "/a*c")], &["abc", "a/c"]), ["a/c"]);
        assert_eq!(admitted(&[(Exclude, r"a\b")], &[r"a\b", "ab"]), ["ab"]);
        assert_eq!(admitted(&[(Exclude, r"a\*")], &["a*", "ab"]), ["ab"]);
    }

    #[test]
    fn what_is_left_out_is_no_pattern_and_goes_before_all_patterns() {
        let left_out = ["a[1]*", "b/c"].map(|path| RelativePath::new(path.as_bytes()).unwrap());
        let filter = Filter::without(&left_out, [(Include, "a*")]).unwrap();
        let admits = |path: &str| filter.admits(&RelativePath::new(path.as_bytes()).unwrap(), false);
        assert!(!admits("a[1]*/below") && !admits("b/c") && !admits("b/c/d"));
        assert!(admits("a1x") && admits("b") && admits("b/cd") && admits("x/b/c"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "/", "a[", "[[:nonsense:]]"] {
            assert!(Filter::new([(Exclude, text)]).is_err(), "{text:?}");
        }
    }
}
