//! Decoding a JSON dump.

mod place;
mod tree;

use std::collections::HashMap;
use std::io::Read;

use moorage_model::{
    Attr, Counter, Error, ErrorKind, Gid, Ino, NodeType, QuotaKey, Result, Setting, Timestamp, Uid,
};
use struson::reader::JsonReader as _;

use self::place::DumpReader;
use self::tree::Tree;
use super::LoadSummary;
use super::batch::Batches;
use super::numbers::check_inode;
use super::setting;
use super::totals::Totals;
use super::volume::LoadedVolume;
use crate::dump::document::{CountersDocument, DeletedFileDocument, QuotaDocument};
use crate::dump::{lacks_key, lacks_secrets};
use crate::{Key, Record};

/// Permission bits of a trash root (spec 10-setting section 7).
const TRASH_MODE: u16 = 0o555;

/// Members of a dump that were read so far.
#[derive(Debug)]
struct Decoder<R: Read> {
    reader: DumpReader<R>,
    batches: Batches,
    totals: Totals,
    setting: Option<Setting>,
    counters: Option<CountersDocument>,
    quotas: HashMap<QuotaKey, QuotaDocument>,
    repeated: u64,
    has_tree: bool,
    has_trash: bool,
}

/// Decodes a dump: its records go into `batches`, the rest is returned.
///
/// # Errors
/// `Corrupt` naming the place; `VersionMismatch`; `Io` when the dump can not be read or nobody takes its records.
pub(super) fn decode(dump: impl Read, batches: Batches, now: Timestamp) -> Result<LoadedVolume> {
    let mut decoder = Decoder {
        reader: DumpReader::new(dump),
        batches,
        totals: Totals::default(),
        setting: None,
        counters: None,
        quotas: HashMap::new(),
        repeated: 0,
        has_tree: false,
        has_trash: false,
    };
    decoder.members()?;
    decoder.finish(now)
}

impl<R: Read> Decoder<R> {
    fn members(&mut self) -> Result<()> {
        self.reader.try_(|json| json.begin_object())?;
        while self.reader.try_(|json| json.has_next())? {
            let name = self.reader.try_(|json| json.next_name_owned())?;
            match name.as_str() {
                "Setting" => {
                    let text = self.reader.value_as_text()?;
                    let setting = self.reader.at(setting::decode(&text))?;
                    self.totals.count_owners(setting.user_group_quota);
                    self.setting = Some(setting);
                }
                "Counters" => self.counters = Some(self.reader.value()?),
                "DelFiles" => self.deleted_files()?,
                "Quotas" => self.quotas(|id| Some(QuotaKey::Directory(Ino(id))))?,
                "UserQuotas" => self.quotas(|id| Some(QuotaKey::User(Uid(u32::try_from(id).ok()?))))?,
                "GroupQuotas" => self.quotas(|id| Some(QuotaKey::Group(Gid(u32::try_from(id).ok()?))))?,
                "FSTree" => {
                    self.tree(Ino::ROOT)?;
                    self.has_tree = true;
                }
                "Trash" => self.has_trash = self.tree(Ino::TRASH)?,
                // Files that sessions held open are lost with them, and a changelog tells of another database.
                _ => self.reader.try_(|json| json.skip_value())?,
            }
        }
        self.reader.try_(|json| json.end_object())?;
        self.reader.end()
    }

    /// Reads a tree; `false` when it is the trash root of a volume that never had one.
    fn tree(&mut self, root: Ino) -> Result<bool> {
        let Some(setting) = &self.setting else {
            return Err(self.reader.damaged("Setting has to come before the tree"));
        };
        let tree = Tree {
            reader: &mut self.reader,
            batches: &mut self.batches,
            totals: &mut self.totals,
            quotas: &self.quotas,
            statistics: setting.dir_stats,
            repeated: &mut self.repeated,
        };
        tree.read(root)
    }

    fn deleted_files(&mut self) -> Result<()> {
        self.reader.list(|reader| {
            let document: DeletedFileDocument = reader.value()?;
            reader.at(check_inode(Ino(document.inode)))?;
            self.totals.take_inode(Ino(document.inode));
            self.batches.put(
                Key::DeletedFile(Ino(document.inode), document.length),
                Record::DeletedFile(document.expire),
            )
        })
    }

    fn quotas(&mut self, key: impl Fn(u64) -> Option<QuotaKey>) -> Result<()> {
        if self.has_tree {
            return Err(self.reader.damaged("quotas have to come before the tree"));
        }
        if self.reader.take_null()? {
            return Ok(());
        }
        self.reader.try_(|json| json.begin_object())?;
        while self.reader.try_(|json| json.has_next())? {
            let name = self.reader.try_(|json| json.next_name_owned())?;
            let Some(key) = name.parse().ok().and_then(&key) else {
                return Err(self.reader.damaged(&format!("a quota of {name:?}")));
            };
            let document = self.reader.value()?;
            self.quotas.insert(key, document);
        }
        self.reader.try_(|json| json.end_object())
    }

    fn finish(mut self, now: Timestamp) -> Result<LoadedVolume> {
        let missing = |member: &str| {
            Error::new(ErrorKind::Corrupt, format!("the dump has no {member}"))
                .with_advice("It is no dump of a volume, or was cut off.")
        };
        let setting = self.setting.take().ok_or_else(|| missing("Setting"))?;
        let counters = self.counters.take().ok_or_else(|| missing("Counters"))?;
        if !self.has_tree {
            return Err(missing("FSTree"));
        }
        if !self.has_trash && setting.trash_days > 0 {
            let trash = Attr::new(NodeType::Directory, TRASH_MODE, Uid::ROOT, Gid(0), now, Ino::ROOT);
            self.batches.put(Key::Node(Ino::TRASH), Record::Node(trash))?;
        }
        self.batches.flush()?;
        let usage = self.totals.usage();
        let summary = LoadSummary {
            name: setting.name.clone(),
            nodes: usage.inodes.unsigned_abs(),
            space: usage.space.unsigned_abs(),
            repeated: self.repeated,
            secrets_removed: lacks_secrets(&setting),
            key_removed: lacks_key(&setting),
        };
        Ok(LoadedVolume {
            quotas: self.owners_quotas(),
            counters: self.counters(&counters)?,
            rules: self.totals.take_rules(),
            setting,
            summary,
        })
    }

    /// The limits of users and groups with what they own, and those who own something without a limit.
    fn owners_quotas(&mut self) -> Vec<(QuotaKey, moorage_model::Quota)> {
        let mut owners = self.totals.take_owners();
        let limited = self
            .quotas
            .keys()
            .filter(|key| !matches!(key, QuotaKey::Directory(_)));
        for key in limited {
            owners.entry(*key).or_default();
        }
        let quota = |(key, usage): (QuotaKey, crate::Usage)| {
            let limits = self.quotas.get(&key).copied().unwrap_or_default();
            (key, limits.with_usage(usage.space, usage.inodes))
        };
        owners.into_iter().map(quota).collect()
    }

    /// Usage as counted; numbers that are handed out go on where the dumped volume was, so that none is given twice
    /// even if its objects are still there.
    fn counters(&self, dumped: &CountersDocument) -> Result<Vec<(Counter, i64)>> {
        let usage = self.totals.usage();
        let mut counters = vec![
            (Counter::UsedSpace, usage.space),
            (Counter::TotalInodes, usage.inodes),
            (Counter::NextCleanupSlices, 0),
        ];
        for (counter, value) in [
            (Counter::NextInode, dumped.next_inodes),
            (Counter::NextChunk, dumped.next_chunk),
            (Counter::NextSession, dumped.next_session),
            (Counter::NextTrash, dumped.next_trash),
        ] {
            counters.push((counter, self.totals.counter(counter, value)?));
        }
        Ok(counters)
    }
}
