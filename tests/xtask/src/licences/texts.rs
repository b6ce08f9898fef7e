//! What is to be passed on with the work of others: licences, notices, lists of authors.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::terms::Terms;

/// How files with terms begin.
const NAMES: &[&str] = &[
    "COPYING",
    "COPYRIGHT",
    "LICENCE",
    "LICENSE",
    "NOTICE",
    "UNLICENSE",
];
/// Folders that a package may carry the work of a third with: `library/LICENSE` and no deeper.
const DEPTH: usize = 3;
/// Folders of which nothing is in a program.
const LEFT_OUT: &[&str] = &["benches", "examples", "node_modules", "target", "tests"];
/// Longest text that is taken: the longest known one, of a library with many authors, has a fifth of it.
const LONGEST: u64 = 256 << 10;

/// Texts, each once.
#[derive(Debug, Default)]
pub(super) struct Texts(Vec<String>);

impl Texts {
    /// Takes those of an unpacked package, or the words of its licences where it carries none; their places in the list.
    ///
    /// # Errors
    /// That a folder or file can not be read.
    pub(super) fn of(&mut self, folder: &Path, terms: &Terms) -> Result<Vec<usize>> {
        let mut found = Vec::new();
        collect(folder, DEPTH, &mut found)?;
        if found.is_empty() {
            found.extend(terms.words().into_iter().map(str::to_owned));
        }
        let mut places: Vec<usize> = found.iter().map(|text| self.place(text)).collect();
        places.sort_unstable();
        places.dedup();
        Ok(places)
    }

    /// All that were taken, in their places.
    pub(super) fn all(self) -> Vec<String> {
        self.0
    }

    fn place(&mut self, text: &str) -> usize {
        let text = tidy(text);
        let known = self.0.iter().position(|known| *known == text);
        known.unwrap_or_else(|| {
            self.0.push(text);
            self.0.len() - 1
        })
    }
}

/// Packages differ in how they end lines and files.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<String>) -> Result<()> {
    let reading = || format!("reading {}", folder.display());
    let entries: std::io::Result<Vec<_>> = fs::read_dir(folder).with_context(reading)?.collect();
    let mut entries = entries.with_context(reading)?;
    // The order of a folder is not that of another computer.
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let about = entry.metadata().with_context(reading)?;
        if about.is_dir() {
            if depth > 1 && !LEFT_OUT.contains(&name.as_str()) {
                collect(&entry.path(), depth - 1, found)?;
            }
        } else if is_of_terms(&name) && about.len() <= LONGEST {
            let text = fs::read(entry.path()).with_context(reading)?;
            found.push(String::from_utf8_lossy(&text).into_owned());
        }
    }
    Ok(())
}

fn is_of_terms(name: &str) -> bool {
    let is_source = [".rs", ".c", ".h", ".js", ".py", ".json"]
        .iter()
        .any(|end| name.ends_with(end));
    let name = name.to_ascii_uppercase();
    !is_source && NAMES.iter().any(|begin| name.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::super::terms::Used;
    use super::*;

    fn texts_of(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, content) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, content).expect("written");
        }
        let used = Used {
            package: "any",
            on_windows: false,
        };
        let terms = Terms::of(Some("MIT"), used).expect("agreed to");
        let mut texts = Texts::default();
        texts.of(folder.path(), &terms).expect("read");
        texts.all()
    }

    #[test]
    fn files_with_terms_are_taken_and_those_of_a_library_inside() {
        let found = texts_of(&[
            ("LICENSE-MIT", "one"),
            ("src/license.rs", "code"),
            ("library/COPYING", "two"),
            ("tests/data/LICENSE", "of no program"),
            ("a/b/c/LICENSE", "too deep"),
        ]);
        assert_eq!(found, ["one", "two"]);
    }

    #[test]
    fn the_same_words_are_one_text_however_their_lines_end() {
        assert_eq!(
            texts_of(&[("LICENSE", "a  \r\nb\r\n"), ("NOTICE", "a\nb")]),
            ["a\nb"]
        );
    }

    #[test]
    fn a_package_without_a_text_gets_the_words_of_its_licence() {
        let found = texts_of(&[("README.md", "MIT")]);
        assert!(
            matches!(found.as_slice(), [text] if text.contains("Permission is hereby granted")),
            "{found:?}"
        );
    }
}
