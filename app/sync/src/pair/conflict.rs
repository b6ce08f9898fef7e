//! The names of conflict copies.

use jiff::Timestamp as Instant;
use jiff::tz::TimeZone;
use moorage_model::{MAX_NAME_BYTES, Result, Timestamp};

use super::End;
use crate::RelativePath;

/// Characters of a host's name that a conflict copy repeats.
const LONGEST_HOST: usize = 40;

/// Name of a computer as it stands in names of conflict copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// Takes a name; what no file name should hold is replaced.
    pub fn new(name: &str) -> HostName {
        let clean: String = name
            .chars()
            .take(LONGEST_HOST)
            .map(|letter| {
                if letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.') {
                    letter
                } else {
                    '-'
                }
            })
            .collect();
        HostName(if clean.is_empty() {
            "computer".to_owned()
        } else {
            clean
        })
    }
}

/// A version that got another name, since both sides had one of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// What it was called, and what the other version is called.
    pub path: RelativePath,
    /// What it is called now.
    pub copy: RelativePath,
    /// The side whose version it is.
    pub end: End,
    /// When it got that name.
    pub time: Timestamp,
}

/// The name that a version gets when another keeps its own: `report (conflict HOST 2026-05-17 10-30-05).txt`. Times are
/// UTC. Further ones of the same second are numbered.
///
/// # Errors
/// `InvalidArgument` for the root.
pub(super) fn name_for(
    path: &RelativePath,
    host: &HostName,
    now: Timestamp,
    number: u32,
) -> Result<RelativePath> {
    let time = Instant::new(now.seconds, 0)
        .unwrap_or(Instant::UNIX_EPOCH)
        .to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H-%M-%S")
        .to_string();
    let counted = if number > 1 {
        format!(" {number}")
    } else {
        String::new()
    };
    let mark = format!(" (conflict {} {time}{counted})", host.0);
    let (folder, name) = path.split_last().unwrap_or((RelativePath::root(), b""));
    let (stem, extension) = match name.iter().rposition(|&byte| byte == b'.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, Default::default()),
    };
    // An extension that fills the name is none.
    let (stem, extension) = if extension.len() + mark.len() >= MAX_NAME_BYTES {
        (name, Default::default())
    } else {
        (stem, extension)
    };
    let room = MAX_NAME_BYTES - mark.len() - extension.len();
    let stem = shortened(stem, room);
    folder.join(&[stem, mark.as_bytes(), extension].concat())
}

/// At most so many bytes of a name; a character is not cut in two where the name is UTF-8.
fn shortened(name: &[u8], most: usize) -> &[u8] {
    if name.len() <= most {
        return name;
    }
    let end = match std::str::from_utf8(name) {
        Ok(text) => (0..=most)
            .rev()
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(0),
        Err(_) => most,
    };
    name.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str, number: u32) -> String {
        let path = RelativePath::new(path.as_bytes()).unwrap();
        let host = HostName::new("ann's/laptop");
        let now = Timestamp::new(1_779_013_805, 5);
        name_for(&path, &host, now, number).unwrap().to_string()
    }

    #[test]
    fn a_conflict_copy_stays_beside_the_file_and_says_whose_and_when() {
        assert_eq!(
            named("a/b.tar.gz", 1),
            "a/b.tar (conflict ann-s-laptop 2026-05-17 10-30-05).gz"
        );
        assert_eq!(
            named(".hidden", 2),
            ".hidden (conflict ann-s-laptop 2026-05-17 10-30-05 2)"
        );
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let long = format!("{}.txt", "ä".repeat(125));
        let name = named(&long, 1);
        assert!(name.len() <= MAX_NAME_BYTES && name.ends_with(").txt"), "{name}");
        assert!(named(&format!("a.{}", "x".repeat(253)), 1).len() <= MAX_NAME_BYTES);
    }
}
