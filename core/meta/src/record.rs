//! Values of records, and typed access to a batch of them.

use moorage_model::{
    AclRule, Attr, DelayedSlice, DirStat, Entry, Error, ErrorKind, FileLockKind, Name, Quota, RecordLock,
    Result, Slice,
};

use crate::Key;

/// The value of one record.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// [`Key::Setting`].
    Setting(String),
    /// [`Key::Counter`].
    Counter(i64),
    /// [`Key::Node`].
    Node(Attr),
    /// [`Key::Edge`].
    Edge(Entry),
    /// [`Key::Symlink`].
    Symlink(Vec<u8>),
    /// [`Key::Xattr`].
    Xattr(Vec<u8>),
    /// [`Key::Chunk`].
    Chunk(Vec<Slice>),
    /// [`Key::SliceRef`]: owners of the slice; 0 or less means its data may go.
    Owners(i64),
    /// [`Key::DelayedSlices`].
    DelayedSlices(Vec<DelayedSlice>),
    /// [`Key::Session`].
    Session(SessionRecord),
    /// [`Key::LegacySession`]: unix seconds of its last heartbeat.
    LegacySession(i64),
    /// [`Key::Sustained`].
    Sustained,
    /// [`Key::DeletedFile`]: unix seconds of the deletion.
    DeletedFile(i64),
    /// [`Key::FileLock`].
    FileLock(FileLockKind),
    /// [`Key::RecordLocks`].
    RecordLocks(Vec<RecordLock>),
    /// [`Key::DirStat`].
    DirStat(DirStat),
    /// [`Key::Quota`].
    Quota(Quota),
    /// [`Key::Detached`]: unix seconds when the clone began.
    Detached(i64),
    /// [`Key::Acl`].
    Acl(AclRule),
    /// [`Key::ChangelogLine`].
    ChangelogLine(String),
}

/// A session as stored; `info` is the JSON text (spec 10-setting section 8), empty when missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Expiry, unix seconds.
    pub expire: i64,
    /// Session info JSON.
    pub info: String,
}

/// An entry as a directory listing shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectoryEntry {
    /// Name in its directory.
    pub name: Name,
    /// Kind and inode.
    pub entry: Entry,
    /// Attributes, when asked for, present and readable.
    pub attr: Option<Attr>,
    /// The node record is there and can not be read; reading it alone tells why.
    pub damaged: bool,
}

impl DirectoryEntry {
    /// Refuses a page of which a node can not be read, for those who need the attributes of every entry.
    ///
    /// # Errors
    /// `Corrupt` naming the first such entry.
    pub(crate) fn all_readable(page: Vec<DirectoryEntry>) -> Result<Vec<DirectoryEntry>> {
        match page.iter().find(|item| item.damaged) {
            None => Ok(page),
            Some(item) => Err(Error::new(
                ErrorKind::Corrupt,
                format!("attributes of inode {} (entry {:?})", item.entry.ino, item.name),
            )
            .with_advice("Run `moorage fsck` on the volume.")),
        }
    }
}

/// One page of a scan.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Records in the order of the engine.
    pub items: Vec<(Key, Record)>,
    /// Whether another page may follow; continue after the last key.
    pub more: bool,
}

/// A record that can not be read.
#[derive(Debug)]
pub struct DamagedRecord {
    /// Its key; `None` when that can not be read either. The name of an entry may be an impossible one
    /// ([`moorage_model::Name::flaw`]), and that all that is wrong: the key reads, replaces and removes it all the same.
    pub key: Option<Key>,
    /// What is wrong with it, with its name as far as that is known.
    pub error: Error,
}

/// One page of a scan in which damaged records are no failure.
#[derive(Debug, Default)]
pub struct Survey {
    /// Readable records in the order of the engine.
    pub items: Vec<(Key, Record)>,
    /// The others.
    pub damaged: Vec<DamagedRecord>,
    /// The key to continue after when another page may follow.
    pub next: Option<Key>,
}

impl Survey {
    /// The page, if every record of it could be read.
    ///
    /// # Errors
    /// `Corrupt` naming the first record that could not.
    pub fn whole(self) -> Result<Page> {
        match self.damaged.into_iter().next() {
            Some(damaged) => Err(damaged.error),
            None => Ok(Page {
                items: self.items,
                more: self.next.is_some(),
            }),
        }
    }
}

/// The answer to a batch read, taken out in the order of its keys.
#[derive(Debug)]
pub struct Records(std::vec::IntoIter<Option<Record>>);

impl From<Vec<Option<Record>>> for Records {
    fn from(records: Vec<Option<Record>>) -> Self {
        Records(records.into_iter())
    }
}

macro_rules! typed {
    ($($(#[$doc:meta])* $method:ident($variant:ident) -> $type:ty;)*) => {
        impl Records {
            $($(#[$doc])*
            ///
            /// # Errors
            /// `Corrupt` when the engine answered with a record of another kind.
            pub fn $method(&mut self) -> Result<Option<$type>> {
                match self.0.next().flatten() {
                    None => Ok(None),
                    Some(Record::$variant(value)) => Ok(Some(value)),
                    Some(other) => Err(Error::new(
                        ErrorKind::Corrupt,
                        format!(concat!("expected a ", stringify!($variant), " record, found {:?}"), other),
                    )),
                }
            })*
        }
    };
}

typed! {
    /// The next record as setting text.
    setting(Setting) -> String;
    /// The next record as a counter.
    counter(Counter) -> i64;
    /// The next record as attributes.
    node(Node) -> Attr;
    /// The next record as an entry.
    edge(Edge) -> Entry;
    /// The next record as a symlink target.
    symlink(Symlink) -> Vec<u8>;
    /// The next record as an extended attribute.
    xattr(Xattr) -> Vec<u8>;
    /// The next record as a slice list.
    chunk(Chunk) -> Vec<Slice>;
    /// The next record as an owner count.
    owners(Owners) -> i64;
    /// The next record as a delayed-slice record.
    delayed_slices(DelayedSlices) -> Vec<DelayedSlice>;
    /// The next record as a session.
    session(Session) -> SessionRecord;
    /// The next record as a deletion time.
    deleted_file(DeletedFile) -> i64;
    /// The next record as a BSD lock.
    file_lock(FileLock) -> FileLockKind;
    /// The next record as POSIX locks.
    record_locks(RecordLocks) -> Vec<RecordLock>;
    /// The next record as directory statistics.
    dir_stat(DirStat) -> DirStat;
    /// The next record as a quota.
    quota(Quota) -> Quota;
    /// The next record as the start of a clone.
    detached(Detached) -> i64;
    /// The next record as an ACL rule.
    acl(Acl) -> AclRule;
}
