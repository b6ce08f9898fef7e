//! The names of trash entries.

use moorage_model::{Ino, Name};

/// What the name of a trash entry tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::admin) struct EntryName {
    pub(in crate::admin) old_parent: Ino,
    pub(in crate::admin) ino: Ino,
    pub(in crate::admin) old_name: Name,
}

impl EntryName {
    /// Reads `<old parent>-<inode>-<old name>`; `None` for names of another shape.
    pub(in crate::admin) fn parse(stored: &Name) -> Option<EntryName> {
        let mut parts = stored.as_bytes().splitn(3, |byte| *byte == b'-');
        let mut number = || {
            let text = std::str::from_utf8(parts.next()?).ok()?;
            text.parse::<u64>().ok()
        };
        let (parent, ino) = (number()?, number()?);
        Some(EntryName {
            old_parent: Ino(parent),
            ino: Ino(ino),
            old_name: Name::new(parts.next()?).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trash_names_tell_parent_and_name_even_with_dashes() {
        let name = Name::new(b"12-345-a-b-c").unwrap();
        let entry = EntryName::parse(&name).unwrap();
        assert_eq!((entry.old_parent, entry.ino), (Ino(12), Ino(345)));
        assert_eq!(entry.old_name.as_bytes(), b"a-b-c");
        for other in ["x", "1-2", "1-2-", "a-2-name", "1--name"] {
            let other = Name::new(other.as_bytes()).unwrap();
            assert_eq!(EntryName::parse(&other), None, "{other}");
        }
    }
}
