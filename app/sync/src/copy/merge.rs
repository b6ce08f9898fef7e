//! Two listings as one.

use std::cmp::Ordering;
use std::collections::HashSet;

use moorage_model::Result;

use super::report::Failure;
use crate::{Entry, Listed, Listing, RelativePath, listing_order};

/// Places that can not be read before a side counts as unreadable.
const MOST_UNREADABLE: usize = 100_000;

/// Names of one step.
#[derive(Debug)]
pub(crate) enum Met {
    /// One name, in one side or in both.
    Name {
        /// What the source has.
        source: Option<Entry>,
        /// What the destination has.
        destination: Option<Entry>,
    },
    /// A name that the other side can not tell about: it is neither copied nor deleted.
    Unknown(Entry),
    /// A leftover.
    Leftover {
        /// The temporary file.
        entry: Entry,
        /// It is in the source, else in the destination.
        in_source: bool,
    },
    /// A place that can not be read.
    Failed(Failure),
}

/// One listing, the next entry at hand.
struct Ahead {
    listing: Box<dyn Listing>,
    next: Option<Entry>,
    done: bool,
    in_source: bool,
    /// Where it can not tell what is there. Each of them was told, so that they are few.
    blind: HashSet<RelativePath>,
}

impl Ahead {
    fn new(listing: Box<dyn Listing>, in_source: bool) -> Ahead {
        Ahead {
            listing,
            next: None,
            done: false,
            in_source,
            blind: HashSet::new(),
        }
    }

    /// Reads on until an entry is at hand or the end is reached; what comes before is to be told first.
    async fn fill(&mut self) -> Result<Option<Met>> {
        while self.next.is_none() && !self.done {
            match self.listing.next().await? {
                None => self.done = true,
                Some(Listed::Entry(entry)) => self.next = Some(entry),
                Some(Listed::Leftover(entry)) => {
                    let in_source = self.in_source;
                    return Ok(Some(Met::Leftover { entry, in_source }));
                }
                Some(Listed::Unreadable { at, whole, error }) => {
                    if self.blind.len() == MOST_UNREADABLE {
                        return Err(error.context("too much can not be read"));
                    }
                    if whole {
                        self.blind.insert(at.clone());
                    }
                    return Ok(Some(Met::Failed(Failure { path: at, error })));
                }
            }
        }
        Ok(None)
    }

    /// Whether this side can not tell what is at a path.
    fn is_blind_to(&self, path: &RelativePath) -> bool {
        if self.blind.is_empty() {
            return false;
        }
        let mut at = Some(path.clone());
        while let Some(path) = at {
            if self.blind.contains(&path) {
                return true;
            }
            at = path.split_last().map(|(folder, _)| folder);
        }
        false
    }
}

/// Both listings.
pub(crate) struct Merge {
    source: Ahead,
    destination: Ahead,
}

impl Merge {
    pub(crate) fn new(source: Box<dyn Listing>, destination: Box<dyn Listing>) -> Merge {
        Merge {
            source: Ahead::new(source, true),
            destination: Ahead::new(destination, false),
        }
    }

    /// Whether one of the sides can not tell what is at a path that was passed.
    pub(crate) fn is_unknown(&self, path: &RelativePath) -> bool {
        self.source.is_blind_to(path) || self.destination.is_blind_to(path)
    }

    /// The next name; `None` at the end of both.
    ///
    /// # Errors
    /// When a listing can not go on.
    pub(crate) async fn next(&mut self) -> Result<Option<Met>> {
        if let Some(met) = self.source.fill().await? {
            return Ok(Some(met));
        }
        if let Some(met) = self.destination.fill().await? {
            return Ok(Some(met));
        }
        let order = match (&self.source.next, &self.destination.next) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(source), Some(destination)) => listing_order(
                (&source.path, source.is_folder()),
                (&destination.path, destination.is_folder()),
            ),
        };
        let source = self.source.next.take_if(|_| order.is_le());
        let destination = self.destination.next.take_if(|_| order.is_ge());
        Ok(Some(match (source, destination) {
            (Some(entry), None) if self.destination.is_blind_to(&entry.path) => Met::Unknown(entry),
            (None, Some(entry)) if self.source.is_blind_to(&entry.path) => Met::Unknown(entry),
            (source, destination) => Met::Name { source, destination },
        }))
    }
}
