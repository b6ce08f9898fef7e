//! Looking at both sides: what differs from what is known.

use std::collections::VecDeque;

use moorage_model::Result;

use super::decide::{Change, End, Step, decide};
use super::round::{Pair, Preview};
use super::state::{Base, Key, Known, Phase, Seen, Work};
use crate::copy::merge::{Merge, Met};
use crate::{Entry, Kind, Links, ListOptions};

/// Paths noted in one commit.
const BATCH: usize = 1000;

/// How a path of one side compares with what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// As the times tell.
    Certain(Change),
    /// The times are the same, but a change could hide behind them.
    Doubtful,
}

/// Compares an entry with what is known of its side.
pub(super) fn look(known: Option<&Known>, entry: Option<&Entry>) -> Look {
    Look::Certain(match (known, entry) {
        (None, None) => Change::Absent,
        (None, Some(_)) => Change::Changed,
        (Some(_), None) => Change::Gone,
        (Some(_), Some(entry)) if entry.is_folder() => Change::Unchanged,
        (Some(known), Some(entry)) if Seen::from(entry.version) != known.seen => Change::Changed,
        (Some(known), Some(_)) if !known.settled => return Look::Doubtful,
        (Some(_), Some(_)) => Change::Unchanged,
    })
}

impl Look {
    /// What it most likely is.
    fn likely(self) -> Change {
        match self {
            Look::Certain(change) => change,
            Look::Doubtful => Change::Unchanged,
        }
    }
}

/// The rows of the state in order, read in pages.
struct Rows<'s> {
    pair: &'s Pair,
    page: VecDeque<(Key, Base)>,
    last: Option<Key>,
    done: bool,
}

impl Rows<'_> {
    fn peek(&mut self) -> Result<Option<&(Key, Base)>> {
        if self.page.is_empty() && !self.done {
            let page = self.pair.state.page(self.last.as_ref())?;
            self.done = page.is_empty();
            self.last = page.last().map(|(key, _)| key.clone()).or(self.last.take());
            self.page = page.into();
        }
        Ok(self.page.front())
    }

    /// Takes the row of a key out; rows before it are given to `passed`.
    fn up_to(&mut self, key: &Key, mut passed: impl FnMut(Key, Base) -> Result<()>) -> Result<Option<Base>> {
        while let Some((found, _)) = self.peek()? {
            if found > key {
                break;
            }
            let is_it = found == key;
            let Some((found, base)) = self.page.pop_front() else {
                break;
            };
            if is_it {
                return Ok(Some(base));
            }
            passed(found, base)?;
        }
        Ok(None)
    }
}

impl Pair {
    /// Lists both sides and the state side by side, and notes what is to be done. Memory does not grow with the trees.
    pub(super) async fn scan(&self, preview: &mut Preview) -> Result<()> {
        self.state.clear_work()?;
        preview.known = self.state.files()?;
        let of = |end: End| {
            self.side(end).list(ListOptions {
                links: Links::Keep,
                filter: self.options.filter.clone(),
            })
        };
        let mut merge = Merge::new(of(End::Left), of(End::Right));
        let mut rows = Rows {
            pair: self,
            page: VecDeque::new(),
            last: None,
            done: false,
        };
        let mut batch = Vec::new();
        while let Some(met) = merge.next().await? {
            let (left, right) = match met {
                Met::Name { source, destination } => (source, destination),
                Met::Failed(failure) => {
                    self.told.failed(&failure);
                    preview.unreadable += 1;
                    continue;
                }
                Met::Leftover { entry, in_source } => {
                    let end = if in_source { End::Left } else { End::Right };
                    self.tidy(&entry, end).await;
                    continue;
                }
                Met::Unknown(entry) => {
                    // Neither this path nor its row may be judged.
                    let key = Key::new(&entry.path, entry.is_folder());
                    rows.up_to(&key, |key, base| {
                        self.weigh_gone(&merge, &key, &base, preview, &mut batch)
                    })?;
                    continue;
                }
            };
            let Some(entry) = left.as_ref().or(right.as_ref()) else {
                continue;
            };
            let key = Key::new(&entry.path, entry.is_folder());
            let base = rows.up_to(&key, |key, base| {
                self.weigh_gone(&merge, &key, &base, preview, &mut batch)
            })?;
            self.weigh(
                &key,
                base.as_ref(),
                (left.as_ref(), right.as_ref()),
                preview,
                &mut batch,
            );
            if batch.len() >= BATCH {
                self.state.add_work(&batch)?;
                batch.clear();
            }
        }
        while let Some((key, base)) = rows.peek()?.cloned() {
            rows.page.pop_front();
            self.weigh_gone(&merge, &key, &base, preview, &mut batch)?;
        }
        self.state.add_work(&batch)
    }

    /// A row whose path is on neither side, as far as both could be read.
    fn weigh_gone(
        &self,
        merge: &Merge,
        key: &Key,
        base: &Base,
        preview: &mut Preview,
        batch: &mut Vec<Work>,
    ) -> Result<()> {
        if !merge.is_unknown(&key.path()?) {
            self.weigh(key, Some(base), (None, None), preview, batch);
        }
        Ok(())
    }

    fn weigh(
        &self,
        key: &Key,
        base: Option<&Base>,
        (left, right): (Option<&Entry>, Option<&Entry>),
        preview: &mut Preview,
        batch: &mut Vec<Work>,
    ) {
        let is_special = |entry: Option<&Entry>| entry.is_some_and(|entry| entry.kind == Kind::Special);
        if is_special(left) || is_special(right) {
            preview.special += 1;
            return;
        }
        let looks = [
            look(base.map(|base| &base.left), left),
            look(base.map(|base| &base.right), right),
        ];
        let step = decide(self.options.mode, looks[0].likely(), looks[1].likely());
        preview.count(step, key.is_folder(), left, right);
        let (phase, removes) = match step {
            Step::Nothing if !looks.contains(&Look::Doubtful) => return,
            Step::Remove { .. } if key.is_folder() => (Phase::RemoveFolders, true),
            Step::Remove { .. } => (Phase::RemoveFiles, true),
            _ if key.is_folder() => (Phase::MakeFolders, false),
            _ => (Phase::Files, false),
        };
        batch.push(Work {
            key: key.clone(),
            phase,
            removes,
        });
    }
}
