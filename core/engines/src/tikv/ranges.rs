//! Ranges of records, page by page.

use moorage_meta::{DamagedRecord, Key, Record, Scan, Survey};
use moorage_model::{Error, ErrorKind, Result};

use super::layout::{Named, behind};
use super::locks;
use super::reader::{PAIRS_AT_ONCE, Reader, picked};
use super::values::{DAMAGE_ADVICE, decode};
use crate::collected::{Found, belongs};
use crate::entries::check_name;

/// Pairs that one request asks for at most, so that an answer stays small.
const MAX_PAIRS: usize = 4096;

/// A record of a range or what stands in its place; without a key where that can not be told.
type Item = (Option<Key>, Result<Record>);

impl Reader {
    /// One page of a range: one round trip per part of it, more where its records are few among others.
    ///
    /// # Errors
    /// `Unavailable`, `Timeout`.
    pub(super) async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        if *range == Scan::Changelog {
            return self.changelog(after, limit).await;
        }
        let limit = limit.max(1);
        let position = after.and_then(|key| self.layout.keys(key).into_iter().next());
        let mut page = Page::new(limit);
        for (start, end) in self.layout.spans(range) {
            let mut from = match &position {
                Some(position) if !end.is_empty() && *position >= end => continue,
                // Several records may be at one key.
                Some(position) if *position >= start => position.clone(),
                _ => start,
            };
            loop {
                let asked = self.asked_at_once(range, limit);
                let pairs = self.moment.pairs((from, end.clone()), asked).await?;
                let full = pairs.len() == asked;
                let last = pairs.last().map(|(key, _)| key.clone());
                for (key, item) in self.items(range, pairs).await? {
                    let seen = position.as_ref() == Some(&key) && item.0.as_ref() <= after;
                    if !seen && !page.push(item) {
                        return Ok(page.survey());
                    }
                }
                match last {
                    Some(last) if full => from = behind(last),
                    _ => break,
                }
            }
        }
        Ok(page.survey())
    }

    /// A whole range.
    ///
    /// # Errors
    /// `Unavailable`, `Timeout`.
    pub(super) async fn whole(&self, range: &Scan) -> Result<Found> {
        let mut found = Found::new();
        let mut after = None;
        loop {
            let page = self.survey(range, after.as_ref(), MAX_PAIRS).await?;
            found.extend(page.items.into_iter().map(|(key, record)| (key, Ok(record))));
            let damaged = page.damaged.into_iter();
            found.extend(damaged.filter_map(|damaged| Some((damaged.key?, Err(damaged.error)))));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }

    fn asked_at_once(&self, range: &Scan, limit: usize) -> usize {
        // One more tells whether there is more, and the first may have been seen.
        let exact = limit.saturating_add(2).min(MAX_PAIRS);
        match range {
            Scan::AllEdges
            | Scan::AllNodes
            | Scan::AllXattrs
            | Scan::AllChunks
            | Scan::DeadSlices
            | Scan::SessionLocks(_) => exact.max(PAIRS_AT_ONCE),
            _ => exact,
        }
    }

    /// The records among pairs, each with the key that it is stored at.
    async fn items(&self, range: &Scan, pairs: Vec<(Vec<u8>, Vec<u8>)>) -> Result<Vec<(Vec<u8>, Item)>> {
        // Sessions have a second key.
        let seconds: Vec<Vec<u8>> = match range {
            Scan::Sessions => pairs.iter().filter_map(|(key, _)| self.second(key)).collect(),
            _ => Vec::new(),
        };
        let others = self.moment.values(&seconds).await?;
        let mut items = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let found: Vec<Item> = match self.layout.named(&key) {
                Some(Named::Record(record)) if belongs(range, &record) => {
                    let mut values = vec![Some(value.as_slice())];
                    if let Some(second) = self.second(&key) {
                        values.extend(picked(&others, &[second]));
                    }
                    let decoded = check_name(&record).and_then(|()| decode(&record, &values));
                    match decoded.transpose() {
                        Some(decoded) => vec![(Some(record), decoded)],
                        None => Vec::new(),
                    }
                }
                Some(Named::FileLocks(ino)) => self.locks(range, &key, locks::of_files(ino, &value)),
                Some(Named::RecordLocks(ino)) => self.locks(range, &key, locks::of_records(ino, &value)),
                Some(Named::Record(_) | Named::Parent(..) | Named::Companion) => Vec::new(),
                // Told of once, not by every range of the letter.
                None if matches!(range, Scan::AllEdges | Scan::AllXattrs | Scan::AllChunks) => Vec::new(),
                None => vec![(None, Err(self.nameless(&key)))],
            };
            let dead = |item: &Item| matches!(item.1, Ok(Record::Owners(owners)) if owners <= 0);
            items.extend(
                found
                    .into_iter()
                    .filter(|item| *range != Scan::DeadSlices || item.1.is_err() || dead(item))
                    .map(|item| (key.clone(), item)),
            );
        }
        Ok(items)
    }

    fn second(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self.layout.named(key) {
            Some(Named::Record(record @ Key::Session(_))) => self.layout.keys(&record).into_iter().nth(1),
            _ => None,
        }
    }

    fn locks(&self, range: &Scan, key: &[u8], found: Result<Vec<(Key, Record)>>) -> Vec<Item> {
        match found {
            Ok(found) => found
                .into_iter()
                .filter(|(key, _)| belongs(range, key))
                .map(|(key, record)| (Some(key), Ok(record)))
                .collect(),
            Err(error) => {
                let error = error.context(self.layout.shown(key)).with_advice(DAMAGE_ADVICE);
                vec![(None, Err(error))]
            }
        }
    }

    fn nameless(&self, key: &[u8]) -> Error {
        Error::new(
            ErrorKind::Corrupt,
            format!("{} stands for no record", self.layout.shown(key)),
        )
        .with_advice("Another program may use the same prefix; give the volume one of its own.")
    }

    /// Lines of the changelog by their versions, from all shards: one round trip per shard that is used, and one to
    /// find each.
    async fn changelog(&self, after: Option<&Key>, limit: usize) -> Result<Survey> {
        let limit = limit.max(1);
        let first = match after {
            Some(Key::ChangelogLine(version)) => version.saturating_add(1),
            _ => 0,
        };
        let mut found: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut damaged = Vec::new();
        for (mut from, end) in self.layout.spans(&Scan::Changelog) {
            let shard_at = from.len();
            while let Some(key) = self.moment.keys((from, end.clone()), 1).await?.pop() {
                let Some(shard) = key.get(shard_at).copied() else {
                    damaged.push(DamagedRecord {
                        key: None,
                        error: self.nameless(&key),
                    });
                    from = behind(key);
                    continue;
                };
                let last = behind(self.layout.changelog(shard, u64::MAX));
                let span = (self.layout.changelog(shard, first), last.clone());
                for (key, value) in self.moment.pairs(span, limit.saturating_add(1)).await? {
                    if let Some(Named::Record(Key::ChangelogLine(version))) = self.layout.named(&key) {
                        found.push((version, value));
                    }
                }
                from = last;
            }
        }
        found.sort();
        let more = found.len() > limit;
        found.truncate(limit);
        let mut items = Vec::with_capacity(found.len());
        for (version, value) in found {
            let key = Key::ChangelogLine(version);
            match decode(&key, &[Some(&value)]) {
                Ok(Some(record)) => items.push((key, record)),
                Ok(None) => {}
                Err(error) => damaged.push(DamagedRecord {
                    key: Some(key),
                    error,
                }),
            }
        }
        Ok(Survey {
            next: items.last().filter(|_| more).map(|(key, _)| key.clone()),
            items,
            damaged,
        })
    }
}

/// A page that is being filled.
struct Page {
    limit: usize,
    survey: Survey,
    last: Option<Key>,
    /// Records that have a key.
    named: usize,
    more: bool,
}

impl Page {
    fn new(limit: usize) -> Page {
        Page {
            limit,
            survey: Survey::default(),
            last: None,
            named: 0,
            more: false,
        }
    }

    /// Adds an item; `false` when the page was full before.
    fn push(&mut self, (key, record): Item) -> bool {
        if let Some(key) = &key {
            if self.named == self.limit {
                self.more = true;
                return false;
            }
            self.named += 1;
            self.last = Some(key.clone());
        }
        match (key, record) {
            (Some(key), Ok(record)) => self.survey.items.push((key, record)),
            (key, Err(error)) => self.survey.damaged.push(DamagedRecord { key, error }),
            (None, Ok(_)) => {}
        }
        true
    }

    fn survey(mut self) -> Survey {
        if self.more {
            self.survey.next = self.last;
        }
        self.survey
    }
}
