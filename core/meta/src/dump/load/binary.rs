//! Decoding a binary dump: its records are stored as they are.

use std::collections::{BTreeMap, HashMap};
use std::io::{ErrorKind as IoErrorKind, Read};

use moorage_model::{
    AclRule, Attr, ChunkIndex, Counter, DirStat, Entry, Error, ErrorKind, Gid, Ino, Name, NodeType, Quota,
    QuotaKey, Result, SessionId, Setting, SliceId, Uid, decode_slices,
};
use prost::Message as _;

use super::LoadSummary;
use super::batch::{Batches, Loaded};
use super::numbers::{check_chunk, check_entry, check_inode, second_chunk};
use super::setting;
use super::totals::Totals;
use super::volume::LoadedVolume;
use crate::admin::InodeSet;
use crate::dump::binary::damaged;
use crate::dump::binary::message::{self, Batch, Footer, Format};
use crate::dump::binary::segment::Segment;
use crate::dump::{lacks_key, lacks_secrets};
use crate::{Key, Record};

/// Longest segment that is read, bytes: those of JuiceFS have some thousand records.
const LONGEST_SEGMENT: u64 = 1 << 30;
/// Longest footer, bytes.
const LONGEST_FOOTER: u64 = 64 << 20;
/// Highest id of a rule: rules are few, and ids of rules that are missing are filled.
const HIGHEST_RULE: u32 = 1 << 20;

struct Decoder<R> {
    dump: R,
    /// Bytes read.
    offset: u64,
    batches: Batches,
    totals: Totals,
    setting: Option<Setting>,
    counters: BTreeMap<Counter, i64>,
    rules: BTreeMap<u32, AclRule>,
    nodes: u64,
    space: i64,
    /// Files with a first chunk.
    first_chunks: InodeSet,
    /// Indices of the other chunks, of files that have some.
    further_chunks: HashMap<Ino, InodeSet>,
}

/// Decodes a dump: its records go into `batches`, the rest is returned.
///
/// # Errors
/// `Corrupt` naming the segment; `VersionMismatch`; `Io` when the dump can not be read or nobody takes its records.
pub(super) fn decode(dump: impl Read, batches: Batches) -> Result<LoadedVolume> {
    let mut decoder = Decoder {
        dump,
        offset: 0,
        batches,
        totals: Totals::default(),
        setting: None,
        counters: BTreeMap::new(),
        rules: BTreeMap::new(),
        nodes: 0,
        space: 0,
        first_chunks: InodeSet::default(),
        further_chunks: HashMap::new(),
    };
    while let Some((segment, bytes)) = decoder.segment()? {
        let place = format!("segment {} before byte {}", segment.name(), decoder.offset);
        decoder
            .records(segment, &bytes, &place)
            .map_err(|error| error.context(&place))?;
    }
    decoder.footer()?;
    decoder.finish()
}

impl<R: Read> Decoder<R> {
    /// The next segment, `None` at the end marker.
    fn segment(&mut self) -> Result<Option<(Segment, Vec<u8>)>> {
        let code = u32::from_be_bytes(self.exact()?);
        if code == Segment::END {
            return Ok(None);
        }
        let Some(segment) = Segment::from_code(code) else {
            return Err(self.damaged(&format!("{code} is no kind of segment")));
        };
        let length = u64::from_be_bytes(self.exact()?);
        if length > LONGEST_SEGMENT {
            return Err(self.damaged(&format!("a segment of {length} bytes")));
        }
        let bytes = self.take(length)?;
        Ok(Some((segment, bytes)))
    }

    fn footer(&mut self) -> Result<()> {
        let mut rest = Vec::new();
        let read = self.dump.by_ref().take(LONGEST_FOOTER).read_to_end(&mut rest);
        read.map_err(unreadable)?;
        let Some((encoded, length)) = rest.split_last_chunk::<8>() else {
            return Err(self.damaged("the footer is cut off"));
        };
        if u64::from_be_bytes(*length) != encoded.len() as u64 {
            return Err(self.damaged("the footer has another length than it says"));
        }
        let footer = Footer::decode(encoded).map_err(|error| damaged("the footer", &error))?;
        if footer.magic != Segment::END {
            return Err(self.damaged("the footer is of another kind of file"));
        }
        if footer.version > Segment::VERSION {
            return Err(Error::new(
                ErrorKind::VersionMismatch,
                format!(
                    "the dump has version {}, this release reads version 1",
                    footer.version
                ),
            ));
        }
        Ok(())
    }

    fn records(&mut self, segment: Segment, bytes: &[u8], place: &str) -> Result<()> {
        match segment {
            Segment::Format => {
                let format = Format::decode(bytes).map_err(|error| damaged(place, &error))?;
                self.setting = Some(setting::decode(&format.data)?);
                return Ok(());
            }
            // Tells of another database.
            Segment::ChangeLog => return Ok(()),
            _ => {}
        }
        let batch = Batch::decode(bytes).map_err(|error| damaged(place, &error))?;
        self.tree(batch.nodes, batch.edges, batch.parents, batch.symlinks)?;
        self.content(batch.chunks, batch.slice_refs)?;
        for xattr in batch.xattrs {
            check_inode(Ino(xattr.inode))?;
            let key = Key::Xattr(Ino(xattr.inode), xattr.name.into_bytes());
            self.batches.put(key, Record::Xattr(xattr.value))?;
        }
        for sustained in batch.sustained {
            let session = SessionId(sustained.sid);
            self.totals.take_session(session);
            for ino in sustained.inodes {
                check_inode(Ino(ino))?;
                self.totals.take_inode(Ino(ino));
                let key = Key::Sustained(session, Ino(ino));
                self.batches.put(key, Record::Sustained)?;
            }
        }
        for file in batch.del_files {
            check_inode(Ino(file.inode))?;
            self.totals.take_inode(Ino(file.inode));
            let key = Key::DeletedFile(Ino(file.inode), file.length);
            self.batches.put(key, Record::DeletedFile(file.expire))?;
        }
        for stat in batch.dir_stats {
            let record = DirStat {
                length: stat.data_length,
                space: stat.used_space,
                inodes: stat.used_inodes,
            };
            self.batches
                .put(Key::DirStat(Ino(stat.inode)), Record::DirStat(record))?;
        }
        for quota in batch.quotas {
            self.quota(QuotaKey::Directory(Ino(quota.key)), &quota)?;
        }
        for quota in batch.user_quotas {
            self.quota(QuotaKey::User(Uid(narrow(quota.key)?)), &quota)?;
        }
        for quota in batch.group_quotas {
            self.quota(QuotaKey::Group(Gid(narrow(quota.key)?)), &quota)?;
        }
        for acl in batch.acls {
            if acl.id == 0 || acl.id > HIGHEST_RULE {
                return Err(self.damaged(&format!("an ACL rule with the id {}", acl.id)));
            }
            self.rules.insert(acl.id, AclRule::decode(&acl.data)?);
        }
        for counter in batch.counters {
            let known = Counter::ALL.into_iter().find(|known| known.name() == counter.key);
            if let Some(known) = known {
                self.counters.insert(known, counter.value);
            }
        }
        Ok(())
    }

    fn tree(
        &mut self,
        nodes: Vec<message::Node>,
        edges: Vec<message::Edge>,
        parents: Vec<message::Parent>,
        symlinks: Vec<message::Symlink>,
    ) -> Result<()> {
        for node in nodes {
            let attr =
                Attr::decode(&node.data).map_err(|error| error.context(format!("inode {}", node.inode)))?;
            let ino = Ino(node.inode);
            check_inode(ino)?;
            if (ino == Ino::ROOT || ino.is_trash()) && !attr.is_directory() {
                return Err(self.damaged(&format!("inode {ino} has the number of a directory and is none")));
            }
            if !self.totals.is_first(ino) {
                return Err(self.damaged(&format!("inode {ino} is there a second time")));
            }
            if ino != Ino::ROOT && ino != Ino::TRASH {
                self.nodes += 1;
                self.space = self.space.saturating_add(attr.used_space());
            }
            self.batches.put(Key::Node(ino), Record::Node(attr))?;
        }
        for edge in edges {
            let code = u8::try_from(edge.kind).unwrap_or(0);
            let entry = Entry {
                kind: NodeType::from_code(code)?,
                ino: Ino(edge.inode),
            };
            check_entry(Ino(edge.parent), entry.ino)?;
            self.totals.take_inode(Ino(edge.parent));
            self.totals.take_inode(entry.ino);
            let name = Name::new(&edge.name)
                .map_err(|error| error.context(format!("a name in directory {}", edge.parent)))?;
            self.batches
                .put(Key::Edge(Ino(edge.parent), name), Record::Edge(entry))?;
        }
        for parent in parents {
            check_entry(Ino(parent.parent), Ino(parent.inode))?;
            self.batches.push(Loaded::Parent {
                ino: Ino(parent.inode),
                directory: Ino(parent.parent),
                names: parent.count,
            })?;
        }
        for symlink in symlinks {
            check_inode(Ino(symlink.inode))?;
            let key = Key::Symlink(Ino(symlink.inode));
            self.batches.put(key, Record::Symlink(symlink.target))?;
        }
        Ok(())
    }

    fn content(&mut self, chunks: Vec<message::Chunk>, slice_refs: Vec<message::SliceRef>) -> Result<()> {
        for chunk in chunks {
            let slices = decode_slices(&chunk.slices)
                .map_err(|error| error.context(format!("chunk {} of inode {}", chunk.index, chunk.inode)))?;
            let (ino, index) = (Ino(chunk.inode), ChunkIndex(chunk.index));
            check_inode(ino)?;
            check_chunk(ino, index)?;
            if !self.is_first_chunk(ino, index) {
                return Err(second_chunk(ino, index));
            }
            // Chunks of deleted files have no node.
            self.totals.take_inode(ino);
            for slice in &slices {
                self.totals.see_slice(&mut self.batches, slice.id, slice.size)?;
            }
            let key = Key::Chunk(ino, index);
            self.batches.put(key, Record::Chunk(slices))?;
        }
        for slice in slice_refs {
            let id = SliceId(slice.id);
            if id == SliceId::HOLE {
                continue;
            }
            self.totals.see_slice(&mut self.batches, id, slice.size)?;
            let more = slice.refs.saturating_sub(1);
            self.batches.push(Loaded::Owners(id, slice.size, more))?;
        }
        Ok(())
    }

    /// Whether this chunk is met for the first time. Most files have the first one only.
    fn is_first_chunk(&mut self, ino: Ino, index: ChunkIndex) -> bool {
        let chunks = match index {
            ChunkIndex(0) => return self.first_chunks.insert(ino),
            _ => self.further_chunks.entry(ino).or_default(),
        };
        chunks.insert(Ino(u64::from(index.0)))
    }

    fn quota(&mut self, key: QuotaKey, quota: &message::Quota) -> Result<()> {
        let record = Quota {
            max_space: quota.max_space,
            max_inodes: quota.max_inodes,
            used_space: quota.used_space,
            used_inodes: quota.used_inodes,
        };
        self.batches.put(Key::Quota(key), Record::Quota(record))
    }

    fn finish(mut self) -> Result<LoadedVolume> {
        self.batches.flush()?;
        let Some(setting) = self.setting.take() else {
            return Err(self.damaged("it has no setting"));
        };
        // Rules get the ids that nodes refer to; one that is missing takes an empty rule.
        let highest = self.rules.keys().next_back().copied().unwrap_or(0);
        let rules = (1..=highest).map(|id| self.rules.remove(&id).unwrap_or_default());
        let rules: Vec<AclRule> = rules.collect();
        let summary = LoadSummary {
            name: setting.name.clone(),
            nodes: self.nodes,
            space: self.space.unsigned_abs(),
            repeated: 0,
            secrets_removed: lacks_secrets(&setting),
            key_removed: lacks_key(&setting),
        };
        let mut counters = self.counters;
        // The engine numbers the rules itself.
        counters.remove(&Counter::AclMaxId);
        for counter in [
            Counter::NextInode,
            Counter::NextChunk,
            Counter::NextSession,
            Counter::NextTrash,
        ] {
            let dumped = counters.get(&counter).copied().unwrap_or(0);
            counters.insert(counter, self.totals.counter(counter, dumped)?);
        }
        debug_assert!(
            rules.len() <= HIGHEST_RULE as usize,
            "checked when they were read"
        );
        Ok(LoadedVolume {
            setting,
            rules,
            quotas: Vec::new(),
            counters: counters.into_iter().collect(),
            summary,
        })
    }

    fn exact<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.dump.read_exact(&mut bytes).map_err(unreadable)?;
        self.offset += N as u64;
        Ok(bytes)
    }

    /// Reads a segment, whose length may be damage: memory is taken as bytes arrive.
    fn take(&mut self, length: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.dump.by_ref().take(length).read_to_end(&mut bytes);
        read.map_err(unreadable)?;
        self.offset += bytes.len() as u64;
        if bytes.len() as u64 == length {
            Ok(bytes)
        } else {
            Err(self.damaged("it is cut off"))
        }
    }

    fn damaged(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Corrupt,
            format!("the dump is damaged at byte {}: {what}", self.offset),
        )
    }
}

fn narrow(key: u64) -> Result<u32> {
    u32::try_from(key).map_err(|_| Error::new(ErrorKind::Corrupt, format!("{key} is no user or group")))
}

fn unreadable(error: std::io::Error) -> Error {
    match error.kind() {
        IoErrorKind::UnexpectedEof | IoErrorKind::InvalidData | IoErrorKind::InvalidInput => {
            Error::new(ErrorKind::Corrupt, "the dump is damaged or cut off").with_source(error)
        }
        _ => Error::new(ErrorKind::Io, "the dump can not be read").with_source(error),
    }
}
