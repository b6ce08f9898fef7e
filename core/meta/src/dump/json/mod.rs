//! The JSON dump of a volume, as a stream (spec 80-dump section 1).

mod text;
mod tree;

use std::collections::BTreeMap;

use moorage_model::{Attr, Counter, Error, ErrorKind, Gid, Ino, QuotaKey, Result, Uid};

use self::text::JsonText;
use self::tree::TreeWriter;
use super::document::{
    AttrDocument, CountersDocument, DeletedFileDocument, QuotaDocument, SustainedDocument,
};
use super::{DumpOptions, DumpOutput, DumpSummary, stored_setting};
use crate::admin::{Pages, Progress};
use crate::{Key, Meta, Record, Scan, TxnExt as _};

/// The quotas of one kind, by the text of their keys: that is their order.
type Quotas = BTreeMap<String, QuotaDocument>;

impl Meta {
    /// Writes the volume, or a directory of it, as JSON. Entries whose records can not be read are left out and
    /// counted.
    ///
    /// The records are read while others may change them: what is moved meanwhile may be missing or occur twice.
    /// Memory: per level of depth a page of a directory, and 128 entries with their extended attributes and first
    /// chunks.
    ///
    /// # Errors
    /// `NotDirectory`, `NotFound` and the like for the directory; `Interrupted` when `progress` was cancelled; what
    /// the engine answers; `Io` when nobody takes the output any more.
    ///
    /// # Cancel safety
    /// Dropping the future ends the output early.
    pub async fn dump_json(
        &self,
        options: &DumpOptions,
        output: DumpOutput,
        progress: &Progress,
    ) -> Result<DumpSummary> {
        let root = options.directory.unwrap_or(Ino::ROOT);
        let attr = self.getattr(root).await?;
        if !attr.is_directory() {
            return Err(Error::new(ErrorKind::NotDirectory, format!("inode {root}")));
        }
        let whole = root == Ino::ROOT;
        let mut json = JsonText::new(output);
        json.begin().await?;
        let mut setting = stored_setting(self).await?;
        // The data key stays: it is sealed, and without it nobody could read the data.
        let secrets_removed = !options.keep_secrets && super::remove_store_secrets(&mut setting);
        json.lines("Setting", &setting).await?;
        let counters = self.dumped_counters().await?;
        if whole {
            progress.expect(u64::try_from(counters.used_inodes).unwrap_or(0));
        }
        json.lines("Counters", &counters).await?;
        json.lines("Sustained", &self.dumped_sustained().await?).await?;
        json.lines("DelFiles", &self.dumped_deleted_files().await?)
            .await?;
        self.dump_quotas(&mut json, whole).await?;
        let mut tree = TreeWriter::new(&self.engine, options.concurrency, progress);
        tree.write(&mut json, "FSTree", root, attr).await?;
        if whole && !options.skip_trash {
            self.dump_trash(&mut json, &mut tree).await?;
        }
        let (entries, unreadable) = (tree.entries, tree.unreadable);
        let bytes = json.end().await?;
        Ok(DumpSummary {
            entries,
            bytes,
            unreadable,
            secrets_removed,
            // Sealed, as the format has it.
            key_removed: false,
        })
    }

    async fn dump_trash(&self, json: &mut JsonText, tree: &mut TreeWriter<'_>) -> Result<()> {
        let root: Option<Attr> = self.engine.get(&[Key::Node(Ino::TRASH)]).await?.node()?;
        if let Some(attr) = root {
            return tree.write(json, "Trash", Ino::TRASH, attr).await;
        }
        json.open("Trash").await?;
        json.line("attr", &AttrDocument::no_trash()).await?;
        json.open("entries").await?;
        json.close().await?;
        json.close().await
    }

    async fn dumped_counters(&self) -> Result<CountersDocument> {
        let counters = [
            Counter::UsedSpace,
            Counter::TotalInodes,
            Counter::NextInode,
            Counter::NextChunk,
            Counter::NextSession,
            Counter::NextTrash,
        ];
        let mut found = self.engine.get(&counters.map(Key::Counter)).await?;
        let mut values = counters.map(Counter::initial);
        for value in &mut values {
            *value = found.counter()?.unwrap_or(*value);
        }
        let [
            used_space,
            used_inodes,
            next_inodes,
            next_chunk,
            next_session,
            next_trash,
        ] = values;
        Ok(CountersDocument {
            used_space,
            used_inodes,
            next_inodes,
            next_chunk,
            next_session,
            next_trash,
        })
    }

    async fn dumped_sustained(&self) -> Result<Vec<SustainedDocument>> {
        let mut sessions: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        let mut pages = Pages::new(Scan::AllSustained);
        while let Some(page) = pages.next(self).await? {
            for (key, _) in page {
                if let Key::Sustained(sid, ino) = key {
                    sessions.entry(sid.0).or_default().push(ino.0);
                }
            }
        }
        let documents = sessions.into_iter().map(|(sid, mut inodes)| {
            inodes.sort_unstable();
            SustainedDocument {
                sid,
                inodes: Some(inodes),
            }
        });
        Ok(documents.collect())
    }

    async fn dumped_deleted_files(&self) -> Result<Vec<DeletedFileDocument>> {
        let mut documents = Vec::new();
        let mut pages = Pages::new(Scan::DeletedFiles);
        while let Some(page) = pages.next(self).await? {
            documents.extend(page.into_iter().filter_map(|item| match item {
                (Key::DeletedFile(ino, length), Record::DeletedFile(expire)) => Some(DeletedFileDocument {
                    inode: ino.0,
                    length,
                    expire,
                }),
                _ => None,
            }));
        }
        documents.sort_unstable_by_key(|document| (document.inode, document.length));
        Ok(documents)
    }

    /// Limits; those of users and groups belong to the whole volume.
    async fn dump_quotas(&self, json: &mut JsonText, whole: bool) -> Result<()> {
        let [mut directories, mut users, mut groups] = [Quotas::new(), Quotas::new(), Quotas::new()];
        let mut pages = Pages::new(Scan::Quotas);
        while let Some(page) = pages.next(self).await? {
            for item in page {
                let (Key::Quota(key), Record::Quota(quota)) = item else {
                    continue;
                };
                let document = QuotaDocument::from(&quota);
                match key {
                    QuotaKey::Directory(ino) => drop(directories.insert(ino.to_string(), document)),
                    QuotaKey::User(Uid(id)) if document.is_limit() => {
                        users.insert(id.to_string(), document);
                    }
                    QuotaKey::Group(Gid(id)) if document.is_limit() => {
                        groups.insert(id.to_string(), document);
                    }
                    QuotaKey::User(_) | QuotaKey::Group(_) => {}
                }
            }
        }
        let kinds = [
            ("Quotas", directories, true),
            ("UserQuotas", users, whole),
            ("GroupQuotas", groups, whole),
        ];
        for (member, quotas, wanted) in kinds {
            if wanted && !quotas.is_empty() {
                json.lines(member, &quotas).await?;
            }
        }
        Ok(())
    }
}
