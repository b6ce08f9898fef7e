//! The settings file as JSON that keeps what this version does not know, and that older versions wrote otherwise.

use serde_json::{Map, Value};

/// The member that says which version wrote the file.
pub(crate) const VERSION: &str = "version";
/// The member by which elements of a list are told apart.
const ID: &str = "id";

/// One change of the form: from the version of its place in the list, counted from 1, to the next.
pub(crate) type Step = fn(&mut Map<String, Value>);

/// What became of the form over time. The first version needs no step.
pub(crate) const STEPS: &[Step] = &[];

/// Why a document can not be brought to this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outdated {
    /// It says no version, or one that never was.
    NoVersion,
    /// A later version wrote it.
    Newer {
        /// Which.
        version: u64,
    },
}

/// The version that documents have after all steps.
pub(crate) fn current(steps: &[Step]) -> u64 {
    steps.len() as u64 + 1
}

/// Brings a document to the version after all steps.
///
/// # Errors
/// When its version is unknown.
pub(crate) fn migrate(document: &mut Map<String, Value>, steps: &[Step]) -> Result<(), Outdated> {
    let version = document.get(VERSION).and_then(Value::as_u64);
    let version = version
        .filter(|version| *version > 0)
        .ok_or(Outdated::NoVersion)?;
    if version > current(steps) {
        return Err(Outdated::Newer { version });
    }
    let done = usize::try_from(version - 1).unwrap_or(usize::MAX);
    for step in steps.iter().skip(done) {
        step(document);
    }
    document.insert(VERSION.to_owned(), current(steps).into());
    Ok(())
}

/// Puts what is known over what was read: members that only the file has stay, elements of lists are found by their id.
pub(crate) fn overlay(read: &mut Value, known: Value) {
    match (read, known) {
        (Value::Object(read), Value::Object(known)) => {
            for (name, value) in known {
                match read.get_mut(&name) {
                    Some(old) => overlay(old, value),
                    None => {
                        read.insert(name, value);
                    }
                }
            }
        }
        (Value::Array(read), Value::Array(known)) => {
            let mut old = std::mem::take(read);
            for value in known {
                let same = value
                    .get(ID)
                    .and_then(|id| old.iter().position(|other| other.get(ID) == Some(id)));
                read.push(match same {
                    Some(place) => {
                        let mut kept = old.swap_remove(place);
                        overlay(&mut kept, value);
                        kept
                    }
                    None => value,
                });
            }
        }
        (read, known) => *read = known,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(members) = value else {
            panic!("no object: {value}");
        };
        members
    }

    #[test]
    fn a_document_of_an_older_version_goes_through_the_steps_since() {
        let steps: [Step; 2] = [
            |document| {
                document.insert("first".to_owned(), true.into());
            },
            |document| {
                let old = document.remove("old").unwrap_or_default();
                document.insert("new".to_owned(), old);
            },
        ];
        let mut document = object(json!({"version": 2, "old": 7}));
        assert_eq!(migrate(&mut document, &steps), Ok(()));
        assert_eq!(Value::Object(document), json!({"version": 3, "new": 7}));
    }

    #[test]
    fn a_document_of_a_later_or_of_no_version_is_not_touched() {
        let mut later = object(json!({"version": 2}));
        assert_eq!(migrate(&mut later, &[]), Err(Outdated::Newer { version: 2 }));
        for without in [json!({}), json!({"version": 0}), json!({"version": "1"})] {
            assert_eq!(migrate(&mut object(without), &[]), Err(Outdated::NoVersion));
        }
    }

    #[test]
    fn unknown_members_stay_at_every_depth_and_what_was_removed_goes() {
        let mut read = json!({
            "future": 1,
            "volumes": [
                {"id": "a", "settings": {"name": "A", "future": [1, 2]}},
                {"id": "b", "settings": {"name": "B"}},
            ],
        });
        let known = json!({"volumes": [
            {"id": "c", "settings": {"name": "C"}},
            {"id": "a", "settings": {"name": "Aa"}},
        ]});
        overlay(&mut read, known);
        let expected = json!({
            "future": 1,
            "volumes": [
                {"id": "c", "settings": {"name": "C"}},
                {"id": "a", "settings": {"name": "Aa", "future": [1, 2]}},
            ],
        });
        assert_eq!(read, expected);
    }
}
