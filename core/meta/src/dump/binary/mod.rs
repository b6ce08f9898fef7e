//! The binary dump of a volume: its records as they are, a segment for each page of them (spec 80-dump section 3).

pub(super) mod message;
pub(super) mod segment;

use std::collections::{BTreeMap, HashMap};

use moorage_model::{Attr, Counter, Error, ErrorKind, Ino, NodeType, QuotaKey, Result, encode_slices};
use prost::Message;

use self::message::{Batch, Footer, Format, SegmentInfo};
use self::segment::Segment;
use super::{DumpOptions, DumpOutput, DumpSummary, remove, remove_store_secrets, stored_setting};
use crate::admin::{Pages, Progress, readable};
use crate::setting_text::encode_setting;
use crate::{Key, Meta, Record, Scan, TxnExt as _};

impl Meta {
    /// Writes the records of the volume in the binary form. Those that can not be read are left out and counted. Of
    /// `options` only the secrets count: the form holds the whole volume.
    ///
    /// The records are read while others may change them. Memory: a page of records.
    ///
    /// # Errors
    /// `Interrupted` when `progress` was cancelled; what the engine answers; `Io` when nobody takes the output any more.
    ///
    /// # Cancel safety
    /// Dropping the future ends the output early.
    pub async fn dump_binary(
        &self,
        options: &DumpOptions,
        output: DumpOutput,
        progress: &Progress,
    ) -> Result<DumpSummary> {
        let mut writer = SegmentWriter {
            output,
            infos: HashMap::new(),
            unreadable: 0,
        };
        let mut setting = stored_setting(self).await?;
        let (mut secrets_removed, mut key_removed) = (false, false);
        if !options.keep_secrets {
            secrets_removed = remove_store_secrets(&mut setting);
            key_removed = remove(&mut setting.encrypt_key);
        }
        let format = Format {
            data: encode_setting(&setting)?.into_bytes(),
        };
        writer.write(Segment::Format, 1, &format).await?;
        self.dump_counters(&mut writer, progress).await?;
        let mut entries = 0;
        for range in [
            Scan::AllNodes,
            Scan::AllEdges,
            Scan::AllChunks,
            Scan::SliceRefs,
            Scan::AllSustained,
            Scan::DeletedFiles,
            Scan::AllXattrs,
            Scan::Acls,
            Scan::DirStats,
            Scan::Quotas,
        ] {
            let mut pages = Pages::new(range);
            while let Some(page) = pages.survey(self).await? {
                progress.check()?;
                writer.unreadable += page.damaged.len() as u64;
                let nodes = page.items.iter().filter_map(|(key, record)| match (key, record) {
                    (Key::Node(ino), Record::Node(attr)) => Some((*ino, attr.clone())),
                    _ => None,
                });
                let nodes: Vec<(Ino, Attr)> = nodes.collect();
                let mut batches = Batches::default();
                page.items.into_iter().for_each(|item| batches.add(item));
                entries += batches.count(Segment::Edge);
                progress.add(nodes.len() as u64, 0);
                self.add_attachments(&nodes, &mut batches, &mut writer.unreadable)
                    .await?;
                writer.write_all(batches).await?;
            }
        }
        let bytes = writer.end().await?;
        Ok(DumpSummary {
            entries,
            bytes,
            unreadable: writer.unreadable,
            secrets_removed,
            key_removed,
        })
    }

    async fn dump_counters(&self, writer: &mut SegmentWriter, progress: &Progress) -> Result<()> {
        let mut batch = Batch::default();
        let mut found = self.engine.get(&Counter::ALL.map(Key::Counter)).await?;
        for counter in Counter::ALL {
            let Some(value) = found.counter()? else { continue };
            if counter == Counter::TotalInodes {
                progress.expect(u64::try_from(value).unwrap_or(0));
            }
            batch.counters.push(message::Counter {
                key: counter.name().to_owned(),
                value,
            });
        }
        writer
            .write(Segment::Counter, batch.counters.len() as u64, &batch)
            .await
    }

    /// What no range holds: targets of symlinks, and the directories of nodes with several names.
    async fn add_attachments(
        &self,
        nodes: &[(Ino, Attr)],
        batches: &mut Batches,
        unreadable: &mut u64,
    ) -> Result<()> {
        for (ino, attr) in nodes {
            if attr.kind == NodeType::Symlink {
                let target = self.engine.get(&[Key::Symlink(*ino)]).await;
                match readable(target.and_then(|mut found| found.symlink()))?.flatten() {
                    Some(target) => batches
                        .of(Segment::Symlink)
                        .symlinks
                        .push(message::Symlink { inode: ino.0, target }),
                    None => *unreadable += 1,
                }
            }
            if attr.parent == Ino::NONE {
                for (parent, count) in self.engine.parents(*ino).await? {
                    batches.of(Segment::Parent).parents.push(message::Parent {
                        inode: ino.0,
                        parent: parent.0,
                        count: i64::from(count),
                    });
                }
            }
        }
        Ok(())
    }
}

/// The records of a page by the kind of segment, in its order.
#[derive(Debug, Default)]
struct Batches(BTreeMap<u32, (Option<Segment>, Batch)>);

impl Batches {
    fn of(&mut self, segment: Segment) -> &mut Batch {
        let (kind, batch) = self.0.entry(segment.code()).or_default();
        *kind = Some(segment);
        batch
    }

    fn count(&self, segment: Segment) -> u64 {
        self.0.get(&segment.code()).map_or(0, |(_, batch)| records(batch))
    }

    fn add(&mut self, item: (Key, Record)) {
        match item {
            (Key::Node(ino), Record::Node(attr)) => self.of(Segment::Node).nodes.push(message::Node {
                inode: ino.0,
                data: attr.encode(),
            }),
            (Key::Edge(parent, name), Record::Edge(entry)) => {
                self.of(Segment::Edge).edges.push(message::Edge {
                    parent: parent.0,
                    inode: entry.ino.0,
                    name: name.as_bytes().to_vec(),
                    kind: u32::from(entry.kind.code()),
                });
            }
            (Key::Chunk(ino, index), Record::Chunk(slices)) => {
                self.of(Segment::Chunk).chunks.push(message::Chunk {
                    inode: ino.0,
                    index: index.0,
                    slices: encode_slices(&slices),
                });
            }
            // Slices that are not mentioned have one owner, and row 0 is no slice (spec 80-dump section 1).
            (Key::SliceRef(id, size), Record::Owners(refs)) if refs != 1 && id.0 != 0 => {
                self.of(Segment::SliceRef)
                    .slice_refs
                    .push(message::SliceRef { id: id.0, size, refs });
            }
            (Key::Sustained(sid, ino), Record::Sustained) => {
                let list = &mut self.of(Segment::Sustained).sustained;
                match list.iter_mut().find(|sustained| sustained.sid == sid.0) {
                    Some(sustained) => sustained.inodes.push(ino.0),
                    None => list.push(message::Sustained {
                        sid: sid.0,
                        inodes: vec![ino.0],
                    }),
                }
            }
            (Key::DeletedFile(ino, length), Record::DeletedFile(expire)) => {
                self.of(Segment::DelFile).del_files.push(message::DelFile {
                    inode: ino.0,
                    length,
                    expire,
                });
            }
            (Key::Xattr(ino, name), Record::Xattr(value)) => {
                self.of(Segment::Xattr).xattrs.push(message::Xattr {
                    inode: ino.0,
                    name: String::from_utf8_lossy(&name).into_owned(),
                    value,
                });
            }
            (Key::Acl(id), Record::Acl(rule)) => self.of(Segment::Acl).acls.push(message::Acl {
                id: id.0,
                data: rule.encode(),
            }),
            (Key::DirStat(ino), Record::DirStat(stat)) => {
                self.of(Segment::Stat).dir_stats.push(message::Stat {
                    inode: ino.0,
                    data_length: stat.length,
                    used_space: stat.space,
                    used_inodes: stat.inodes,
                });
            }
            (Key::Quota(key), Record::Quota(quota)) => {
                let batch = self.of(Segment::Quota);
                let list = match key {
                    QuotaKey::Directory(_) => &mut batch.quotas,
                    QuotaKey::User(_) => &mut batch.user_quotas,
                    QuotaKey::Group(_) => &mut batch.group_quotas,
                };
                list.push(message::Quota {
                    key: key.id(),
                    max_space: quota.max_space,
                    max_inodes: quota.max_inodes,
                    used_space: quota.used_space,
                    used_inodes: quota.used_inodes,
                    kind: u32::from(key.code()),
                });
            }
            _ => {}
        }
    }
}

/// Records in a batch.
fn records(batch: &Batch) -> u64 {
    let lists = [
        batch.nodes.len(),
        batch.edges.len(),
        batch.chunks.len(),
        batch.slice_refs.len(),
        batch.xattrs.len(),
        batch.parents.len(),
        batch.symlinks.len(),
        batch.sustained.len(),
        batch.del_files.len(),
        batch.dir_stats.len(),
        batch.quotas.len(),
        batch.acls.len(),
        batch.counters.len(),
        batch.user_quotas.len(),
        batch.group_quotas.len(),
    ];
    lists.into_iter().sum::<usize>() as u64
}

/// Writes segments and remembers where they are.
#[derive(Debug)]
struct SegmentWriter {
    output: DumpOutput,
    infos: HashMap<String, SegmentInfo>,
    unreadable: u64,
}

impl SegmentWriter {
    async fn write_all(&mut self, batches: Batches) -> Result<()> {
        for (segment, batch) in batches.0.into_values() {
            if let Some(segment) = segment {
                self.write(segment, records(&batch), &batch).await?;
            }
        }
        Ok(())
    }

    async fn write(&mut self, segment: Segment, records: u64, message: &impl Message) -> Result<()> {
        let info = self.infos.entry(segment.name().to_owned()).or_default();
        info.offsets.push(self.output.written());
        info.records += records;
        let encoded = message.encode_to_vec();
        self.output.write(&segment.code().to_be_bytes()).await?;
        self.output.write(&(encoded.len() as u64).to_be_bytes()).await?;
        self.output.write(&encoded).await
    }

    /// Writes the end and hands over what is left. Returns the bytes of the dump.
    async fn end(&mut self) -> Result<u64> {
        let footer = Footer {
            magic: Segment::END,
            version: Segment::VERSION,
            infos: std::mem::take(&mut self.infos),
        };
        let encoded = footer.encode_to_vec();
        self.output.write(&Segment::END.to_be_bytes()).await?;
        self.output.write(&encoded).await?;
        self.output.write(&(encoded.len() as u64).to_be_bytes()).await?;
        self.output.flush().await?;
        Ok(self.output.written())
    }
}

/// A message that can not be decoded.
pub(super) fn damaged(what: &str, error: &prost::DecodeError) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("the dump is damaged: {what}: {error}"),
    )
}
