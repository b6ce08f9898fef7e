//! Which names a folder has, by what is left of them when letters do not count.

use std::collections::HashMap;
use std::time::Duration;

use moorage_model::{Ino, Name, Timestamp};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::fold_case;

/// Names in all indexes together, some 100 bytes each. The folder asked for last is kept whatever it holds.
const MOST_NAMES: usize = 500_000;
/// A folder is read again at most for this part of the time.
const READING_SHARE: u32 = 10;
/// A folder that changed so short a time before it was read may change again without another time of change: clients
/// leave that alone for a while (`--skip-dir-mtime`), and their clocks differ.
const SAME_CHANGE: Duration = Duration::from_secs(1);

/// What is known of one folder.
#[derive(Debug, Default)]
struct Folder {
    names: HashMap<Box<[u8]>, Vec<Name>>,
    count: usize,
    /// Its time of change before it was read; none when that can not tell whether it changed since.
    mtime: Option<Timestamp>,
    /// When it was last seen not to have changed.
    checked: Option<Instant>,
    /// What reading it took.
    took: Duration,
    /// Changes by this client while it is read.
    meanwhile: Option<Vec<(Name, Change)>>,
    used: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Added,
    Removed,
}

impl Folder {
    fn apply(&mut self, name: &Name, change: Change) {
        let spellings = self.names.entry(fold_case(name.as_bytes())).or_default();
        let before = spellings.len();
        spellings.retain(|known| known != name);
        if change == Change::Added {
            spellings.push(name.clone());
        }
        self.count = self.count + spellings.len() - before;
        if spellings.is_empty() {
            self.names.remove(&fold_case(name.as_bytes()));
        }
    }
}

/// What can be said of a name without reading its folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Spellings {
    /// These names are the same but for their letters.
    Known(Vec<Name>),
    /// They are these if the folder's time of change is this.
    If(Timestamp, Vec<Name>),
    /// Its folder has to be read.
    Unknown,
}

/// Indexes of the folders that were asked for last.
#[derive(Debug, Default)]
pub(crate) struct LetterIndex {
    folders: Mutex<HashMap<Ino, Folder>>,
    /// One folder is read at a time.
    pub(crate) reading: tokio::sync::Mutex<()>,
}

impl LetterIndex {
    /// The names of a folder that are this one but for their letters. `trusted` is how long what was seen holds.
    pub(crate) fn spellings(&self, folder: Ino, name: &[u8], trusted: Duration) -> Spellings {
        let mut folders = self.folders.lock();
        let latest = folders
            .values()
            .map(|folder| folder.used)
            .max()
            .unwrap_or_default();
        let Some(folder) = folders.get_mut(&folder) else {
            return Spellings::Unknown;
        };
        let Some(checked) = folder.checked else {
            return Spellings::Unknown;
        };
        folder.used = latest + 1;
        let known = folder.names.get(&fold_case(name)).cloned().unwrap_or_default();
        if checked.elapsed() < trusted.max(folder.took * READING_SHARE) {
            return Spellings::Known(known);
        }
        match folder.mtime {
            Some(mtime) => Spellings::If(mtime, known),
            None => Spellings::Unknown,
        }
    }

    /// The folder was seen not to have changed.
    pub(crate) fn confirmed(&self, folder: Ino) {
        if let Some(folder) = self.folders.lock().get_mut(&folder) {
            folder.checked = Some(Instant::now());
        }
    }

    /// The folder is being read: changes by this client are remembered until [`LetterIndex::read`].
    pub(crate) fn begin(&self, folder: Ino) {
        let begun = Folder {
            meanwhile: Some(Vec::new()),
            ..Folder::default()
        };
        self.folders.lock().insert(folder, begun);
    }

    /// The folder was read, in this time; before that it had this time of change, and it was that time.
    pub(crate) fn read(&self, ino: Ino, names: &[Name], mtime: Timestamp, now: Timestamp, took: Duration) {
        let mut folders = self.folders.lock();
        let latest = folders
            .values()
            .map(|folder| folder.used)
            .max()
            .unwrap_or_default();
        // Dropped meanwhile, since a command changed it.
        let Some(begun) = folders.remove(&ino) else {
            return;
        };
        let settled = now.since(mtime).is_some_and(|age| age >= SAME_CHANGE);
        let mut folder = Folder {
            names: HashMap::with_capacity(names.len()),
            mtime: settled.then_some(mtime),
            checked: Some(Instant::now()),
            took,
            used: latest + 1,
            ..Folder::default()
        };
        for name in names {
            folder.apply(name, Change::Added);
        }
        for (name, change) in begun.meanwhile.into_iter().flatten() {
            folder.apply(&name, change);
        }
        let mut total: usize = folder.count + folders.values().map(|other| other.count).sum::<usize>();
        while total > MOST_NAMES
            && let Some((oldest, count)) = folders
                .iter()
                .min_by_key(|(_, other)| other.used)
                .map(|(ino, other)| (*ino, other.count))
        {
            folders.remove(&oldest);
            total -= count;
        }
        folders.insert(ino, folder);
    }

    /// This client made, or found, a name.
    pub(crate) fn added(&self, folder: Ino, name: &Name) {
        self.change(folder, name, Change::Added);
    }

    /// This client took a name away.
    pub(crate) fn removed(&self, folder: Ino, name: &Name) {
        self.change(folder, name, Change::Removed);
    }

    /// What is known of a folder may be wrong.
    pub(crate) fn forget(&self, folder: Ino) {
        self.folders.lock().remove(&folder);
    }

    fn change(&self, folder: Ino, name: &Name, change: Change) {
        if let Some(folder) = self.folders.lock().get_mut(&folder) {
            match &mut folder.meanwhile {
                Some(meanwhile) => meanwhile.push((name.clone(), change)),
                None => folder.apply(name, change),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: Ino = Ino(7);
    const FRESH: Duration = Duration::from_secs(60);
    const LONG_AGO: Timestamp = Timestamp::new(100, 0);
    const NOW: Timestamp = Timestamp::new(200, 0);

    fn name(text: &str) -> Name {
        Name::new(text.as_bytes()).expect("a name")
    }

    fn filled(mtime: Timestamp, names: &[&str]) -> LetterIndex {
        let index = LetterIndex::default();
        let names: Vec<Name> = names.iter().map(|text| name(text)).collect();
        index.begin(FOLDER);
        index.read(FOLDER, &names, mtime, NOW, Duration::ZERO);
        index
    }

    fn known(names: &[&str]) -> Spellings {
        Spellings::Known(names.iter().map(|text| name(text)).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn names_are_found_however_they_are_spelt() {
        let index = filled(LONG_AGO, &["Read.me", "other", "OTHER"]);
        assert_eq!(index.spellings(FOLDER, b"READ.ME", FRESH), known(&["Read.me"]));
        assert_eq!(
            index.spellings(FOLDER, b"Other", FRESH),
            known(&["other", "OTHER"])
        );
        assert_eq!(index.spellings(FOLDER, b"none", FRESH), known(&[]));
        assert_eq!(index.spellings(Ino(8), b"none", FRESH), Spellings::Unknown);
    }

    #[tokio::test(start_paused = true)]
    async fn own_changes_are_seen_at_once_also_those_made_while_the_folder_is_read() {
        let index = LetterIndex::default();
        index.begin(FOLDER);
        index.added(FOLDER, &name("New"));
        index.removed(FOLDER, &name("Old"));
        assert_eq!(
            index.spellings(FOLDER, b"new", FRESH),
            Spellings::Unknown,
            "it is being read"
        );
        index.read(
            FOLDER,
            &[name("Old"), name("Kept")],
            LONG_AGO,
            NOW,
            Duration::ZERO,
        );
        for (asked, found) in [("new", &["New"][..]), ("old", &[]), ("KEPT", &["Kept"])] {
            assert_eq!(
                index.spellings(FOLDER, asked.as_bytes(), FRESH),
                known(found),
                "{asked}"
            );
        }
        index.removed(FOLDER, &name("Kept"));
        index.added(FOLDER, &name("KEPT"));
        assert_eq!(index.spellings(FOLDER, b"kept", FRESH), known(&["KEPT"]));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_while_the_folder_is_looked_at_again() {
        let index = filled(LONG_AGO, &["a"]);
        tokio::time::advance(FRESH).await;
        assert_eq!(
            index.spellings(FOLDER, b"A", FRESH),
            Spellings::If(LONG_AGO, vec![name("a")])
        );
        index.confirmed(FOLDER);
        assert_eq!(index.spellings(FOLDER, b"A", FRESH), known(&["a"]));
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_change_of_a_folder_that_was_just_changed_proves_nothing() {
        let index = filled(NOW, &["a"]);
        tokio::time::advance(FRESH).await;
        assert_eq!(index.spellings(FOLDER, b"A", FRESH), Spellings::Unknown);
    }

    #[test]
    fn the_oldest_indexes_make_room() {
        let index = LetterIndex::default();
        let names: Vec<Name> = (0..MOST_NAMES / 2)
            .map(|number| name(&number.to_string()))
            .collect();
        for folder in [Ino(1), Ino(2), Ino(3)] {
            index.begin(folder);
            index.read(folder, &names, LONG_AGO, NOW, Duration::ZERO);
        }
        let kept: Vec<u64> = {
            let folders = index.folders.lock();
            let mut kept: Vec<u64> = folders.keys().map(|folder| folder.0).collect();
            kept.sort_unstable();
            kept
        };
        assert_eq!(kept, [2, 3]);
    }
}
