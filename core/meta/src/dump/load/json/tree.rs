//! Decoding a tree of a JSON dump without recursion: every entry is a frame on a stack.

use std::collections::HashMap;
use std::io::Read;

use moorage_model::{AclKind, AclRule, Attr, DirStat, Entry, Ino, Name, NodeType, QuotaKey, Result};
use struson::reader::JsonReader as _;

use super::place::DumpReader;
use crate::accounting::entry_stat;
use crate::admin::InodeSet;
use crate::dump::document::{AclDocument, AttrDocument, ChunkDocument, QuotaDocument, XattrDocument};
use crate::dump::load::batch::{Batches, Loaded};
use crate::dump::load::numbers::{check_chunk, check_entry, second_chunk};
use crate::dump::load::totals::Totals;
use crate::dump::text::unescape;
use crate::usage::Usage;
use crate::{Key, Record};

/// What decoding a tree needs of its dump.
#[derive(Debug)]
pub(super) struct Tree<'d, R: Read> {
    pub(super) reader: &'d mut DumpReader<R>,
    pub(super) batches: &'d mut Batches,
    pub(super) totals: &'d mut Totals,
    pub(super) quotas: &'d HashMap<QuotaKey, QuotaDocument>,
    /// Whether directories have statistics.
    pub(super) statistics: bool,
    /// Directories met a second time.
    pub(super) repeated: &'d mut u64,
}

/// An entry that is being read.
#[derive(Debug)]
struct Frame {
    /// Its inode here and in the dump: the root of a dumped directory becomes the root of the volume.
    ino: Ino,
    dumped_ino: Ino,
    /// `None` for the root of the tree.
    name: Option<Name>,
    parent: Ino,
    attr: Attr,
    /// Whether the inode is met for the first time, so that its records count.
    first: bool,
    /// Whether it stands for a volume without trash.
    is_no_trash: bool,
    in_entries: bool,
    subdirectories: u32,
    statistics: DirStat,
    /// What a quota of this directory counts.
    below: Usage,
    last_name: Option<Name>,
    /// Indices of its chunks.
    chunks: InodeSet,
}

impl<R: Read> Tree<'_, R> {
    /// Reads the tree; `false` when it stands for a volume that never had a trash.
    pub(super) fn read(mut self, root: Ino) -> Result<bool> {
        let mut stack = vec![self.begin(None, root)?];
        loop {
            let Some(frame) = stack.last_mut() else {
                return Ok(true);
            };
            let more = self.reader.try_(|json| json.has_next())?;
            match (frame.in_entries, more) {
                (true, true) => {
                    let name = self.entry_name(frame)?;
                    let directory = frame.ino;
                    stack.push(self.begin(Some(name), directory)?);
                }
                (true, false) => {
                    self.reader.try_(|json| json.end_object())?;
                    frame.in_entries = false;
                }
                (false, true) => self.member(frame)?,
                (false, false) => {
                    self.reader.try_(|json| json.end_object())?;
                    let is_no_trash = frame.is_no_trash && frame.statistics.is_zero();
                    if let Some(frame) = stack.pop() {
                        self.end(frame, stack.last_mut(), is_no_trash)?;
                    }
                    if stack.is_empty() {
                        return Ok(!is_no_trash);
                    }
                }
            }
        }
    }

    fn entry_name(&mut self, directory: &mut Frame) -> Result<Name> {
        let text = self.reader.try_(|json| json.next_name_owned())?;
        let name = Name::new(&unescape(&text));
        let name = self.reader.at(name)?;
        if name.is_dots() {
            return Err(self.reader.damaged("an entry that stands for its directory"));
        }
        // Dumps are sorted, so that equal names are neighbours.
        if directory.last_name.replace(name.clone()).as_ref() == Some(&name) {
            return Err(self.reader.damaged("two entries of one name"));
        }
        Ok(name)
    }

    /// Reads the attributes of an entry, which come first.
    fn begin(&mut self, name: Option<Name>, directory: Ino) -> Result<Frame> {
        self.reader.try_(|json| json.begin_object())?;
        let has_attr = self.reader.try_(|json| json.has_next())?
            && self.reader.try_(|json| json.next_name_owned())? == "attr";
        if !has_attr {
            return Err(self.reader.damaged("the first member of an entry has to be attr"));
        }
        let document: AttrDocument = self.reader.value()?;
        let mut attr = self.reader.at(document.to_attr())?;
        let dumped_ino = Ino(document.inode);
        let (ino, parent) = match name {
            Some(_) => (dumped_ino, directory),
            None => (directory, Ino::ROOT),
        };
        let is_root = name.is_none();
        if !is_root {
            self.reader.at(check_entry(directory, ino))?;
        }
        if (is_root || ino.is_trash()) && !attr.is_directory() {
            return Err(self
                .reader
                .damaged("a root, or a directory of the trash, that is no directory"));
        }
        attr.parent = parent;
        let is_no_trash = is_root && document.is_no_trash();
        let first = self.totals.is_first(ino);
        if !first && attr.is_directory() {
            tracing::warn!(
                inode = ino.0,
                "a directory occurs twice in the dump and is left out here"
            );
            *self.repeated += 1;
        }
        Ok(Frame {
            ino,
            dumped_ino,
            name,
            parent,
            attr,
            first,
            is_no_trash,
            in_entries: false,
            subdirectories: 0,
            statistics: DirStat::default(),
            below: Usage::default(),
            last_name: None,
            chunks: InodeSet::default(),
        })
    }

    fn member(&mut self, frame: &mut Frame) -> Result<()> {
        let name = self.reader.try_(|json| json.next_name_owned())?;
        if !frame.first {
            return self.reader.try_(|json| json.skip_value());
        }
        match name.as_str() {
            "symlink" => {
                let text = self.reader.try_(|json| json.next_string())?;
                let target = unescape(&text).into_owned();
                if frame.attr.kind == NodeType::Symlink {
                    frame.attr.length = target.len() as u64;
                    self.batches
                        .put(Key::Symlink(frame.ino), Record::Symlink(target))?;
                }
                Ok(())
            }
            "xattrs" => {
                let (ino, batches) = (frame.ino, &mut *self.batches);
                self.reader.list(|reader| {
                    let XattrDocument { name, value } = reader.value()?;
                    let value = unescape(&value).into_owned();
                    batches.put(Key::Xattr(ino, name.into_bytes()), Record::Xattr(value))
                })
            }
            "posix_acl_access" => self.acl(frame, AclKind::Access),
            "posix_acl_default" => self.acl(frame, AclKind::Default),
            "chunks" => self.chunks(frame),
            "entries" if frame.attr.is_directory() => {
                self.reader.try_(|json| json.begin_object())?;
                frame.in_entries = true;
                Ok(())
            }
            _ => self.reader.try_(|json| json.skip_value()),
        }
    }

    fn acl(&mut self, frame: &mut Frame, kind: AclKind) -> Result<()> {
        let document: Option<AclDocument> = self.reader.value()?;
        if let Some(document) = document {
            let id = self.totals.rule(AclRule::from(document))?;
            match kind {
                AclKind::Access => frame.attr.access_acl = id,
                AclKind::Default => frame.attr.default_acl = id,
            }
        }
        Ok(())
    }

    fn chunks(&mut self, frame: &mut Frame) -> Result<()> {
        let (ino, batches, totals) = (frame.ino, &mut *self.batches, &mut *self.totals);
        let is_file = frame.attr.is_file();
        let seen = &mut frame.chunks;
        self.reader.list(|reader| {
            let document: ChunkDocument = reader.value()?;
            let records = document.into_records();
            let (index, slices) = reader.at(records)?;
            if !is_file {
                return Err(reader.damaged("content of a node that is no file"));
            }
            reader.at(check_chunk(ino, index))?;
            if !seen.insert(Ino(u64::from(index.0))) {
                return reader.at(Err(second_chunk(ino, index)));
            }
            for slice in &slices {
                reader.at(totals.own_slice(batches, slice.id, slice.size))?;
            }
            batches.put(Key::Chunk(ino, index), Record::Chunk(slices))
        })
    }

    /// Stores an entry that was read, and counts it in its directory.
    fn end(&mut self, frame: Frame, directory: Option<&mut Frame>, is_no_trash: bool) -> Result<()> {
        let Frame {
            ino,
            mut attr,
            parent,
            name,
            ..
        } = frame;
        let is_directory = attr.is_directory();
        if is_no_trash || is_directory && !frame.first {
            return Ok(());
        }
        if is_directory {
            // Those of the trash do not count their sub-directories (spec 80-dump section 1).
            attr.nlink = if ino.is_trash() {
                2
            } else {
                2 + frame.subdirectories
            };
            if self.statistics && ino != Ino::TRASH {
                self.batches
                    .put(Key::DirStat(ino), Record::DirStat(frame.statistics))?;
            }
            if let Some(limits) = self.quotas.get(&QuotaKey::Directory(frame.dumped_ino)) {
                let quota = limits.with_usage(frame.below.space, frame.below.inodes);
                self.batches
                    .put(Key::Quota(QuotaKey::Directory(ino)), Record::Quota(quota))?;
            }
        } else {
            attr.nlink = 1;
        }
        if let Some(directory) = directory {
            let own = entry_stat(&attr);
            directory.statistics += own;
            directory.below.add(own.space, own.inodes);
            if is_directory {
                directory.subdirectories = directory.subdirectories.saturating_add(1);
                directory.below.add(frame.below.space, frame.below.inodes);
            }
        }
        let kind = attr.kind;
        if frame.first {
            self.totals.count(ino, &attr);
            self.batches.put(Key::Node(ino), Record::Node(attr))?;
        } else {
            self.batches.push(Loaded::Link {
                ino,
                directory: parent,
            })?;
        }
        if let Some(name) = name {
            self.batches
                .put(Key::Edge(parent, name), Record::Edge(Entry { kind, ino }))?;
        }
        Ok(())
    }
}
