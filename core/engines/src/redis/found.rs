//! What was read of a range.

use moorage_meta::{DamagedRecord, Key, Record, Survey};
use moorage_model::{Error, Result};

use super::cells::decode;
use super::names::nameless;
use crate::entries::check_name;

/// What was read of a range.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Records that can be read, and errors of those that can not.
    pub(super) records: Vec<(Key, Result<Record>)>,
    /// What stands in the place of a record and names none.
    pub(super) nameless: Vec<Error>,
}

impl Found {
    /// The records that fields of a hash or members of a sorted set are, by what they stand for.
    pub(super) fn of_fields(
        place: &[u8],
        fields: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
        key: &(dyn Fn(&[u8]) -> Option<Key> + Sync),
    ) -> Found {
        let mut found = Found::default();
        for (field, value) in fields {
            match key(&field) {
                None => found.nameless.push(nameless(place, &field)),
                Some(key) => {
                    let record = check_name(&key).and_then(|()| decode(&key, &[Some(value)]));
                    if let Some(record) = record.transpose() {
                        found.records.push((key, record));
                    }
                }
            }
        }
        found
    }

    /// The keys that names stand for; the others are noted.
    pub(super) fn keys<'n>(
        &mut self,
        place: &[u8],
        names: impl IntoIterator<Item = &'n [u8]>,
        key: &(dyn Fn(&[u8]) -> Option<Key> + Sync),
    ) -> Vec<Key> {
        let mut keys = Vec::new();
        for name in names {
            match key(name) {
                Some(key) => keys.push(key),
                None => self.nameless.push(nameless(place, name)),
            }
        }
        keys
    }

    /// Takes over everything of another part of the range.
    pub(super) fn extend(&mut self, other: Found) {
        self.records.extend(other.records);
        self.nameless.extend(other.nameless);
    }

    /// One page of it, in the order of keys. What has no name has no place in that order and comes with the first page.
    pub(super) fn page(self, after: Option<&Key>, limit: usize) -> Survey {
        let mut records = self.records;
        records.retain(|(key, _)| after.is_none_or(|after| key > after));
        records.sort_by(|(one, _), (other, _)| one.cmp(other));
        let limit = limit.max(1);
        let more = records.len() > limit;
        records.truncate(limit);
        let mut survey = Survey {
            next: records.last().filter(|_| more).map(|(key, _)| key.clone()),
            ..Survey::default()
        };
        if after.is_none() {
            let damaged = self.nameless.into_iter();
            survey
                .damaged
                .extend(damaged.map(|error| DamagedRecord { key: None, error }));
        }
        for (key, record) in records {
            match record {
                Ok(record) => survey.items.push((key, record)),
                Err(error) => survey.damaged.push(DamagedRecord {
                    key: Some(key),
                    error,
                }),
            }
        }
        survey
    }
}
