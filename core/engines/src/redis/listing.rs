//! Pages. Redis keeps no order, so the names of a large range are collected and sorted once, with its first page, and
//! the pages behind it read the records of the names that follow. What others add meanwhile may be missed, what they
//! remove is left out, and everything else is listed once: what a directory stream promises.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moorage_meta::{Key, Scan, Survey};
use moorage_model::{Ino, Name, Result, SessionId};
use parking_lot::Mutex;

use super::cells::Cell;
use super::found::Found;
use super::names::{chunk_key, field_key, one};
use super::reader::Reader;

/// Ranges whose names are kept at once. A name takes some 60 bytes, and few callers list large directories side by
/// side; one that was dropped is collected again.
const MAX_LISTINGS: usize = 16;
/// How long the names of a range serve pages.
const MAX_AGE: Duration = Duration::from_secs(300);

/// Names of ranges that somebody is reading in pages.
#[derive(Default)]
pub(super) struct Listings(Mutex<Vec<Listing>>);

struct Listing {
    range: Scan,
    names: Arc<Vec<Key>>,
    collected: Instant,
}

impl Listings {
    fn get(&self, range: &Scan) -> Option<Arc<Vec<Key>>> {
        let listings = self.0.lock();
        let found = listings.iter().find(|listing| listing.range == *range)?;
        (found.collected.elapsed() < MAX_AGE).then(|| Arc::clone(&found.names))
    }

    fn keep(&self, range: &Scan, names: Arc<Vec<Key>>) {
        let mut listings = self.0.lock();
        listings.retain(|listing| listing.range != *range && listing.collected.elapsed() < MAX_AGE);
        if listings.len() >= MAX_LISTINGS {
            listings.remove(0);
        }
        listings.push(Listing {
            range: range.clone(),
            names,
            collected: Instant::now(),
        });
    }

    fn forget(&self, range: &Scan) {
        self.0.lock().retain(|listing| listing.range != *range);
    }
}

impl Reader {
    /// One page. Of a directory: one round trip per 10 000 entries for the first page, one for each page behind it.
    /// Of all keys of a kind: a SCAN for the first page, one round trip for each. Else one to three round trips, and
    /// one more per 10 000 fields.
    pub(super) async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        match range {
            Scan::AllNodes | Scan::AllChunks | Scan::AllEdges | Scan::AllXattrs | Scan::AllSustained => {
                self.keys_page(range, after, limit.max(1)).await
            }
            Scan::Edges(directory) => {
                let limit = limit.max(1);
                Ok(self.entries(*directory, after, limit).await?.page(after, limit))
            }
            _ => Ok(self.whole(range).await?.page(after, limit)),
        }
    }

    /// The entries behind `after`: all of them, or more than `limit`.
    async fn entries(&self, directory: Ino, after: Option<&Key>, limit: usize) -> Result<Found> {
        let range = Scan::Edges(directory);
        let known = after.and_then(|_| self.listings.get(&range));
        let Some(names) = known else {
            let mut found = self.whole(&range).await?;
            if found.records.len() > limit {
                found.records.sort_by(|(one, _), (other, _)| one.cmp(other));
                let names = found.records.iter().map(|(key, _)| key.clone()).collect();
                self.listings.keep(&range, Arc::new(names));
            }
            return Ok(found);
        };
        let start = after.map_or(0, |after| names.partition_point(|name| name <= after));
        let mut rest = names.get(start..).unwrap_or_default();
        let mut found = Found::default();
        while found.records.len() <= limit && !rest.is_empty() {
            let (part, later) = rest.split_at(rest.len().min(limit + 1));
            rest = later;
            found.extend(self.entries_of(directory, part).await?);
        }
        if rest.is_empty() && found.records.len() <= limit {
            self.listings.forget(&range);
        }
        Ok(found)
    }

    /// The entries of these names that are still there, in one round trip.
    async fn entries_of(&self, directory: Ino, names: &[Key]) -> Result<Found> {
        let table = self.layout.directory(directory);
        let mut command = redis::cmd("HMGET");
        command.arg(&table);
        let names: Vec<&Name> = names
            .iter()
            .filter_map(|key| match key {
                Key::Edge(_, name) => Some(name),
                _ => None,
            })
            .collect();
        for name in &names {
            command.arg(name.as_bytes());
        }
        let redis::Value::Array(values) = self.connection.ask(command).await? else {
            return Ok(Found::default());
        };
        let mut fields = Vec::with_capacity(values.len());
        for (name, value) in names.into_iter().zip(values) {
            let field = name.as_bytes().to_vec();
            if let Some(value) = Cell::Field(table.clone(), field.clone()).value(value)? {
                fields.push((field, value));
            }
        }
        let range = Scan::Edges(directory);
        Ok(Found::of_fields(&table, fields, &|field| {
            field_key(&range, field)
        }))
    }

    async fn keys_page(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        let known = after.and_then(|_| self.listings.get(range));
        let mut found = Found::default();
        let names = match known {
            Some(names) => names,
            None => {
                let names = Arc::new(self.names_of(range, &mut found).await?);
                self.listings.keep(range, Arc::clone(&names));
                names
            }
        };
        let start = after.map_or(0, |after| {
            let group = group_of(after);
            names.partition_point(|name| *name < group)
        });
        let mut rest = names.get(start..).unwrap_or_default();
        while found.records.len() <= limit && !rest.is_empty() {
            let single = matches!(range, Scan::AllNodes | Scan::AllChunks);
            let taken = if single { rest.len().min(limit + 2) } else { 1 };
            let (part, later) = rest.split_at(taken);
            rest = later;
            let mut part = match part.first() {
                Some(Key::Edge(directory, _)) => {
                    let inside = after.filter(|after| matches!(after, Key::Edge(of, _) if of == directory));
                    self.entries(*directory, inside, limit).await?
                }
                Some(Key::Xattr(ino, _)) => self.whole(&Scan::Xattrs(*ino)).await?,
                Some(Key::Sustained(sid, _)) => self.whole(&Scan::Sustained(*sid)).await?,
                _ => self.read_each(part).await?,
            };
            part.records
                .retain(|(key, _)| after.is_none_or(|after| key > after));
            found.extend(part);
        }
        if rest.is_empty() && found.records.len() <= limit {
            self.listings.forget(range);
        }
        Ok(found.page(after, limit))
    }

    /// The first possible key of every key of the database that belongs to the range.
    async fn names_of(&self, range: &Scan, found: &mut Found) -> Result<Vec<Key>> {
        let letter = match range {
            Scan::AllNodes => "i",
            Scan::AllEdges => "d",
            Scan::AllChunks => "c",
            Scan::AllXattrs => "x",
            _ => "session",
        };
        let first_name = Name::new(b"\x01")?;
        let start = format!("{}{letter}", self.layout.prefix);
        let keys = self.keys_like(&format!("{start}[0-9]*")).await?;
        let rests = keys.iter().filter_map(|key| key.strip_prefix(start.as_bytes()));
        let mut names = found.keys(start.as_bytes(), rests, &|rest| match range {
            Scan::AllNodes => Some(Key::Node(Ino(one(rest)?))),
            Scan::AllEdges => Some(Key::Edge(Ino(one(rest)?), first_name.clone())),
            Scan::AllChunks => chunk_key(rest),
            Scan::AllXattrs => Some(Key::Xattr(Ino(one(rest)?), Vec::new())),
            _ => Some(Key::Sustained(SessionId(one(rest)?), Ino::NONE)),
        });
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}

/// The least key of the group that a key is in.
fn group_of(key: &Key) -> Key {
    match (key, Name::new(b"\x01")) {
        (Key::Edge(directory, _), Ok(first)) => Key::Edge(*directory, first),
        (Key::Sustained(sid, _), _) => Key::Sustained(*sid, Ino::NONE),
        (Key::Xattr(ino, _), _) => Key::Xattr(*ino, Vec::new()),
        _ => key.clone(),
    }
}
