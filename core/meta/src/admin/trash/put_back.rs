//! Bringing back single entries of the trash.

use std::collections::HashSet;

use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use moorage_model::{ErrorKind, Ino, Name, NodeType, Result};

use super::EntryName;
use super::origin::Origins;
use crate::admin::{Pages, Progress, RestoreOptions};
use crate::verbs::RenameFlags;
use crate::{Context, Key, MAX_PATH_DEPTH, Meta, Record, Scan, TxnExt as _};

/// What became of an entry that was to be brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreOutcome {
    /// It is where it was.
    Restored,
    /// Its old place has an entry of that name now, or something that is no folder stands in the way there.
    NameTaken,
    /// The folder it was in is gone for good.
    FolderGone,
    /// A quota of the old place, or the volume's own limit, is too small.
    OverQuota,
    /// It is not in the trash any more.
    NotThere,
    /// Its name in the trash does not tell where it was.
    Unnamed,
}

/// What was done for one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRestored {
    /// Its name in the hour.
    pub stored: Name,
    /// Where it is now, or would be; `None` when that is not known.
    pub path: Option<Vec<u8>>,
    /// What became of it.
    pub outcome: RestoreOutcome,
    /// Folders above it that lay in the trash and came back for it, without what else had been in them.
    pub folders: u64,
    /// Of a folder: what was removed from inside it in the same hour and came back with it.
    pub below: u64,
    /// Of a folder: what was not brought back of that.
    pub below_left: u64,
}

/// An entry in the directory of an hour.
#[derive(Clone, Debug)]
struct Link {
    hour: Ino,
    stored: Name,
    name: EntryName,
}

/// The way from the trash to an old place.
enum Way {
    /// The folder to move into, and the removed folders that lead to it from there, the outermost first.
    Found(Vec<Link>),
    Gone,
}

struct Restorer<'m> {
    meta: &'m Meta,
    context: &'m Context,
    origins: Origins<'m>,
    concurrency: usize,
    progress: &'m Progress,
    /// Folders that came back, whose statistics are to be counted again.
    touched: HashSet<Ino>,
}

impl Meta {
    /// Brings entries of an hour (`YYYY-MM-DD-HH`, UTC) back to where they were; a folder with everything that was
    /// removed from inside it in the same hour. Folders above them that lie in the trash come back alone first; where
    /// such a folder's name was given to another folder since, that one is used. Nothing that is there is replaced. Names that were cut
    /// to 255 bytes come back cut. Of [`RestoreOptions`] only the concurrency counts.
    ///
    /// Memory: about 400 bytes per folder removed in that hour.
    ///
    /// # Errors
    /// `NotFound` when the trash has no such hour; `NotPermitted` unless the caller is root; the first failure of the
    /// engine. What was restored before stays so.
    ///
    /// # Cancel safety
    /// Dropping the future leaves a part restored; calling again goes on.
    pub async fn restore_entries(
        &self,
        context: &Context,
        hour: &str,
        entries: &[Name],
        options: RestoreOptions,
        progress: &Progress,
    ) -> Result<Vec<EntryRestored>> {
        self.check_writable()?;
        let hour = self.trash_hour(hour).await?;
        let mut restorer = Restorer {
            meta: self,
            context,
            origins: Origins::new(self, self.index_hour(hour).await?),
            concurrency: options.concurrency.max(1),
            progress,
            touched: HashSet::new(),
        };
        progress.expect(entries.len() as u64);
        let mut done = Vec::with_capacity(entries.len());
        for stored in entries {
            progress.check()?;
            done.push(restorer.restore(hour, stored).await?);
        }
        if self.setting().dir_stats {
            for directory in restorer.touched {
                self.recount_directory(directory).await?;
            }
        }
        Ok(done)
    }
}

impl Restorer<'_> {
    async fn restore(&mut self, hour: Ino, stored: &Name) -> Result<EntryRestored> {
        let mut result = EntryRestored {
            stored: stored.clone(),
            path: None,
            outcome: RestoreOutcome::NotThere,
            folders: 0,
            below: 0,
            below_left: 0,
        };
        let edge = Key::Edge(hour, stored.clone());
        let Some(entry) = self.meta.engine.get(&[edge]).await?.edge()? else {
            return Ok(result);
        };
        let Some(name) = EntryName::parse(stored) else {
            result.outcome = RestoreOutcome::Unnamed;
            return Ok(result);
        };
        result.path = self.origins.place_of_entry(&name).await?.path;
        let Way::Found(links) = self.way_to(name.old_parent).await? else {
            result.outcome = RestoreOutcome::FolderGone;
            return Ok(result);
        };
        let mut target = links.first().map_or(name.old_parent, |link| link.name.old_parent);
        for link in links {
            let outcome = self
                .put(link.hour, &link.stored, target, &link.name.old_name)
                .await?;
            target = match outcome {
                RestoreOutcome::Restored => {
                    result.folders += 1;
                    self.touched.insert(link.name.ino);
                    link.name.ino
                }
                RestoreOutcome::NameTaken => match self.folder_named(target, &link.name.old_name).await? {
                    Some(folder) => folder,
                    None => {
                        result.outcome = RestoreOutcome::NameTaken;
                        return Ok(result);
                    }
                },
                // The folder went somewhere else meanwhile: the next attempt finds it there.
                other => {
                    result.outcome = other;
                    return Ok(result);
                }
            };
        }
        result.outcome = self.put(hour, stored, target, &name.old_name).await?;
        if result.outcome == RestoreOutcome::Restored {
            self.progress.add(1, 0);
            if entry.kind == NodeType::Directory {
                self.touched.insert(entry.ino);
                self.restore_below(hour, entry.ino, &mut result).await?;
            }
        }
        Ok(result)
    }

    /// The removed folders that have to come back before something can be put into `folder`.
    async fn way_to(&mut self, folder: Ino) -> Result<Way> {
        let mut links = Vec::new();
        let mut current = folder;
        // Damaged names may lead round and round.
        for _ in 0..MAX_PATH_DEPTH {
            let node = self.meta.engine.get(&[Key::Node(current)]).await?.node()?;
            if !node.is_some_and(|attr| attr.is_directory()) {
                return Ok(Way::Gone);
            }
            let above = self.meta.ancestors(self.meta.engine.as_ref(), current).await?;
            match above.as_slice() {
                [.., Ino::ROOT] => {
                    links.reverse();
                    return Ok(Way::Found(links));
                }
                [.., removed, hour] if hour.is_trash() => {
                    let (removed, hour) = (*removed, *hour);
                    let Some(found) = self.origins.index(hour).await?.directory(removed) else {
                        return Ok(Way::Gone);
                    };
                    current = found.name.old_parent;
                    links.push(Link {
                        hour,
                        stored: found.stored.clone(),
                        name: found.name.clone(),
                    });
                }
                _ => return Ok(Way::Gone),
            }
        }
        Ok(Way::Gone)
    }

    async fn folder_named(&self, parent: Ino, name: &Name) -> Result<Option<Ino>> {
        let edge = Key::Edge(parent, name.clone());
        let entry = self.meta.engine.get(&[edge]).await?.edge()?;
        let folder = entry.filter(|entry| entry.kind == NodeType::Directory);
        Ok(folder.map(|entry| entry.ino))
    }

    /// Moves one entry out of the trash.
    async fn put(&self, hour: Ino, stored: &Name, parent: Ino, name: &Name) -> Result<RestoreOutcome> {
        let flags = RenameFlags {
            no_replace: true,
            restore: true,
            ..RenameFlags::default()
        };
        let moved = self
            .meta
            .rename(self.context, (hour, stored), (parent, name), flags)
            .await;
        match moved {
            Ok(_) => Ok(RestoreOutcome::Restored),
            Err(error) => match error.kind() {
                ErrorKind::Exists => Ok(RestoreOutcome::NameTaken),
                ErrorKind::QuotaExceeded | ErrorKind::NoSpace => Ok(RestoreOutcome::OverQuota),
                ErrorKind::NotFound => Ok(RestoreOutcome::NotThere),
                _ => Err(error.context(format!("restoring {stored}"))),
            },
        }
    }

    /// Brings back what was removed from inside a folder in the same hour, folders before what was in them.
    async fn restore_below(&mut self, hour: Ino, folder: Ino, result: &mut EntryRestored) -> Result<()> {
        let index = self.origins.index(hour).await?;
        let expected = index.entries_below(folder);
        let directories: Vec<_> = index
            .directories_below(folder)
            .into_iter()
            .filter_map(|ino| index.directory(ino).cloned())
            .collect();
        self.progress.expect(expected);
        let mut back = HashSet::from([folder]);
        for directory in directories {
            self.progress.check()?;
            let EntryName {
                old_parent,
                ino,
                old_name,
            } = &directory.name;
            if back.contains(old_parent)
                && self.put(hour, &directory.stored, *old_parent, old_name).await? == RestoreOutcome::Restored
            {
                back.insert(*ino);
                result.below += 1;
                self.progress.add(1, 0);
            }
        }
        result.below += self.restore_others(hour, &back).await?;
        result.below_left = expected.saturating_sub(result.below);
        self.touched.extend(back);
        Ok(())
    }

    /// Brings back what is no folder and was in one of these.
    async fn restore_others(&self, hour: Ino, folders: &HashSet<Ino>) -> Result<u64> {
        let mut restored = 0;
        let mut pages = Pages::new(Scan::Edges(hour));
        while let Some(page) = pages.survey(self.meta).await? {
            self.progress.check()?;
            let wanted = page.items.into_iter().filter_map(|item| match item {
                (Key::Edge(_, stored), Record::Edge(entry)) if entry.kind != NodeType::Directory => {
                    let name = EntryName::parse(&stored)?;
                    folders.contains(&name.old_parent).then_some((stored, name))
                }
                _ => None,
            });
            restored += futures_util::stream::iter(wanted)
                .map(|(stored, name)| async move {
                    let outcome = self.put(hour, &stored, name.old_parent, &name.old_name).await?;
                    let restored = u64::from(outcome == RestoreOutcome::Restored);
                    self.progress.add(restored, 0);
                    Ok::<u64, moorage_model::Error>(restored)
                })
                .buffer_unordered(self.concurrency)
                .try_fold(0, |sum, one| async move { Ok(sum + one) })
                .await?;
        }
        Ok(restored)
    }
}
