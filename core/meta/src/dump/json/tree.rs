//! A tree of a JSON dump, depth first, with the records of the next entries read ahead.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use futures_util::StreamExt as _;
use moorage_model::{AclId, AclRule, Attr, Ino, Result};

use super::text::JsonText;
use crate::admin::Progress;
use crate::dump::attachments::{Attachments, Chunk};
use crate::dump::document::{AclDocument, AttrDocument, ChunkDocument, XattrDocument};
use crate::dump::listing::Listing;
use crate::dump::text::escape;
use crate::{Engine, Key, TxnExt as _};

/// Entries of a directory whose records are read ahead.
const READ_AHEAD: usize = 128;

/// Writes the entries below a directory.
#[derive(Debug)]
pub(super) struct TreeWriter<'d> {
    engine: &'d Arc<dyn Engine>,
    progress: &'d Progress,
    concurrency: usize,
    rules: HashMap<AclId, AclRule>,
    /// Directories that are open: one that appears below itself is not followed.
    open: HashSet<Ino>,
    /// Entries and records left out because they can not be read.
    pub(super) unreadable: u64,
    /// Entries written.
    pub(super) entries: u64,
}

/// An entry and everything that is written of it.
#[derive(Debug)]
struct Prepared {
    text: String,
    ino: Ino,
    attr: Attr,
    attachments: Attachments,
}

/// A directory whose entries are being written.
#[derive(Debug)]
struct Frame {
    directory: Ino,
    listing: Listing,
    ready: VecDeque<Prepared>,
}

impl<'d> TreeWriter<'d> {
    pub(super) fn new(engine: &'d Arc<dyn Engine>, concurrency: usize, progress: &'d Progress) -> Self {
        TreeWriter {
            engine,
            progress,
            concurrency: concurrency.max(1),
            rules: HashMap::new(),
            open: HashSet::new(),
            unreadable: 0,
            entries: 0,
        }
    }

    /// Writes a tree as the member `name`.
    ///
    /// Memory: per level of depth 128 entries with their extended attributes and first chunks, and a page of
    /// a directory.
    ///
    /// # Errors
    /// What the engine and the output answer.
    pub(super) async fn write(
        &mut self,
        json: &mut JsonText,
        name: &str,
        root: Ino,
        attr: Attr,
    ) -> Result<()> {
        let attachments = Attachments::read(self.engine.as_ref(), root, &attr).await?;
        let mut stack = Vec::new();
        let root = Prepared {
            text: name.to_owned(),
            ino: root,
            attr,
            attachments,
        };
        self.enter(json, root, &mut stack).await?;
        while let Some(frame) = stack.last_mut() {
            if frame.ready.is_empty() {
                self.progress.check()?;
                self.prepare(frame).await?;
            }
            match frame.ready.pop_front() {
                Some(entry) => self.enter(json, entry, &mut stack).await?,
                None => {
                    self.open.remove(&frame.directory);
                    stack.pop();
                    json.close().await?;
                    json.close().await?;
                }
            }
        }
        Ok(())
    }

    /// Writes an entry; a directory stays open and goes onto the stack.
    async fn enter(&mut self, json: &mut JsonText, entry: Prepared, stack: &mut Vec<Frame>) -> Result<()> {
        let (ino, is_directory) = (entry.ino, entry.attr.is_directory());
        if is_directory && !self.open.insert(ino) {
            tracing::warn!(
                inode = ino.0,
                "a directory lies below itself and is left out there"
            );
            self.unreadable += 1;
            return Ok(());
        }
        json.open(&entry.text).await?;
        self.entries += 1;
        self.progress.add(1, 0);
        self.write_records(json, entry).await?;
        if !is_directory {
            return json.close().await;
        }
        json.open("entries").await?;
        stack.push(Frame {
            directory: ino,
            listing: Listing::new(ino),
            ready: VecDeque::new(),
        });
        Ok(())
    }

    async fn write_records(&mut self, json: &mut JsonText, entry: Prepared) -> Result<()> {
        let Prepared {
            ino,
            attr,
            attachments,
            ..
        } = entry;
        json.line("attr", &AttrDocument::new(ino, &attr)).await?;
        if let Some(target) = &attachments.symlink {
            json.text("symlink", &escape(target)).await?;
        }
        if !attachments.xattrs.is_empty() {
            let xattrs: Vec<XattrDocument> = attachments
                .xattrs
                .iter()
                .map(|(name, value)| XattrDocument::new(name, value))
                .collect();
            json.line("xattrs", &xattrs).await?;
        }
        let acls = [
            ("posix_acl_access", attr.access_acl),
            ("posix_acl_default", attr.default_acl),
        ];
        for (member, id) in acls.into_iter().filter(|(_, id)| id.0 != 0) {
            match self.rule(id).await? {
                Some(rule) => json.line(member, &AclDocument::from(&rule)).await?,
                None => self.unreadable += 1,
            }
        }
        self.write_chunks(json, ino, attachments).await
    }

    async fn write_chunks(&mut self, json: &mut JsonText, ino: Ino, mut found: Attachments) -> Result<()> {
        let document = |chunk: &Chunk| ChunkDocument::new(chunk.0, &chunk.1);
        match (found.chunks.as_slice(), &found.more_chunks) {
            ([], None) => {}
            ([only], None) => json.line("chunks", &[document(only)]).await?,
            _ => {
                json.open_list("chunks").await?;
                loop {
                    for chunk in &found.chunks {
                        json.item(&document(chunk)).await?;
                    }
                    if !found.read_more_chunks(self.engine.as_ref(), ino).await? {
                        break;
                    }
                }
                json.close_list().await?;
            }
        }
        self.unreadable += found.damaged;
        Ok(())
    }

    /// Reads the records of the next entries; one whose node is missing or damaged is left out and counted.
    async fn prepare(&mut self, frame: &mut Frame) -> Result<()> {
        let engine = self.engine.as_ref();
        let mut batch = Vec::with_capacity(READ_AHEAD);
        while batch.len() < READ_AHEAD {
            let Some(listed) = frame.listing.next(engine).await? else {
                break;
            };
            match listed.attr {
                Some(attr) => batch.push((escape(listed.name.as_bytes()), listed.entry.ino, attr)),
                None => self.unreadable += 1,
            }
        }
        self.unreadable += frame.listing.take_damaged();
        let read = batch.into_iter().map(|(text, ino, attr)| async move {
            Attachments::read(engine, ino, &attr)
                .await
                .map(|attachments| Prepared {
                    text,
                    ino,
                    attr,
                    attachments,
                })
        });
        let mut prepared = futures_util::stream::iter(read).buffered(self.concurrency);
        while let Some(entry) = prepared.next().await {
            frame.ready.push_back(entry?);
        }
        Ok(())
    }

    async fn rule(&mut self, id: AclId) -> Result<Option<AclRule>> {
        if let Some(rule) = self.rules.get(&id) {
            return Ok(Some(rule.clone()));
        }
        let found = self.engine.get(&[Key::Acl(id)]).await;
        let found = crate::admin::readable(found.and_then(|mut records| records.acl()))?.flatten();
        if let Some(rule) = &found {
            self.rules.insert(id, rule.clone());
        }
        Ok(found)
    }
}
