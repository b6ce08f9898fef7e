//! The trash: hourly directories and the names of entries in them (spec 70-semantics section 3).

use std::sync::Arc;

use moorage_model::{
    Attr, Counter, DIRECTORY_LENGTH, DirStat, Entry, Error, ErrorKind, Gid, Ino, MAX_NAME_BYTES, Name,
    NodeType, Result, Timestamp, Uid, align4k,
};
use parking_lot::Mutex;

use crate::calendar::UtcTime;
use crate::{Key, Meta, Record, Txn, TxnExt as _, Verb};

/// Seconds of the span that one trash directory collects.
const HOUR: i64 = 3600;
/// Permission bits of the trash root and of the hourly directories.
const TRASH_MODE: u16 = 0o555;

/// The trash directory of the current hour, once it is known to exist.
#[derive(Debug, Default)]
pub(crate) struct TrashHour(Mutex<Option<(i64, Ino)>>);

/// Name of a removed node in its hourly directory: old parent, inode and old name, cut to 255 bytes even inside a
/// character.
///
/// # Errors
/// None for a valid old name; the type says so of [`Name::new`].
pub(crate) fn trash_name(parent: Ino, ino: Ino, name: &Name) -> Result<Name> {
    let mut bytes = format!("{parent}-{ino}-").into_bytes();
    bytes.extend_from_slice(name.as_bytes());
    bytes.truncate(MAX_NAME_BYTES);
    Name::new(&bytes)
}

impl Meta {
    /// The directory that takes what is removed now; `None` when the trash is off. Made when the hour has none yet,
    /// in a transaction of its own.
    ///
    /// Round trips: none but for the first removal of an hour.
    ///
    /// # Errors
    /// What the engine answers.
    pub(crate) async fn trash_directory(&self) -> Result<Option<Ino>> {
        if self.setting.read().trash_days == 0 {
            return Ok(None);
        }
        let now = self.now();
        let hour = now.seconds.div_euclid(HOUR);
        if let Some((known, directory)) = *self.caches.trash.0.lock()
            && known == hour
        {
            return Ok(Some(directory));
        }
        let name = Name::new(UtcTime::from_unix(now.seconds).hour_name().as_bytes())?;
        let found = self
            .engine
            .get(&[Key::Edge(Ino::TRASH, name.clone())])
            .await?
            .edge()?;
        let directory = match found {
            Some(entry) => entry.ino,
            None => self.make_trash_directory(name).await?,
        };
        *self.caches.trash.0.lock() = Some((hour, directory));
        Ok(Some(directory))
    }

    /// Makes the directory of an hour, or finds the one that another client made first.
    async fn make_trash_directory(&self, name: Name) -> Result<Ino> {
        // A number is wasted when another client wins.
        let number = self.allocate_numbers(Counter::NextTrash, 1).await?;
        let directory = Ino::TRASH
            .0
            .checked_add(number)
            .map(Ino)
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, format!("counter nextTrash holds {number}")))?;
        let name = Arc::new(name);
        self.transact(Verb::removal("make trash directory"), move |meta, txn| {
            let name = Name::clone(&name);
            Box::pin(async move { meta.insert_trash_directory(txn, name, directory).await })
        })
        .await
    }

    async fn insert_trash_directory(&self, txn: &mut dyn Txn, name: Name, directory: Ino) -> Result<Ino> {
        let edge = Key::Edge(Ino::TRASH, name.clone());
        let mut found = txn.get_locked(&[Key::Node(Ino::TRASH), edge.clone()]).await?;
        let root = found.node()?;
        if let Some(entry) = found.edge()? {
            return Ok(entry.ino);
        }
        let now = self.now();
        if root.is_none() {
            txn.insert(Key::Node(Ino::TRASH), Record::Node(trash_attr(now)));
        }
        txn.insert(Key::Node(directory), Record::Node(trash_attr(now)));
        txn.insert(
            edge,
            Record::Edge(Entry {
                kind: NodeType::Directory,
                ino: directory,
            }),
        );
        if self.setting.read().dir_stats {
            txn.put(Key::DirStat(directory), Record::DirStat(DirStat::default()));
        }
        self.account_node(txn, Uid::ROOT, Gid(0), align4k(0), 1);
        let text = String::from_utf8_lossy(name.as_bytes()).into_owned();
        self.log(txn, || {
            format!(
                "CREATE({},{text},0,0,2,{TRASH_MODE},0,,linux,false):{directory}",
                Ino::TRASH
            )
        });
        Ok(directory)
    }
}

/// Attributes of the trash root and of hourly directories.
fn trash_attr(now: Timestamp) -> Attr {
    let mut attr = Attr::new(
        NodeType::Directory,
        TRASH_MODE,
        Uid::ROOT,
        Gid(0),
        now,
        Ino::TRASH,
    );
    attr.length = DIRECTORY_LENGTH;
    attr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_named_after_old_parent_and_inode_and_cut_to_255_bytes() {
        let name = Name::new(format!("a{}", "\u{e4}".repeat(127)).as_bytes()).unwrap();
        let cut = trash_name(Ino(12), Ino(345), &name).unwrap();
        assert!(cut.as_bytes().starts_with(b"12-345-a\xc3\xa4"));
        assert_eq!(cut.as_bytes().len(), 255);
        assert_eq!(cut.as_bytes().last(), Some(&0xc3));
        assert_eq!(
            trash_name(Ino(1), Ino(2), &Name::new(b"f").unwrap())
                .unwrap()
                .as_bytes(),
            b"1-2-f"
        );
    }
}
