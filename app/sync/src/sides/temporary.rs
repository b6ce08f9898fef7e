//! The names of files that are being written.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const PREFIX: &str = ".moorage-sync.";
const SUFFIX: &str = ".tmp";

/// Tells the temporary files of one user of a side from those of others.
#[derive(Clone)]
pub struct Tag {
    text: Arc<str>,
    /// Names handed out.
    names: Arc<AtomicU64>,
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Tag {
    /// A tag that nobody else has.
    pub fn random() -> Tag {
        Tag::new(&format!("{:016x}", rand::random::<u64>()))
    }

    /// A tag that stays the same from one run to the next. Two runs at the same time must not share one. What is no
    /// letter or digit is left out.
    pub fn new(text: &str) -> Tag {
        let text: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
        Tag {
            text: text.into(),
            // A later run with this tag does not meet what an earlier one left.
            names: Arc::new(AtomicU64::new(u64::from(rand::random::<u32>()) << 20)),
        }
    }

    /// A name that was not used before.
    pub fn name(&self) -> Vec<u8> {
        let number = self.names.fetch_add(1, Relaxed);
        format!("{PREFIX}{}.{number}{SUFFIX}", self.text).into_bytes()
    }

    /// Whether a name is one of this tag.
    pub fn made(&self, name: &[u8]) -> bool {
        let inner = name
            .strip_prefix(PREFIX.as_bytes())
            .and_then(|rest| rest.strip_prefix(self.text.as_bytes()));
        is_temporary(name) && inner.is_some_and(|rest| rest.first() == Some(&b'.'))
    }
}

/// Whether a name is that of a file that is, or was, being written.
pub(crate) fn is_temporary(name: &[u8]) -> bool {
    let inner = name
        .strip_prefix(PREFIX.as_bytes())
        .and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
    let Some(inner) = inner else {
        return false;
    };
    let Some(dot) = inner.iter().position(|&byte| byte == b'.') else {
        return false;
    };
    let (tag, number) = inner.split_at(dot);
    let number = number.get(1..).unwrap_or_default();
    tag.iter().all(u8::is_ascii_alphanumeric) && !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_knows_its_own_names_and_files_of_people_are_none() {
        let (one, other) = (Tag::new("one"), Tag::random());
        assert!(one.made(&one.name()) && !one.made(&other.name()));
        assert_ne!(one.name(), one.name());
        for name in [
            ".moorage-sync.tmp",
            ".moorage-sync.x.y.tmp",
            "a.tmp",
            ".moorage-sync.x.1",
        ] {
            assert!(!is_temporary(name.as_bytes()), "{name}");
        }
    }
}
